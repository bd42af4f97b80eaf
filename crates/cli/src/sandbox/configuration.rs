//! What the two instances start from.
//!
//! Owns: a plain cleartext main.cf with comments and an administrator's own settings, the stock
//! master.cf with its commented templates, and SASL behind it. Never: sets a TLS parameter of
//! mx; that is Postseal's part.

use super::instance::{Instance, postfix_user, program};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

/// mx: receives for its domain, relays for those who log in.
pub(super) fn mx_main(mx: &Instance, peer: &Instance) -> String {
    let own = "\
# Our mail exchanger. Ask Ingrid before you change anything here.
# Last big change: the new relay rules (ticket 4711).

smtpd_banner = $myhostname ESMTP
biff = no
append_dot_mydomain = no
compatibility_level = 3.6

# TLS: to be done.

# -- who may send through us
mynetworks = 192.0.2.0/24,
    # the old office
    198.51.100.0/24
smtpd_relay_restrictions = permit_mynetworks,
  permit_sasl_authenticated,
  reject_unauth_destination
mailbox_size_limit = 0
our_smtpd_note   =   kept exactly like this
";
    format!(
        "{own}{}\n# -- SASL (Cyrus, sasldb; its smtpd.conf lies beside this file)\nsmtpd_sasl_type = cyrus\ncyrus_sasl_config_path = {}\nsmtpd_sasl_local_domain = {}\nbroken_sasl_auth_clients = yes\n",
        common(
            mx,
            "mx.try.test",
            "mx.try.test",
            &route("peer.try.test", peer)
        ),
        mx.config_directory().join("sasl").display(),
        super::site::REALM,
    )
}

/// peer: a neighbour that speaks TLS where it can.
pub(super) fn peer_main(peer: &Instance, mx: &Instance, key_and_chain: &Path) -> String {
    format!(
        "compatibility_level = 3.6\n{}smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}\nsmtpd_tls_received_header = yes\nsmtpd_tls_loglevel = 1\nsmtp_tls_security_level = may\nsmtp_tls_loglevel = 1\n",
        common(
            peer,
            "peer.try.test",
            "peer.try.test",
            &route("mx.try.test", mx)
        ),
        key_and_chain.display(),
    )
}

/// The stock master.cf with its commented templates, and a log of its own.
pub(super) fn master() -> Result<String, String> {
    let stock = [
        "/usr/share/postfix/master.cf.dist",
        "/etc/postfix/master.cf.proto",
    ];
    let text = stock.iter().find_map(|path| fs::read_to_string(path).ok());
    let text = text.ok_or("the stock master.cf was not found")?;
    let logs = text.lines().any(|line| line.starts_with("postlog "));
    let postlog = if logs {
        ""
    } else {
        "postlog   unix-dgram n  -       n       -       1       postlogd\n"
    };
    Ok(text + postlog)
}

fn common(own: &Instance, hostname: &str, domain: &str, transports: &str) -> String {
    let folder = own.folder().display();
    let address = own.address();
    format!(
        "myhostname = {hostname}\nmydestination =\nalias_maps =\nalias_database =\ninet_interfaces = {address}\ninet_protocols = ipv4\nsmtp_bind_address = {address}\nqueue_directory = {folder}/queue\ndata_directory = {folder}/data\nmaillog_file = {folder}/log\nmaillog_file_prefixes = {folder}\nmulti_instance_directories =\nsmtp_host_lookup = native\nsmtp_dns_support_level = disabled\nsmtpd_peername_lookup = no\nvirtual_mailbox_domains = {domain}\nvirtual_mailbox_base = {folder}/mail\nvirtual_mailbox_maps = inline:{{ {{ postmaster@{domain} = postmaster/ }} }}\nvirtual_minimum_uid = 1\nvirtual_uid_maps = static:{}\nvirtual_gid_maps = static:{}\ntransport_maps = inline:{{ {transports} }}\ndefault_transport = error:this is a sandbox\n",
        own.owner().uid,
        own.owner().gid,
    )
}

fn route(domain: &str, to: &Instance) -> String {
    format!("{{ {domain} = smtp:[{}]:25 }}", to.address())
}

/// Cyrus SASL with a password file inside the jail: smtpd(8) is chrooted when it opens it, so
/// `sasldb_path` is named as seen from there.
pub(super) fn sasl(mx: &Instance, user: &str, password: &str) -> Result<(), String> {
    let text = |error: std::io::Error| format!("cannot set up SASL: {error}");
    let folder = mx.config_directory().join("sasl");
    fs::create_dir_all(&folder).map_err(text)?;
    let conf = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\nsasldb_path: /etc/sasldb2\n";
    fs::write(folder.join("smtpd.conf"), conf).map_err(text)?;
    let jail = mx.folder().join("queue/etc");
    fs::create_dir_all(&jail).map_err(text)?;
    let db = jail.join("sasldb2");
    let mut child =
        Command::new(program("saslpasswd2").map_err(|e| format!("{e} (package sasl2-bin)"))?)
            .args(["-p", "-c", "-u", super::site::REALM, "-f"])
            .arg(&db)
            .arg(user)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(text)?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(password.as_bytes()).map_err(text)?;
    }
    let status = child.wait().map_err(text)?;
    if !status.success() {
        return Err(format!("saslpasswd2 failed: {status}"));
    }
    let owner = postfix_user()?;
    chown(&db, Some(0), Some(owner.gid)).map_err(text)?;
    fs::set_permissions(&db, Permissions::from_mode(0o640)).map_err(text)
}
