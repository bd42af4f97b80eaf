//! A console that is served while a test lasts, and an agent to answer it.

use crate::wire::{Answer, Ask};
use postseal_console::{Console, Options, secret};
use postseal_store::SqliteDesk;
use postseal_store::desk::{
    Clerk as _, Desk as _, DeskPlace, End, Heartbeat, Job, JobEvent, JobState, Role, RuleRow,
    SignIn, Token, User,
};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

pub(crate) const INSTANCE: &str = "/etc/postfix";
pub(crate) const HOUR_MS: i64 = 3_600_000;
/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A console at work.
pub(crate) struct Served {
    pub(crate) at: SocketAddr,
    folder: TempDir,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn new() -> Self {
        Self::behind(&[])
    }

    /// Somebody of this role is signed in; their session.
    pub(crate) fn to(role: Role) -> (Self, String) {
        let served = Self::new();
        let session = served.signed_in(role);
        (served, session)
    }

    /// A program of a user `ingrid` of this role asks; its token.
    pub(crate) fn to_program(role: Role) -> (Self, String) {
        let served = Self::new();
        served.user("ingrid", role);
        let token = served.token("ingrid", role, now() + HOUR_MS);
        (served, token)
    }

    /// With these proxies before it.
    pub(crate) fn behind(proxies: &[&str]) -> Self {
        Self::told(|options| {
            options.trusted_proxies = proxies.iter().map(ToString::to_string).collect();
        })
    }

