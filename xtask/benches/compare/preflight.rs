//! `policy check` of a thousand destinations on loopback, some of which are slow, some dead.
//!
//! The server listens on every loopback address at once and knows by the address which one it plays.
//! It counts its guests: the budget of connections is measured, not believed.

use crate::chains::Authority;
use crate::{Outcome, postseal, section};
use openssl::pkey::PKey;
use openssl::ssl::{Ssl, SslContext, SslContextBuilder, SslMethod, SslStream};
use openssl::x509::X509;
use postseal_testkit::dns_script::{ANSWER, DnsScript, name, question, record, reply};
use postseal_testkit::postfix_box::PostfixBox;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use xtask::bench::{Section, seconds};

const DESTINATIONS: usize = 1000;
/// One in twenty is slow, one in twenty is dead.
pub(crate) const ONE_IN: usize = 20;
/// How late a slow one greets.
const LATE: Duration = Duration::from_secs(2);
/// The time for one server.
const TIMEOUT: u32 = 5;
const MX: u8 = 15;
const A: u8 = 1;

/// The guests of the server.
#[derive(Default)]
pub(crate) struct Guests {
    /// Those that nobody answers.
    unanswered: Vec<TcpStream>,
    /// Those that are served.
    served: Arc<AtomicUsize>,
    /// At once, at most.
    most: usize,
    all: usize,
}

impl Guests {
    /// One more. Who had closed before it came is gone: its end has arrived on loopback then.
    fn count(&mut self) {
        self.unanswered
            .retain(|guest| !matches!(guest.peek(&mut [0]), Ok(0)));
        let now = self.unanswered.len() + self.served.load(Ordering::SeqCst);
        self.most = self.most.max(now);
        self.all += 1;
    }
}

pub(crate) fn run() -> Outcome<Section> {
    let program = postseal()?;
    let postfix = PostfixBox::builder()
        .set("default_transport", "smtp")
        .build()?;
    let guests = Arc::new(Mutex::new(Guests::default()));
    let port = serve(&guests)?;
    let dns = DnsScript::start(answer, answer)?;
    let domains: Vec<String> = (0..DESTINATIONS).map(domain).collect();
    let hops: Vec<String> = domains
        .iter()
        .map(|domain| format!("{domain}:{port}"))
        .collect();
    let one = |hops: &[String]| check(&program, &postfix.config_directory(), dns.address(), hops);
    let (healthy, _) = one(&hops[2..3])?;
    let (slow, _) = one(&hops[1..2])?;
    let (slowest, _) = one(&hops[0..1])?;
    let sound = hops.iter().enumerate().filter(|(n, _)| n % ONE_IN > 1);
    let sound: Vec<String> = sound.map(|(_, hop)| hop.clone()).collect();
    let (without, _) = one(&sound)?;
    *guests.lock().unwrap_or_else(PoisonError::into_inner) = Guests::default();
    let (all, outcomes) = one(&hops)?;
    let guests = guests.lock().unwrap_or_else(PoisonError::into_inner);
    let limit = slowest * 3 + Duration::from_secs(5);
    let count = |word: &str| {
        outcomes
            .iter()
            .filter(|one| *one == word)
            .count()
            .to_string()
    };
    let row = |what: &str, seen: String, limit: &str| vec![what.to_owned(), seen, limit.to_owned()];
    Ok(section(
        "preflight",
        "`policy check` of 1,000 domains, each with an exchanger of its own on loopback. Of twenty servers \
         one greets after 2 s and one accepts the connection and says nothing; 5 s for each server.",
        &["what", "seen", "limit"],
        vec![
            row("one healthy server", seconds(healthy), ""),
            row("one slow server", seconds(slow), ""),
            row("the slowest server, which is silent", seconds(slowest), ""),
            row("900 healthy servers", seconds(without), ""),
            row(
                "1,000 destinations",
                seconds(all),
                &format!("{} (3 × slowest + 5 s)", seconds(limit)),
            ),
            row(
                "connections at once, at most",
                guests.most.to_string(),
                "32",
            ),
            row("connections in all", guests.all.to_string(), "1000"),
            row("pass", count("pass"), "950"),
            row("undetermined", count("undetermined"), "50"),
        ],
    ))
}

fn domain(n: usize) -> String {
    format!("d{n}.bench.test")
}

