//! Renewals under load: clients shake hands while certificates are deployed.
//!
//! The clients are the system's OpenSSL with nothing of Postseal's in between: a finished
//! handshake proves that the key fits the certificate that was shown.

use crate::chains::Authority;
use crate::site::Site;
use crate::{Outcome, postseal, section};
use openssl::hash::MessageDigest;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use postseal_testkit::postfix_box::PostfixBox;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use xtask::bench::{Section, seconds};

const CLIENTS: usize = 50;
const RENEWALS: usize = 20;
const LOAD: Duration = Duration::from_secs(30);
/// What a client rests between two handshakes, where it rests.
const REST: Duration = Duration::from_millis(150);
/// A client that waits longer has lost its handshake.
const PATIENCE: Duration = Duration::from_secs(10);
/// Failures that are printed.
const SHOWN: usize = 5;

type Digest = Vec<u8>;

/// One certificate, on disk.
struct Version {
    path: PathBuf,
    digest: Digest,
}

/// What the clients saw.
#[derive(Default)]
struct Seen {
    /// When each certificate was seen first and last.
    when: BTreeMap<Digest, Span>,
    handshakes: u64,
    failures: Vec<String>,
}

#[derive(Clone, Copy)]
struct Span {
    first: Instant,
    last: Instant,
}

/// One renewal, as the administrator saw it.
struct Deployed {
    digest: Digest,
    took: Duration,
    done: Instant,
}

pub(crate) fn run() -> Outcome<Section> {
    let program = postseal()?;
    let busy = under(&program, Duration::ZERO)?;
    let calm = under(&program, REST)?;
    let rows = busy.into_iter().zip(calm).zip(WHAT);
    let rows = rows
        .map(|((busy, calm), (what, limit))| vec![what.to_owned(), busy, calm, limit.to_owned()]);
    Ok(section(
        "renewal",
        "50 clients on 25, 587 and 465 shake hands, on the same two processors, while 20 renewals \
         are deployed one after the other (`cert deploy`: checked, rehearsed, published, proved). \
         Seen within: from the end of `cert deploy` to the first client that is shown the new \
         certificate (0: before it ended).",
        &["what", "without a pause", "150 ms between two", "limit"],
        rows.collect(),
    ))
}

/// The figures of one load.
fn under(program: &Path, rest: Duration) -> Outcome<[String; 8]> {
    let builder = PostfixBox::builder().sasl_user("alice", "in the jail");
    let site = Site::with(builder, program)?;
    let versions = versions(&site)?;
    serve(&site, &versions[0])?;
    let (seen, stop) = (Mutex::new(Seen::default()), AtomicBool::new(false));
    let start = Instant::now();
    let deployed = std::thread::scope(|scope| {
        for n in 0..CLIENTS {
            let address = site.postfix.at([25, 587, 465][n % 3]);
            let (seen, stop) = (&seen, &stop);
            scope.spawn(move || client(address, rest, seen, stop));
        }
        let deployed = deploy_all(&site, &versions);
        while deployed.is_ok() && start.elapsed() < LOAD {
            std::thread::sleep(Duration::from_millis(50));
        }
        stop.store(true, Ordering::Relaxed);
        deployed
    })?;
    let took = start.elapsed();
    let seen = seen.into_inner().map_err(|_| "a client panicked")?;
    for failure in seen.failures.iter().take(SHOWN) {
        eprintln!("bench: a handshake failed: {failure}");
    }
    Ok(figures(&versions, &deployed, &seen, took))
}

const WHAT: [(&str, &str); 8] = [
    ("handshakes", ""),
    ("failed", "0"),
    ("certificates of neither kind", "0"),
    ("20 renewals in", ""),
    ("never seen", "0"),
    ("new one seen within, longest", "≤ 3 s"),
    ("old one last seen after, longest", ""),
    ("one `cert deploy`, median", ""),
];

