//! `lint` as a user calls it: its forms, what is ignored, and its claims held against a real
//! Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod claims;
mod confirmed;
mod damaged;
mod forms;
mod host;
mod ignored;
mod older;
#[path = "../scene/mod.rs"]
mod scene;

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// What a call came to.
struct Ran {
    exit: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    fn codes(&self) -> Vec<String> {
        let document = self.json();
        let findings = document["findings"].as_array().into_iter().flatten();
        findings
            .map(|finding| finding["code"].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Runs `lint` in `folder`, with the `postseal.toml` that stands there, if one does.
fn lint(folder: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postseal"));
    let config = folder.join("postseal.toml");
    if !config.exists() {
        std::fs::write(&config, "").unwrap();
    }
    let output = command
        .env("POSTSEAL_CONFIG", &config)
        .env("POSTSEAL_RESOLVER", "none")
        .env("NO_COLOR", "1")
        .arg("lint")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        exit: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
