//! AUTH that works in the jail.
//!
//! Owns: `smtpd.conf` and the user database of Cyrus SASL. Never: keeps a password elsewhere.
//!
//! Cyrus reads `smtpd.conf` from `cyrus_sasl_config_path` before smtpd enters its jail, and opens
//! sasldb afterwards: `sasldb_path` is `/etc/sasldb2` *as seen in the jail*, which is
//! `etc/sasldb2` below the queue. An AUTH line in EHLO proves nothing of this; a 235 does.

use super::{Instance, of_package};
use crate::HostError;
use crate::command::Call;
use crate::file::failed;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

const SMTPD_CONF: &str = "pwcheck_method: auxprop\nauxprop_plugin: sasldb\n\
    mech_list: PLAIN LOGIN\nsasldb_path: /etc/sasldb2\n";
const DEADLINE: Duration = Duration::from_secs(10);

pub(super) fn add(to: &Instance, realm: &str, name: &str, word: &str) -> Result<(), HostError> {
    let folder = to.config_directory().join("sasl");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(folder.join("smtpd.conf"), SMTPD_CONF))
        .map_err(failed("write", &folder))?;
    let database = to.queue_directory().join("etc/sasldb2");
    Call::new(&[], Path::new("saslpasswd2"), DEADLINE)
        .args(["-p", "-c", "-u", realm, "-f"])
        .arg(&database)
        .arg(name)
        .input(word.as_bytes())
        .run_ok()
        .map_err(of_package("sasl2-bin"))?;
    chown(&database, Some(to.owners.mail), Some(0))
        .and_then(|()| fs::set_permissions(&database, Permissions::from_mode(0o600)))
        .map_err(failed("write", &database))
}
