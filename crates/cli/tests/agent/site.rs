//! A private Postfix with `postseal up`, and who reaches it how.

use crate::scene::{Ran, Scene, postseal};
use postseal_store::SqliteDesk;
use postseal_store::desk::{Desk, Job, NewJob};
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use rustix::process::{Gid, Pid, Signal, Uid, kill_process};
use rustix::thread::{set_thread_res_gid, set_thread_res_uid};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Debian's user and group nobody and nogroup: who the console is here.
const NOBODY: u32 = 65_534;
/// This machine is the proxy before the console.
const CONFIG: &str = "[console]\nuser = \"nobody\"\ntrusted_proxies = [\"127.0.0.0/8\", \"::1\"]\n";
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Site {
    pub(crate) scene: Scene,
    pub(crate) port: u16,
    token: String,
    up: Child,
}

impl Site {
    /// Adopted, with the certificate `mx`, agent and console at work, and a token of the first admin.
    pub(crate) fn up() -> Self {
        Self::up_on(PostfixBox::builder())
    }

    /// The same on a Postfix of the test's own.
    pub(crate) fn up_on(postfix: BoxBuilder) -> Self {
        Self::known(Self::started_on(postfix, ""))
    }

    /// The same, with more in the console's part of its configuration.
    pub(crate) fn configured(more: &str) -> Self {
        Self::known(Self::started(more))
    }

    /// With a token of the first admin.
    fn known(mut site: Self) -> Self {
        let made = site.local(&["token", "add", "admin", "--name=test", "--role=admin"]);
        made.text("token").clone_into(&mut site.token);
        let answer = site.remote(&["set"]);
        assert_eq!(answer.exit, Some(0), "{answer:#?}");
        site
    }

    /// The same; nobody has asked the console anything.
    pub(crate) fn started(more: &str) -> Self {
        Self::started_on(PostfixBox::builder(), more)
    }

    fn started_on(postfix: BoxBuilder, more: &str) -> Self {
        Self::started_in(Scene::adopted(postfix), more)
    }

    /// Agent and console at work where nothing of Postseal was before, and a token of the first admin.
    #[allow(dead_code, reason = "for stories without a browser")]
    pub(crate) fn unadopted() -> Self {
        Self::known(Self::started_in(Scene::bare(PostfixBox::builder()), ""))
    }

    /// The same in a scene that is there already, with a token of the first admin.
    #[allow(dead_code, reason = "for stories in a browser")]
    pub(crate) fn up_in(scene: Scene, more: &str) -> Self {
        Self::known(Self::started_in(scene, more))
    }

    fn started_in(scene: Scene, more: &str) -> Self {
        let config = scene.named("postseal.toml");
        fs::write(&config, format!("{CONFIG}{more}")).unwrap();
        let port = free_port();
        let up = start(&scene, port);
        let site = Self {
            scene,
            port,
            token: String::new(),
            up,
        };
        site.wait("an agent", |site| site.log().contains("agent for"));
        site.wait("console", |site| {
            TcpStream::connect(("127.0.0.1", site.port)).is_ok()
        });
        site
    }

