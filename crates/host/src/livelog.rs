//! The live instance's log: where it ends now, and what was added since.
//!
//! Owns: finding it (`maillog_file`, the file that syslog writes, the journal) and reading a
//! bounded tail. Never: parses a line, follows a log.

use crate::command::Call;
use crate::root::Root;
use crate::{LogLook, LogMark};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where syslog daemons put mail logs: Debian, Red Hat, openSUSE.
const SYSLOG_FILES: [&str; 3] = ["/var/log/mail.log", "/var/log/maillog", "/var/log/mail"];
const JOURNALCTL: [&str; 2] = ["/usr/bin/journalctl", "/bin/journalctl"];
const DEADLINE: Duration = Duration::from_secs(10);
/// The newest bytes that are kept.
const LIMIT: u64 = 1 << 20;

/// The end of the log now.
pub(crate) fn mark(root: &Root, prefix: &[String], maillog_file: Option<&str>) -> LogMark {
    if let Some(path) = maillog_file.filter(|path| !path.is_empty()) {
        return match mark_file(root, Path::new(path)) {
            Ok(mark) => mark,
            // postlogd makes it with its first line.
            Err(error) if error.kind() == io::ErrorKind::NotFound => LogMark::File {
                path: PathBuf::from(path),
                inode: 0,
                length: 0,
            },
            Err(error) => LogMark::None(format!("cannot read maillog_file {path}: {error}")),
        };
    }
    let syslog = SYSLOG_FILES
        .iter()
        .find_map(|path| mark_file(root, Path::new(path)).ok());
    if let Some(mark) = syslog {
        return mark;
    }
    mark_journal(root, prefix).unwrap_or_else(|why| {
        LogMark::None(format!(
            "no maillog_file is set, none of {} exists, and {why}",
            SYSLOG_FILES.join(", ")
        ))
    })
}

/// What was logged since.
pub(crate) fn since(root: &Root, prefix: &[String], mark: &LogMark) -> LogLook {
    match mark {
        LogMark::File {
            path,
            inode,
            length,
        } => match file_since(root, path, *inode, *length) {
            Ok(bytes) => LogLook::Lines(bytes),
            Err(error) => LogLook::Unreadable(format!("cannot read {}: {error}", path.display())),
        },
        LogMark::Journal(cursor) => journal_since(root, prefix, cursor),
        LogMark::None(why) => LogLook::Unreadable(why.clone()),
    }
}

fn mark_file(root: &Root, path: &Path) -> io::Result<LogMark> {
    let seen = root.at(&root.resolve(path)?);
    let (inode, length) = match seen.metadata() {
        Ok(meta) if meta.is_file() => (meta.ino(), meta.len()),
        Ok(_) => return Err(io::Error::other("not a regular file")),
        Err(error) => return Err(error),
    };
    Ok(LogMark::File {
        path: path.to_owned(),
        inode,
        length,
    })
}

/// After a rotation the old file's rest is gone with it; the new one counts from its start.
fn file_since(root: &Root, path: &Path, inode: u64, length: u64) -> io::Result<Vec<u8>> {
    let seen = root.at(&root.resolve(path)?);
    let mut file = crate::file::open_nonblocking(&seen)?;
    let meta = file.metadata()?;
    let start = if meta.ino() == inode && meta.len() >= length {
        length
    } else {
        0
    };
    tail(&mut file, start, meta.len())
}

fn tail(file: &mut File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let from = start.max(end.saturating_sub(LIMIT));
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    if from > start {
        // The first line is cut: leave it out.
        let cut = bytes.iter().position(|byte| *byte == b'\n');
        bytes.drain(..cut.map_or(bytes.len(), |at| at + 1));
    }
    Ok(bytes)
}

fn journalctl(root: &Root) -> Result<PathBuf, String> {
    let found = JOURNALCTL
        .iter()
        .map(PathBuf::from)
        .find(|path| root.at(path).is_file());
    let journal = ["/run/log/journal", "/var/log/journal"]
        .iter()
        .any(|path| fs::read_dir(root.at(Path::new(path))).is_ok());
    match found {
        Some(path) if journal => Ok(path),
        _ => Err("there is no journal".to_owned()),
    }
}

fn mark_journal(root: &Root, prefix: &[String]) -> Result<LogMark, String> {
    let program = journalctl(root)?;
    let output = Call::new(prefix, &program, DEADLINE)
        .args(["--quiet", "--lines=0", "--output=cat", "--show-cursor"])
        .run_ok()
        .map_err(|error| error.to_string())?;
    let text = output.text();
    let cursor = text
        .lines()
        .find_map(|line| line.strip_prefix("-- cursor: "));
    cursor
        .map(|cursor| LogMark::Journal(cursor.to_owned()))
        .ok_or_else(|| "the journal is empty".to_owned())
}

/// So many lines of the journal are asked for where no cursor is known; lines are shorter than
/// [`LIMIT`] over this, nearly all of them.
const LINES: &str = "--lines=10000";

/// `--output=short`, so that the lines have a program tag and process id as in a file.
fn journal_since(root: &Root, prefix: &[String], cursor: &str) -> LogLook {
    let run = || -> Result<Vec<u8>, String> {
        let program = journalctl(root)?;
        let output = Call::new(prefix, &program, DEADLINE)
            .args(["--quiet", "--no-pager", "--output=short", "--facility=mail"])
            .arg(match cursor {
                "" => LINES.to_owned(),
                cursor => format!("--after-cursor={cursor}"),
            })
            .run_ok()
            .map_err(|error| error.to_string())?;
        Ok(output.stdout)
    };
    match run() {
        Ok(mut lines) => {
            let limit = usize::try_from(LIMIT).unwrap_or(usize::MAX);
            let from = lines.len().saturating_sub(limit);
            // The first line is cut: leave it out.
            let cut = lines.iter().skip(from).position(|byte| *byte == b'\n');
            let whole = cut.filter(|_| from > 0).map_or(from, |at| from + at + 1);
            lines.drain(..whole);
            LogLook::Lines(lines)
        }
        Err(why) => LogLook::Unreadable(why),
    }
}

#[cfg(test)]
mod tests;
