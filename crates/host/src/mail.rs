//! Handing a mail to the instance.
//!
//! Owns: its `sendmail`, called for mail of Postseal's own. Never: writes a mail, reads an address out of one, follows
//! what becomes of it.

use crate::HostError;
use crate::command::Call;
use crate::real::PostfixHost;
use std::time::Duration;

/// postdrop(1) writes a file and wakes pickup(8); a main.cf younger than 2 s makes each of them sleep.
const HAND_IN: Duration = Duration::from_secs(30);
/// The full name in the From line that cleanup(8) makes.
const NAME: &str = "Postseal";

impl PostfixHost {
    /// Hands a mail to the instance's queue (sendmail(1), `sendmail_path`), from whom this process is. It is taken though
    /// the master is stopped, and goes once it runs again. The recipients stand behind `--`, and nobody else is read
    /// out of the headers.
    pub fn hand_in(&self, recipients: &[&str], message: &[u8]) -> Result<(), HostError> {
        let postfix = self.postfix();
        Call::new(postfix.prefix(), &postfix.places()?.sendmail_path, HAND_IN)
            .arg("-C")
            .arg(self.config_directory())
            .args(["-i", "-F", NAME, "--"])
            .args(recipients)
            .input(message)
            .run_ok()
            .map(drop)
    }

    /// The name by which the instance calls itself (`myhostname`).
    pub fn mail_name(&self) -> Result<String, HostError> {
        let values = self.postfix().values(&["-x", "myhostname"])?.values;
        let name = values.into_values().next();
        name.ok_or_else(|| HostError::Unreadable("myhostname has no value".to_owned()))
    }
}
