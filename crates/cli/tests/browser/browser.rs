//! A browser, as a person uses it.
//!
//! Owns: chromium behind `driver.mjs`, and the words for what a person does. Never: what is expected.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// How long a page waits for something to be said, seconds.
const PATIENCE: u32 = 60;

pub(crate) struct Browser {
    child: Child,
    tell: ChildStdin,
    hear: BufReader<ChildStdout>,
    at: String,
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// `light` or `dark`.
    pub(crate) scheme: &'static str,
    /// Pixels.
    pub(crate) width: u32,
    /// Whether scripts run.
    pub(crate) script: bool,
}

pub(crate) const DESK: Window = Window {
    scheme: "light",
    width: 1280,
    script: true,
};

/// What every page is held to.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Judged {
    /// How many its first load took.
    pub(crate) requests: u32,
    pub(crate) bytes: u64,
    pub(crate) errors: Vec<String>,
    pub(crate) elsewhere: Vec<String>,
    /// By how many pixels the page is wider than its window.
    pub(crate) wider: i64,
    /// Of WCAG, by axe.
    pub(crate) violations: Vec<String>,
}

impl Browser {
    /// A window with nothing in it; pages are found at `at`.
    pub(crate) fn open(at: &str, window: Window) -> Self {
        let driver = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser/driver.mjs");
        let mut child = Command::new("node")
            .arg(driver)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed by ./test");
        let mut browser = Self {
            tell: child.stdin.take().unwrap(),
            hear: BufReader::new(child.stdout.take().unwrap()),
            child,
            at: at.to_owned(),
        };
        browser.window(window);
        browser
    }

    /// Another window, nobody signed in.
    pub(crate) fn window(&mut self, window: Window) {
        let Window {
            scheme,
            width,
            script,
        } = window;
        self.does(json!({"verb": "open", "scheme": scheme, "width": width, "script": script}));
    }

    /// Goes to a page; the status of the answer.
    pub(crate) fn go(&mut self, path: &str) -> u64 {
        let path = match path.starts_with("http") {
            true => path.to_owned(),
            false => format!("{}{path}", self.at),
        };
        let gone = self.does(json!({"verb": "go", "path": path}));
        gone["status"].as_u64().unwrap()
    }

    pub(crate) fn write(&mut self, field: &str, text: &str) {
        self.does(json!({"verb": "write", "field": field, "text": text}));
    }

    pub(crate) fn choose(&mut self, field: &str, value: &str) {
        self.does(json!({"verb": "choose", "field": field, "value": value}));
    }

    /// Ticks a box of the form whose action, or whose button, ends so.
    pub(crate) fn tick(&mut self, form: &str, field: &str) {
        self.does(json!({"verb": "tick", "form": form, "field": field}));
    }

    /// Presses a key where the focus is.
    pub(crate) fn key(&mut self, key: &str) {
        self.does(json!({"verb": "key", "key": key}));
    }

    /// Moves the focus to a field.
    pub(crate) fn focus(&mut self, field: &str) {
        self.does(json!({"verb": "focus", "field": field}));
    }

    /// The page's title, and what its head shows.
    pub(crate) fn head(&mut self) -> (String, String) {
        let read = self.does(json!({"verb": "read"}));
        let text = |key: &str| read[key].as_str().unwrap().to_owned();
        (text("title"), text("head"))
    }

    pub(crate) fn upload(&mut self, field: &str, path: &str) {
        self.does(json!({"verb": "upload", "field": field, "path": path}));
    }

    pub(crate) fn press(&mut self, name: &str) {
        self.does(json!({"verb": "press", "name": name}));
    }

    /// Presses a button that brings a file; what is in it.
    pub(crate) fn download(&mut self, name: &str) -> String {
        let file = self.does(json!({"verb": "download", "name": name}));
        file["text"].as_str().unwrap().to_owned()
    }

    /// Opens everything that is folded.
    pub(crate) fn unfold(&mut self) {
        self.does(json!({"verb": "unfold"}));
    }

    /// Waits until the page's main part says this, a regular expression; what it says.
    pub(crate) fn until(&mut self, says: &str) -> String {
        let said = self.does(json!({"verb": "until", "says": says, "seconds": PATIENCE}));
        said["text"].as_str().unwrap().to_owned()
    }

    /// What the page's main part says.
    pub(crate) fn text(&mut self) -> String {
        let read = self.does(json!({"verb": "read"}));
        read["text"].as_str().unwrap().to_owned()
    }

    /// What the page's main part says when it is printed, and how many of its parts may be cut off there.
    pub(crate) fn on_paper(&mut self) -> (String, u64) {
        let read = self.does(json!({"verb": "paper"}));
        let text = read["text"].as_str().unwrap().to_owned();
        (text, read["cut"].as_u64().unwrap())
    }

    /// Where it is.
    pub(crate) fn url(&mut self) -> String {
        let read = self.does(json!({"verb": "read"}));
        read["url"].as_str().unwrap().to_owned()
    }

    pub(crate) fn judge(&mut self) -> Judged {
        serde_json::from_value(self.does(json!({"verb": "judge"}))).unwrap()
    }

    /// A picture of the whole page, with texts that are of this machine alone written as others.
    pub(crate) fn picture(&mut self, path: &Path, instead: &[(String, &str)]) {
        self.does(json!({"verb": "picture", "path": path, "instead": instead}));
    }

    fn does(&mut self, words: Value) -> Value {
        writeln!(self.tell, "{words}").unwrap();
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        let mut answer: Value = serde_json::from_str(&line).expect("an answer of the driver");
        if let Some(failed) = answer["failed"].as_str() {
            panic!("{failed}");
        }
        answer["ok"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // At the end of its input it would close by itself; a failed test does not wait for that.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
