//! Postfix's own commands, typed.
//!
//! Owns: where the instance's programs are, their arguments, their deadlines, what their output
//! means as text. Never: changes a file with them (`postconf -e` garbles a file without a final
//! newline and resets owner and mode), interprets a parameter.
//!
//! `postfix check` and `reload` print nothing without a terminal and return 0 on nearly
//! everything, so messages about a configuration come from `postconf -c DIR`.

mod postmap;

use crate::HostError;
use crate::command::{Call, Output};
use crate::root::Root;
use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Where `postconf` may be; everything else is found by asking it.
const POSTCONF: [&str; 5] = [
    "/usr/sbin/postconf",
    "/usr/local/sbin/postconf",
    "/usr/bin/postconf",
    "/opt/postfix/sbin/postconf",
    "/usr/local/bin/postconf",
];
/// What [`Places`] is made of.
const PLACES: [&str; 5] = [
    "command_directory",
    "daemon_directory",
    "queue_directory",
    "data_directory",
    "sendmail_path",
];
/// `postconf` reads files and prints; a main.cf younger than 2 s makes it sleep.
const QUERY: Duration = Duration::from_secs(10);
/// `postfix stop` waits up to 5 s for the master, `start` sets permissions first.
const CONTROL: Duration = Duration::from_secs(60);

/// The commands of one instance.
#[derive(Debug)]
pub struct Postfix {
    prefix: Vec<String>,
    config_directory: PathBuf,
    postconf: PathBuf,
    root: Root,
    places: Mutex<Option<Known>>,
    /// Set when the operator wants it to stop.
    pub(crate) stop: Arc<AtomicBool>,
}

/// What was answered last, and for which main.cf.
#[derive(Debug)]
struct Known {
    main_cf: Option<Identity>,
    places: Places,
}

/// Which file main.cf is, in which state: a rename, a write or a change of its time shows here.
type Identity = [i64; 6];

/// Where an instance's programs and folders are, as Postfix names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// `command_directory`: postfix, postmap, sendmail's helpers.
    pub command_directory: PathBuf,
    /// `daemon_directory`: master and the daemons.
    pub daemon_directory: PathBuf,
    /// `queue_directory`, which is also the jail of chrooted services.
    pub queue_directory: PathBuf,
    /// `data_directory`.
    pub data_directory: PathBuf,
    /// `sendmail_path`.
    pub sendmail_path: PathBuf,
}

/// An instance's command `postfix` and its verbs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// `postfix reload`
    Reload,
    /// `postfix start`
    Start,
    /// `postfix stop`
    Stop,
    /// `postfix check`
    Check,
}

impl Control {
    fn verb(self) -> &'static str {
        match self {
            Self::Reload => "reload",
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Check => "check",
        }
    }
}

/// `name = value` lines of `postconf` and the warnings that came with them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) warnings: Vec<String>,
}

impl Postfix {
    pub(crate) fn new(
        root: &Root,
        prefix: &[String],
        config_directory: &Path,
    ) -> Result<Self, HostError> {
        Ok(Self {
            prefix: prefix.to_vec(),
            config_directory: config_directory.to_owned(),
            postconf: find_postconf(root)?,
            root: root.clone(),
            places: Mutex::new(None),
            stop: Arc::default(),
        })
    }

    pub(crate) fn prefix(&self) -> &[String] {
        &self.prefix
    }

    /// Runs `postconf -c DIR` with more arguments; a failure is [`HostError::Unreadable`].
    pub(crate) fn postconf(&self, args: &[&str]) -> Result<Output, HostError> {
        let call = Call::new(&self.prefix, &self.postconf, QUERY)
            .arg("-c")
            .arg(&self.config_directory)
            .args(args);
        let output = call.run()?;
        if output.status.success() {
            return Ok(output);
        }
        Err(HostError::Unreadable(without_program(&output.message())))
    }

    pub(crate) fn values(&self, args: &[&str]) -> Result<Values, HostError> {
        let output = self.postconf(args)?;
        Ok(Values {
            values: parse_values(&output.text()),
            warnings: warnings(&output.stderr),
        })
    }

    pub(crate) fn list(&self, args: &[&str]) -> Result<Vec<String>, HostError> {
        let text = self.postconf(args)?.text();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(lines.map(str::to_owned).collect())
    }

