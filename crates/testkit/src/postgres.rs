//! A real PostgreSQL of a test's own, from Debian's package `postgresql`.
//!
//! Owns: one cluster in a temporary folder, reached by a socket there. Never: outlives its value, listens on TCP unless a test
//! says so, touches a cluster of the host.
//!
//! What it stores is for a test: nothing waits for a disk.

use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Debian's user and group nobody and nogroup: PostgreSQL refuses to be root.
const NOBODY: u32 = 65_534;
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster; it ends when dropped.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    programs: PathBuf,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Postgres {
    /// The cluster's superuser.
    pub const SUPERUSER: &'static str = "super";

    /// A cluster that takes everybody who can reach its socket at their word, with these settings beside (`name=value`).
    pub fn start(settings: &[&str]) -> io::Result<Self> {
        let folder = TempDir::new()?;
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY))?;
        }
        let mut cluster = Self {
            folder,
            programs: programs()?,
            settings: settings.iter().map(ToString::to_string).collect(),
            child: None,
        };
        let mut make = cluster.program("initdb");
        make.args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ])
        .arg(format!("--username={}", Self::SUPERUSER))
        .arg("-D")
        .arg(cluster.data());
        done(&mut make)?;
        cluster.start_again()?;
        Ok(cluster)
    }

    /// The folder of its socket.
    pub fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of its data.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The address of a database for a role.
    pub fn url(&self, role: &str, database: &str) -> String {
        let socket = self.socket().display();
        format!("postgres:///{database}?host={socket}&user={role}")
    }

    /// Makes a role, and a database that it owns, both of this name.
    pub fn create(&self, name: &str) -> io::Result<()> {
        self.run("postgres", &format!("CREATE ROLE {name} LOGIN"))?;
        self.run("postgres", &format!("CREATE DATABASE {name} OWNER {name}"))?;
        Ok(())
    }

    /// Says something to a database as the superuser; what it answers, bare.
    pub fn run(&self, database: &str, sql: &str) -> io::Result<String> {
        let mut psql = self.program("psql");
        psql.args([
            "-X",
            "-A",
            "-t",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            Self::SUPERUSER,
        ])
        .args(["-d", database, "-c", sql, "-h"])
        .arg(self.socket());
        done(&mut psql)
    }

    /// Decides who is let in (`pg_hba.conf`), from now on.
    pub fn let_in(&self, lines: &str) -> io::Result<()> {
        fs::write(self.data().join("pg_hba.conf"), lines)?;
        self.signal(Signal::HUP);
        Ok(())
    }

    /// Stops it; whoever is connected is thrown out.
    pub fn stop(&mut self) -> io::Result<()> {
        self.signal(Signal::INT);
        match self.child.take() {
            Some(mut child) => child.wait().map(drop),
            None => Ok(()),
        }
    }

    /// Starts it, the first time or after it was stopped.
    pub fn start_again(&mut self) -> io::Result<()> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))?;
        let mut server = self.program("postgres");
        server
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.socket());
        let fixed = ["listen_addresses=", "fsync=off", "full_page_writes=off"];
        let said = self.settings.iter().map(String::as_str);
        for setting in fixed.into_iter().chain(said) {
            server.args(["-c", setting]);
        }
        let child = server
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.child = Some(child);
        let until = Instant::now() + PATIENCE;
        while self.run("postgres", "SELECT 1").is_err() {
            if Instant::now() > until {
                let message = format!("PostgreSQL did not start: {}", self.log());
                return Err(io::Error::other(message));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// What it printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            // One that has ended is the test's business.
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    /// One of PostgreSQL's programs, without the rights of root and without anybody's settings.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.env_clear().current_dir("/");
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.signal(Signal::QUIT);
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }
}

/// Where Debian has the programs of the newest version that is there.
fn programs() -> io::Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql")?;
    let paths = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let newest = paths.filter(|path| path.join("postgres").exists()).max();
    newest.ok_or_else(|| io::Error::other("PostgreSQL is not installed (apt install postgresql)"))
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn done(command: &mut Command) -> io::Result<String> {
    let output = command.stdin(Stdio::null()).output()?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
        false => {
            let why = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("{command:?}: {why}")))
        }
    }
}
