//! How many destinations a plan concerns, in words and as a document.
//!
//! Owns: the words. Never: counts.

use postseal_engine::Concerned;
use postseal_store::LevelChange;
use serde_json::{Value, json};

/// A line for the default, and one for each way that rules go.
pub(super) fn text(concerned: &Concerned) -> String {
    let mut text = default(concerned);
    if !concerned.levels.is_empty() {
        text.push_str("Rules by level:\n");
    }
    for change in &concerned.levels {
        text.push_str(&format!("  {}\n", line(change, &concerned.after)));
    }
    text
}

fn default(concerned: &Concerned) -> String {
    let Some(known) = concerned.known else {
        return String::new();
    };
    let all = known.own + known.others;
    let Concerned { before, after, .. } = concerned;
    if all == 0 {
        return format!(
            "Outbound {before} → {after}: for every destination. None has a rule of its own.\n"
        );
    }
    format!(
        "Outbound {before} → {after}: of {all} known destinations (those with a rule, and next hops \
         whose servers were looked at) {} take the default and change with it; {} have a rule and \
         stay.\n",
        known.others, known.own
    )
}

fn line(change: &LevelChange, default: &str) -> String {
    let n = change.count;
    match (&change.before, &change.after) {
        (Some(level), Some(_)) if change.same_rows => {
            format!("{n}: {level} as before; only what people should know changes")
        }
        (Some(before), Some(after)) if before == after => {
            format!("{n}: {before} with other attributes or another scope")
        }
        (Some(before), Some(after)) => format!("{n}: {before} → {after}"),
        (None, Some(after)) => format!("{n}: new, {after}"),
        (Some(before), None) if change.another => {
            format!("{n}: {before} → gone; the rule of another place stays")
        }
        (Some(before), None) => format!(
            "{n}: {before} → gone; the default ({default}), or the rule of a domain above, is then \
             in force"
        ),
        (None, None) => format!("{n}: none"),
    }
}

pub(super) fn document(concerned: &Concerned) -> Value {
    let level = |change: &LevelChange| {
        json!({
            "before": change.before,
            "after": change.after,
            "same_rows": change.same_rows,
            "another_rule_stays": change.another,
            "count": change.count,
        })
    };
    let default = concerned.known.map(|known| {
        json!({
            "before": concerned.before,
            "after": concerned.after,
            "known": known.own + known.others,
            "change": known.others,
            "stay": known.own,
        })
    });
    json!({
        "default": default,
        "levels": concerned.levels.iter().map(level).collect::<Vec<_>>(),
    })
}
