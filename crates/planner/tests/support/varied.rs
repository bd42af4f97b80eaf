//! A host with a service of each kind, and parameters that are set twice, empty, and by `$name`.

use super::Host;

pub(crate) const MAIN: &str = "myhostname = mx.example.com
smtpd_tls_security_level = may
smtpd_tls_loglevel = 0
smtpd_tls_loglevel = 1
smtpd_tls_cert_file = $config_directory/mx.pem
smtp_tls_security_level =
smtp_use_tls = yes
alias_maps = hash:/etc/aliases
";
pub(crate) const MASTER: &str = "smtp inet n - n - - smtpd
587 inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_loglevel=2 -o smtpd_tls_loglevel=3
smtps inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:10025 inet n - n - - smtpd -o smtpd_tls_security_level=none
smtp unix - - n - - smtp
tlsmgr unix - - n 1000? 1 tlsmgr
";

pub(crate) fn host() -> Host {
    Host::new(MAIN.as_bytes(), MASTER.as_bytes())
}
