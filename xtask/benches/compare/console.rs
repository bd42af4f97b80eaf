//! The console at a million rules: its pages, under load, and a save until its proof.

mod changed;
mod lived_in;
mod load;
mod saved;

use crate::{Outcome, postseal, section};
use postseal_console::{Console, Options, secret};
use postseal_store::PostgresPlace;
use postseal_store::desk::{Desk, DeskPlace, Role, RuleMark, RuleRow, SignIn, User};
use postseal_testkit::postgres::Postgres;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use xtask::bench::{Rounds, Section, seconds};

/// Rules at the desk.
const RULES: u64 = 1_000_000;
/// Rules that are handed over at once, as the agent does it.
const PIECE: u64 = 500;
/// Requests a round.
const REQUESTS: usize = 20;
/// The instance that the desk is of.
const INSTANCE: &str = "/etc/postfix";
/// What tells this program that it is to be the console, in a process of its own.
const BE_CONSOLE: &str = "POSTSEAL_BENCH_DESK";

/// What is asked for, and how long its first byte may take.
const PAGES: [(&str, &str, &str); 9] = [
    ("first page", "", "≤ 50 ms"),
    (
        "page in the middle",
        "?after=d500000.example.net&by=",
        "≤ 50 ms",
    ),
    (
        "by level, in the middle",
        "?sort=level&after=d500000.example.net&by=",
        "≤ 50 ms",
    ),
    ("by owner", "?sort=owner", "≤ 50 ms"),
    ("failing (a hundred)", "?kind=failing", "≤ 50 ms"),
    ("search of one", "?search=d765432", "≤ 100 ms"),
    (
        "search of a thousand, by owner",
        "?search=d765&sort=owner",
        "≤ 100 ms",
    ),
    (
        "search that all have",
        "?search=example&sort=level",
        "≤ 100 ms",
    ),
    ("search of two words", "?search=owner7+d0012", "≤ 100 ms"),
];

pub(crate) fn run(rounds: Rounds) -> Outcome<Section> {
    if let Ok(desk) = std::env::var(BE_CONSOLE) {
        return be_console(&desk);
    }
    let folder = tempfile::tempdir()?;
    // As it is installed: what it has taken is on its disk.
    let cluster = Postgres::start(&["fsync=on", "full_page_writes=on"])?;
    cluster.create("postseal")?;
    let served = Served::start(folder.path().to_str().ok_or("no UTF-8")?)?;
    let on_server = Served::start(&cluster.url("postseal", "postseal"))?;
    let millis = |wait: Duration| format!("{:.1} ms", wait.as_secs_f64() * 1e3);
    let filling = |served: &Served| format!("{:.0} s", served.filling.as_secs_f64());
    let mut rows = vec![vec![
        "handed over and shown".to_owned(),
        filling(&served),
        filling(&on_server),
        String::new(),
    ]];
    let overview = ("overview", "/".to_owned(), "≤ 20 ms");
    let pages = PAGES.map(|(name, query, limit)| (name, format!("/policies{query}"), limit));
    for (name, path, limit) in std::iter::once(overview).chain(pages) {
        let [here, there] = [&served, &on_server].map(|served| served.median(&path, rounds));
        rows.push(vec![
            name.to_owned(),
            millis(here?),
            millis(there?),
            limit.to_owned(),
        ]);
    }
    drop((on_server, cluster));
    let held = load::held(served.at, &served.cookie)?;
    let mut alone = |name: String, value: String, limit: &str| {
        rows.push(vec![name, value, String::new(), limit.to_owned()]);
    };
    let guessed = format!(
        "{:.0} reads a second for 30 s, {} attempts to sign in answered beside",
        held.rate, held.guesses
    );
    alone(guessed, millis(held.median), "");
    let slowest = "the slowest in a hundred of them".to_owned();
    alone(slowest, millis(held.p99), "≤ 100 ms");
    let peak = format!("{:.1} MiB", served.peak()? as f64 / 1024.0);
    alone("peak of the console".to_owned(), peak, "≤ 80 MB");
    drop(served);
    for [name, value, limit] in changed::rows(&postseal()?, rounds)? {
        alone(name, value, &limit);
    }
    let saved = saved::compared(&postseal()?, rounds)?;
    let name = format!(
        "from “Save and apply” in a browser until it is proved ({}), to `set` and `apply` ({})",
        seconds(saved.browser),
        seconds(saved.commands)
    );
    let ratio = saved.browser.as_secs_f64() / saved.commands.as_secs_f64();
    alone(name, format!("{ratio:.2} ×"), "≤ 1.5 ×");
    Ok(section(
        "console",
        "The overview and the page of policies with a million rules: median of the time to the first byte over HTTP, with the \
         desk on SQLite and on a PostgreSQL of the same host, by its socket; how long a change of them takes to be there. Last, a save on a private Postfix in chromium beside the same \
         commands, in turn: medians.",
        &["page", "SQLite", "PostgreSQL", "limit"],
        rows,
    ))
}

