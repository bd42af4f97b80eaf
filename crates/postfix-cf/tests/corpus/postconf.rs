//! The real `postconf`, on a configuration folder of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;
use std::time::{Duration, SystemTime};

/// The services that name-dependent parameters (`relay_destination_…`) come from.
const SERVICES: &str = "\
smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
smtp unix - - n - - smtp
relay unix - - n - - smtp
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
dovecot unix - n n - - pipe flags=R user=nobody argv=/bin/true
";

pub(crate) struct Postconf {
    folder: tempfile::TempDir,
}

/// What one run said.
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Postconf {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let postconf = Self { folder };
        postconf.main(b"compatibility_level = 3.6\n");
        postconf.master(SERVICES.as_bytes());
        postconf
    }

    pub(crate) fn main(&self, bytes: &[u8]) {
        self.write("main.cf", bytes);
    }

    pub(crate) fn master(&self, bytes: &[u8]) {
        self.write("master.cf", bytes);
    }

    /// Postfix waits for a file younger than two seconds to cool down.
    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).expect("a file in the scratch folder");
        let file = File::options()
            .write(true)
            .open(&path)
            .expect("the file just written");
        let old = SystemTime::now() - Duration::from_secs(60);
        file.set_modified(old).expect("a time in the past");
    }

    pub(crate) fn run(&self, flags: &[&str]) -> Said {
        let output = Command::new("postconf")
            .arg("-c")
            .arg(self.folder.path())
            .args(flags)
            .output()
            .expect("these tests need Postfix: there is no `postconf` to run");
        Said {
            ok: output.status.success(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Every parameter of main.cf that Postfix reads, with the value it has: those that `-n` prints,
    /// and those of which it says that nothing uses them. `None` when it refuses the file.
    pub(crate) fn parameters(&self) -> Option<BTreeMap<String, String>> {
        let said = self.run(&["-n"]);
        let printed = said.out.lines().filter_map(|line| line.split_once(" ="));
        let printed = printed.map(|(name, value)| (name.to_owned(), folded(value)));
        let unused = said.unused().into_iter();
        let unused = unused.map(|(name, value)| (name, folded(&value)));
        said.ok.then(|| printed.chain(unused).collect())
    }
}

impl Said {
    /// The parameters that nothing uses, with their values as they are, unprintable bytes as `?`.
    pub(crate) fn unused(&self) -> Vec<(String, String)> {
        let text = |line: &str| Some(line.split_once(": unused parameter: ")?.1.to_owned());
        let texts = self
            .err
            .lines()
            .filter(|line| !line.contains("/master.cf: "));
        texts
            .filter_map(text)
            .filter_map(|text| {
                let (name, value) = text.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect()
    }
}

/// A value as `postconf` prints it: runs of blanks are one.
pub(crate) fn folded(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value as it stands in a warning of Postfix.
pub(crate) fn printable(value: &[u8]) -> String {
    let printable = |b: &u8| {
        if matches!(b, 0x20..=0x7e) {
            *b as char
        } else {
            '?'
        }
    };
    value.iter().map(printable).collect()
}
