//! Which targets are meant.
//!
//! Owns: the command line, a file, and standard input as lists of targets. Never: resolves.

use crate::failure::{Exit, Failure};
use postseal_planner::preflight::Opening;
use postseal_planner::probed::ProbeTarget;
use std::io::Read;
use std::path::Path;

/// A list has no more bytes.
const LIMIT: u64 = 16 << 20;
/// Nor more targets.
const MOST: usize = 100_000;

pub(super) fn read(
    names: &[String],
    file: Option<&Path>,
    opening: Option<Opening>,
) -> Result<Vec<ProbeTarget>, Failure> {
    let mut texts: Vec<String> = Vec::new();
    for name in names {
        match name.as_str() {
            "-" => texts.extend(list(std::io::stdin(), Path::new("standard input"))?),
            name => texts.push(name.to_owned()),
        }
    }
    if let Some(path) = file {
        let opened = std::fs::File::open(path).map_err(|error| unreadable(path, &error))?;
        texts.extend(list(opened, path)?);
    }
    if texts.is_empty() || texts.len() > MOST {
        let message = format!("{} targets; there may be 1 to {MOST}", texts.len());
        return Err(Failure::new(Exit::Data, "probe.bad-list", message)
            .hint("Name one a line: a domain, HOST:PORT, or an IP address."));
    }
    let one = |text: &String| {
        ProbeTarget::parse(text, opening).map_err(|error| {
            Failure::new(Exit::Data, "probe.bad-target", error.to_string())
                .hint("Name example.org, mx.example.org:25, 192.0.2.1 or '[2001:db8::1]:465'.")
        })
    };
    texts.iter().map(one).collect()
}

fn list(from: impl Read, path: &Path) -> Result<Vec<String>, Failure> {
    let mut bytes = Vec::new();
    let read = from.take(LIMIT + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > LIMIT {
        return Err(unreadable(
            path,
            &std::io::Error::other("larger than 16 MiB"),
        ));
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        line.trim().to_owned()
    });
    Ok(lines.filter(|line| !line.is_empty()).collect())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("cannot read {}: {error}", path.display());
    Failure::new(Exit::Data, "probe.bad-list", message)
}
