//! The desk's place, and the processes with the console's rights.
//!
//! Owns: where the desk lies, whose it is, and how this program becomes its owner. Never: opens the desk as root:
//! what lies there may have been put there by an attacker (see `postseal_store::desk`).

use crate::answer::printable;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::users::{self, Ids};
use postseal_store::Trouble;
use postseal_store::desk::DeskPlace;
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use std::ffi::OsString;
use std::fs::{DirBuilder, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

/// This program, even where others may not look for it (`/root`), or it was just replaced.
pub(crate) const SELF: &str = "/proc/self/exe";
/// Who the console is where nothing is configured.
pub(crate) const USER: &str = "postseal";
/// The folder within the store's.
const FOLDER: &str = "console";
/// No line is handed on whole that is longer, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// Where the desk lies: in a database, or beside the store.
pub(crate) fn place(global: &Global) -> DeskPlace {
    match &global.desk_server {
        Some(server) => DeskPlace::Server(server.clone()),
        None => DeskPlace::Folder(folder(global)),
    }
}

fn folder(global: &Global) -> PathBuf {
    global.store.join(FOLDER)
}

/// Makes the folder where it is missing, and sees to it that it is the console's and can be reached by it: the
/// store's own folder may be passed through, and read by nobody else. A desk on a server needs none.
pub(crate) fn prepare(global: &Global) -> Result<Ids, Failure> {
    let ids = ids(global)?;
    if global.desk_server.is_some() {
        return Ok(ids);
    }
    let path = folder(global);
    reachable(&global.store).map_err(|error| unusable(&global.store, &error))?;
    prepared(&path, &ids).map_err(|error| unusable(&path, &error))?;
    Ok(ids)
}

/// The same for an agent, whose own store is here wherever the desk lies.
pub(crate) fn prepare_for_agent(global: &Global) -> Result<Ids, Failure> {
    reachable(&global.store).map_err(|error| unusable(&global.store, &error))?;
    prepare(global)
}

/// The store's own folder. It is made where it is missing: who adopts this Postfix in the console has none yet.
fn reachable(store: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o711).create(store) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        // Whatever the umask is.
        _ => std::fs::set_permissions(store, Permissions::from_mode(0o711)),
    }
}

fn prepared(path: &Path, ids: &Ids) -> io::Result<()> {
    if !path.is_symlink() && !path.exists() {
        make(path, ids)?;
    }
    let found = path.symlink_metadata()?;
    if !found.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    match found.uid() == ids.uid {
        true => Ok(()),
        false => Err(io::Error::other(format!(
            "it belongs to uid {}, and the console is uid {}",
            found.uid(),
            ids.uid
        ))),
    }
}

/// Whoever sees it sees it as the console's: `up` and `user add` may be the first at the same time.
fn make(path: &Path, ids: &Ids) -> io::Result<()> {
    let draft = tempfile::Builder::new()
        .prefix("console-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir_in(path.parent().unwrap_or(path))?;
    chown(draft.path(), Some(ids.uid), Some(ids.gid))?;
    match std::fs::rename(draft.path(), path) {
        // Somebody was first, and has begun to use it.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        made => made,
    }
}

/// This program with the console's rights and nothing more, for `verb`. It has no part in this one's terminal: whoever
/// takes it over could read what is typed there, and type.
pub(crate) fn as_console(ids: Ids, options: &[OsString], verb: &str) -> Command {
    let mut command = Command::new(SELF);
    command
        .arg0("postseal")
        .args(options)
        .arg(verb)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(relay(std::io::stderr()).map_or_else(|_| Stdio::null(), |relay| relay.from))
        .uid(ids.uid)
        .gid(ids.gid);
    command
}

/// A way out for what another process says.
pub(crate) struct Relay {
    /// For the process.
    pub(crate) from: Stdio,
    /// Ends when nobody can say more.
    pub(crate) said: JoinHandle<()>,
}

/// Hands on what somebody says, line by line, as text that steers no terminal.
pub(crate) fn relay(mut to: impl Write + Send + 'static) -> io::Result<Relay> {
    let (said, from) = io::pipe()?;
    let said = std::thread::spawn(move || {
        let mut said = BufReader::new(said);
        let mut line = Vec::new();
        while matches!(
            (&mut said).take(LONGEST_LINE).read_until(b'\n', &mut line),
            Ok(1..)
        ) {
            // Nobody may be there to read it.
            let _ = to.write_all(printable(&String::from_utf8_lossy(&line)).as_bytes());
            line.clear();
        }
    });
    let from = from.into();
    Ok(Relay { from, said })
}

/// Goes on as the console's user: this process is replaced by one that never was root. Who is no root already goes
/// on as they are.
pub(crate) fn become_console(global: &Global) -> Result<(), Failure> {
    if !rustix::process::geteuid().is_root() {
        // Nothing that it could start may have more rights than it has …
        let _ = rustix::thread::set_no_new_privs(true);
        // … nobody else of its user may steer it, …
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        // … and it gives up the terminal, where it may: a command that somebody has typed may not.
        let _ = rustix::process::setsid();
        return Ok(());
    }
    let error = again_as_console(prepare(global)?).exec();
    Err(unusable(Path::new(SELF), &error))
}

/// What this process was asked, with the console's rights.
pub(crate) fn again_as_console(ids: Ids) -> Command {
    let mut command = Command::new(SELF);
    command
        .arg0("postseal")
        .args(std::env::args_os().skip(1))
        .uid(ids.uid)
        .gid(ids.gid);
    command
}

fn ids(global: &Global) -> Result<Ids, Failure> {
    let name = global.console_user.as_deref().unwrap_or(USER);
    users::ids(name).map_err(|error| {
        Failure::new(
            Exit::Failed,
            "console.no-user",
            format!("the console cannot have a user of its own: {error}"),
        )
        .hint(format!(
            "Make one (`useradd --system --no-create-home --shell /usr/sbin/nologin {name}`), or name another under [console] in postseal.toml."
        ))
    })
}

/// What helps where the server of the desk is of no use. The mail server needs none of it.
pub(crate) fn hint(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Away => {
            "See whether PostgreSQL runs, and takes connections where [console] desk in postseal.toml says. What waits is done once it does."
        }
        Trouble::Rights => {
            "Let the console's user in (pg_hba.conf), as a role that owns the database; where it wants a password, desk_password_file names the file that holds it: `createuser postseal`, `createdb --owner=postseal --encoding=UTF8 postseal`."
        }
        Trouble::Password => {
            "[console] desk_password_file names a file that the console's user may read, and not everybody."
        }
        Trouble::Trigrams => {
            "Say `CREATE EXTENSION pg_trgm` in that database as its superuser; some systems package it as postgresql-contrib."
        }
        Trouble::Encoding => {
            "Make one: `createdb --owner=postseal --encoding=UTF8 --template=template0 postseal`."
        }
        Trouble::Full => "Make room on the server's disk. Nothing can be stored until it has some.",
        Trouble::ReadOnly => "Name the primary server under [console] desk in postseal.toml.",
        Trouble::SecondAgent => {
            "Each store has a desk of its own: name another database under [console] desk in postseal.toml on one of the hosts."
        }
        Trouble::Newer => {
            "Use the newer Postseal here too, or name another database under [console] desk in postseal.toml."
        }
    }
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    let text = format!("{}: {error}", path.display());
    Failure::new(Exit::Failed, "desk.unusable", text)
}

#[cfg(test)]
mod tests;
