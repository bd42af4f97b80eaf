//! What somebody finds who only wants to look: `try --keep`.
//!
//! Owns: the printed lines, taken as a reader would. Never: what the steps of a trial prove; they say so.

use crate::browser::{Browser, DESK};
use crate::person::first_admin;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A trial that goes on running.
struct Kept {
    /// What it printed when all was proved.
    said: String,
    folder: PathBuf,
    _parent: TempDir,
}

impl Kept {
    fn tried() -> Self {
        let parent = TempDir::with_prefix("postseal-kept-").unwrap();
        // Postfix's daemons pass through it.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(parent.path(), open).unwrap();
        let folder = parent.path().join("site");
        // What stays must not hold the pipe of what ended.
        let said = parent.path().join("said");
        let tried = Command::new(env!("CARGO_BIN_EXE_postseal"))
            .args(["try", "--keep", "--dir"])
            .arg(&folder)
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&said).unwrap())
            .status()
            .unwrap();
        let kept = Self {
            said: std::fs::read_to_string(said).unwrap(),
            folder,
            _parent: parent,
        };
        assert!(tried.success(), "{}", kept.said);
        kept
    }

    /// The lines that follow `title`, up to the next that is not set in.
    fn lines(&self, title: &str) -> Vec<&str> {
        let after = self.said.lines().skip_while(|line| !line.contains(title));
        let set_in = after.skip(1).take_while(|line| line.starts_with("  "));
        set_in.map(str::trim).collect()
    }

    /// Whether a process has its folder on its command line.
    fn is_running(&self) -> bool {
        let folder = self.folder.to_str().unwrap();
        let mut processes = std::fs::read_dir("/proc").unwrap().flatten();
        processes.any(|process| {
            let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&words).contains(folder)
        })
    }

    /// Types the lines that end it.
    fn end(&self) {
        for title in ["To end it:", "To end them:"] {
            for line in self.lines(title) {
                let _ = Command::new("sh").args(["-c", line]).status();
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.end();
    }
}

#[test]
fn who_tries_it_finds_the_console_with_some_history_and_can_end_it() {
    let kept = Kept::tried();
    let link = kept.lines("The console of mx")[0];
    let (address, _) = link.split_once("/welcome/").expect("a link");
    let mut browser = Browser::open(address, DESK);
    first_admin(&mut browser, link);

    browser.until(r"rollback of 1 \(kept\)");
    browser.go("/history");
    browser.until("rollback of 1");

    kept.end();
    assert!(!kept.folder.exists(), "{}", kept.said);
    // They were told to end, and take their moment.
    let until = Instant::now() + Duration::from_secs(20);
    while kept.is_running() {
        assert!(Instant::now() < until, "processes are left");
        std::thread::sleep(Duration::from_millis(50));
    }
}
