//! In the middle of an order: the unprivileged child is looked at, the program is stopped, killed,
//! and started twice. And after an order: what came cannot be put in force yet.

use crate::cut::{Cut, Ended, kill_at};
use crate::scene::Ran;
use crate::site::{all, by_name};
use crate::world::{World, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Debian's nobody.
const NOBODY: u32 = 65_534;

/// The program in the middle of an order, standing still: the challenge is put, its child answers.
/// So it must be for a name that the CA has not seen proved (`World::forget`).
struct AtWork {
    program: Child,
    child: u32,
}

impl AtWork {
    fn start(world: &World, words: &str) -> Self {
        // Without names the CA cannot get further than to begin.
        world.dns.freeze();
        let tasks = || world.pebble.log().matches("Pulled a task").count();
        let before = tasks();
        let words: Vec<&str> = words.split(' ').collect();
        let mut command = world.site.scene.command(&words);
        command.arg("--json");
        let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = pipes.spawn().unwrap();
        until("the challenge", || tasks() > before);
        let child = child_of(program.id()).unwrap();
        let work = Self { program, child };
        work.signal(Signal::STOP);
        world.dns.thaw();
        TcpStream::connect(world.http()).unwrap();
        work
    }

    /// It goes on to its end.
    fn ended(self) -> Ran {
        self.signal(Signal::CONT);
        Ran::of(&self.program.wait_with_output().unwrap())
    }

    /// It finds this signal when it goes on.
    fn ended_by(self, signal: Signal) -> Ran {
        self.signal(signal);
        self.ended()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.program.id()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }
}

/// The child that answers for a process.
fn child_of(parent: u32) -> Option<u32> {
    let is_its = |pid: u32| {
        let status = status(pid)?;
        let words = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).into_owned();
        let its = status.contains(&format!("PPid:\t{parent}\n"));
        (its && words.contains("answer-challenges")).then_some(pid)
    };
    let pids = fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find_map(is_its)
}

fn status(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/status")).ok()
}

fn is_gone(pid: u32) -> bool {
    status(pid).is_none_or(|status| status.contains("State:\tZ"))
}

fn nothing_is_left(world: &World, child: u32) {
    until("the end of the child", || is_gone(child));
    assert!(TcpStream::connect(world.http()).is_err());
}

fn words(world: &World) -> String {
    format!("cert issue mx --domain mx.box.test {}", world.by_http())
}

