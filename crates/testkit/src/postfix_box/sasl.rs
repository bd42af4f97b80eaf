//! AUTH that works in the jail.
//!
//! Cyrus reads `smtpd.conf` from `cyrus_sasl_config_path` before smtpd enters its jail, and opens
//! sasldb afterwards: `sasldb_path` is `/etc/sasldb2` *as seen in the jail*, which is
//! `etc/sasldb2` below the queue. The realm of the user is `myhostname`. An AUTH line in EHLO
//! proves nothing of this; a 235 does.

use super::{PostfixBox, SaslUser, config, system};
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Command, Stdio};

const SMTPD_CONF: &str = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n\
    mech_list: PLAIN LOGIN\nsasldb_path: /etc/sasldb2\n";
const SASLPASSWD: &str = "/usr/sbin/saslpasswd2";

pub(super) fn make(made: &PostfixBox, user: &SaslUser) -> io::Result<()> {
    let folder = made.config_directory().join("sasl");
    fs::create_dir(&folder)?;
    fs::write(folder.join("smtpd.conf"), SMTPD_CONF)?;
    let database = made.queue_directory().join("etc/sasldb2");
    let mut child = Command::new(SASLPASSWD)
        .args(["-p", "-c", "-u", &format!("mx.{}", config::DOMAIN), "-f"])
        .arg(&database)
        .arg(&user.name)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::other(format!("{SASLPASSWD} (package sasl2-bin): {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(user.password.as_bytes())?;
    }
    if !child.wait()?.success() {
        return Err(io::Error::other("saslpasswd2 failed"));
    }
    let postfix = system::id_of("/etc/passwd", "postfix")?;
    chown(&database, Some(postfix), Some(0))?;
    fs::set_permissions(&database, Permissions::from_mode(0o600))
}
