//! Why rules and rows do nothing, in words.
//!
//! Owns: the findings: of a rule that is wished, and of the rows that stand in a table. Never: finds
//! a cause (`judge` does).

use super::kept::wrapped;
use super::late::every_client;
use super::lead::Lead;
use super::offer::{for_hops, words};
use super::{Rule, Source};
use crate::compile::policies::PARAMETER;
use crate::finding::{Finding, Severity};
use crate::lint::{Rule as Code, row};
use mailtls::destination::Destination;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a rule does not meet, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Useless {
    /// The name whose mail does not meet it.
    pub name: String,
    /// Why.
    pub cause: Cause,
}

/// Why mail does not meet a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It leaves by other next hops.
    OtherHop {
        /// Which.
        hops: Vec<String>,
        /// As they are written.
        nexthop: String,
        /// What decides so.
        by: String,
        /// Why a rule for them would do nothing either.
        not_asked: Option<Box<Cause>>,
    },
    /// It is not sent by SMTP.
    NotSent {
        /// What takes it.
        transport: String,
        /// What decides so.
        by: String,
    },
    /// The service that sends it asks other tables, or none.
    NotAsked {
        /// `name/type`.
        service: String,
        /// What names its tables.
        parameter: &'static str,
        /// Its `-o`; `None` where it has none.
        own: Option<String>,
    },
    /// The server waits for TLS, and every client that sends there begins in clear.
    BeginsInClear {
        /// The transport of a client that begins with TLS, where there is one.
        instead: Option<String>,
        /// What leads the mail there.
        leads: Vec<Lead>,
    },
    /// A table that decides cannot be asked; why.
    TableFailed(String),
}

/// A row of a table that does nothing.
#[derive(Clone, Debug)]
pub struct IdleRow {
    /// The source.
    pub path: PathBuf,
    /// Line number.
    pub line: usize,
    /// The row as a rule.
    pub rule: Rule,
    /// Why.
    pub useless: Useless,
}

/// So many rows of one cause are shown.
pub(super) const SHOWN: usize = 10;
pub(super) const NEVER_MATCHES: &str = "policy.never-matches";

/// What `lint --explain` tells of them.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Code] = &[
    row("policy.never-matches", Severity::Error, "rule that mail never meets",
        "Postfix looks policies up by next hop, in the tables of the service that sends: a rule for a domain whose mail leaves by a relay host, by a transport with a next hop of its own, or by a service with -o smtp_tls_policy_maps= does nothing, and Postfix says nothing of it.",
        "Make the rule for the next hop, or change the route; `postseal explain DOMAIN` shows the way of the mail."),
    row("policy.passed-by", Severity::Warning, "rule that some mail for its next hop does not meet",
        "Several services send mail to the next hop, and one of them has -o smtp_tls_policy_maps= of its own, or is lmtp(8): what it sends there goes by another policy, and Postfix says nothing of it.",
        "Let all of them ask the same tables, or send that mail by a service that asks the rules."),
    row("policy.map-touched", Severity::Error, "map of the rules that is not as it was made",
        "Postfix finds other policies than the rules say, or will once somebody runs postmap on the source.",
        "`postseal drift --restore` makes it anew from the rules; what was meant by the edit is a rule: `postseal policy add`."),
    row("policy.map-not-asked", Severity::Error, "rules that no smtp(8) asks",
        "smtp_tls_policy_maps does not name the map in which the rules stand: the map answers postmap(1), and Postfix never looks into it.",
        "`postseal drift --restore` names it again."),
    row("policy.weakens", Severity::Error, "rule that is weaker than a row which it would be asked before", "Postfix takes the first answer, and the map of the rules is asked before the tables that stay an administrator's own, in main.cf and in -o of services: the stricter row would do nothing from then on.", "Make the rule as strict, or take the row out of its table first."),
    row("policy.stale-map", Severity::Warning, "earlier map of the rules that is named", "A map that an earlier change made answers, because main.cf or master.cf was put back, or edited: rules that were removed since are in force by it.", "`postseal apply` names the map of the rules in its place."),
    row("policy.replaced-table-edited", Severity::Warning, "table that nobody asks was edited",
        "Its rows became rules, and the map of the rules has taken its place: Postfix does not look into it any more.",
        "What is meant by the edit are wishes about rules: `postseal policy add`, `edit`, `remove`; or put the file back, or remove it."),
    row("policy.bad-fingerprint", Severity::Error, "what is listed as a fingerprint is none",
        "smtp(8) holds the digest of smtp_tls_fingerprint_digest against the list: what is no such digest matches nothing, and where nothing matches mail waits in the queue.",
        "List what `postseal policy check DESTINATION --policy fingerprint` shows of the servers; several are separated by |."),
    row("policy.bad-match", Severity::Error, "what is listed as a name is none",
        "Names are separated by colons; with another sign between them they are one, which no certificate has, and mail waits in the queue.",
        "Write `match=ONE:OTHER`."),
    row("policy.word-unread", Severity::Warning, "word about a rule that no rule has got",
        "A comment `#postseal: WORD VALUE` is said of the row right below it, and with one of scope, follow, tags, owner, until, reason.",
        "Put it right above its row; or take it out."),
    row("policy.table-back-edited", Severity::Warning, "rollback to a table that was edited since",
        "Before the operation an administrator's table answered; it was edited while the map of the rules did, so Postfix finds other rows in it than the rules say.",
        "Put it back as it was first; or `postseal drift --adopt` afterwards, which makes rules of its rows."),
    row("policy.table-not-compiled", Severity::Warning, "table that answers otherwise than its source reads",
        "Postfix asks the compiled table: what was edited in the source since counts for nothing, until somebody runs postmap for another reason.",
        "See which of them is meant; `postmap TABLE` makes the table of its source."),
    row("policy.shadowed", Severity::Warning, "row that a table before it answers",
        "Postfix takes the first answer: a table that stands before has another policy for the same key.",
        "Take that table out of smtp_tls_policy_maps, or put it behind."),
    row("policy.table-ahead", Severity::Warning, "table that is asked before the rules",
        "Postfix takes the first answer: where this table has a row for a next hop, a rule for it does nothing.",
        "Take it out of smtp_tls_policy_maps, or put it behind, and `postseal drift --adopt`, where the rules shall decide."),
    row("policy.rows-sampled", Severity::Info, "only a sample of the rows was held against the routes",
        "Of a table with many thousand rows a sample, spread evenly, is held against where the mail goes.",
        "Nothing needs to be done."),
];