/// One run: its time, and what it says of each.
fn check(
    program: &Path,
    instance: &Path,
    resolver: SocketAddr,
    hops: &[String],
) -> Outcome<(Duration, Vec<String>)> {
    let began = Instant::now();
    let output = Command::new(program)
        .arg("--instance")
        .arg(instance)
        .args(["--resolver", &resolver.to_string()])
        .args(["policy", "check", "--policy", "encrypt"])
        .args(["--timeout", &TIMEOUT.to_string()])
        .args(hops)
        .stdin(Stdio::null())
        .output()?;
    let took = began.elapsed();
    let text = String::from_utf8(output.stdout)?;
    let outcomes: Vec<String> = text
        .lines()
        .filter_map(|line| line.split('\t').nth(3).map(str::to_owned))
        .collect();
    match outcomes.len() == hops.len() {
        true => Ok((took, outcomes)),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// `dN.bench.test` has the exchanger `mN.bench.test`, which has the address 127.100.N/250.N%250+1.
fn answer(request: &[u8]) -> Vec<Vec<u8>> {
    let asked = question(request);
    let kind = asked
        .get(asked.len().saturating_sub(3))
        .copied()
        .unwrap_or(0);
    let length = usize::from(asked.first().copied().unwrap_or(0));
    let label = asked.get(1..=length).unwrap_or_default();
    let label = String::from_utf8_lossy(label).into_owned();
    let n: usize = label.trim_start_matches(['d', 'm']).parse().unwrap_or(0);
    let owner = format!("{label}.bench.test");
    let record = match (kind, label.starts_with('d')) {
        (MX, true) => {
            let data = [&[0, 10][..], &name(&format!("m{n}.bench.test"))].concat();
            Some(record(&owner, MX.into(), &data))
        }
        (A, false) => Some(record(&owner, A.into(), &address(n))),
        _ => None,
    };
    vec![reply(request, ANSWER, &Vec::from_iter(record))]
}

pub(crate) fn address(n: usize) -> [u8; 4] {
    let byte = |n: usize| u8::try_from(n).unwrap_or(0);
    [127, 100, byte(n / 250), byte(n % 250 + 1)]
}

/// The server on all addresses; its port.
pub(crate) fn serve(guests: &Arc<Mutex<Guests>>) -> Outcome<u16> {
    let listener = TcpListener::bind("0.0.0.0:0")?;
    let port = listener.local_addr()?.port();
    let context = context()?;
    let guests = Arc::clone(guests);
    std::thread::spawn(move || {
        for guest in listener.incoming().map_while(Result::ok) {
            let mut guests = guests.lock().unwrap_or_else(PoisonError::into_inner);
            match part(&guest) {
                0 => {
                    let _ = guest.set_nonblocking(true);
                    guests.unanswered.push(guest);
                }
                part => {
                    let (context, served) = (context.clone(), Arc::clone(&guests.served));
                    served.fetch_add(1, Ordering::SeqCst);
                    std::thread::spawn(move || {
                        // Counted out before it is told to go. Who leaves in the middle is no error.
                        let guest = converse(guest, &context, part);
                        served.fetch_sub(1, Ordering::SeqCst);
                        guest
                            .and_then(|mut guest| Ok(guest.write_all(b"221 bye\r\n")?))
                            .ok()
                    });
                }
            }
            guests.count();
        }
    });
    Ok(port)
}

/// Which part is played at the address that was called: 0 is dead, 1 is slow.
fn part(guest: &TcpStream) -> usize {
    match guest.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V4(at)) => {
            let [_, _, high, low] = at.octets();
            (usize::from(high) * 250 + usize::from(low) - 1) % ONE_IN
        }
        _ => 0,
    }
}

fn context() -> Outcome<SslContext> {
    let authority = Authority::new()?;
    let chain = authority.issue(&["mx.bench.test".to_owned()])?;
    let mut builder: SslContextBuilder = SslContext::builder(SslMethod::tls_server())?;
    builder.set_certificate(&*X509::from_pem(chain.cert_pem.as_bytes())?)?;
    builder.set_private_key(&*PKey::private_key_from_pem(chain.key_pem.as_bytes())?)?;
    Ok(builder.build())
}

/// One guest, up to its QUIT.
fn converse(
    mut guest: TcpStream,
    context: &SslContext,
    part: usize,
) -> Outcome<SslStream<TcpStream>> {
    if part == 1 {
        std::thread::sleep(LATE);
    }
    guest.write_all(b"220 mx.bench.test ESMTP\r\n")?;
    let mut lines = BufReader::new(guest.try_clone()?);
    let mut line = String::new();
    lines.read_line(&mut line)?;
    guest.write_all(b"250-mx.bench.test\r\n250 STARTTLS\r\n")?;
    lines.read_line(&mut line)?;
    guest.write_all(b"220 go on\r\n")?;
    let tls = Ssl::new(context)?
        .accept(guest)
        .map_err(|error| error.to_string())?;
    let mut tls = BufReader::new(tls);
    tls.read_line(&mut line)?;
    tls.get_mut().write_all(b"250 mx.bench.test\r\n")?;
    tls.read_line(&mut line)?;
    Ok(tls.into_inner())
}