fn figures(
    versions: &[Version],
    deployed: &[Deployed],
    seen: &Seen,
    took: Duration,
) -> [String; 8] {
    let known = |digest: &Digest| versions.iter().any(|version| version.digest == *digest);
    let strange = seen.when.keys().filter(|digest| !known(digest)).count();
    let late = |one: &Deployed| {
        let span = seen.when.get(&one.digest);
        span.map(|span| span.first.saturating_duration_since(one.done))
    };
    let unseen = deployed.iter().filter(|one| late(one).is_none()).count();
    let longest = deployed.iter().filter_map(late).max().unwrap_or_default();
    let mut times: Vec<Duration> = deployed.iter().map(|one| one.took).collect();
    times.sort_unstable();
    let all: Duration = times.iter().sum();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    [
        format!("{} in {}", seen.handshakes, seconds(took)),
        seen.failures.len().to_string(),
        strange.to_string(),
        seconds(all),
        unseen.to_string(),
        seconds(longest),
        seconds(stale(versions, deployed, seen)),
        seconds(median),
    ]
}

/// How long after a renewal somebody was still shown what it renewed.
fn stale(versions: &[Version], deployed: &[Deployed], seen: &Seen) -> Duration {
    let after = versions.iter().zip(deployed).filter_map(|(old, new)| {
        let span = seen.when.get(&old.digest)?;
        Some(span.last.saturating_duration_since(new.done))
    });
    after.max().unwrap_or_default()
}

/// The first certificate and all that renew it.
fn versions(site: &Site) -> Outcome<Vec<Version>> {
    let authority = Authority::new()?;
    let names = [format!("mx.{}", site.postfix.domain())];
    let version = |n: usize| {
        let path = site.postfix.config_directory().join(format!("mx{n}.pem"));
        let path = authority.file(&names, &path)?;
        let leaf = X509::from_pem(&std::fs::read(&path)?)?;
        let digest = leaf.digest(MessageDigest::sha256())?.to_vec();
        Ok(Version { path, digest })
    };
    (0..=RENEWALS).map(version).collect()
}

fn serve(site: &Site, first: &Version) -> Outcome<()> {
    let path = first.path.display().to_string();
    site.postfix.start()?;
    site.postseal(&["init"]).run()?;
    site.postseal(&["cert", "import", "mx", "--cert", &path])
        .run()?;
    site.postseal(&["cert", "bind", "mx"]).run()?;
    site.postseal(&["set", "mode=may", "submission=on", "smtps=on"])
        .run()?;
    site.postseal(&["apply", "--yes"]).run()?;
    Ok(())
}

fn deploy_all(
    site: &Site,
    versions: &[Version],
) -> Result<Vec<Deployed>, xtask::bench::BenchError> {
    let deploy = |version: &Version| {
        let path = version.path.display().to_string();
        let task = site.postseal(&["cert", "deploy", "mx", "--cert", &path]);
        let took = task.run()?.wall;
        Ok(Deployed {
            digest: version.digest.clone(),
            took,
            done: Instant::now(),
        })
    };
    versions.iter().skip(1).map(deploy).collect()
}

/// One client: a connection and a handshake after the other.
fn client(address: SocketAddr, rest: Duration, seen: &Mutex<Seen>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(rest);
        let shown = shake(address);
        let now = Instant::now();
        let Ok(mut seen) = seen.lock() else { return };
        match shown {
            Ok(digest) => {
                seen.handshakes += 1;
                let span = Span {
                    first: now,
                    last: now,
                };
                seen.when.entry(digest).or_insert(span).last = now;
            }
            Err(error) => seen.failures.push(format!("{address}: {error}")),
        }
    }
}

/// The digest of the certificate that a whole handshake showed.
fn shake(address: SocketAddr) -> Outcome<Digest> {
    let socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    if address.port() != 465 {
        start_tls(&socket)?;
    }
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::NONE);
    let ssl = Ssl::new(&context.build())?;
    let stream = ssl.connect(socket)?;
    let leaf = stream.ssl().peer_certificate().ok_or("no certificate")?;
    Ok(leaf.digest(MessageDigest::sha256())?.to_vec())
}

fn start_tls(mut socket: &TcpStream) -> io::Result<()> {
    let mut lines = BufReader::new(socket.try_clone()?);
    let mut reply = |expected: &str| loop {
        let mut line = String::new();
        lines.read_line(&mut line)?;
        match line.get(..4) {
            Some(code) if code.ends_with('-') => {}
            Some(code) if code.trim() == expected => return Ok(()),
            _ => return Err(io::Error::other(format!("answered {line:?}"))),
        }
    };
    reply("220")?;
    socket.write_all(b"EHLO client.example\r\n")?;
    reply("250")?;
    socket.write_all(b"STARTTLS\r\n")?;
    reply("220")
}
