//! The program as a service: started, listened to, and told to end.

use crate::site::Site;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// How long something may take that is to happen.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Keeper {
    child: Child,
    lines: Receiver<String>,
}

impl Keeper {
    pub(crate) fn start(site: &Site, words: &[&str]) -> Self {
        let mut command = site.scene.command(words);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = listen(child.stderr.take().unwrap());
        Self { child, lines }
    }

    /// Waits for a line that holds `words`.
    pub(crate) fn hears(&mut self, words: &str) {
        let mut heard = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(words) => return,
                Ok(line) => heard.push(line),
                Err(_) => panic!("{words:?} was not said, but {heard:#?}"),
            }
        }
    }

    /// Tells it to end; how it ended.
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, Signal::TERM).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn listen(stderr: ChildStderr) -> Receiver<String> {
    let (say, hear) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            if say.send(line).is_err() {
                return;
            }
        }
    });
    hear
}
