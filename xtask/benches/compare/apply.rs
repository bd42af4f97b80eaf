//! One apply of mode and certificate on three services, beside the bare commands that an
//! administrator would type for the same files and the same certainty: a handshake a service.
//!
//! Two instances, so that neither side finds what the other has left. Each round begins with the
//! files of the administrator; putting them back is not measured.
//!
//! `postconf -e` leaves a main.cf so young that every program of Postfix sleeps over it. Who knows
//! that sets its time back; so the same commands with a `touch` are measured, too.

use crate::chains::Authority;
use crate::site::Site;
use crate::{Outcome, postseal, section};
use postseal_testkit::postfix_box::PostfixBox;
use std::ffi::OsString;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use xtask::bench::{BenchError, Contender, Rounds, Section, Series, Task, compare, seconds};

const SETTLE: Duration = Duration::from_secs(20);
const FILES: [&str; 2] = ["main.cf", "master.cf"];
const SMTP: &[&str] = &["-starttls", "smtp"];

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    let (ours, bare) = (
        Site::with(builder(), &program)?,
        Site::with(builder(), &program)?,
    );
    let certificate = certificate(&bare)?;
    let before = Before::of(&bare)?;
    ours.postfix.start()?;
    bare.postfix.start()?;
    ours.postseal(&["init"]).run()?;
    ours.postseal(&["cert", "import", "mx", "--cert", &certificate])
        .run()?;

    let contender = |name, age, check| {
        Contender::new(name, commands(&bare, &certificate, age, check))
            .prepare(|| before.put_back(&bare))
            .watch(&[bare.postfix.at(25)])
    };
    let mut all = [
        contender("bare commands, without check", Age::Fresh, Check::No),
        contender("bare commands, with check", Age::Fresh, Check::Yes),
        contender(
            "the same with touch, without check",
            Age::Touched,
            Check::No,
        ),
        contender("the same with touch, with check", Age::Touched, Check::Yes),
        Contender::new("postseal apply", [ours.postseal(&["apply", "--yes"])])
            .prepare(|| wish_again(&ours))
            .watch(&[ours.postfix.at(25)]),
    ];
    let found = compare(&mut all, rounds)?;
    drop(all);
    Ok(section(
        "apply",
        "`mode=may`, a certificate, submission and smtps on an instance in clear: one apply, its \
         rehearsal and its proof on the wire included, against `postconf -e`, `-M` and `-P`, \
         `postfix check`, `postfix reload` and `openssl s_client` on each of the three ports. \
         Banner: the longest wait of a client at port 25 meanwhile, in all rounds.",
        &[
            "commands",
            "wall",
            "to with check",
            "to without",
            "CPU",
            "banner",
            "peak",
        ],
        rows(&found),
    ))
}

fn rows(found: &[Series]) -> Vec<Vec<String>> {
    let [unchecked, checked, ..] = found else {
        return Vec::new();
    };
    // The two with touch are beside the goal: they are what is to be had at best.
    let row = |one: &Series| {
        vec![
            one.name.clone(),
            seconds(one.wall()),
            format!("{:.2}", one.wall_ratio(checked)),
            format!("{:.2}", one.wall_ratio(unchecked)),
            seconds(one.cpu()),
            one.banner().map(seconds).unwrap_or_default(),
            format!("{:.1} MiB", one.peak() as f64 / f64::from(1 << 20)),
        ]
    };
    let limits = ["limit", "", "≤ 1", "≤ 2", "", "≤ 300 ms", "≤ 40 MB"];
    let limits = limits.map(str::to_owned).to_vec();
    found.iter().map(row).chain([limits]).collect()
}

/// Whether main.cf is left as young as `postconf -e` makes it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Fresh,
    Touched,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Check {
    Yes,
    No,
}

fn builder() -> postseal_testkit::postfix_box::BoxBuilder {
    PostfixBox::builder().sasl_user("alice", "in the jail")
}

