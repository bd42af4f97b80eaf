//! Rules for destinations, as pages show them.
//!
//! Owns: what a page needs of a rule, and how a page of a million is asked for. Never: judges one; the agent does, and
//! hands over what it said.

use serde::{Deserialize, Serialize};

/// A rule as a page shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleRow {
    /// With A-labels; with the manager it is what the rule is known by.
    pub destination: String,
    /// Who makes and changes it; empty for rules made by hand.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manager: String,
    /// The destination as people read it.
    pub shown: String,
    /// The right-hand side of its rows: the level, and attributes.
    pub policy: String,
    /// `domain`, `subdomains`, `both`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// Who answers for it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// For people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Words to find it by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The day on which somebody looks at it again, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub until: String,
    /// Where it stands, in words.
    pub standing: String,
    /// What is true of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<RuleMark>,
    /// The next hop whose servers were looked at last.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_hop: String,
    /// What they showed: `pass`, `fail`, `undetermined`; empty where nobody has looked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sentence: String,
    /// When that was, in seconds since the epoch; 0 where nobody has looked.
    #[serde(skip_serializing_if = "is_zero")]
    pub looked: i64,
    /// The strongest policy that would have worked there, where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub strongest: String,
    /// A digest of all that is wished of it: whoever changes it says which state they have seen.
    pub digest: String,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl RuleRow {
    /// The level.
    pub fn level(&self) -> &str {
        self.policy.split(' ').next().unwrap_or_default()
    }

    /// The value of an attribute; empty where it has none.
    pub fn attribute(&self, name: &str) -> &str {
        let mut all = self.policy.split(' ').skip(1);
        let found = all.find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
        found.unwrap_or_default()
    }

    /// Whether something is true of it.
    pub fn is(&self, mark: RuleMark) -> bool {
        self.marks.contains(&mark)
    }
}

/// A small change of the rules that pages show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleChange {
    /// All rules for these go.
    pub destinations: Vec<String>,
    /// These come: the rules that there are for those destinations now.
    pub rules: Vec<RuleRow>,
}

/// What may be true of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleMark {
    /// Its servers would not take mail as it demands.
    Failing,
    /// Mail never meets it.
    Idle,
    /// Something else makes and changes it.
    Managed,
    /// A stronger policy would have worked.
    Stronger,
    /// It is wished otherwise than it is.
    Pending,
    /// It is in force and does not hold.
    Hindered,
}

impl RuleMark {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Failing,
        Self::Idle,
        Self::Managed,
        Self::Stronger,
        Self::Pending,
        Self::Hindered,
    ];
}

/// Which rules a page is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// Of which this is true.
    Marked(RuleMark),
    /// Somebody was to look at it again before this day.
    Overdue,
}

/// By what a page is ordered; what is equal stands by destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuleSort {
    /// The destination, in the order of bytes.
    #[default]
    Destination,
    /// The level's name.
    Level,
    /// The owner, those without one last.
    Owner,
    /// The day of review, those without one last.
    Until,
    /// When its servers were looked at, those that nobody looked at last.
    Looked,
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RulePlace {
    /// After a rule: its destination and manager.
    After(String, String),
    /// Before one.
    Before(String, String),
}

/// A page that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleQuery {
    /// Each of these is somewhere in it. Of three letters and more they are found by an index.
    pub words: Vec<String>,
    /// Only of this kind.
    pub kind: Option<RuleKind>,
    /// Today, `YYYY-MM-DD`.
    pub today: String,
    /// The order.
    pub sort: RuleSort,
    /// Where it begins; at the first where nothing is said, or that rule is gone.
    pub place: Option<RulePlace>,
    /// How many rules at most.
    pub limit: usize,
}

/// So many, or at least so many: nobody waits for a million to be counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleCount {
    /// How many.
    pub n: u64,
    /// Whether there are more than that.
    pub more: bool,
}

/// How many rules of a set there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCounts {
    /// In all.
    pub all: u64,
    /// Of each kind, as [`RuleMark::ALL`] has them.
    pub marked: Vec<u64>,
}

impl RuleCounts {
    /// How many have a mark.
    pub fn of(&self, mark: RuleMark) -> u64 {
        let place = RuleMark::ALL.iter().position(|one| *one == mark);
        let found = place.and_then(|place| self.marked.get(place));
        found.copied().unwrap_or_default()
    }
}

/// A page of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RulePage {
    /// The set that it is of: another number, other rules.
    pub set: u64,
    /// When the agent had seen all of it, milliseconds since the epoch.
    pub made_ms: i64,
    /// What the agent knows it by.
    pub mark: String,
    /// The rules.
    pub rules: Vec<RuleRow>,
    /// Whether there are some before these.
    pub before: bool,
    /// Whether there are some after these.
    pub after: bool,
    /// How many rules are as it was asked for.
    pub matching: RuleCount,
    /// How many there are.
    pub counts: RuleCounts,
    /// Of how many the day of review is past.
    pub overdue: RuleCount,
}

impl RulePage {
    /// The revision of the rules in the agent's store that it shows: the mark begins with it.
    pub fn revision(&self) -> Option<i64> {
        self.mark.split('.').next()?.parse().ok()
    }
}

/// The rules made by hand that are as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matching {
    /// These, in the order of their destinations.
    Rules(Vec<RuleRow>),
    /// There are more than that.
    TooMany,
    /// Another set is shown by now.
    Changed,
}
