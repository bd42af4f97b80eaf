//! Users of this machine.
//!
//! Owns: their numbers. Never: gives a process the rights of one.

use std::io;

/// Nobody's name, and its ids should a system not name them.
pub(crate) const NOBODY: &str = "nobody";
const NOBODY_ID: u32 = 65_534;

/// A user's numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// The ids of a user without privileges.
pub(crate) fn ids(name: &str) -> io::Result<Ids> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let found = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        Some(Ids {
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    });
    match found {
        Some(ids) if ids.uid != 0 && ids.gid != 0 => Ok(ids),
        Some(_) => Err(io::Error::other(format!("the user {name} is privileged"))),
        None if name == NOBODY => Ok(Ids {
            uid: NOBODY_ID,
            gid: NOBODY_ID,
        }),
        None => Err(io::Error::other(format!("there is no user {name}"))),
    }
}