    /// Where the programs are, asked again when main.cf is not the same any more; while it cannot
    /// be read, what was known last.
    pub fn places(&self) -> Result<Places, HostError> {
        let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at before the question: a change meanwhile is found the next time.
        let main_cf = self.main_cf();
        if let Some(known) = known.as_ref()
            && main_cf.is_some()
            && known.main_cf == main_cf
        {
            return Ok(known.places.clone());
        }
        match (self.ask_places(), known.as_ref()) {
            (Ok(places), _) => {
                *known = Some(Known {
                    main_cf,
                    places: places.clone(),
                });
                Ok(places)
            }
            (Err(HostError::Unreadable(_)), Some(known)) => Ok(known.places.clone()),
            (Err(error), _) => Err(error),
        }
    }

    fn main_cf(&self) -> Option<Identity> {
        let real = self.root.resolve(&self.config_directory.join("main.cf"));
        let meta = self.root.at(&real.ok()?).metadata().ok()?;
        Some([
            meta.dev().cast_signed(),
            meta.ino().cast_signed(),
            meta.size().cast_signed(),
            meta.mtime(),
            meta.ctime(),
            meta.ctime_nsec(),
        ])
    }

    /// Every value, as it stands. The places are among them, so that they need not be asked for.
    pub(crate) fn effective(&self) -> Result<Values, HostError> {
        let main_cf = self.main_cf();
        let found = self.values(&[])?;
        let stands = |name| found.values.get(name).is_some_and(|v| !v.contains('$'));
        if PLACES.into_iter().all(stands)
            && let Ok(places) = places_in(&found.values)
        {
            let mut known = self.places.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some(Known { main_cf, places });
        }
        Ok(found)
    }

    fn ask_places(&self) -> Result<Places, HostError> {
        let words: Vec<&str> = ["-x"].into_iter().chain(PLACES).collect();
        places_in(&self.values(&words)?.values)
    }

    /// `postfix -c DIR VERB`.
    pub fn control(&self, control: Control) -> Result<(), HostError> {
        let program = self.places()?.command_directory.join("postfix");
        let call = Call::new(&self.prefix, &program, CONTROL)
            .arg("-c")
            .arg(&self.config_directory)
            .arg(control.verb());
        match call.run_ok() {
            // Nothing was printed because there is no terminal: ask the one that talks.
            Err(HostError::Command {
                command,
                status,
                output,
            }) if output.is_empty() => Err(HostError::Command {
                command,
                status,
                output: self.complaint(),
            }),
            other => other.map(drop),
        }
    }

    /// What `postconf` says against the configuration.
    fn complaint(&self) -> String {
        match self.postconf(&["-n"]) {
            Ok(output) => warnings(&output.stderr).join("; "),
            Err(HostError::Unreadable(message)) => message,
            Err(error) => error.to_string(),
        }
    }
}

fn places_in(values: &BTreeMap<String, String>) -> Result<Places, HostError> {
    let place = |name: &str| match values.get(name) {
        Some(path) if path.starts_with('/') => Ok(PathBuf::from(path)),
        other => Err(HostError::Unreadable(format!(
            "{name} is not an absolute path: {:?}",
            other.map_or("", String::as_str)
        ))),
    };
    Ok(Places {
        command_directory: place("command_directory")?,
        daemon_directory: place("daemon_directory")?,
        queue_directory: place("queue_directory")?,
        data_directory: place("data_directory")?,
        sendmail_path: place("sendmail_path")?,
    })
}

fn find_postconf(root: &Root) -> Result<PathBuf, HostError> {
    let found = POSTCONF
        .iter()
        .map(PathBuf::from)
        .find(|path| root.at(path).is_file());
    found.ok_or_else(|| HostError::Spawn {
        command: "postconf".to_owned(),
        source: io::Error::new(
            io::ErrorKind::NotFound,
            format!(
                "Postfix is not installed: looked for {}",
                POSTCONF.join(", ")
            ),
        ),
    })
}

/// `name = value` lines; a value is everything after the first ` = `.
fn parse_values(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(" =")?;
        Some((name.to_owned(), value.trim_start().to_owned()))
    });
    pairs.collect()
}

/// Warning lines without `postconf: warning: `.
fn warnings(stderr: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stderr);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let shown = lines.map(|line| match line.split_once("postconf: warning: ") {
        Some((_, warning)) => warning.to_owned(),
        None => line.to_owned(),
    });
    shown.collect()
}

/// The deciding line of a message, without the program's name (its path, as it was called).
fn without_program(message: &str) -> String {
    let fatal = message
        .lines()
        .find_map(|line| Some(line.split_once("postconf: fatal: ")?.1));
    fatal.unwrap_or(message).to_owned()
}

#[cfg(test)]
mod tests;
