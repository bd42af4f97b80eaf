//! The stories of broken settings: what is done, and what must come of it.
//!
//! Owns: reading a story folder (`crates/cli/tests/broken/NN-name/story.toml`) and breaking a pair
//! of configuration files as it says. Never: runs anything. The command line's tests and the
//! engine's read the same folders, so that each mistake is told once.

mod files;

pub use files::BrokenFiles;

use postfix_cf::{MainCf, MasterCf};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One broken setting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The folder's name.
    #[serde(skip)]
    pub name: String,
    /// What is wrong, and what Postfix makes of it.
    pub title: String,
    /// What is done to main.cf.
    #[serde(default)]
    pub main: Broken,
    /// What is done to master.cf.
    #[serde(default)]
    pub master: Broken,
    /// The same by wishing for it.
    pub intent: ByIntent,
    /// The same by an editor.
    pub hand: ByHand,
    /// The same as bytes that no planner has seen.
    pub rehearsal: Rehearsed,
}

/// How a file is broken. `{files}` stands for the folder of [`BrokenFiles`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Broken {
    /// Parameters and their new values (main.cf).
    pub set: BTreeMap<String, String>,
    /// Texts and what stands in their place; the first of each (master.cf).
    pub replace: BTreeMap<String, String>,
    /// Services by name, and the line that is added to their entry (master.cf).
    pub add: BTreeMap<String, String>,
    /// Text that is put at the end.
    pub append: String,
}

/// What comes of wishing for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "ends")]
pub enum ByIntent {
    /// `set` refuses it at once.
    Set(Wished),
    /// `plan` and `apply` refuse it.
    Plan(Wished),
    /// The rehearsal stops `apply`.
    Rehearsal(Wished),
    /// It harms nothing: it is applied, told about under this code, and rolled back.
    Kept(Wished),
    /// No wish can say it.
    Unsayable {
        /// Why not.
        why: String,
    },
}

/// A wish and the answer to it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wished {
    /// Arguments of `set`.
    pub wish: Vec<String>,
    /// The stable code of the answer.
    pub code: String,
    /// A part of its words.
    #[serde(default)]
    pub says: String,
}

/// What comes of writing it into the files and reloading.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByHand {
    /// What `lint` says.
    pub lint: Linted,
    /// What ports 25, 587 and 465 do after the reload.
    pub wire: [Wire; 3],
    /// What Postseal says of the edit.
    pub state: HandState,
}

/// What `lint` says of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub enum Linted {
    /// It names it.
    Names {
        /// The code.
        code: String,
        /// How bad it finds it.
        severity: String,
    },
    /// It does not notice.
    CannotSee {
        /// Why it cannot.
        cannot_see: String,
    },
}

/// What a hand edit is to Postseal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "is")]
pub enum HandState {
    /// Owned keys changed: named, no other change goes on, and `drift --restore` heals.
    Drift {
        /// `place: parameter` of each.
        keys: Vec<String>,
        /// Whether a service is throttled dead, so that only a stop and start heals it.
        #[serde(default)]
        restarts: bool,
    },
    /// Not ours: news in `drift`; another change ends with this exit code and stable code
    /// (empty: it is carried out), and the administrator puts it back.
    News {
        /// Exit code of `apply`.
        exit: i32,
        /// Stable code.
        code: String,
    },
    /// Postfix itself cannot read it: every command says so, nothing is stored, and the
    /// administrator puts it back.
    Unreadable,
}

/// What a port shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wire {
    /// A full handshake, and the good certificate.
    Serves,
    /// A full handshake, and another certificate or none.
    ServesAnother,
    /// An SMTP server without STARTTLS.
    Cleartext,
    /// STARTTLS is advertised and answered with 454.
    Refuses,
    /// The handshake does not come to its end.
    Breaks,
    /// The connection is accepted and nothing is said.
    Silent,
    /// The connection is refused.
    Closed,
}

/// What the rehearsal makes of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, untagged)]
pub enum Rehearsed {
    /// It stops it with this code.
    Stops(String),
    /// It does not notice.
    CannotSee {
        /// Why it cannot.
        cannot_see: String,
    },
    /// Nothing that was promised is broken, so it lets it pass.
    Harmless {
        /// What Postfix does.
        harmless: String,
    },
}

impl Story {
    /// All stories, in order.
    ///
    /// # Panics
    /// When a folder holds no story, or one that cannot be read.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cli/tests/broken");
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn read(folder: &Path) -> Self {
        let path = folder.join("story.toml");
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut story: Self =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = folder.file_name().unwrap_or_default();
        story.name = name.to_string_lossy().into_owned();
        story
    }

    /// main.cf with the mistake in it.
    pub fn main_cf(&self, good: &[u8], files: &BrokenFiles) -> Vec<u8> {
        let mut main = MainCf::parse(good);
        for (name, value) in &self.main.set {
            main.set(name, files.named(value).as_bytes())
                .unwrap_or_else(|error| panic!("{}: {name}: {error}", self.name));
        }
        let mut bytes = main.to_bytes();
        bytes.extend_from_slice(files.named(&self.main.append).as_bytes());
        bytes
    }

    /// master.cf with the mistake in it.
    pub fn master_cf(&self, good: &[u8], files: &BrokenFiles) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(good).into_owned();
        for (from, to) in &self.master.replace {
            assert!(text.contains(from), "{}: no {from}", self.name);
            text = text.replacen(from, to, 1);
        }
        let mut bytes = text.into_bytes();
        for (name, line) in &self.master.add {
            let master = MasterCf::parse(&bytes);
            let after = master
                .services()
                .find(|service| service.name == *name)
                .unwrap_or_else(|| panic!("{}: no service {name}", self.name))
                .last_line;
            let at = end_of_line(&bytes, after);
            bytes.splice(at..at, format!("  {}\n", files.named(line)).into_bytes());
        }
        bytes.extend_from_slice(files.named(&self.master.append).as_bytes());
        bytes
    }
}

/// Where the line after `line` (from 1) begins.
fn end_of_line(bytes: &[u8], line: usize) -> usize {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    ends.nth(line - 1).map_or(bytes.len(), |(at, _)| at + 1)
}
