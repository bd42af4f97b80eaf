//! `console` and `up`: the process that people and programs speak to, alone or with the agent.
//!
//! Owns: starting them with the rights that each needs. Never: what they do.

mod handed;

use super::agent;
use crate::answer::{Answer, printable};
use crate::config::Global;
use crate::desk;
use crate::failure::{Exit, Failure};
use crate::session::{DEFAULT_INSTANCE, require_root};
use crate::users::Ids;
use handed::Hand;
use postseal_console::{ConsoleError, Options, serve};
use postseal_planner::whole_chain;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A console that has died is started again after so long, then after twice that, and so on …
const REST: Duration = Duration::from_secs(1);
/// … but no longer than this.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How often it is looked after.
const LOOK: Duration = Duration::from_millis(200);
/// How long one may take that is asked to end: twice what it gives requests that are under way.
const FAREWELL: Duration = Duration::from_secs(10);
/// Who is made the first admin.
const FIRST: &str = "admin";

/// Arguments of `console` and `up`.
#[derive(Debug, clap::Args)]
pub(crate) struct ConsoleArgs {
    /// Where to listen; loopback, unless [console] certificate is set: else a web server before it speaks TLS
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8465")]
    listen: SocketAddr,
    /// A name under which browsers reach it, beside localhost: that of the web server before it
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// The certificate to present comes on standard input, as `up` hands it over
    #[arg(long, hide = true)]
    certificate_on_stdin: bool,
}

/// Answers until a signal ends it.
pub(crate) fn console(args: &ConsoleArgs, global: &Global) -> Result<Answer, Failure> {
    if rustix::process::geteuid().is_root() {
        return beside(global);
    }
    desk::become_console(global)?;
    // Where it is configured and nobody hands it over, nothing is served in its place.
    let wanted = args.certificate_on_stdin || global.console_certificate.is_some();
    let presented = match wanted {
        true => Some(handed::taken()?),
        false => None,
    };
    let instance = global.instance.as_deref();
    let instance = instance.unwrap_or_else(|| Path::new(DEFAULT_INSTANCE));
    let instance = std::path::absolute(instance)
        .map_err(|error| Failure::new(Exit::Usage, "instance.bad-path", error.to_string()))?;
    serve(Options {
        listen: args.listen,
        desk: desk::place(global),
        instance: instance.display().to_string(),
        hosts: args.host.clone(),
        trusted_proxies: global.trusted_proxies.clone(),
        two_persons: global.two_persons,
        presented,
    })
    .map_err(|error| failed(&error))?;
    Ok(Answer::silent())
}

/// As root: another process is the console, without a part in this one's terminal (see [`desk::as_console`]).
fn beside(global: &Global) -> Result<Answer, Failure> {
    let stop = agent::until_signalled()?;
    let ids = desk::prepare(global)?;
    let run = || {
        let (out, err) = (desk::relay(io::stdout())?, desk::relay(io::stderr())?);
        let child = desk::again_as_console(ids)
            .stdin(Stdio::null())
            .stdout(out.from)
            .stderr(err.from)
            .spawn()?;
        let ended = wait(child, global, &stop);
        for relay in [out.said, err.said] {
            // What it has said is on its way out before this ends.
            let _ = relay.join();
        }
        ended
    };
    let ended: io::Result<ExitStatus> = run();
    match ended {
        Ok(status) if status.success() => Ok(Answer::silent()),
        Ok(_) => Ok(Answer::silent().exit(Exit::Failed)),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            "console.system",
            error.to_string(),
        )),
    }
}

fn failed(error: &ConsoleError) -> Failure {
    let hint = match error {
        ConsoleError::Exposed(_) => {
            "Say --listen 127.0.0.1:8465, and put a web server with TLS before it; or name a certificate of the store by [console] certificate."
        }
        ConsoleError::Proxy(_) => "See [console] trusted_proxies in postseal.toml.",
        _ => "See whether another console runs, and whether the store is there.",
    };
    Failure::new(Exit::Failed, error.code(), whole_chain(error)).hint(hint)
}

