//! A real private Postfix in a temporary folder.
//!
//! Owns: [`PostfixBox`]: its folders, an address of its own on loopback (so that the real ports 25,
//! 465 and 587 and their names can be used side by side), its master process, and their end.
//! Never: touches the host's Postfix, delivers outside the folder.
//!
//! The folder is kept when the test panics and `POSTSEAL_KEEP` is set.

mod address;
mod config;
mod sasl;
mod system;

use address::LoopbackAddress;
use rustix::process::{Signal, kill_process, kill_process_group};
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(30);

/// What a box is made from.
#[derive(Clone, Debug, Default)]
pub struct BoxBuilder {
    set: Vec<Setting>,
    main_cf: Option<Vec<u8>>,
    appended: String,
    master_cf: Option<Vec<u8>>,
    sasl: Option<SaslUser>,
    parent: Option<PathBuf>,
}

/// A parameter of main.cf.
#[derive(Clone, Debug)]
struct Setting {
    name: String,
    value: String,
}

/// A user of the box's Cyrus database.
#[derive(Clone, Debug)]
struct SaslUser {
    name: String,
    password: String,
}

/// A private Postfix; stopped and removed on drop.
#[derive(Debug)]
pub struct PostfixBox {
    folder: Option<TempDir>,
    path: PathBuf,
    address: LoopbackAddress,
}

impl BoxBuilder {
    /// Sets a parameter of main.cf, in place of the box's own value where it has one.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.set.retain(|setting| setting.name != name);
        self.set.push(Setting {
            name: name.to_owned(),
            value: value.to_owned(),
        });
        self
    }

    /// Appends text to main.cf as it stands: comments, odd spacing, mistakes.
    #[must_use]
    pub fn append_main_cf(mut self, text: &str) -> Self {
        self.appended.push_str(text);
        self
    }

    /// The whole of main.cf; `{base}` and `{address}` in it become the box's folder and address.
    #[must_use]
    pub fn main_cf(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.main_cf = Some(bytes.into());
        self
    }

    /// The whole of master.cf; otherwise it is the stock one of the installed Postfix.
    #[must_use]
    pub fn master_cf(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.master_cf = Some(bytes.into());
        self
    }

    /// Cyrus SASL with one user that can log in (`235`), inside the jail.
    #[must_use]
    pub fn sasl_user(mut self, name: &str, password: &str) -> Self {
        self.sasl = Some(SaslUser {
            name: name.to_owned(),
            password: password.to_owned(),
        });
        self
    }

    /// Makes the box's folder in `parent` instead of the system's temporary folder.
    #[must_use]
    pub fn parent(mut self, parent: impl Into<PathBuf>) -> Self {
        self.parent = Some(parent.into());
        self
    }

    /// Makes the folders and writes the files; nothing is started.
    ///
    /// # Errors
    /// When root is missing, Postfix is not installed, or a file cannot be written.
    pub fn build(self) -> io::Result<PostfixBox> {
        system::need_root()?;
        let folder = tempfile::Builder::new()
            .prefix("postseal-box-")
            .tempdir_in(self.parent.clone().unwrap_or_else(std::env::temp_dir))?;
        let made = PostfixBox {
            path: folder.path().to_owned(),
            folder: Some(folder),
            address: LoopbackAddress::take()?,
        };
        system::make_folders(&made.path)?;
        config::write(&made, &self)?;
        if let Some(user) = &self.sasl {
            sasl::make(&made, user)?;
        }
        Ok(made)
    }
}

impl PostfixBox {
    /// A builder with the box's own settings.
    pub fn builder() -> BoxBuilder {
        BoxBuilder::default()
    }

    /// The address at which its services listen.
    pub fn address(&self) -> IpAddr {
        IpAddr::V4(self.address.get())
    }

    /// Its address with a port.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address(), port)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The configuration directory.
    pub fn config_directory(&self) -> PathBuf {
        self.path.join("config")
    }

    /// `queue_directory`.
    pub fn queue_directory(&self) -> PathBuf {
        self.path.join("queue")
    }

    /// The mail domain whose mail the box takes into its own mailbox.
    pub fn domain(&self) -> &'static str {
        config::DOMAIN
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.path.join("log/mail.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The messages in its mailbox.
    pub fn received(&self) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.path.join("mailboxes/inbox/new"));
        let files = entries.into_iter().flatten().flatten();
        files
            .filter_map(|entry| fs::read(entry.path()).ok())
            .collect()
    }

    /// Starts the master and waits until it has initialised.
    ///
    /// # Errors
    /// When it does not start; its log is in the message.
    pub fn start(&self) -> io::Result<()> {
        let output = Command::new(system::DAEMONS.to_owned() + "/master")
            .arg("-c")
            .arg(self.config_directory())
            .arg("-w")
            .env_clear()
            .env("PATH", system::PATH)
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        if output.success() && self.master().is_some() {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "the box's master did not start: {}",
            self.log()
        )))
    }

    /// Ends the master and everything it started.
    ///
    /// # Errors
    /// When a process outlives it.
    pub fn stop(&self) -> io::Result<()> {
        let end = Instant::now() + PATIENCE;
        if let Some(pid) = self.master().and_then(system::pid) {
            let _ = kill_process(pid, Signal::TERM);
        }
        while !self.processes().is_empty() {
            if Instant::now() >= end {
                return Err(io::Error::other("a process of the box does not end"));
            }
            thread::sleep(Duration::from_millis(10));
            if end - Instant::now() < PATIENCE / 2 {
                self.kill();
            }
        }
        Ok(())
    }

    /// Kills the master and everything it started, as a power cut would.
    pub fn kill(&self) {
        if let Some(pid) = self.master().and_then(system::pid) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        for pid in self.processes().into_iter().filter_map(system::pid) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    /// The master's process id, while it runs.
    pub fn master(&self) -> Option<u32> {
        let text = fs::read_to_string(self.queue_directory().join("pid/master.pid")).ok()?;
        let pid: u32 = text.trim().parse().ok()?;
        self.processes().contains(&pid).then_some(pid)
    }

    /// The living processes that work in the box's queue: all of Postfix's do.
    pub fn processes(&self) -> Vec<u32> {
        let Ok(queue) = self.queue_directory().metadata() else {
            return Vec::new();
        };
        system::processes(|cwd| cwd.dev() == queue.dev() && cwd.ino() == queue.ino())
    }
}

impl Drop for PostfixBox {
    fn drop(&mut self) {
        let stopped = self.stop();
        if let Some(folder) = self.folder.take() {
            if thread::panicking() && std::env::var_os("POSTSEAL_KEEP").is_some() {
                eprintln!("postseal: kept {}", folder.keep().display());
            } else if let Err(error) = folder.close() {
                eprintln!("postseal: {error}");
            }
        }
        if let (Err(error), false) = (stopped, thread::panicking()) {
            panic!("{error}");
        }
    }
}

#[cfg(test)]
mod tests;
