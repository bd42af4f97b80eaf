//! A save in a real browser until its proof on the wire, beside the same commands.
//!
//! Owns: the two instances, the browser, and the click whose time is taken. Never: a browser of its own; it is the one of the
//! browser tests (`crates/cli/tests/browser/driver.mjs`).

use crate::Outcome;
use crate::chains::Authority;
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use serde_json::{Value, json};
use std::fs::{self, File, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use xtask::bench::Rounds;

const PASSWORD: &str = "correct horse battery staple";
/// Until the console can be reached, and until a save is proved.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a save the agent looks at everything anew; it is not to be measured with the commands.
const REST: Duration = Duration::from_secs(4);

/// Medians of both sides.
pub(super) struct Saved {
    pub(super) browser: Duration,
    pub(super) commands: Duration,
}

/// In each round one switch of submission on both sides, on and off in turn.
pub(super) fn compared(program: &Path, rounds: Rounds) -> Outcome<Saved> {
    let (clicked, typed) = (site(program)?, site(program)?);
    let console = Console::up(&clicked, program)?;
    let mut browser = Browser::open()?;
    browser.come_in(&console)?;
    let (mut browsed, mut commanded) = (Vec::new(), Vec::new());
    // The first round is not counted.
    for round in 0..=rounds.count() {
        let switch = ["on", "off"][round % 2];
        sleep(REST);
        let took = browser.save(&console.at, switch)?;
        sleep(REST);
        let pair = format!("submission={switch}");
        let set = typed.postseal(&["set", &pair]).run()?.wall;
        let apply = typed.postseal(&["apply", "--yes"]).run()?.wall;
        if round > 0 {
            browsed.push(took);
            commanded.push(set + apply);
        }
    }
    Ok(Saved {
        browser: median(browsed)?,
        commands: median(commanded)?,
    })
}

fn median(mut all: Vec<Duration>) -> Outcome<Duration> {
    all.sort();
    let middle = all.get(all.len() / 2).copied();
    middle.ok_or_else(|| "no round was made".into())
}

/// A server with TLS at port 25.
fn site(program: &Path) -> Outcome<Site> {
    let site = Site::with(
        PostfixBox::builder().sasl_user("alice", "in the jail"),
        program,
    )?;
    let path = site.postfix.config_directory().join("mx.pem");
    let names = [format!("mx.{}", site.postfix.domain())];
    let path = Authority::new()?.file(&names, &path)?.display().to_string();
    site.postfix.start()?;
    for words in [
        &["init"][..],
        &["cert", "import", "mx", "--cert", &path],
        &["cert", "bind", "mx"],
        &["set", "mode=may"],
        &["apply", "--yes"],
    ] {
        site.postseal(words).run()?;
    }
    Ok(site)
}

/// Agent and console of an instance; they end when dropped.
struct Console {
    at: String,
    link: String,
    up: Child,
}

impl Console {
    fn up(site: &Site, program: &Path) -> Outcome<Self> {
        let store = site.store();
        let folder = store.parent().ok_or("a store has a folder")?;
        // The console runs as nobody.
        fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let config = folder.join("postseal.toml");
        fs::write(&config, "[console]\nuser = \"nobody\"\n")?;
        let log = folder.join("up.log");
        let written = File::create(&log)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let up = Command::new(program)
            .arg("--config")
            .arg(&config)
            .arg("--instance")
            .arg(site.postfix.config_directory())
            .arg(format!("--store=sqlite:{}", store.display()))
            .args(["--resolver", "none", "up"])
            .arg(format!("--listen=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(written.try_clone()?)
            .stderr(written)
            .spawn()?;
        let mut console = Self {
            at: format!("http://localhost:{port}"),
            link: String::new(),
            up,
        };
        let until = Instant::now() + PATIENCE;
        while console.link.is_empty() {
            let said = fs::read_to_string(&log)?;
            let mut words = said.split_whitespace();
            let link = words.find(|word| word.contains("/welcome/"));
            console.link = link.unwrap_or_default().to_owned();
            if Instant::now() > until {
                return Err(format!("no console: {said}").into());
            }
            sleep(Duration::from_millis(50));
        }
        Ok(console)
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // It ends its console with it; killed, it could not.
        let id = self.up.id().to_string();
        let _gone = Command::new("kill").args(["-TERM", &id]).status();
        let _gone = self.up.wait();
    }
}

/// The browser of the browser tests.
struct Browser {
    child: Child,
    tell: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Browser {
    fn open() -> Outcome<Self> {
        let driver = xtask::workspace_root().join("crates/cli/tests/browser/driver.mjs");
        let mut child = Command::new("node")
            .arg(driver)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let tell = child.stdin.take().ok_or("no input")?;
        let hear = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut browser = Self { child, tell, hear };
        browser.does(json!({"verb": "open", "scheme": "light", "width": 1280, "script": true}))?;
        Ok(browser)
    }

    fn come_in(&mut self, console: &Console) -> Outcome<()> {
        let write = |field, text| json!({"verb": "write", "field": field, "text": text});
        let press = |name| json!({"verb": "press", "name": name});
        let page = format!("{}/sign-in", console.at);
        for words in [
            json!({"verb": "go", "path": console.link}),
            write("password", PASSWORD),
            write("again", PASSWORD),
            press("Keep this password"),
            json!({"verb": "go", "path": page}),
            write("name", "admin"),
            write("password", PASSWORD),
            press("Sign in"),
        ] {
            self.does(words)?;
        }
        Ok(())
    }

    /// From the click on “Save and apply” until the page says that it was proved and kept.
    fn save(&mut self, at: &str, submission: &str) -> Outcome<Duration> {
        self.does(json!({"verb": "go", "path": format!("{at}/smtp-tls")}))?;
        self.does(json!({"verb": "choose", "field": "submission", "value": submission}))?;
        let began = Instant::now();
        self.does(json!({"verb": "press", "name": "Save and apply"}))?;
        let seconds = PATIENCE.as_secs();
        self.does(json!({"verb": "until", "says": "kept", "seconds": seconds}))?;
        Ok(began.elapsed())
    }

    fn does(&mut self, words: Value) -> Outcome<()> {
        writeln!(self.tell, "{words}")?;
        let mut line = String::new();
        self.hear.read_line(&mut line)?;
        let answer: Value = serde_json::from_str(&line)?;
        match answer["failed"].as_str() {
            Some(failed) => Err(failed.into()),
            None => Ok(()),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // One that has gone already is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
