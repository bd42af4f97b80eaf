//! What `postconf` prints of files by which Postfix's programs may die.
//!
//! Owns: telling the two apart. Never: looks at anything but the two files.

use super::PostfixHost;
use crate::look::Asked;
use crate::{HostError, HostLook, look};
use postseal_planner::facts::MasterState;

impl PostfixHost {
    /// One picture as far as `postconf` prints it, although Postfix's programs may die of these
    /// files ([`PostfixHost::refusal`]): without the types of tables and of SASL plug-ins, and
    /// without a look whether the master runs.
    pub fn look_at_values(&self) -> Result<HostLook, HostError> {
        let (root, folder) = (&self.root, &self.config_directory);
        let stopped = || Ok(MasterState::Stopped);
        look::look(root, folder, &self.postfix, Asked::Values, stopped)
    }

    /// What Postfix's programs die of when they read main.cf, where `postconf` gets along with it: a
    /// file that `myorigin` names and that is missing, a bad number … `postconf -m` reads
    /// main.cf as they do.
    pub fn refusal(&self) -> Option<String> {
        match self.postfix.list(&["-m"]) {
            Err(HostError::Unreadable(why)) => Some(why),
            _ => None,
        }
    }
}