    /// Told something else than usual.
    pub(crate) fn told(tell: impl FnOnce(&mut Options)) -> Self {
        let folder = TempDir::new().unwrap();
        let mut options = options(folder.path());
        tell(&mut options);
        let console = Console::open(options).unwrap();
        let at = console.address();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let thread = spawn(move || {
            console.run(async move {
                let _gone = stopped.await;
            });
        });
        Self {
            at,
            folder,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The desk, as another process has it open.
    pub(crate) fn desk(&self) -> SqliteDesk {
        SqliteDesk::open(self.folder.path()).unwrap()
    }

    /// Where the desk's files are.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Somebody who is there without a password.
    pub(crate) fn user(&self, name: &str, role: Role) {
        let user = User {
            name: name.to_owned(),
            role,
            password: None,
            totp: None,
            added_ms: now(),
        };
        assert!(self.desk().add_user(&user).unwrap());
    }

    /// A session of a user, as the cookie that a browser sends.
    pub(crate) fn session(&self, name: &str) -> String {
        let cookie = secret::fresh().unwrap();
        let session = SignIn {
            digest: secret::digest(&cookie),
            user: name.to_owned(),
            made_ms: now(),
            seen_ms: now(),
            ends_ms: now() + HOUR_MS,
            address: "127.0.0.1".to_owned(),
            browser: "a test".to_owned(),
        };
        self.desk().sign_in(&session).unwrap();
        format!("__Host-postseal={cookie}")
    }

    /// A user of this role with a session.
    pub(crate) fn signed_in(&self, role: Role) -> String {
        self.user(role.name(), role);
        self.session(role.name())
    }

    /// A token, as a program sends it.
    pub(crate) fn token(&self, user: &str, role: Role, ends_ms: i64) -> String {
        let text = format!("{}{}", secret::TOKEN_PREFIX, secret::fresh().unwrap());
        let token = Token {
            id: 0,
            user: user.to_owned(),
            name: "a test's".to_owned(),
            role,
            made_ms: now(),
            ends_ms,
            used_ms: None,
        };
        let digest = secret::digest(&text);
        self.desk().add_token(&token, &digest).unwrap();
        format!("Bearer {text}")
    }

    pub(crate) fn ask(&self, ask: &Ask) -> Answer {
        ask.send(self.at)
    }

    /// Asks again until the answer is as it has to be; it.
    pub(crate) fn until(&self, ask: &Ask, is_it: impl Fn(&Answer) -> bool) -> Answer {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask(ask);
            if is_it(&answer) {
                return answer;
            }
            assert!(Instant::now() < until, "{}", answer.body);
            sleep(Duration::from_millis(20));
        }
    }

    /// The page of a job that has ended.
    pub(crate) fn ended(&self, session: &str, job: u64) -> String {
        let ask = Ask::get(&format!("/jobs/{job}")).cookie(session);
        let has_ended = |page: &Answer| !page.body.contains("hx-get=\"/jobs/");
        self.until(&ask, has_ended).body
    }

    /// What the forms of a session hold.
    pub(crate) fn form_token(&self, session: &str) -> String {
        let page = self.ask(&Ask::get("/").cookie(session));
        let (_, rest) = page
            .body
            .split_once("name=\"form_token\" value=\"")
            .unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends a form as a browser does that has the page open.
    pub(crate) fn send_form(&self, session: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.form_token(session);
        let mut all = vec![("form_token", token.as_str())];
        all.extend(fields);
        self.ask(&Ask::form(path, &all).cookie(session).by_page(self.at))
    }

    /// Sends a form with files as a browser does: each field has a name, a file's name or none, and what it holds.
    pub(crate) fn send_files(
        &self,
        session: &str,
        path: &str,
        fields: &[(&str, &str, &str)],
    ) -> Answer {
        let token = self.form_token(session);
        let mut body = String::new();
        for (name, file, value) in [("form_token", "", token.as_str())].iter().chain(fields) {
            let file = match *file {
                "" => String::new(),
                file => format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream"),
            };
            body.push_str(&format!(
                "--xyz\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
            ));
        }
        body.push_str("--xyz--\r\n");
        let ask = Ask::new("POST", path)
            .with("content-type", "multipart/form-data; boundary=xyz")
            .body(&body);
        self.ask(&ask.cookie(session).by_page(self.at))
    }

    /// Files a task by the API and gives the job's number.
    pub(crate) fn file(&self, token: &str, task: &str) -> u64 {
        let ask = Ask::new("POST", "/api/v1/jobs").with("authorization", token);
        let answer = self.ask(&ask.body(task));
        assert_eq!(answer.status, 202, "{}", answer.body);
        answer.json()["job"].as_u64().unwrap()
    }

    /// A program asks the API, with a document where there is one.
    pub(crate) fn call(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let ask = Ask::new(method, path).with("authorization", token);
        let ask = match body.is_empty() {
            true => ask,
            false => ask.with("content-type", "application/json").body(body),
        };
        self.ask(&ask)
    }

    /// What the agent hands over of rules.
    pub(crate) fn rules(&self, rows: &[RuleRow]) {
        let mut desk = self.desk();
        let set = desk.begin_rules(INSTANCE, now()).unwrap();
        for piece in rows.chunks(500) {
            desk.add_rules(set, piece).unwrap();
        }
        desk.show_rules(INSTANCE, set, "1", now()).unwrap();
    }

    pub(crate) fn copy(&self, what: &str, document: &str) {
        self.desk()
            .put_copy(INSTANCE, what, document, now())
            .unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.stop.take());
        let thread = self.thread.take().unwrap();
        thread.join().unwrap();
    }
}

/// What a console is told that has its desk in `folder`.
pub(crate) fn options(folder: &Path) -> Options {
    Options {
        listen: "127.0.0.1:0".parse().unwrap(),
        desk: DeskPlace::Folder(folder.to_owned()),
        instance: INSTANCE.to_owned(),
        hosts: vec!["console.example".to_owned()],
        trusted_proxies: Vec::new(),
        two_persons: false,
        presented: None,
    }
}

/// Ends every job as a test says, until it is dropped.
pub(crate) struct Agent {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Job>>>,
}

impl Agent {
    pub(crate) fn start(served: &Served, answer: fn(&str) -> (u8, String)) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut desk, stopped) = (served.desk(), Arc::clone(&stop));
        let thread = spawn(move || {
            let mut done = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let beat = heartbeat();
                desk.beat(&beat).unwrap();
                let Some(job) = desk.claim(&beat).unwrap() else {
                    sleep(Duration::from_millis(20));
                    continue;
                };
                let event = JobEvent {
                    n: 1,
                    at_ms: now(),
                    document: r#"{"event":"stage","stage":"rehearse"}"#.to_owned(),
                };
                desk.tell(job.id, &event).unwrap();
                let (exit, answer) = answer(&job.task);
                let end = End { exit, answer };
                desk.end(job.id, JobState::Done, &end, now()).unwrap();
                done.push(job);
            }
            done
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }

    /// The tasks that it has carried out, in their order.
    pub(crate) fn stop(mut self) -> Vec<serde_json::Value> {
        self.stop.store(true, Ordering::Relaxed);
        let done = self.thread.take().unwrap().join().unwrap();
        let tasks = done.iter().map(|job| serde_json::from_str(&job.task));
        tasks.collect::<Result<_, _>>().unwrap()
    }
}

pub(crate) fn heartbeat() -> Heartbeat {
    Heartbeat {
        instance: INSTANCE.to_owned(),
        agent: "a test's".to_owned(),
        version: "0".to_owned(),
        now_ms: now(),
        lease_ms: now() + HOUR_MS,
    }
}

pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}
