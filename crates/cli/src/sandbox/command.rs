//! Postseal's public command line, as a user runs it.
//!
//! Owns: running it in a process of its own and reading its JSON. Never: calls a function of
//! Postseal instead.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The command line, for one instance and store.
pub(super) struct Cli {
    pub(super) instance: PathBuf,
    pub(super) store: PathBuf,
}

/// What a command came to.
pub(super) struct Ran {
    pub(super) exit: i32,
    pub(super) json: Value,
    words: String,
    errors: String,
}

impl Cli {
    /// Runs `postseal --json WORDS`.
    pub(super) fn run(&self, words: &[&str]) -> Result<Ran, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let output = Command::new(program)
            .arg("--instance")
            .arg(&self.instance)
            .arg("--store")
            .arg(format!("sqlite:{}", self.store.display()))
            // Nobody sends mail to it.
            .args(["--resolver", "none", "--json"])
            .args(words)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        Ok(Ran {
            exit: output.status.code().unwrap_or(-1),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            words: words.join(" "),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs it and demands that it ends with `exit`.
    pub(super) fn expect(&self, exit: i32, words: &[&str]) -> Result<Ran, String> {
        let ran = self.run(words)?;
        if ran.exit == exit {
            Ok(ran)
        } else {
            Err(ran.complaint(exit))
        }
    }
}

impl Ran {
    /// The stable code of the error, or of the first finding.
    pub(super) fn code(&self) -> &str {
        let error = self.json.pointer("/error/code");
        error
            .or_else(|| self.json.pointer("/findings/0/code"))
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    fn complaint(&self, wanted: i32) -> String {
        let said = self
            .json
            .pointer("/error/message")
            .and_then(Value::as_str)
            .unwrap_or(&self.errors);
        let findings = self
            .json
            .get("findings")
            .map(Value::to_string)
            .unwrap_or_default();
        let proved = self
            .json
            .get("judgements")
            .map(Value::to_string)
            .unwrap_or_default();
        format!(
            "`postseal {}` ended with {} instead of {wanted}: {said} {findings} {proved}",
            self.words, self.exit
        )
    }
}