#[test]
fn the_child_is_nobody_and_lives_for_one_order() {
    let mut world = World::new();
    let work = AtWork::start(&world, &words(&world));
    let seen = status(work.child).unwrap();
    for kind in ["Uid", "Gid"] {
        let nobody = format!("{kind}:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}\n");
        assert!(seen.contains(&nobody), "{seen}");
    }
    for line in [
        "Groups:\t \n",
        "NoNewPrivs:\t1\n",
        "CapEff:\t0000000000000000\n",
    ] {
        assert!(seen.contains(line), "{line}: {seen}");
    }
    // It holds its two sockets, and nothing of the store.
    let files = fs::read_dir(format!("/proc/{}/fd", work.child)).unwrap();
    for file in files.flatten() {
        let target = fs::read_link(file.path()).unwrap_or_default();
        let target = target.display().to_string();
        assert!(!target.contains("store"), "{target}");
    }
    let environment = fs::read(format!("/proc/{}/environ", work.child)).unwrap();
    assert_eq!(environment, b"");
    let child = work.child;
    let ended = work.ended();
    assert_eq!(ended.exit, Some(0), "{ended:#?}");
    nothing_is_left(&world, child);
    // A program that only root can reach is reached.
    let folder = world.site.scene.folder().join("root");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    world.forget();
    let program = folder.join("postseal");
    fs::copy(crate::scene::POSTSEAL, &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["--instance", &world.site.scene.config()]);
    command.args(["--store", &world.site.scene.store()]);
    command.args(["--resolver", "none", "cert", "renew", "--force"]);
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{:#?}", Ran::of(&ended));
    // Somebody else than nobody, where that is configured.
    let toml = world.site.scene.named("postseal.toml");
    fs::write(&toml, "[acme]\nuser = \"daemon\"\n").unwrap();
    world.forget();
    let work = AtWork::start(&world, &format!("cert renew --force --config {toml}"));
    assert!(status(work.child).unwrap().contains("Uid:\t1\t1\t1\t1\n"));
    assert_eq!(work.ended().exit, Some(0));
    for user in ["root", "nobody-at-all"] {
        fs::write(&toml, format!("[acme]\nuser = \"{user}\"\n")).unwrap();
        let words = format!(
            "cert issue other --domain o.box.test {} --config {toml}",
            world.by_http()
        );
        let refused = world.site.ends(1, &words);
        assert_eq!(refused.code(), "http01.listener");
        assert!(refused.stdout.contains("[acme]"), "{refused:#?}");
    }
}

#[test]
fn stopped_by_the_operator_it_takes_its_answers_away_and_leaves_nothing() {
    let mut world = World::new();
    for (signal, domain) in [(Signal::INT, "a.box.test"), (Signal::TERM, "b.box.test")] {
        let other = words(&world).replace("mx.box.test", domain);
        let work = AtWork::start(&world, &other);
        let child = work.child;
        let ended = work.ended_by(signal);
        assert_eq!(ended.exit, Some(1), "{ended:#?}");
        assert_eq!(ended.code(), "interrupted");
        nothing_is_left(&world, child);
        let list = world.site.must("cert list").json;
        assert_eq!(list["certificates"], serde_json::json!([]));
    }
    world.site.must(&words(&world));
    let before = world.renewal("mx");
    world.forget();
    let work = AtWork::start(&world, "cert renew --force");
    let ended = work.ended_by(Signal::INT);
    assert_eq!(ended.exit, Some(1));
    assert_eq!(ended.json["certificates"][0]["outcome"], "interrupted");
    assert_eq!(world.renewal("mx")["failures"], before["failures"]);
}

#[test]
fn killed_in_the_middle_the_next_run_starts_clean() {
    let mut world = World::new();
    let work = AtWork::start(&world, &words(&world));
    let child = work.child;
    assert_eq!(work.ended_by(Signal::KILL).exit, None);
    nothing_is_left(&world, child);
    let list = world.site.must("cert list").json;
    assert_eq!(list["certificates"], serde_json::json!([]));
    world.site.must(&words(&world));
    let before = world.site.must("cert show mx").json;
    world.forget();
    let work = AtWork::start(&world, "cert renew --force");
    let child = work.child;
    work.ended_by(Signal::KILL);
    nothing_is_left(&world, child);
    let after = world.site.must("cert show mx").json;
    let fingerprint = |shown: &serde_json::Value| shown["certificate"]["fingerprint"].clone();
    assert_eq!(fingerprint(&before), fingerprint(&after));
    world.site.must("cert renew --force");
    assert_eq!(
        world.site.must("cert show mx").json["certificate"]["version"],
        2
    );
}

#[test]
fn killed_after_the_ca_has_issued_the_next_run_ends_it() {
    let world = World::new();
    let site = &world.site;
    world.issue("mx", "mx.box.test", "", "mx");
    site.must("cert bind mx");
    site.must("cert bind mx --sni mail.box.test");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    for line in [
        "mx: the CA has issued it",
        "rehearsing",
        "operation",
        "step 0",
        "step 2",
        "proving",
    ] {
        let version = || site.must("cert show mx").json["certificate"]["version"].clone();
        let before = version();
        let mut command = site
            .scene
            .command(&["cert", "renew", "--force", "--verbose"]);
        command.arg("--json");
        let after = Duration::ZERO;
        let ended = kill_at(command, &Cut { line, after });
        assert!(matches!(ended, Ended::Killed), "{line}: it was not killed");
        // The CA was asked once: what it issued is stored and comes in force, or never came.
        let next = site.must("cert renew");
        let stored = version();
        assert!(
            stored == before || next.json["changed"] == true || line == "proving",
            "{next:#?}"
        );
        world.know("mx", line);
        let wanted = if stored == before {
            site.plainly()
        } else {
            all(line)
        };
        assert_eq!(site.plainly(), wanted, "{line}: {next:#?}");
        assert_eq!(site.shown(&by_name("mail.box.test")), wanted);
        site.must("verify");
    }
}

#[test]
fn two_at_once_order_once_and_nobody_else_waits() {
    let mut world = World::new();
    world.site.must(&words(&world));
    world.forget();
    let work = AtWork::start(&world, "cert renew --force");
    for second in [
        "cert renew",
        "cert renew --force",
        &words(&world).replace("mx", "my"),
    ] {
        let refused = world.site.ends(75, second);
        assert_eq!(refused.code(), "renewal.locked");
        let message = refused.json["error"]["message"].as_str().unwrap();
        assert!(
            message.contains(&work.program.id().to_string()),
            "{message}"
        );
    }
    // The instance is free, and so is what only asks.
    world.site.must("cert renew --check");
    world.site.must("cert bind mx");
    world.site.must("set mode=may submission=on smtps=on");
    world.site.must("apply");
    let ended = work.ended();
    assert_eq!(ended.exit, Some(0), "{ended:#?}");
    assert_eq!(ended.json["certificates"][0]["outcome"], "renewed");
    // What was bound meanwhile was renewed with it.
    world.know("mx", "mx 2");
    assert_eq!(world.site.plainly(), all("mx 2"));
    assert_eq!(
        world.site.must("cert show mx").json["certificate"]["version"],
        2
    );
}

#[test]
fn what_cannot_be_put_in_force_now_is_by_the_next_run() {
    let world = World::new();
    let site = &world.site;
    world.issue("mx", "mx.box.test", "", "mx 1");
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply --confirm-within 10m");
    let waiting = site.ends(75, "cert renew --force");
    let findings = waiting.json["findings"].to_string();
    assert!(findings.contains("awaits confirmation"), "{findings}");
    assert_eq!(site.plainly(), all("mx 1"));
    assert_eq!(world.renewal("mx")["state"], "to-deploy");
    site.ends(75, "cert renew");
    site.must("confirm");
    let deployed = site.must("cert renew");
    assert_eq!(
        deployed.json["certificates"][0]["outcome"], "deployed",
        "{deployed:#?}"
    );
    assert_eq!(deployed.json["changed"], true);
    world.know("mx", "mx 2");
    assert_eq!(site.plainly(), all("mx 2"));
    assert_eq!(site.must("cert show mx").json["certificate"]["version"], 2);
    site.must("cert check");
    // Rolled back by the operator, it stays so.
    site.must("rollback --yes");
    assert_eq!(site.plainly(), all("mx 1"));
    let renewed = site.must("cert renew");
    let told = &renewed.json["certificates"][0];
    assert_eq!(told["outcome"], "not-due", "{told:#}");
    assert_eq!(told["in_force_instead"], 1, "{told:#}");
    let told = site.scene.say(&["cert", "renew", "--check"]).stdout;
    assert!(told.contains("`postseal cert deploy mx`"), "{told}");
    assert_eq!(site.plainly(), all("mx 1"));
}
