//! What the numbers were taken on.

use std::process::Command;

/// The facts without which a number says little.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Processors.
    pub cores: usize,
    /// The processor's name.
    pub processor: String,
    /// `mail_version`.
    pub postfix: String,
    /// The system's OpenSSL.
    pub openssl: String,
}

impl Machine {
    /// Looks at this machine; what cannot be seen is `unknown`.
    #[must_use]
    pub fn look() -> Self {
        let unknown = || "unknown".to_owned();
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = cpu.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == "model name").then(|| value.trim().to_owned())
        });
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: name.unwrap_or_else(unknown),
            postfix: said("/usr/sbin/postconf", &["-dh", "mail_version"]).unwrap_or_else(unknown),
            openssl: said("openssl", &["version"]).unwrap_or_else(unknown),
        }
    }

    /// One line for the record.
    #[must_use]
    pub fn line(&self) -> String {
        let (cores, processor) = (self.cores, &self.processor);
        let (postfix, openssl) = (&self.postfix, &self.openssl);
        format!("{cores} cores ({processor}), Postfix {postfix}, {openssl}")
    }
}

fn said(command: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(command).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim();
    (output.status.success() && !line.is_empty()).then(|| line.to_owned())
}
