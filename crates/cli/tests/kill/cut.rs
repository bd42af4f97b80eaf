//! Where a process is killed: as soon as it has said a line.

use crate::site::POSTSEAL;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// After which line, and how long after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    /// How the line goes on after `postseal: `.
    pub(crate) line: &'static str,
    pub(crate) after: Duration,
}

/// How it came to its end.
pub(crate) enum Ended {
    Killed,
    ByItself(Option<i32>),
}

const fn at(line: &'static str) -> Cut {
    Cut {
        line,
        after: Duration::ZERO,
    }
}

const fn after(line: &'static str, milliseconds: u64) -> Cut {
    Cut {
        line,
        after: Duration::from_millis(milliseconds),
    }
}

/// Turning on: key, main.cf, master.cf, reload.
pub(crate) const CUTS_ON: [Cut; 12] = [
    at("step 1: replaced main.cf"),
    at("step 2: replaced master.cf"),
    at("step 0: wrote key"),
    at("step 1: replaced main.cf"),
    at("rehearsing"),
    at("step 3: reloaded"),
    at("operation"),
    after("step 1: replaced main.cf", 3),
    at("proving"),
    at("step 0: wrote key"),
    after("rehearsing", 150),
    after("proved", 8),
];

/// Turning off: master.cf, reload, wait, main.cf, reload.
pub(crate) const CUTS_OFF: [Cut; 12] = [
    at("step 0: replaced master.cf"),
    at("step 1: reloaded"),
    at("step 2: waited"),
    at("step 3: replaced main.cf"),
    at("operation"),
    at("step 4: reloaded"),
    at("proving"),
    after("rehearsing", 100),
    at("step 2: waited"),
    after("operation", 3),
    after("proved", 12),
    after("step 3: replaced main.cf", 2),
];

/// Putting the old files back.
pub(crate) const CUTS_RECOVER: [Cut; 3] = [
    at("rolling back"),
    after("rolling back", 4),
    after("rolling back", 20),
];

/// Runs the command and kills it at the cut.
pub(crate) fn kill_at(mut command: Command, cut: &Cut) -> Ended {
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect(POSTSEAL);
    let told = BufReader::new(child.stderr.take().unwrap());
    for line in told.lines() {
        let line = line.unwrap();
        if line
            .strip_prefix("postseal: ")
            .is_some_and(|said| said.starts_with(cut.line))
        {
            thread::sleep(cut.after);
            child.kill().unwrap();
            break;
        }
    }
    let status = child.wait().unwrap();
    match status.code() {
        None => Ended::Killed,
        exit => Ended::ByItself(exit),
    }
}
