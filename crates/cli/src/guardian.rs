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
        let mut options: Vec<OsString> = Vec::new();
        if let Some(config) = &global.config {
            options.extend(["--config".into(), config.into()]);
        }
        if let Some(instance) = &global.instance {
            options.extend(["--instance".into(), instance.into()]);
        }
        let store = format!("sqlite:{}", global.store.display());
        options.extend(["--store".into(), store.into(), "--quiet".into()]);
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
