//! A rule as people see it.
//!
//! Owns: its words, and where its manager is. Never: judges it; the agent has.

use super::super::when::When;
use super::LEVELS;
use crate::clock;
use postseal_planner::policy::{Manager, RuleId};
use postseal_store::desk::{RuleMark, RuleRow};

/// So many characters of a text are shown.
const TEXT: usize = 500;

/// The attributes of a policy that its form has fields for (postconf(5), smtp_tls_policy_maps), in the form's order.
pub(super) const ATTRIBUTES: [&str; 5] = ["match", "protocols", "ciphers", "exclude", "servername"];

/// A rule as it is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    pub(super) destination: String,
    pub(super) shown: String,
    pub(super) level: String,
    pub(super) promise: &'static str,
    pub(super) names: String,
    pub(super) protocols: String,
    pub(super) ciphers: String,
    pub(super) exclude: String,
    pub(super) servername: String,
    /// Which of [`ATTRIBUTES`] it has, with blanks between.
    pub(super) had: String,
    pub(super) owner: String,
    pub(super) note: String,
    pub(super) until: String,
    /// Whether that day is past.
    pub(super) is_overdue: bool,
    pub(super) tags: String,
    pub(super) digest: String,
    /// Who makes and changes it, where that is not a form here, and the page that does.
    pub(super) manager: String,
    pub(super) manager_page: &'static str,
    /// The destination by which `policy` changes it: its own, or that whose mail it follows; empty where another place does.
    pub(super) changed_as: String,
    /// `pass`, `warning`, `undetermined`, and in words.
    pub(super) state: &'static str,
    pub(super) standing: String,
    /// What its servers showed; empty where nobody has looked.
    pub(super) outcome: String,
    pub(super) sentence: String,
    pub(super) looked: When,
    /// The strongest policy, where that is another one.
    pub(super) stronger: String,
}

impl Shown {
    pub(crate) fn of(rule: &RuleRow, now_ms: i64) -> Self {
        let level = rule.level();
        let promise = LEVELS.iter().find(|(name, _)| *name == level);
        let had = ATTRIBUTES
            .into_iter()
            .filter(|name| !rule.attribute(name).is_empty());
        let stronger = rule.is(RuleMark::Stronger).then(|| cut(&rule.strongest));
        Self {
            destination: cut(&rule.destination),
            shown: cut(&rule.shown),
            level: cut(level),
            promise: promise.map_or("", |(_, promise)| promise),
            names: cut(rule.attribute("match")),
            protocols: cut(rule.attribute("protocols")),
            ciphers: cut(rule.attribute("ciphers")),
            exclude: cut(rule.attribute("exclude")),
            servername: cut(rule.attribute("servername")),
            had: had.collect::<Vec<_>>().join(" "),
            owner: cut(&rule.owner),
            note: cut(&rule.note),
            until: cut(&rule.until),
            // Days are compared as they are written, as the chip's kind does.
            is_overdue: !rule.until.is_empty() && rule.until < clock::today(),
            tags: cut(&rule.tags.join(" ")),
            digest: cut(&rule.digest),
            manager: cut(&rule.manager),
            manager_page: managed_at(rule),
            changed_as: cut(&changed_as(rule)),
            state: match (rule.is(RuleMark::Pending), rule.is(RuleMark::Hindered)) {
                (true, _) => "undetermined",
                (false, true) => "warning",
                (false, false) => "",
            },
            standing: cut(&rule.standing),
            outcome: cut(&rule.outcome),
            sentence: cut(&rule.sentence),
            looked: match rule.looked {
                0 => When::default(),
                seconds => When::at(seconds.saturating_mul(1000), now_ms),
            },
            stronger: stronger.unwrap_or_default(),
        }
    }

    /// Whether its policy says more than a level and names.
    pub(super) fn says_more(&self) -> bool {
        let more = [
            &self.protocols,
            &self.ciphers,
            &self.exclude,
            &self.servername,
        ];
        more.iter().any(|text| !text.is_empty())
    }

    /// The sign of what was seen: a shape beside the colour.
    pub(super) fn sign(&self) -> &'static str {
        match self.outcome.as_str() {
            "pass" => "✓",
            "fail" => "✗",
            _ => "?",
        }
    }

    /// A class that there is.
    pub(super) fn class(&self) -> &'static str {
        match self.outcome.as_str() {
            "pass" => "pass",
            "fail" => "fail",
            _ => "undetermined",
        }
    }
}

/// The page of who manages a rule; none for one that follows its mail, which `policy` changes itself.
fn managed_at(rule: &RuleRow) -> &'static str {
    match manager(rule) {
        Some(Manager::Domain(_) | Manager::Passwords) => "/domains",
        _ => "",
    }
}

fn changed_as(rule: &RuleRow) -> String {
    match manager(rule) {
        Some(Manager::Recipient(domain)) => domain,
        None if rule.manager.is_empty() => rule.destination.clone(),
        _ => String::new(),
    }
}

fn manager(rule: &RuleRow) -> Option<Manager> {
    Manager::of(&RuleId {
        destination: String::new(),
        manager: rule.manager.clone(),
    })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} bytes in all)", &text[..end], text.len()),
    }
}
