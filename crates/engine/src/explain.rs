//! Explain: a recipient → the policy that its mail meets.
//!
//! Owns: answering the planner's questions from the instance's own tables. Never: decides which
//! to ask.

use crate::EngineError;
use crate::observe::observe_unadopted;
use crate::rules::{unknown_port, way_to};
use mailtls::Anchors;
use postseal_host::{Host, HostError};
use postseal_planner::explain::{Delivery, Explanation, Subject};
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::resolve::{Answer, Answers, Asked, Question};
use std::path::Path;

/// A recipient of a long name in many tables takes this many looks, and no more.
const MOST_LOOKS: usize = 2_000;
/// So many lines of what a command says are told.
const MOST_LINES: usize = 5;

/// Where mail for `subject` goes and which TLS policy it meets, from the files as they are. Needs
/// no store.
pub fn explain(
    host: &dyn Host,
    subject: &Subject,
    sender: &str,
) -> Result<Explanation, EngineError> {
    let facts = observe_unadopted(host)?;
    let by = match subject {
        Subject::NextHop(nexthop) => way_to(host, &facts, nexthop).client,
        Subject::Address(_) | Subject::Domain(_) => None,
    };
    let mut explained = explain_by(host, &facts, subject, sender, by.as_deref())?;
    let sent = explained.hops.iter().chain(&explained.fallbacks);
    let sent = sent.filter(|hop| matches!(hop.delivery, Delivery::Smtp | Delivery::Lmtp));
    let unknown: Vec<_> = sent
        .filter_map(|hop| unknown_port(host, &hop.nexthop))
        .collect();
    explained.findings.extend(unknown);
    Ok(explained)
}

/// The same in a picture of the instance that was taken before: for many subjects.
pub fn explain_in(
    host: &dyn Host,
    facts: &Facts,
    subject: &Subject,
    sender: &str,
) -> Result<Explanation, EngineError> {
    explain_by(host, facts, subject, sender, None)
}

/// The same for a next hop that routes send to by this transport (see [`way_to`]).
pub fn explain_by(
    host: &dyn Host,
    facts: &Facts,
    subject: &Subject,
    sender: &str,
    by: Option<&str>,
) -> Result<Explanation, EngineError> {
    let mut answers = Answers::default();
    for _ in 0..MOST_LOOKS {
        match postseal_planner::explain::explain(facts, subject, sender, by, &answers) {
            Asked::Answered(explanation) => return Ok(explanation),
            Asked::Unanswered(question) => {
                let answer = answer(host, &question);
                answers.put(question, answer);
            }
        }
    }
    let error = std::io::Error::other(format!("more than {MOST_LOOKS} looks into tables"));
    Err(EngineError::Local {
        action: "explain it",
        source: error,
    })
}

pub(crate) fn answer(host: &dyn Host, question: &Question) -> Answer {
    match question {
        Question::Lookup { table, key } => match host.lookup(table, key) {
            Ok(Some(value)) => Answer::Found(value),
            Ok(None) => Answer::NotFound,
            Err(error) => failed(&error),
        },
        Question::File(path) => match host.read(Path::new(path)) {
            FileLook::File { bytes, .. } => {
                Answer::Found(String::from_utf8_lossy(&bytes).into_owned())
            }
            FileLook::Missing => Answer::NotFound,
            FileLook::Directory | FileLook::Special => Answer::Failed("it is no file".to_owned()),
            FileLook::Unreadable(why) | FileLook::Denied(why) => Answer::Failed(why),
            FileLook::TooLarge(size) => Answer::Failed(format!("it has {size} bytes")),
        },
        Question::Anchors(path) => anchors(host.read(Path::new(path))),
        Question::Ciphers(list) => match postseal_probe::cipher_list(list) {
            Ok(names) if !names.is_empty() => Answer::Found(names.join(":")),
            Ok(_) | Err(_) => Answer::NotFound,
        },
    }
}

/// Whether smtp(8), which runs as `mail_owner`, finds trust anchors in a file.
pub(crate) fn anchors(look: FileLook) -> Answer {
    // So a file of root's can be read by nobody else.
    const FOR_OTHERS: u32 = 0o044;
    let failed = |why: &str| Answer::Failed(why.to_owned());
    match look {
        FileLook::File { mode, uid: 0, .. } if mode & FOR_OTHERS == 0 => {
            Answer::Failed(format!("only root can read it (mode {mode:o})"))
        }
        FileLook::File { bytes, .. } => {
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
            let some = Anchors::read(&bytes).is_ok_and(|anchors| !anchors.is_empty());
            match some || holds(b"-----BEGIN PUBLIC KEY-----") {
                true => Answer::Found(String::new()),
                false => failed("there is no certificate in it"),
            }
        }
        FileLook::Missing => Answer::NotFound,
        FileLook::Directory | FileLook::Special => failed("it is no file"),
        FileLook::Unreadable(why) | FileLook::Denied(why) => Answer::Failed(why),
        FileLook::TooLarge(size) => Answer::Failed(format!("it has {size} bytes")),
    }
}

/// A table that cannot be asked.
pub(crate) fn failed(error: &HostError) -> Answer {
    match error {
        HostError::Command { output, .. } => Answer::Failed(once(output)),
        error => Answer::Failed(error.to_string()),
    }
}

/// Each line once: what asks a network says the same with each attempt.
fn once(output: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in output.lines() {
        if !lines.contains(&line) && lines.len() < MOST_LINES {
            lines.push(line);
        }
    }
    lines.join("\n")
}
