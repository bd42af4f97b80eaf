//! Two administrators at one rule, or at the entry of one domain: the later one is shown what the first has done.
//!
//! Owns: the digest of what was seen, and what is said where it is another by now. Never: stores anything.

use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{Engine, EngineError};
use postseal_planner::Digest;
use postseal_planner::policy::{Rule, RuleId};
use postseal_store::StoreError;

/// What was seen.
#[derive(Clone)]
pub(crate) enum Seen {
    /// A rule made by hand, or one that follows mail.
    Rule(RuleId),
    /// The entry of a domain.
    Domain(String),
}

/// A digest of all that is wished of a rule; of one that is to be removed, of nothing.
pub(crate) fn digest(wanted: Option<&Rule>) -> String {
    // Its own words are JSON.
    let text = serde_json::to_vec(&wanted).unwrap_or_default();
    Digest::of(&text).short(16)
}

/// Wishes by `work`; where it is said what somebody has seen, only while it is so, and that is held in the transaction that
/// stores the wish.
pub(crate) fn only_while<T>(
    seen: &Seen,
    was: Option<&String>,
    session: &mut Session,
    work: impl FnOnce(&mut Engine<'_>) -> Result<T, EngineError>,
) -> Result<T, Failure> {
    let Some(was) = was else {
        return Ok(work(&mut session.engine())?);
    };
    let mut engine = session.engine();
    // Servers are not looked at for what will not be stored.
    unchanged(seen, Some(was), &engine)?;
    let (held, digest_then) = (seen.clone(), was.clone());
    engine.only_while = Some(Box::new(move |engine| {
        Ok(digest(now(engine, &held)?.as_ref()) == digest_then)
    }));
    match work(&mut engine) {
        Err(EngineError::Store(StoreError::RulesChanged)) => Err(changed(&engine, seen)?),
        done => Ok(done?),
    }
}

/// Fails where somebody has seen another state than it is in.
pub(super) fn unchanged(
    seen: &Seen,
    was: Option<&String>,
    engine: &Engine<'_>,
) -> Result<(), Failure> {
    match was {
        Some(was) if digest(now(engine, seen)?.as_ref()) != *was => Err(changed(engine, seen)?),
        _ => Ok(()),
    }
}

/// As it is wished now; none where it is not there, or is to be removed.
fn now(engine: &Engine<'_>, seen: &Seen) -> Result<Option<Rule>, EngineError> {
    match seen {
        Seen::Domain(domain) => engine.entry_of(domain),
        Seen::Rule(id) => match engine.followed_rule(id)? {
            Some(rule) => Ok(Some(rule)),
            None => engine.rule_by_hand(id),
        },
    }
}

fn changed(engine: &Engine<'_>, seen: &Seen) -> Result<Failure, EngineError> {
    let name = match seen {
        Seen::Rule(id) => id.shown(),
        Seen::Domain(domain) => format!("the entry for {domain}"),
    };
    let (what, hint) = match now(engine, seen)? {
        None => (
            "removed".to_owned(),
            "Nothing was stored. Where you still want it, add it.",
        ),
        Some(rule) => (
            format!(
                "changed since you looked at it: it is now {}",
                words(&rule, seen)
            ),
            "Nothing was stored. Look at it as it is now, and change it again where you still want to.",
        ),
    };
    let message = format!("{name} has been {what}");
    Ok(Failure::new(Exit::Data, "policy.changed-meanwhile", message).hint(hint))
}

/// All that is wished of a rule.
fn words(rule: &Rule, seen: &Seen) -> String {
    let about = &rule.about;
    let hop = matches!(seen, Seen::Domain(_)).then(|| rule.id.shown());
    let words = [
        ("by next hop", hop),
        ("owner", about.owner.clone()),
        ("note", about.note.clone()),
        ("until", about.until.clone()),
        ("tags", Some(about.tags.join(" "))),
    ];
    let words = words.into_iter().filter_map(|(name, text)| {
        let text = text.filter(|text| !text.is_empty())?;
        Some(format!(", {name} “{text}”"))
    });
    format!("{}{}", rule.policy, words.collect::<String>())
}

/// A digest is of one alone.
pub(crate) fn of_one(what: &str) -> Failure {
    let message = format!("--was is the digest of one {what}, and several are named");
    Failure::new(Exit::Usage, "usage", message)
}