/// The agent, and a console beside it that is started again whenever it dies.
pub(crate) fn up(args: &ConsoleArgs, global: &Global) -> Result<Answer, Failure> {
    require_root("`postseal up`")?;
    let stop = agent::until_signalled()?;
    let ids = desk::prepare(global)?;
    if let Err(failure) = invite_the_first(args, ids, global) {
        // Mail does not wait for a console.
        let _ = std::io::stderr().write_all(failure.warning().as_bytes());
    }
    std::thread::scope(|scope| {
        // Warnings are gathered by each for itself.
        let own = global.clone();
        let stop = &stop;
        scope.spawn(move || look_after_console(args, ids, &own, stop));
        let worked = agent::work(global, stop);
        stop.store(true, Ordering::Relaxed);
        worked
    })?;
    Ok(Answer::silent())
}

/// Without anybody who may sign in a console is of no use.
fn invite_the_first(args: &ConsoleArgs, ids: Ids, global: &Global) -> Result<(), Failure> {
    let mut command = desk::as_console(ids, &global.options(), "user");
    command.args(["add", "--first", "--role=admin"]);
    let port = args.listen.port();
    command.arg(match &global.console_certificate {
        // A browser holds the name against the certificate.
        Some(_) => {
            let host = args.host.first().map_or("localhost", String::as_str);
            format!("--at=https://{host}:{port}")
        }
        None => format!("--at=http://{}:{port}", local_name(args.listen.ip())),
    });
    command.arg(FIRST);
    match command.stdout(Stdio::piped()).output() {
        Ok(said) if said.status.success() => {
            let _ = std::io::stdout()
                .write_all(printable(&String::from_utf8_lossy(&said.stdout)).as_bytes());
            Ok(())
        }
        Ok(_) => Err(Failure::new(
            Exit::Failed,
            "console.no-user",
            "nobody could be invited to the console".to_owned(),
        )),
        Err(error) => Err(Failure::new(
            Exit::Failed,
            "console.no-user",
            error.to_string(),
        )),
    }
}

/// How a browser on this machine reaches an address that is listened on.
fn local_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(other) if other.is_loopback() && other != Ipv4Addr::LOCALHOST => {
            other.to_string()
        }
        _ => "localhost".to_owned(),
    }
}

fn look_after_console(args: &ConsoleArgs, ids: Ids, global: &Global, stop: &AtomicBool) {
    let options = global.options();
    let mut rest = REST;
    while !stop.load(Ordering::Relaxed) {
        let mut command = desk::as_console(ids, &options, "console");
        command.arg(format!("--listen={}", args.listen));
        command.args(args.host.iter().map(|host| format!("--host={host}")));
        if global.console_certificate.is_some() {
            command.stdin(Stdio::piped());
        }
        let began = Instant::now();
        let ended = command.spawn().and_then(|child| wait(child, global, stop));
        if stop.load(Ordering::Relaxed) {
            return;
        }
        rest = match began.elapsed() > LONGEST_REST {
            true => REST,
            false => (rest * 2).min(LONGEST_REST),
        };
        let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
        let line = format!("postseal: the console has ended ({how}); it is started again\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
        pause(rest, stop);
    }
}

/// Looks after a console until it has ended, and ends it once `stop` is set: politely, then without asking. Whoever
/// owns it may have it stay.
fn wait(mut child: Child, global: &Global, stop: &AtomicBool) -> io::Result<ExitStatus> {
    let mut told: Option<Instant> = None;
    let mut hand = Hand::to(&mut child, global);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if let Some(hand) = &mut hand
            && hand.tend().is_err()
        {
            // One that takes nothing is of no use; it has ended, or is started again.
            let _ = child.kill();
        }
        match told {
            // One that has ended in this moment needs no signal.
            Some(since) if since.elapsed() > FAREWELL => drop(child.kill()),
            Some(_) => {}
            None if stop.load(Ordering::Relaxed) => {
                told = Some(Instant::now());
                let _ = kill_process(Pid::from_child(&child), Signal::TERM);
            }
            None => {}
        }
        std::thread::sleep(LOOK);
    }
}

fn pause(rest: Duration, stop: &AtomicBool) {
    let until = Instant::now() + rest;
    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK);
    }
}
