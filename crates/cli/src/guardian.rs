//! The guard's process.
//!
//! Owns: how it is started: this program again, with the same instance and store. Never: waits for
//! it, or knows what it does.

use crate::config::Global;
use postseal_engine::Guardian;
use std::ffi::OsString;
use std::process::{Command, Stdio};

/// Starts guards as processes of their own.
#[derive(Debug)]
pub(crate) struct GuardProcess {
    options: Vec<OsString>,
}

impl GuardProcess {
    pub(crate) fn new(global: &Global) -> Self {
        let mut options = global.options();
        options.push("--quiet".into());
        Self { options }
    }
}

impl Guardian for GuardProcess {
    fn start(&self, operation: u64) -> std::io::Result<()> {
        Command::new(std::env::current_exe()?)
            .args(&self.options)
            .arg("guard")
            .arg(operation.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(drop)
    }
}
