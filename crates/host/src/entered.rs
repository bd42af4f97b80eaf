//! The network of an instance that is reached by a prefix.
//!
//! Owns: taking the calling thread into the network namespace that the prefix leads to, and back.
//! Never: any other kind of namespace: files are reached through `/proc/PID/root`.

use crate::HostError;
use crate::command::{Call, kill_group};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

const OWN: &str = "/proc/thread-self/ns/net";
/// A prefix such as `nsenter` has replaced itself by then.
const DEADLINE: Duration = Duration::from_secs(10);

/// The calling thread is in the instance's network while this lives; threads that it starts are
/// too. Dropped in another thread it takes that one out.
#[derive(Debug)]
pub struct Entered {
    home: Option<File>,
}

impl Entered {
    /// There is nothing to enter.
    pub fn here() -> Self {
        Self { home: None }
    }

    /// Enters the network namespace that commands behind `prefix` run in.
    pub(crate) fn by(prefix: &[String]) -> Result<Self, HostError> {
        if prefix.is_empty() {
            return Ok(Self::here());
        }
        let cannot = |error: io::Error| {
            HostError::NotRehearsable(format!("its network cannot be entered: {error}"))
        };
        let home = File::open(OWN).map_err(cannot)?;
        let there = namespace(prefix)?;
        move_into_link_name_space(there.as_fd(), Some(LinkNameSpaceType::Network))
            .map_err(|error| cannot(error.into()))?;
        Ok(Self { home: Some(home) })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(home) = &self.home {
            // The way in was open, so the way back is.
            let _ = move_into_link_name_space(home.as_fd(), Some(LinkNameSpaceType::Network));
        }
    }
}

/// The namespace of a command that only waits, run behind the prefix.
fn namespace(prefix: &[String]) -> Result<File, HostError> {
    let program = Path::new("/bin/sleep");
    let mut waiting = Call::new(prefix, program, DEADLINE).arg("60").spawn()?;
    let found = when_running(waiting.id(), program);
    kill_group(&mut waiting);
    found.map_err(|error| {
        HostError::NotRehearsable(format!("its network cannot be entered: {error}"))
    })
}

fn when_running(pid: u32, program: &Path) -> io::Result<File> {
    let end = Instant::now() + DEADLINE;
    let name = program.file_name();
    loop {
        let path = PathBuf::from(format!("/proc/{pid}"));
        if path.join("exe").read_link()?.file_name() == name {
            return File::open(path.join("ns/net"));
        }
        if Instant::now() >= end {
            return Err(io::Error::other(
                "the prefix does not run commands in place",
            ));
        }
        thread::sleep(Duration::from_millis(2));
    }
}