/// Whose mail a cause is told of.
pub(super) struct Of<'a> {
    /// The name, or the first of many.
    pub(super) name: &'a str,
    /// The policies that their rules have.
    pub(super) policies: &'a [&'a str],
    /// The rule as a row, or the first of many.
    pub(super) row: String,
}

/// A cause in words.
pub(super) enum Said {
    /// Why mail does not meet the rule.
    Unmet {
        /// After “mail for example.org”.
        why: String,
        remedy: String,
        seen: String,
    },
    /// Another thing is wrong, whatever the rule.
    Other(Finding),
}

impl Useless {
    /// The cause in a few words, for a row of a list; a table that cannot be asked, others tell.
    pub fn in_short(&self) -> Option<String> {
        let name = &self.name;
        Some(match &self.cause {
            Cause::OtherHop { hops, by, .. } => {
                format!("mail for {name} leaves by {} ({by})", hops.join(", "))
            }
            Cause::NotSent { transport, by } => {
                format!("mail for {name} is taken by {transport} ({by})")
            }
            Cause::NotAsked { service, .. } => {
                format!("mail for {name} is sent by {service}, which does not ask the rules")
            }
            Cause::BeginsInClear { .. } => {
                format!("{name} expects TLS from the first byte, and every client begins in clear")
            }
            Cause::TableFailed(_) => return None,
        })
    }

    /// What is said of a rule that is wished.
    pub fn finding(&self, rule: &Rule) -> Finding {
        let (shown, name) = (rule.id.shown(), self.name.as_str());
        let said = self.cause.said(&Of {
            name,
            policies: &[&rule.policy],
            row: format!("{} {}", rule.id.destination, rule.policy),
        });
        let (why, mut remedy, seen) = match said {
            Said::Other(finding) => return finding,
            Said::Unmet { why, remedy, seen } => (why, remedy, seen),
        };
        let can_follow = matches!(&self.cause, Cause::OtherHop { hops, not_asked: None, .. }
            if hops.iter().any(|hop| Destination::parse(hop).is_ok()));
        if can_follow {
            let words = words(&rule.policy);
            remedy.push_str(&format!(
                " Or let the rule follow the mail: `postseal policy add '{shown}' {words} --follow`."
            ));
        }
        let message = format!("A rule for {shown} would do nothing: mail for {name} {why}.");
        Finding::new(NEVER_MATCHES, Severity::Error, message, remedy).seen(seen)
    }
}

impl Cause {
    /// The same for other destinations: `transport_maps (example.org)` without the key.
    fn in_common(&self) -> Self {
        let common = |by: &str| by.split(" (").next().unwrap_or(by).to_owned();
        let mut cause = self.clone();
        if let Self::OtherHop { by, .. } | Self::NotSent { by, .. } = &mut cause {
            *by = common(by);
        }
        cause
    }

    /// What is to be done before a rule for a next hop applies.
    fn first(&self) -> String {
        match self {
            Self::NotAsked {
                service,
                parameter,
                own: None,
            } => format!(
                "First send it by smtp(8), or `postseal set 'param.{parameter}=$smtp_tls_policy_maps'`: \
                 {service} asks no rules. "
            ),
            Self::NotAsked {
                service, parameter, ..
            } => format!(
                "First take -o {parameter} out of {service} in master.cf, then `postseal drift \
                 --adopt`: it does not ask the rules. "
            ),
            _ => String::new(),
        }
    }

