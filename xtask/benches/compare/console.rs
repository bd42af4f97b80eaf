//! The console at a million rules: its pages, under load, and a save until its proof.

mod changed;
mod lived_in;
mod load;
mod saved;

use crate::{Outcome, postseal, section};
use postseal_console::{Console, Options, secret};
use postseal_store::SqliteDesk;
use postseal_store::desk::{Clerk, Desk, DeskPlace, Role, RuleMark, RuleRow, SignIn, User};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
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
    if let Some(desk) = std::env::var_os(BE_CONSOLE) {
        return be_console(Path::new(&desk));
    }
    let folder = tempfile::tempdir()?;
    let began = Instant::now();
    let cookie = filled(folder.path())?;
    let filling = began.elapsed();
    let served = Served::start(folder.path())?;
    let millis = |wait: Duration| format!("{:.1} ms", wait.as_secs_f64() * 1e3);
    let mut rows = vec![vec![
        "handed over and shown".to_owned(),
        format!("{:.0} s", filling.as_secs_f64()),
        String::new(),
    ]];
    let overview = ("overview", "/".to_owned(), "≤ 20 ms");
    let pages = PAGES.map(|(name, query, limit)| (name, format!("/policies{query}"), limit));
    for (name, path, limit) in std::iter::once(overview).chain(pages) {
        let median = served.median(&cookie, &path, rounds)?;
        rows.push(vec![name.to_owned(), millis(median), limit.to_owned()]);
    }
    let held = load::held(served.at, &cookie)?;
    let guessed = format!(
        "{:.0} reads a second for 30 s, {} attempts to sign in answered beside",
        held.rate, held.guesses
    );
    rows.push(vec![guessed, millis(held.median), String::new()]);
    let slowest = "the slowest in a hundred of them".to_owned();
    rows.push(vec![slowest, millis(held.p99), "≤ 100 ms".to_owned()]);
    let peak = format!("{:.1} MiB", served.peak()? as f64 / 1024.0);
    rows.push(vec![
        "peak of the console".to_owned(),
        peak,
        "≤ 80 MB".to_owned(),
    ]);
    drop(served);
    rows.extend(changed::rows(&postseal()?, rounds)?);
    let saved = saved::compared(&postseal()?, rounds)?;
    rows.push(vec![
        format!(
            "from “Save and apply” in a browser until it is proved ({}), to `set` and `apply` ({})",
            seconds(saved.browser),
            seconds(saved.commands)
        ),
        format!(
            "{:.2} ×",
            saved.browser.as_secs_f64() / saved.commands.as_secs_f64()
        ),
        "≤ 1.5 ×".to_owned(),
    ]);
    Ok(section(
        "console",
        "The overview and the page of policies with a million rules: median of the time to the first byte over HTTP; how \
         long a change of them takes to be there. Last, a save on a private Postfix in chromium beside the same \
         commands, in turn: medians.",
        &["page", "median", "limit"],
        rows,
    ))
}

/// A desk with an administrator's session, whose cookie it gives, and the rules.
fn filled(folder: &Path) -> Outcome<String> {
    let mut desk = SqliteDesk::open(folder)?;
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
    lived_in::copied(&mut desk, INSTANCE, now_ms()?)?;
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

/// The console itself, until it is killed.
fn be_console(desk: &Path) -> Outcome<Section> {
    let console = Console::open(Options {
        listen: "127.0.0.1:0".parse()?,
        desk: DeskPlace::Folder(desk.to_owned()),
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

/// The console in a process of its own.
struct Served {
    at: SocketAddr,
    child: Child,
}

impl Served {
    fn start(desk: &Path) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["console", "--bench"])
            .env(BE_CONSOLE, desk)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line)?;
        let at = line.trim().parse()?;
        Ok(Self { at, child })
    }

    fn median(&self, cookie: &str, path: &str, rounds: Rounds) -> Outcome<Duration> {
        // The first is not counted.
        self.first_byte(cookie, path)?;
        let all = (0..rounds.count() * REQUESTS).map(|_| self.first_byte(cookie, path));
        let mut all = all.collect::<Outcome<Vec<Duration>>>()?;
        all.sort();
        all.get(all.len() / 2)
            .copied()
            .ok_or_else(|| "no request was made".into())
    }

    fn first_byte(&self, cookie: &str, path: &str) -> Outcome<Duration> {
        let at = self.at;
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