/// What an administrator types; the same lines in master.cf as Postseal writes.
fn commands(site: &Site, certificate: &str, age: Age, check: Check) -> Vec<Task> {
    let chain = format!("smtpd_tls_chain_files={certificate}");
    let main = [
        "smtpd_tls_security_level=may",
        "smtp_tls_security_level=may",
        &chain,
    ];
    let mut tasks = vec![site.postconf(&[&["-e"], &main[..]].concat())];
    if age == Age::Touched {
        let main_cf = site.postfix.config_directory().join("main.cf");
        let words = ["touch", "-d", "10 seconds ago"].map(OsString::from);
        tasks.push(Task::new(words.into_iter().chain([main_cf.into()])));
    }
    tasks.extend([
        site.postconf(&[
            "-M",
            "submission/inet=submission inet n - y - - smtpd",
            "submissions/inet=submissions inet n - y - - smtpd",
        ]),
        site.postconf(&[
            "-P",
            "submission/inet/syslog_name=postfix/submission",
            "submission/inet/smtpd_tls_security_level=encrypt",
            "submission/inet/smtpd_sasl_auth_enable=yes",
            "submission/inet/smtpd_tls_auth_only=yes",
            "submission/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject",
            "submissions/inet/syslog_name=postfix/submissions",
            "submissions/inet/smtpd_tls_wrappermode=yes",
            "submissions/inet/smtpd_sasl_auth_enable=yes",
            "submissions/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject",
        ]),
    ]);
    if check == Check::Yes {
        tasks.push(site.command("/usr/sbin/postfix", &["check"]));
    }
    tasks.push(site.command("/usr/sbin/postfix", &["reload"]));
    tasks.push(handshake(site.postfix.at(25), SMTP));
    tasks.push(handshake(site.postfix.at(587), SMTP));
    tasks.push(handshake(site.postfix.at(465), &[]));
    tasks
}

fn handshake(address: SocketAddr, how: &[&str]) -> Task {
    let address = address.to_string();
    let words = ["openssl", "s_client", "-connect", &address];
    Task::new([&words, how].concat()).input(b"Q\n")
}

fn certificate(site: &Site) -> Outcome<String> {
    let names = [format!("mx.{}", site.postfix.domain())];
    let path = site.postfix.config_directory().join("mx.pem");
    let path = Authority::new()?.file(&names, &path)?;
    Ok(path.display().to_string())
}

/// Rolls the last apply back, removes the key's file, and wishes again.
fn wish_again(site: &Site) -> Result<(), BenchError> {
    let keys = site.postfix.config_directory().join("postseal.d");
    if keys.exists() {
        site.postseal(&["rollback", "--yes"]).run()?;
        fs::remove_dir_all(&keys).map_err(|error| BenchError::file(&keys, error))?;
    }
    site.postseal(&["cert", "bind", "mx"]).run()?;
    site.postseal(&["set", "mode=may", "submission=on", "smtps=on"])
        .run()?;
    settle(site)
}

/// The bare side's files as they were.
struct Before {
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Before {
    fn of(site: &Site) -> Outcome<Self> {
        let read = |name: &&str| {
            let path = site.postfix.config_directory().join(name);
            fs::read(&path).map(|bytes| (path, bytes))
        };
        let files = FILES.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { files })
    }

    fn put_back(&self, site: &Site) -> Result<(), BenchError> {
        for (path, bytes) in &self.files {
            write_old(path, bytes).map_err(|error| BenchError::file(path, error))?;
        }
        site.command("/usr/sbin/postfix", &["reload"]).run()?;
        settle(site)
    }
}

/// With a time that no Postfix program sleeps over.
fn write_old(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::write(path, bytes)?;
    let then = SystemTime::now() - Duration::from_secs(10);
    fs::File::options()
        .append(true)
        .open(path)?
        .set_modified(then)
}

/// Waits until the old state is effective: the new ports are closed, and nothing starts any more.
fn settle(site: &Site) -> Result<(), BenchError> {
    let end = Instant::now() + SETTLE;
    while [587, 465]
        .iter()
        .any(|port| TcpStream::connect(site.postfix.at(*port)).is_ok())
    {
        if Instant::now() > end {
            let late = std::io::ErrorKind::TimedOut.into();
            return Err(BenchError::file(&site.postfix.config_directory(), late));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    Ok(())
}
