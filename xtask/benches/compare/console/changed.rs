//! A rule that is changed by the API, until the page shows it: agent, desk and console as they run.

use crate::Outcome;
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::Value;
use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use xtask::bench::Rounds;

/// Rules that there are.
const SIZES: [usize; 3] = [1_000, 100_000, 1_000_000];
/// All of them are at the desk within this time.
const PATIENCE: Duration = Duration::from_secs(900);
/// How often it is looked whether they are.
const EVERY: Duration = Duration::from_millis(20);

/// A row for each size: what, how long, and how long it may be.
pub(super) fn rows(program: &Path, rounds: Rounds) -> Outcome<Vec<[String; 3]>> {
    SIZES.iter().map(|n| row(program, *n, rounds)).collect()
}

fn row(program: &Path, count: usize, rounds: Rounds) -> Outcome<[String; 3]> {
    let running = Running::start(program, count)?;
    let all = format!("\"all\":{count},");
    running.until("?limit=1", &all, PATIENCE)?;
    let mut took = Vec::new();
    for round in 0..=rounds.count() {
        took.push(running.change(&format!("round-{round}"))?);
    }
    // The first is not counted.
    took.remove(0);
    took.sort();
    let median = took.get(took.len() / 2).ok_or("no round")?;
    Ok([
        format!("a rule changed by the API, until it is on the page, of {count}"),
        format!("{:.2} s", median.as_secs_f64()),
        "≤ 2 s".to_owned(),
    ])
}

/// The destination of the rule that is changed.
fn changed(count: usize) -> String {
    format!("d{:07}.example.net", count / 2)
}

struct Running {
    /// Its folders go when it goes.
    _site: Site,
    program: PathBuf,
    port: u16,
    token: String,
    count: usize,
    up: Child,
}

impl Running {
    fn start(program: &Path, count: usize) -> Outcome<Self> {
        let builder = PostfixBox::builder().set("default_transport", "smtp");
        let site = Site::with(builder, program)?;
        site.postfix.start()?;
        site.postseal(&["init"]).run()?;
        let list = site.postfix.config_directory().join("rules.csv");
        let mut lines = BufWriter::new(File::create(&list)?);
        writeln!(lines, "destination,policy")?;
        for n in 0..count {
            writeln!(lines, "d{n:07}.example.net,encrypt")?;
        }
        drop(lines);
        let list = list.display().to_string();
        site.postseal(&["policy", "import", &list]).run()?;
        // The console's user finds the desk in it.
        let store = site.store();
        let around = store.parent().ok_or("a store has a folder")?;
        fs::set_permissions(around, Permissions::from_mode(0o711))?;
        let config = around.join("postseal.toml");
        fs::write(&config, "[console]\nuser = \"nobody\"\n")?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let listen = format!("--listen=127.0.0.1:{port}");
        let words = |words: &[&str]| {
            let mut command = Command::new(program);
            command
                .arg("--instance")
                .arg(site.postfix.config_directory())
                .arg(format!("--store=sqlite:{}", site.store().display()))
                .arg("--config")
                .arg(&config)
                .args(["--resolver", "none"])
                .args(words);
            command
        };
        let up = words(&["up", &listen]).stdout(Stdio::null()).spawn()?;
        let token = words(&[
            "token",
            "add",
            "admin",
            "--name=bench",
            "--role=admin",
            "--json",
        ]);
        let token = made(token)?;
        Ok(Self {
            _site: site,
            program: program.to_owned(),
            port,
            token,
            count,
            up,
        })
    }

    /// Changes a rule, and waits until the page's document shows it.
    fn change(&self, note: &str) -> Outcome<Duration> {
        let (at, rule) = (self.port, changed(self.count));
        let began = Instant::now();
        let status = Command::new(&self.program)
            .args(["--server", &format!("http://127.0.0.1:{at}")])
            .args(["--token", &self.token, "policy", "edit", &rule])
            .args([&format!("--note={note}"), "--no-preflight"])
            .stdout(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(format!("policy edit: {status}").into());
        }
        let shown = format!("\"note\":\"{note}\"");
        self.until(&format!("?search={rule}"), &shown, PATIENCE)?;
        Ok(began.elapsed())
    }

    fn until(&self, query: &str, text: &str, patience: Duration) -> Outcome<()> {
        let began = Instant::now();
        while !self.page(query).is_ok_and(|page| page.contains(text)) {
            if began.elapsed() > patience {
                return Err(format!("{query} never shows {text}").into());
            }
            sleep(EVERY);
        }
        Ok(())
    }

    fn page(&self, query: &str) -> Outcome<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let token = &self.token;
        write!(
            stream,
            "GET /api/v1/policies{query} HTTP/1.1\r\nhost: localhost\r\n\
             authorization: Bearer {token}\r\nconnection: close\r\n\r\n"
        )?;
        let mut page = String::new();
        stream.read_to_string(&mut page)?;
        Ok(page)
    }
}

/// The token, once the first administrator is there.
fn made(mut command: Command) -> Outcome<String> {
    let began = Instant::now();
    loop {
        let output = command.output()?;
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if let Some(token) = answer["token"].as_str() {
            return Ok(token.to_owned());
        }
        if began.elapsed() > Duration::from_secs(30) {
            return Err(format!("no token: {answer}").into());
        }
        sleep(EVERY);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It ends its children; one that has gone already is no matter.
        let pid = self.up.id().to_string();
        let _ = Command::new("/bin/kill").args(["-TERM", &pid]).status();
        let _ = self.up.wait();
    }
}
