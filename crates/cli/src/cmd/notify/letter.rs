//! The mail that tells it.
//!
//! Owns: its words, and that what comes from outside is never more than words: no line of a header, no text that turns
//! the reading direction, no line that a server would cut. Never: a file's contents, or to whom it goes but in `To`.

use crate::cmd::history::when;
use crate::cmd::status::judged::worst_first;
use postseal_planner::notice::{Address, Kind, Note, Seen, State, Telling, Why};
use std::fmt::Write as _;

/// RFC 5322, 2.1.1: no line is longer than 998 bytes; a letter of UTF-8 has four.
const LONGEST_LINE: usize = 240;
/// So much of a subject is read.
const LONGEST_SUBJECT: usize = 160;
/// So many causes are told.
const MOST_CAUSES: usize = 50;

/// A mail without its recipients.
pub(super) struct Letter {
    pub(super) kind: Kind,
    pub(super) subject: String,
    /// Without its brackets.
    pub(super) message_id: String,
    pub(super) at_ms: i64,
    text: String,
}

impl Letter {
    /// What is told of `host`.
    pub(super) fn of(host: &str, telling: &Telling, seen: &Seen, at_ms: i64) -> Self {
        let (state, before) = (seen.state(), telling.before);
        let host = &line(host);
        let first = telling.new.first().or_else(|| worst(&seen.causes));
        let first = first.map(|cause| cause.said.as_str());
        let of_first = first.map(|said| format!(": {said}")).unwrap_or_default();
        let state_word = state.word();
        let news = seen.news.first().map_or("", String::as_str);
        let head = match telling.why {
            Why::Better if state == State::Ok => format!("{host} is OK again"),
            Why::Worse | Why::Better => format!("{host} is {state_word}{of_first}"),
            Why::Cause => format!("{host} is {state_word} for one more reason{of_first}"),
            Why::Reminder => format!("{host} is still {state_word}{of_first}"),
            Why::News => format!("{host}: {news}"),
        };
        let was = match state == before {
            true => "as it was".to_owned(),
            false => format!("it was {}", before.word()),
        };
        let mut text = format!("{host} is {state_word} ({was}), seen at {}.\n", when(at_ms));
        causes(&mut text, seen);
        if !seen.news.is_empty() {
            text.push_str("\nWhat happened since:\n");
            for one in seen.news.iter().take(MOST_CAUSES) {
                let _ = writeln!(text, "  {}", line(one));
            }
        }
        text.push_str(
            "\n`postseal status` on that host shows what is so now, `postseal history` what was done.\n\
             You are told of changes, and once a day while it is CRITICAL; of whom is told, and of what,\n\
             `postseal notify` and [notify] in postseal.toml tell.\n",
        );
        Self::new(telling.kind, (host, &head), text, at_ms)
    }

    /// A mail by which somebody sees whether mails arrive. Not of whom: whoever owned the console could write a sentence
    /// of theirs there.
    pub(super) fn test(host: &str, at_ms: i64) -> Self {
        let text = format!(
            "Somebody wanted to see whether this arrives. When the state of {host} changes, you are told like this.\n"
        );
        let head = format!("a test from {host}");
        Self::new(Kind::Test, (host, &head), text, at_ms)
    }

    fn new(kind: Kind, (host, head): (&str, &str), text: String, at_ms: i64) -> Self {
        Self {
            kind,
            subject: subject(&format!("Postseal: {head}")),
            message_id: format!("{at_ms}.{}.postseal@{}", std::process::id(), name(host)),
            at_ms,
            text,
        }
    }

    /// Head and body, to be handed in. cleanup(8) adds From and Date. Auto-Submitted: RFC 3834, 5; nobody's holiday
    /// note answers.
    pub(super) fn bytes(&self, to: &[Address]) -> Vec<u8> {
        let to: Vec<&str> = to.iter().map(Address::as_str).collect();
        format!(
            "To: {}\nSubject: {}\nMessage-ID: <{}>\nAuto-Submitted: auto-generated\nMIME-Version: 1.0\n\
             Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}",
            to.join(",\n "),
            self.subject,
            self.message_id,
            self.text
        )
        .into_bytes()
    }
}

fn causes(text: &mut String, seen: &Seen) {
    let causes = worst_first(&seen.causes);
    if !causes.is_empty() {
        text.push('\n');
    }
    for cause in causes.iter().take(MOST_CAUSES) {
        let _ = writeln!(text, "  {:<8}  {}", cause.state.word(), line(&cause.said));
    }
    let more = causes.len().saturating_sub(MOST_CAUSES);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
}

fn worst(causes: &[Note]) -> Option<&Note> {
    worst_first(causes).first().copied()
}

/// One line of a header, in ASCII: what is anything else becomes a question mark.
fn subject(text: &str) -> String {
    let mut plain: String = text
        .chars()
        .map(|c| match c {
            ' '..='~' => c,
            _ => '?',
        })
        .collect();
    if plain.len() > LONGEST_SUBJECT {
        plain.truncate(LONGEST_SUBJECT);
        plain.push_str("...");
    }
    plain
}

/// One line of the body.
fn line(text: &str) -> String {
    let mut safe: String = text
        .chars()
        .take(LONGEST_LINE)
        .map(|c| match c {
            // What turns the reading direction (Unicode Standard Annex 9, 2).
            '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            // Those that a reader takes for the end of a line.
            '\u{2028}' | '\u{2029}' => ' ',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect();
    if text.chars().nth(LONGEST_LINE).is_some() {
        safe.push('…');
    }
    safe
}

/// A name as the right side of a Message-ID (RFC 5322, 3.6.4).
fn name(host: &str) -> String {
    let taken = |c: &char| c.is_ascii_alphanumeric() || ['.', '-'].contains(c);
    let name: String = host.chars().filter(taken).take(200).collect();
    match name.is_empty() {
        true => "localhost".to_owned(),
        false => name,
    }
}

#[cfg(test)]
mod tests;
