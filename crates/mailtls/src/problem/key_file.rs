//! Rules on the file that a private key lies in.

use super::{CertProblem, Gravity};

/// A file that holds a private key, as the system describes it.
#[derive(Clone, Copy, Debug)]
pub struct KeyFile<'a> {
    /// Where it is, for the sentences.
    pub path: &'a str,
    /// Its permission bits.
    pub mode: u32,
    /// Its owner's number.
    pub uid: u32,
}

impl KeyFile<'_> {
    /// What is wrong with its mode and owner. Postfix reads keys as root, before it gives up its
    /// rights, so nobody else needs to.
    pub fn problems(&self) -> Vec<CertProblem> {
        let Self { path, mode, uid } = *self;
        let mut found = Vec::new();
        let mut push = |code, gravity, message: String, remedy| {
            found.push(CertProblem::new(code, gravity, message, remedy));
        };
        // Debian's group ssl-cert may read keys by convention, so a group is only noted.
        let readers = match mode {
            everyone if everyone & 0o004 != 0 => Some(("everyone", Gravity::Error)),
            group if group & 0o040 != 0 => Some(("its group", Gravity::Note)),
            _ => None,
        };
        if let Some((who, gravity)) = readers {
            let message =
                format!("{path} holds a private key that {who} can read (mode {mode:04o})");
            push(
                "cert.key-readable",
                gravity,
                message,
                "chmod 0600 the file.",
            );
        }
        if mode & 0o022 != 0 {
            let who = if mode & 0o002 != 0 {
                "everyone"
            } else {
                "its group"
            };
            let message =
                format!("{path} holds a private key that {who} can replace (mode {mode:04o})");
            push(
                "cert.key-writable",
                Gravity::Error,
                message,
                "chmod 0600 the file.",
            );
        }
        if uid != 0 {
            let message =
                format!("{path} holds a private key that belongs to user {uid}, not to root");
            push(
                "cert.key-owner",
                Gravity::Warning,
                message,
                "chown root the file.",
            );
        }
        found
    }
}
