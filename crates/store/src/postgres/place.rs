//! Where a desk on PostgreSQL is.
//!
//! Owns: the address's form, and how the password comes from its file. Never: holds a password for longer than a connection
//! takes, or has it in an error.

use crate::{StoreError, Trouble};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fmt;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use zeroize::Zeroizing;

/// What an address may say behind its `?`, as libpq has it (PostgreSQL 15, §34.1.2).
const KEYS: [&str; 7] = [
    "host",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// A database, and as whom it is opened.
#[derive(Clone, Debug)]
pub struct PostgresPlace {
    url: String,
    /// The role, where the address names none.
    user: Option<String>,
    password_file: Option<PathBuf>,
}

/// An address that names no database for a desk.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPlace {
    /// It is none.
    #[error("it is not of the form postgres://HOST/DATABASE")]
    Form,
    /// Whoever reads the configuration, an error or a list of processes would read it.
    #[error("it holds a password")]
    Password,
    /// One that nobody asked for would be overlooked, were it for security.
    #[error("it says {0:?}, which is not known here")]
    Unknown(String),
}

impl PostgresPlace {
    /// The database at `url` (`postgres://HOST/DATABASE`, or `postgres:///DATABASE?host=/run/postgresql` by a socket), for the
    /// role that the address names (`ROLE@HOST`, `user=ROLE`), else the one of the name `user`. The password, where the server wants one, is all that
    /// stands in `password_file`; whoever opens the desk can read it, and not everybody.
    ///
    /// # Errors
    /// [`BadPlace`]: nothing was tried.
    pub fn new(url: &str, user: &str, password_file: Option<PathBuf>) -> Result<Self, BadPlace> {
        let rest = url.strip_prefix("postgres://");
        let rest = rest.or_else(|| url.strip_prefix("postgresql://"));
        let (place, said) = rest
            .map(|rest| rest.split_once('?').unwrap_or((rest, "")))
            .ok_or(BadPlace::Form)?;
        let (server, database) = place.split_once('/').ok_or(BadPlace::Form)?;
        let role = server.rsplit_once('@').map(|(role, _)| role);
        if role.is_some_and(|role| role.contains(':')) {
            return Err(BadPlace::Password);
        }
        let mut names_role = role.is_some();
        for pair in said.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split('=').next().unwrap_or_default() {
                "password" => return Err(BadPlace::Password),
                key if KEYS.contains(&key) => names_role |= key == "user",
                key => return Err(BadPlace::Unknown(key.chars().take(40).collect())),
            }
        }
        if database.is_empty() || PgConnectOptions::from_str(url).is_err() {
            return Err(BadPlace::Form);
        }
        Ok(Self {
            url: url.to_owned(),
            user: (!names_role).then(|| user.to_owned()),
            password_file,
        })
    }

    /// All that a connection needs. Over a network the server has to prove its name, unless the address says otherwise.
    pub(super) fn options(&self) -> Result<PgConnectOptions, StoreError> {
        let mut options =
            PgConnectOptions::from_str(&self.url).map_err(|error| StoreError::Database {
                action: "read its address",
                source: error.into(),
            })?;
        let is_local = options.get_socket().is_some() || options.get_host().starts_with('/');
        if !is_local && !self.url.contains("sslmode=") {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
        if let Some(path) = &self.password_file {
            let password = password(path).map_err(|source| StoreError::Server {
                desk: self.to_string(),
                trouble: Trouble::Password,
                source: format!("{}: {source}", path.display()).into(),
            })?;
            options = options.password(&password);
        }
        Ok(match &self.user {
            Some(user) => options.username(user),
            None => options,
        })
    }
}

/// As people know it: without what it says behind its `?`.
impl fmt::Display for PostgresPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.split('?').next().unwrap_or_default())
    }
}

fn password(path: &Path) -> io::Result<Zeroizing<String>> {
    let mode = path.metadata()?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(io::Error::other("everybody may read it"));
    }
    let text = Zeroizing::new(std::fs::read_to_string(path)?);
    Ok(Zeroizing::new(
        text.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}
