//! A `postmap` of the instance's own, which fails or hangs where the map of names is made for good.
//!
//! Owns: the program, and what it does next. Never: stands in the way of a rehearsal, which makes
//! its map elsewhere.

use crate::site::Site;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Postmap(PathBuf);

impl Postmap {
    /// The instance uses it from now on; it does what the real one does.
    pub(crate) fn of(site: &Site) -> Self {
        let folder = site.scene.folder().join("commands");
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir("/usr/sbin").unwrap().flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("post") && name != "postmap" {
                symlink(entry.path(), folder.join(name)).unwrap();
            }
        }
        let (at, config) = (folder.display(), site.scene.config());
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *{config}/postseal.d/sni-*)\n\
             if [ -e {at}/fails ]; then echo 'postmap: fatal: no space' >&2; exit 1; fi\n\
             if [ -e {at}/hangs ]; then echo $$ >{at}/pid.new; mv {at}/pid.new {at}/pid; exec sleep 600; fi;;\n\
             esac\nexec /usr/sbin/postmap \"$@\"\n"
        );
        fs::write(folder.join("postmap"), script).unwrap();
        fs::set_permissions(folder.join("postmap"), Permissions::from_mode(0o755)).unwrap();
        let line = format!("command_directory = {at}\n");
        site.scene.edit("main.cf", |text| text + &line);
        Self(folder)
    }

    /// It fails while this is done.
    pub(crate) fn failing<T>(&self, work: impl FnOnce() -> T) -> T {
        fs::write(self.0.join("fails"), "").unwrap();
        let done = work();
        fs::remove_file(self.0.join("fails")).unwrap();
        done
    }

    /// Runs these words, and kills the program while it waits for the map of names.
    pub(crate) fn killed_within(&self, site: &Site, words: &str) {
        let pid = self.0.join("pid");
        fs::write(self.0.join("hangs"), "").unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        let mut command = site.scene.command(&words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut program = command.spawn().unwrap();
        wait_for(&pid, &mut program);
        program.kill().unwrap();
        program.wait().unwrap();
        let hanging = fs::read_to_string(&pid).unwrap();
        crate::scene::run("/bin/kill", &[hanging.trim()]);
        fs::remove_file(pid).unwrap();
        fs::remove_file(self.0.join("hangs")).unwrap();
    }
}

fn wait_for(pid: &Path, program: &mut Child) {
    let end = Instant::now() + PATIENCE;
    while !pid.exists() {
        let ended = program.try_wait().unwrap();
        assert!(ended.is_none(), "it made no map of names: {ended:?}");
        assert!(Instant::now() < end, "no map of names in {PATIENCE:?}");
        thread::sleep(Duration::from_millis(5));
    }
}