    /// Where the console is found.
    pub(crate) fn address(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Of the first admin, for a program.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// The program on the host.
    pub(crate) fn local(&self, words: &[&str]) -> Ran {
        Ran::of(
            &command(&self.scene)
                .args(words)
                .arg("--json")
                .output()
                .unwrap(),
        )
    }

    /// The program from afar.
    pub(crate) fn remote(&self, words: &[&str]) -> Ran {
        Ran::of(&self.afar(words).arg("--json").output().unwrap())
    }

    /// The same for people.
    pub(crate) fn says(&self, words: &[&str]) -> Ran {
        Ran::of(&self.afar(words).output().unwrap())
    }

    fn afar(&self, words: &[&str]) -> Command {
        let mut command = postseal(&["--server", &self.address(), "--token", &self.token]);
        command.args(words);
        command
    }

    /// What the console answers to a request over HTTP: its head's first lines, and its body.
    pub(crate) fn http(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let head = format!(
            "{head}\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// What whoever owns the console can do at the desk.
    pub(crate) fn at_desk<T: Send>(
        &self,
        work: impl FnOnce(&mut SqliteDesk, &str) -> T + Send,
    ) -> T {
        let folder = self.console_folder();
        let instance = self.scene.config();
        let as_console = move || {
            let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
            set_thread_res_gid(gid, gid, gid).unwrap();
            set_thread_res_uid(uid, uid, uid).unwrap();
            work(&mut SqliteDesk::open(&folder).unwrap(), &instance)
        };
        std::thread::scope(|scope| scope.spawn(as_console).join().unwrap())
    }

    pub(crate) fn console_folder(&self) -> PathBuf {
        self.scene.folder().join("store/console")
    }

    /// Files a job as the console would, whatever its text.
    pub(crate) fn file(&self, task: &str) -> u64 {
        self.at_desk(|desk, instance| {
            let job = NewJob {
                instance: instance.to_owned(),
                actor: "mallory".to_owned(),
                filed_ms: 1,
                task: task.to_owned(),
                request: None,
            };
            match desk.file(&job).unwrap() {
                postseal_store::desk::Filed::New(id) => id,
                other => panic!("{other:?}"),
            }
        })
    }

    pub(crate) fn job(&self, id: u64) -> Job {
        self.at_desk(|desk, _| desk.job(id).unwrap().unwrap())
    }

    /// The job once it has ended.
    pub(crate) fn ended(&self, id: u64) -> Job {
        self.wait("the end of a job", |site| site.job(id).state.has_ended());
        self.job(id)
    }

    pub(crate) fn wait(&self, for_what: &str, seen: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !seen(self) {
            assert!(Instant::now() < until, "no {for_what}: {}", self.log());
            sleep(Duration::from_millis(20));
        }
    }

    /// What `up` has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.scene.named("up.log")).unwrap()
    }

    /// The most memory that agent and `up` ever had, in MiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.up.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kib = line.unwrap().split_whitespace().nth(1).unwrap();
        kib.parse::<u64>().unwrap() / 1024
    }

    /// The children of `up` with this verb.
    pub(crate) fn children(&self, verb: &str) -> Vec<Pid> {
        let of = self.up.id();
        let listed = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap();
        let all = fs::read_dir(format!("/proc/{of}/task")).unwrap();
        let mut pids: Vec<String> = listed.split_whitespace().map(str::to_owned).collect();
        for task in all {
            let children = task.unwrap().path().join("children");
            let children = fs::read_to_string(children).unwrap_or_default();
            pids.extend(children.split_whitespace().map(str::to_owned));
        }
        pids.retain(|pid| {
            let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            words
                .split(|byte| *byte == 0)
                .any(|word| word == verb.as_bytes())
        });
        let mut pids: Vec<i32> = pids.iter().map(|pid| pid.parse().unwrap()).collect();
        pids.sort_unstable();
        pids.dedup();
        pids.into_iter().filter_map(Pid::from_raw).collect()
    }

    /// Kills `up` without a word, and with it its console.
    pub(crate) fn kill(&mut self) {
        let consoles = self.children("console");
        self.up.kill().unwrap();
        self.up.wait().unwrap();
        for console in consoles {
            let _ = kill_process(console, Signal::KILL);
        }
    }

    /// Asks `up` to end; whether it does.
    pub(crate) fn ends(&mut self, patience: Duration) -> bool {
        kill_process(Pid::from_child(&self.up), Signal::TERM).unwrap();
        let until = Instant::now() + patience;
        while self.up.try_wait().unwrap().is_none() {
            if Instant::now() > until {
                self.kill();
                return false;
            }
            sleep(Duration::from_millis(50));
        }
        true
    }

    pub(crate) fn up_again(&mut self) {
        self.up = start(&self.scene, self.port);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.up), Signal::TERM);
        let _ = self.up.wait();
    }
}

fn command(scene: &Scene) -> Command {
    scene.command(&["--config", &scene.named("postseal.toml")])
}

fn start(scene: &Scene, port: u16) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(scene.named("up.log"))
        .unwrap();
    command(scene)
        .arg("up")
        .arg(format!("--listen=127.0.0.1:{port}"))
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
