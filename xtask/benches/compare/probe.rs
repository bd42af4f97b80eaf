//! `probe` of a thousand servers on loopback in one process, beside a process of posttls-finger(1) for
//! each of them, as many at a time as the machine has cores.
//!
//! The servers are those of `preflight`, without the slow and the dead.

use crate::preflight::{Guests, ONE_IN, address, serve};
use crate::{Outcome, postseal, section};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use xtask::bench::{Rounds, Section, seconds};

const SERVERS: usize = 1000;
const FINGER: &str = "/usr/sbin/posttls-finger";

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    let program = postseal()?;
    if !Path::new(FINGER).exists() {
        return Err(format!("{FINGER} is not here (Debian: postfix)").into());
    }
    let port = serve(&Arc::new(Mutex::new(Guests::default())))?;
    let sound = (0..).filter(|n| n % ONE_IN > 1).take(SERVERS);
    let servers: Vec<String> = sound
        .map(|n| format!("{}:{port}", Ipv4Addr::from(address(n))))
        .collect();
    let folder = tempfile::tempdir()?;
    let list = folder.path().join("servers");
    std::fs::write(&list, servers.join("\n"))?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds.count() {
        let own = probe(&program, &list)?;
        let other = fingers(&servers)?;
        if round > 0 {
            ratios.push(other.as_secs_f64() / own.as_secs_f64());
            ours.push(own);
            theirs.push(other);
        }
    }
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    let row = |what: &str, took: Duration, ratio: String, limit: &str| {
        let each = SERVERS as f64 / took.as_secs_f64();
        let cells = [
            what.to_owned(),
            seconds(took),
            format!("{each:.0}"),
            ratio,
            limit.to_owned(),
        ];
        cells.to_vec()
    };
    Ok(section(
        "probe",
        "1,000 servers on loopback, each with STARTTLS and a certificate: one `probe`, and a \
         posttls-finger(1) each, as many at a time as there are cores.",
        &["what", "time", "servers a second", "ratio", "limit"],
        vec![
            row(
                "`postseal probe --targets`",
                median(&mut ours),
                String::new(),
                "",
            ),
            row(
                "`posttls-finger`, 1,000 processes",
                median(&mut theirs),
                format!("{ratio:.1} ×"),
                "≥ 5 ×",
            ),
        ],
    ))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One process for all; every server has to be seen.
fn probe(program: &Path, list: &Path) -> Outcome<Duration> {
    let began = Instant::now();
    let output = Command::new(program)
        .args(["probe", "--resolver", "none", "--targets"])
        .arg(list)
        .stdin(Stdio::null())
        .output()?;
    let took = began.elapsed();
    let text = String::from_utf8(output.stdout)?;
    let seen = text.lines().filter(|line| line.contains("\tok\t")).count();
    match seen {
        SERVERS => Ok(took),
        _ => Err(format!("{seen} of {SERVERS} servers were seen").into()),
    }
}

/// A process for each; every server has to be seen.
fn fingers(servers: &[String]) -> Outcome<Duration> {
    let cores = thread::available_parallelism()?.get();
    let (next, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(server) = servers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (ip, port) = server.rsplit_once(':').unwrap_or((server, "25"));
                    let output = Command::new(FINGER)
                        .args(["-c", "-l", "verify", "-d", "sha256"])
                        .arg(format!("[{ip}]:{port}"))
                        .stdin(Stdio::null())
                        .output();
                    let output = output.map(|one| [one.stdout, one.stderr].concat());
                    let text = String::from_utf8_lossy(&output.unwrap_or_default()).into_owned();
                    let is_seen = text.contains("TLS connection established");
                    seen.fetch_add(usize::from(is_seen), Ordering::Relaxed);
                }
            });
        }
    });
    let took = began.elapsed();
    match seen.into_inner() {
        SERVERS => Ok(took),
        seen => Err(format!("{seen} of {SERVERS} servers were seen").into()),
    }
}