    pub(super) fn said(&self, of: &Of<'_>) -> Said {
        match self {
            Self::OtherHop {
                hops,
                nexthop,
                by,
                not_asked,
            } => Said::Unmet {
                why: format!(
                    "leaves by {} ({by}), and Postfix looks policies up by next hop",
                    hops.join(", ")
                ),
                remedy: match not_asked.as_deref() {
                    Some(Self::BeginsInClear { instead, leads }) => {
                        wrapped(hops, of.name, instead.as_deref(), leads)
                    }
                    Some(other) => other.first() + &for_hops(hops, by, of.policies),
                    None => for_hops(hops, by, of.policies),
                },
                seen: format!("{by}: {nexthop}"),
            },
            Self::NotSent { transport, by } => Said::Unmet {
                why: format!("is not sent by SMTP, but taken by {transport} ({by})"),
                remedy: format!("`postseal explain {}` shows its way.", of.name),
                seen: format!("{by}: {transport}"),
            },
            Self::NotAsked {
                service,
                parameter,
                own,
            } => not_asked(service, parameter, own.as_deref(), of),
            Self::BeginsInClear { instead, leads } => {
                let found = every_client(of.name, instead.as_deref(), leads);
                Said::Other(found.seen(of.row.clone()))
            }
            Self::TableFailed(why) => Said::Other(crate::explain::table_failed(why)),
        }
    }
}

/// By what a service asks no rule: `-o` of its own, or lmtp(8)'s parameter.
fn not_asked(service: &str, parameter: &str, own: Option<&str>, of: &Of<'_>) -> Said {
    let is_lmtp = parameter != PARAMETER;
    let what = match own.map(str::trim) {
        _ if is_lmtp => format!("and lmtp(8) asks the tables of {parameter}"),
        None => "which does not ask this table".to_owned(),
        Some("") => "which asks no table of policies".to_owned(),
        Some(own) => format!("which asks tables of its own ({own})"),
    };
    let remedy = match own {
        Some(_) => format!(
            "Take -o {parameter} out of {service} in master.cf, then `postseal drift --adopt`; or \
             send the mail by another service."
        ),
        None if is_lmtp => format!(
            "Send it by smtp(8), or `postseal set 'param.{parameter}=$smtp_tls_policy_maps'`, where \
             {service} shall go by the same rules."
        ),
        None => format!("Make it a rule: `postseal policy add {} LEVEL`.", of.name),
    };
    let seen = match own {
        Some(own) => format!("master.cf: {service} -o {parameter}={own}"),
        None => format!("master.cf: {service}, {parameter}"),
    };
    Said::Unmet {
        why: format!("is sent by {service}, {what}"),
        remedy,
        seen,
    }
}

/// What is said of rows that do nothing: a finding a cause.
pub fn idle(rows: &[IdleRow]) -> Vec<Finding> {
    let mut causes: BTreeMap<Cause, Vec<&IdleRow>> = BTreeMap::new();
    for row in rows {
        let cause = row.useless.cause.in_common();
        causes.entry(cause).or_default().push(row);
    }
    let found = causes.into_iter();
    found
        .filter_map(|(cause, rows)| of_cause(&cause, &rows))
        .collect()
}

fn of_cause(cause: &Cause, rows: &[&IdleRow]) -> Option<Finding> {
    let first = rows.first()?;
    let names = match rows {
        [_] => first.useless.name.clone(),
        _ => "these destinations".to_owned(),
    };
    let mut policies: Vec<&str> = rows.iter().map(|row| row.rule.policy.as_str()).collect();
    policies.sort_unstable();
    policies.dedup();
    let said = cause.said(&Of {
        name: &first.useless.name,
        policies: &policies,
        row: format!("{} {}", first.rule.id.destination, first.rule.policy),
    });
    let finding = match said {
        Said::Other(finding) => finding,
        Said::Unmet { why, remedy, seen } => {
            let what = match rows.len() {
                1 => "The row does nothing".to_owned(),
                n => format!("{n} rows do nothing"),
            };
            let message = format!("{what}: mail for {names} {why}.");
            Finding::new(NEVER_MATCHES, Severity::Error, message, remedy).seen(seen)
        }
    };
    let shown = rows.iter().take(SHOWN).fold(finding, |finding, row| {
        let text = format!("{} {}", row.rule.id.shown(), row.rule.policy);
        finding.at(&row.path, row.line, text)
    });
    Some(match rows.len().saturating_sub(SHOWN) {
        0 => shown,
        more => shown.seen(format!("and {more} more rows")),
    })
}

/// A table that finds other rows than its source has; the first differences, in words.
pub fn not_compiled(source: &Source, differences: Vec<String>) -> Finding {
    let finding = Finding::new(
        "policy.table-not-compiled",
        Severity::Warning,
        format!(
            "{} answers otherwise than its source reads, so it was not compiled since: what was \
             edited is not in force.",
            source.name
        ),
        format!(
            "See which of them is meant; `postmap {}` makes the table of its source.",
            source.table
        ),
    );
    differences.into_iter().fold(finding, Finding::seen)
}

/// That not all rows were looked at.
pub fn sampled(table: &str, looked: usize, rows: u64) -> Finding {
    Finding::new(
        "policy.rows-sampled",
        Severity::Info,
        format!(
            "{looked} of the {rows} rows of {table}, spread evenly, were held against the routes."
        ),
        "Nothing needs to be done.",
    )
}