/// A desk with an administrator's session, whose cookie it gives, and the rules.
fn filled(desk: &mut dyn Desk) -> Outcome<String> {
    let now = now_ms()?;
    desk.add_user(&User {
        name: "bench".to_owned(),
        role: Role::Admin,
        password: None,
        totp: None,
        added_ms: now,
    })?;
    let cookie = secret::fresh()?;
    desk.sign_in(&SignIn {
        digest: secret::digest(&cookie),
        user: "bench".to_owned(),
        made_ms: now,
        seen_ms: now,
        ends_ms: now + 86_400_000,
        address: "127.0.0.1".to_owned(),
        browser: "bench".to_owned(),
    })?;
    let set = desk.begin_rules(INSTANCE, now)?;
    for first in (0..RULES).step_by(usize::try_from(PIECE)?) {
        let piece: Vec<RuleRow> = (first..first + PIECE).map(rule).collect();
        desk.add_rules(set, &piece)?;
    }
    desk.show_rules(INSTANCE, set, "bench", now)?;
    lived_in::copied(desk, INSTANCE, now_ms()?)?;
    Ok(format!("__Host-postseal={cookie}"))
}

fn rule(n: u64) -> RuleRow {
    let destination = format!("d{n:06}.example.net");
    RuleRow {
        shown: destination.clone(),
        destination,
        policy: ["encrypt", "secure", "dane", "may"][(n / 3 % 4) as usize].to_owned(),
        scope: "domain".to_owned(),
        owner: format!("owner{}", n * 7_919 % 1_000),
        standing: "in force".to_owned(),
        marks: Vec::from_iter((n % 10_000 == 1).then_some(RuleMark::Failing)),
        digest: format!("{n:016x}"),
        ..RuleRow::default()
    }
}

fn now_ms() -> Outcome<i64> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(i64::try_from(since.as_millis())?)
}

/// The desk in a folder, or at an address.
fn place(desk: &str) -> Outcome<DeskPlace> {
    Ok(match desk.starts_with("postgres://") {
        true => DeskPlace::Server(PostgresPlace::new(desk, "postseal", None)?),
        false => DeskPlace::Folder(desk.into()),
    })
}

/// The console itself, until it is killed.
fn be_console(desk: &str) -> Outcome<Section> {
    let console = Console::open(Options {
        listen: "127.0.0.1:0".parse()?,
        desk: place(desk)?,
        instance: INSTANCE.to_owned(),
        hosts: Vec::new(),
        trusted_proxies: Vec::new(),
        two_persons: false,
        presented: None,
    })?;
    println!("{}", console.address());
    console.run(std::future::pending());
    Err("the console ended".into())
}

/// The console at a desk of its own, in a process of its own.
struct Served {
    at: SocketAddr,
    child: Child,
    cookie: String,
    /// How long it took to hand the rules over.
    filling: Duration,
}

impl Served {
    fn start(desk: &str) -> Outcome<Self> {
        let began = Instant::now();
        let cookie = filled(&mut *place(desk)?.open()?)?;
        let filling = began.elapsed();
        let mut child = Command::new(std::env::current_exe()?)
            .args(["console", "--bench"])
            .env(BE_CONSOLE, desk)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
        let at = line.trim().parse()?;
        Ok(Self {
            at,
            child,
            cookie,
            filling,
        })
    }

    fn median(&self, path: &str, rounds: Rounds) -> Outcome<Duration> {
        // The first is not counted.
        self.first_byte(path)?;
        let all = (0..rounds.count() * REQUESTS).map(|_| self.first_byte(path));
        let mut all = all.collect::<Outcome<Vec<Duration>>>()?;
        all.sort();
        all.get(all.len() / 2)
            .copied()
            .ok_or_else(|| "no request was made".into())
    }

    fn first_byte(&self, path: &str) -> Outcome<Duration> {
        let (at, cookie) = (self.at, &self.cookie);
        let mut stream = TcpStream::connect(at)?;
        let began = Instant::now();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {at}\r\ncookie: {cookie}\r\nconnection: close\r\n\r\n"
        )?;
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        let took = began.elapsed();
        let mut rest = String::new();
        stream.read_to_string(&mut rest)?;
        match rest.starts_with("TTP/1.1 200") && rest.contains("<th scope=\"row\">") {
            true => Ok(took),
            false => Err(format!("{path}: not the page: {rest}").into()),
        }
    }

    /// The most memory that it held, in KiB (proc(5), VmHWM).
    fn peak(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmHWM")?.parse()?)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // One that has gone already is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
