//! Who answers a CA's challenges.
//!
//! Owns: turning a way into somebody who goes it: for HTTP-01 this program again, as an
//! unprivileged child on sockets that were bound here; the folder of a web server; a hook; a name
//! server that takes updates. Never: speaks to the CA. What can be seen to be wrong with a way is
//! said before a CA is asked.

use crate::config::Global;
use crate::desk::SELF;
use crate::failure::{Exit, Failure};
use crate::users::{self, Ids, NOBODY};
use postseal_engine::Answerers;
use postseal_issue::dns01::{DynamicUpdate, Hook, TsigKey, keep};
use postseal_issue::http01::{
    ListenerChild, ListenerChildren, Webroot, bind, bind_everywhere, serve_as_child,
};
use postseal_issue::{Solver, SolverError};
use postseal_planner::renewal::Way;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use zeroize::Zeroizing;

/// The command of the child.
pub(crate) const CHILD: &str = "answer-challenges";
/// The command that runs a hook.
const KEEPER: &str = "keep-hook";
/// How long the child may outlive its order, should its parent be stopped, not ended.
const MARGIN: Duration = Duration::from_secs(60);
/// Larger files hold no TSIG key.
const LIMIT: u64 = 64 * 1024;

/// Arguments of `answer-challenges`.
#[derive(Debug, clap::Args)]
pub(crate) struct ChildArgs {
    /// Seconds
    life: u64,
}

/// Arguments of `keep-hook`.
#[derive(Debug, clap::Args)]
pub(crate) struct KeeperArgs {
    /// The process id of whoever started it
    parent: u32,
    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

/// Answers until the parent goes.
pub(crate) fn serve(args: &ChildArgs) -> Result<(), Failure> {
    // Nothing that it could start may have more rights than it has.
    let _ = rustix::thread::set_no_new_privs(true);
    // Whom it would tell of an error is gone, or sees that it ends.
    let _ = serve_as_child(Duration::from_secs(args.life));
    Ok(())
}

/// Those of this machine.
#[derive(Debug)]
pub(crate) struct Local {
    user: Option<String>,
    allowed: Duration,
}

impl Local {
    pub(crate) fn new(global: &Global, allowed: Duration) -> Self {
        Self {
            user: global.acme.user.clone(),
            allowed,
        }
    }

    fn children(&self, sockets: Vec<TcpListener>) -> Result<ListenerChildren, SolverError> {
        let ids = answerer(self.user.as_deref()).map_err(SolverError::Listener)?;
        let life = self.allowed.saturating_add(MARGIN).as_secs().to_string();
        let mut children = Vec::new();
        for socket in sockets {
            let mut command = Command::new(SELF);
            command
                .arg0("postseal")
                .args(["--config", "/dev/null", CHILD, &life])
                .uid(ids.uid)
                .gid(ids.gid)
                .current_dir("/")
                // Ctrl-C is the parent's, who then takes the answers away.
                .process_group(0);
            children.push(ListenerChild::spawn(&mut command, socket)?);
        }
        Ok(ListenerChildren(children))
    }
}

impl Answerers for Local {
    fn answerer(&self, way: &Way) -> Result<Box<dyn Solver>, SolverError> {
        Ok(match way {
            Way::Http { addresses } => Box::new(self.children(sockets(addresses)?)?),
            Way::Webroot { folder } => Box::new(webroot(folder)?),
            Way::Hook { program } => Box::new(self.hook(program)?),
            Way::Update { server, key_file } => Box::new(DynamicUpdate {
                server: *server,
                zone: None,
                key: key(key_file)?,
                secondaries: Vec::new(),
            }),
        })
    }
}

impl Local {
    fn hook(&self, program: &Path) -> Result<Hook, SolverError> {
        let missing = |source| SolverError::HookMissing {
            program: program.display().to_string(),
            source,
        };
        let found = program.metadata().map_err(missing)?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            let why = io::Error::new(io::ErrorKind::PermissionDenied, "it is no program");
            return Err(missing(why));
        }
        Ok(Hook {
            program: program.to_owned(),
            keeper: keeper(),
            arguments: Vec::new(),
            environment: Vec::new(),
            allowed: self.allowed,
            settle: Duration::ZERO,
        })
    }
}

/// This program, which ends the hook with us, be it by a signal that nobody can catch.
fn keeper() -> Vec<OsString> {
    let us = std::process::id().to_string();
    let words = [SELF, "--config", "/dev/null", KEEPER, &us];
    words.map(OsString::from).to_vec()
}

/// Runs a hook for as long as the parent lives, and ends with its exit code.
pub(crate) fn keep_hook(args: &KeeperArgs) -> Result<Infallible, Failure> {
    let failed = |why| Failure::new(Exit::Failed, "dns01.hook-missing", why);
    let Some((program, arguments)) = args.words.split_first() else {
        return Err(failed("no hook is named".to_owned()));
    };
    match keep(args.parent, program, arguments) {
        Ok(code) => std::process::exit(code.into()),
        Err(error) => Err(failed(format!("{}: {error}", program.display()))),
    }
}

fn sockets(addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, SolverError> {
    match addresses {
        [] => bind_everywhere(),
        named => named.iter().map(|address| bind(*address)).collect(),
    }
}

fn webroot(folder: &Path) -> Result<Webroot, SolverError> {
    let unusable = |source| SolverError::Webroot {
        path: folder.to_owned(),
        source,
    };
    match folder.metadata() {
        Ok(found) if found.is_dir() => Ok(Webroot::new(folder)),
        Ok(_) => Err(unusable(io::ErrorKind::NotADirectory.into())),
        Err(error) => Err(unusable(error)),
    }
}

fn key(file: &Path) -> Result<TsigKey, SolverError> {
    let unreadable =
        |error: io::Error| SolverError::KeyFile(format!("{}: {error}", file.display()));
    // A FIFO would be waited for.
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(unreadable(io::Error::other("it is not a plain file")));
    }
    let mut text = Zeroizing::new(String::new());
    let opened = File::open(file).map_err(unreadable)?;
    opened
        .take(LIMIT)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    TsigKey::read(&text).map_err(|error| match error {
        SolverError::KeyFile(why) => SolverError::KeyFile(format!("{}: {why}", file.display())),
        other => other,
    })
}

/// The configured user's ids, or nobody's.
fn answerer(user: Option<&str>) -> io::Result<Ids> {
    users::ids(user.unwrap_or(NOBODY))
        .map_err(|error| io::Error::other(format!("{error} (see [acme] in postseal.toml)")))
}
