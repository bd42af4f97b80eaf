//! Whom a plan leaves out, and how many sessions of a log.
//!
//! Owns: having ciphers expanded by this machine's OpenSSL, reading logs within bounds, the words.
//! Never: decides who is left out.

use crate::cmd::lint::expand;
use crate::failure::{Exit, Failure};
use postseal_engine::Proposal;
use postseal_planner::peers::{Count, Counts, Exclusion, Expanded, Met, Peers, Side, Tally};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// A longer line is none of Postfix's.
const LINE: u64 = 64 << 10;
/// How a file begins that gzip(1) made.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What peers are asked for, and what OpenSSL makes of it.
struct Asked {
    peers: Peers,
    expanded: Expanded,
}

fn asked(proposal: &Proposal) -> Asked {
    let peers = Peers::of(&proposal.plan, &proposal.facts);
    let lists = peers.lists().into_iter();
    Asked {
        expanded: lists.map(|list| (list.clone(), expand(&list))).collect(),
        peers,
    }
}

/// Whom a plan leaves out.
pub(super) fn exclusions(proposal: &Proposal) -> Vec<Exclusion> {
    if proposal.plan.edits.is_empty() {
        return Vec::new();
    }
    let Asked { peers, expanded } = asked(proposal);
    peers.exclusions(&expanded)
}

/// The sessions of logs that would be left out.
pub(super) fn counted(proposal: &Proposal, logs: &[PathBuf]) -> Result<Counts, Failure> {
    let Asked { peers, expanded } = asked(proposal);
    let mut tally = Tally::new(&peers, &expanded);
    for path in logs {
        if path.as_os_str() == "-" {
            count(std::io::stdin().lock(), path, &mut tally)?;
        } else {
            let file = File::open(path).map_err(|error| unreadable(path, &error))?;
            count(BufReader::new(file), path, &mut tally)?;
        }
    }
    Ok(tally.counts())
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{}: {error}", path.display());
    Failure::new(Exit::Failed, "log.unreadable", message)
        .hint("Name files of Postfix's log, or - for standard input.")
}

fn count(mut log: impl BufRead, path: &Path, tally: &mut Tally<'_>) -> Result<(), Failure> {
    let failed = |error: std::io::Error| unreadable(path, &error);
    if log.fill_buf().map_err(failed)?.starts_with(&GZIP) {
        let shown = path.display();
        return Err(Failure::new(
            Exit::Data,
            "log.compressed",
            format!("{shown} is compressed"),
        )
        .hint(format!("`zcat {shown} | postseal plan --from-log -`.")));
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut one = log.by_ref().take(LINE);
        if one.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(());
        }
        if line.pop_if(|last| *last == b'\n').is_none() && line.len() as u64 == LINE {
            log.skip_until(b'\n').map_err(failed)?;
        }
        tally.line(&line);
    }
}

/// Counts for people.
pub(super) fn text(counts: &Counts) -> String {
    let sides = [
        ("from clients", &counts.inbound),
        ("to servers", &counts.outbound),
    ];
    let mut text = format!("The log ({} lines):\n", counts.lines);
    for (name, side) in sides {
        text.push_str(&format!("  {} TLS sessions {name}\n", side.sessions));
        text.push_str(&told(side));
    }
    if counts.inbound.sessions + counts.outbound.sessions == 0 {
        text.push_str(
            "  It holds none: Postfix logs them at log level 1 (loglevel.inbound, loglevel.outbound).\n",
        );
    }
    text
}

fn told(side: &Side) -> String {
    let mut text = met("would be left out", &side.excluded);
    text.push_str(&met(
        "used a suite that goes; whether the peer has another is not in the log",
        &side.doubtful,
    ));
    if side.unplaced > 0 {
        text.push_str(&format!(
            "    {} of services that do no TLS after this plan, or are not known\n",
            side.unplaced
        ));
    }
    if side.sessions > 0 && text.is_empty() {
        text.push_str("    none would be left out\n");
    }
    text
}

fn met(what: &str, met: &Met) -> String {
    if met.sessions == 0 {
        return String::new();
    }
    let list = |counts: &[Count]| {
        let all = counts.iter();
        let all: Vec<String> = all
            .map(|count| format!("{} {}", count.name, count.sessions))
            .collect();
        all.join(", ")
    };
    let peers = match (met.peers, met.uncounted) {
        (1, 0) => "1 peer".to_owned(),
        (peers, 0) => format!("{peers} peers"),
        (peers, _) => format!("more than {peers} peers"),
    };
    format!(
        "    {} of {peers} {what} ({})\n      most often {}\n",
        met.sessions,
        list(&met.by),
        list(&met.top)
    )
}
