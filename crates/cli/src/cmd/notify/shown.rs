//! Who is told, and what was told, for people and programs.
//!
//! Owns: the words and the document. Never: looks.

use crate::cmd::history::when;
use postseal_planner::notice::{Base, Mail, Notices, Recipients};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// So many mails are shown to people.
const SHOWN: usize = 5;

pub(super) fn all(to: &Recipients, every: Option<Duration>, notices: &Notices) -> (String, Value) {
    let document = json!({
        "changed": false,
        "to": to.all.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "critical": to.critical.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "every_seconds": every.map(|every| every.as_secs()),
        "told": notices.base.as_ref().map(base_document),
        "hand_in": notices.hand_in.as_ref().map(|one| json!({
            "since": when(one.since_ms),
            "tries": one.tries,
            "error": one.error,
        })),
        "mails": notices.mails.iter().map(mail_document).collect::<Vec<_>>(),
    });
    (text(to, every, notices), document)
}

fn text(to: &Recipients, every: Option<Duration>, notices: &Notices) -> String {
    let Some(every) = every else {
        return "Nobody is told. Name addresses in postseal.toml, and restart the agent:\n  [notify]\n  to = \
                [\"admin@example.org\"]\n"
            .to_owned();
    };
    let mut text = String::new();
    for (what, list) in [
        ("of every change", &to.all),
        ("of what is critical", &to.critical),
    ] {
        for address in list {
            let _ = writeln!(text, "{address} is told {what}.");
        }
    }
    let _ = writeln!(
        text,
        "The agent looks every {} s; `postseal notify check` looks now.",
        every.as_secs()
    );
    match &notices.base {
        None => text.push_str("There was no look yet. The first one tells nothing: it is what the next is held against.\n"),
        Some(base) => {
            let _ = writeln!(text, "Told last: {}, at {}.", base.state.word(), when(base.told_ms));
            for cause in &base.causes {
                let _ = writeln!(text, "  {:<8}  {}", cause.state.word(), cause.said);
            }
        }
    }
    if let Some(one) = &notices.hand_in {
        let error = one.error.as_deref().unwrap_or("it was interrupted");
        let _ = writeln!(
            text,
            "A change is not told yet, since {} (tries: {}): {error}. It is tried again at each look.",
            when(one.since_ms),
            one.tries
        );
    }
    for one in notices.mails.iter().take(SHOWN) {
        text.push_str(&mail(one));
    }
    text
}

/// A mail in lines, with what is known of it.
pub(super) fn mail(mail: &Mail) -> String {
    let taken = match &mail.queue_id {
        Some(id) => format!("queued as {id}"),
        None => "Postfix took it; its log did not show it within 5 s".to_owned(),
    };
    let mut text = format!(
        "{}  {}  to {}: {taken}\n",
        when(mail.at_ms),
        mail.subject,
        mail.to.join(", ")
    );
    for one in &mail.delivered {
        let _ = writeln!(text, "  {}: {} ({})", one.to, one.status, one.words);
    }
    text
}

pub(super) fn mail_document(mail: &Mail) -> Value {
    json!({
        "kind": mail.kind.name(),
        "at": when(mail.at_ms),
        "subject": mail.subject,
        "to": mail.to,
        "queue_id": mail.queue_id,
        "delivered": mail.delivered,
    })
}

fn base_document(base: &Base) -> Value {
    json!({
        "state": base.state.word(),
        "at": when(base.told_ms),
        "causes": base.causes.iter().map(|one| json!({"state": one.state.word(), "said": one.said})).collect::<Vec<_>>(),
    })
}
