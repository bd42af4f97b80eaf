//! The most memory that the program held in one run.
//!
//! Owns: measuring it. What the kernel counts of a child begins with what its parent held: the peak outlives
//! exec(2), and a test holds more than the program. So time(1) starts it, which holds next to nothing.

use crate::scene::postseal;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::NamedTempFile;

const TIME: &str = "/usr/bin/time";

/// One run that is measured.
pub(crate) struct Held(NamedTempFile);

impl Held {
    pub(crate) fn new() -> Self {
        Self(NamedTempFile::new().unwrap())
    }

    /// The program with these words.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let plain = postseal(words);
        if !Path::new(TIME).exists() {
            postseal_testkit::beside::missing("there is no time(1), so memory is not measured");
            return plain;
        }
        let mut command = Command::new(TIME);
        command
            .args(["--quiet", "--format=%M", "--output"])
            .arg(self.0.path())
            .arg(plain.get_program())
            .args(plain.get_args())
            .env_clear()
            .envs(
                plain
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .stdin(std::process::Stdio::null());
        command
    }

    /// The peak of its resident set in bytes, after its end; 0 where nothing was measured.
    pub(crate) fn peak(&self) -> u64 {
        let told = fs::read_to_string(self.0.path()).unwrap();
        told.trim().parse::<u64>().map_or(0, |kilo| kilo << 10)
    }
}
