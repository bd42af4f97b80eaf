//! Parameters whose life is over, and what replaces them.
//!
//! Owns: how that is said. Never: knows which ones (`catalog` does).

use super::context::{Context, Setting};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::catalog::{Ending, Parameter, State};
use crate::finding::Fix;

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("obsolete.superseded", Info, "parameter with a better successor",
        "It still works; something better replaced it.",
        "Use its successor."),
    rule("obsolete.will-go", Warning, "parameter that Postfix wants to drop",
        "It still works; Postfix warns that support will be removed.",
        "Use its successor before an upgrade takes it away."),
    rule("obsolete.ignored", Warning, "parameter without effect",
        "Postfix accepts it and does nothing with it.",
        "Delete the line."),
    rule("obsolete.gone", Error, "parameter that no longer exists",
        "Postfix does not know it any more; what it asks for does not happen.",
        "Use its successor."),
    OVERRULED,
];

#[rustfmt::skip]
const OVERRULED: Rule = rule("obsolete.overruled", Warning, "old parameter overruled by its successor",
    "Postfix ignores use_tls, enforce_tls and enforce_peername once the security level is set.",
    "Delete the old line.");

/// Looks at every setting's state.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter else {
            continue;
        };
        let State::Ended(how) = parameter.state(context.version) else {
            continue;
        };
        if how != Ending::Gone
            && let Some(level) = overruled_by(context, setting)
        {
            let message = format!("{} has no effect: {level} is set.", setting.name);
            let at_level = context.set(context.service_of(setting), &level);
            let found = OVERRULED.says(message).on(Some(setting)).on(at_level);
            out.push(found.mended_by(fix::absent(context, setting)));
            continue;
        }
        out.extend(finding(context, setting, parameter, how));
    }
}

fn finding(
    context: &Context<'_>,
    setting: &Setting<'_>,
    parameter: &Parameter,
    how: Ending,
) -> Option<Finding> {
    let (code, what) = match how {
        Ending::Obsolete => ("obsolete.superseded", "is obsolete"),
        Ending::Warned => (
            "obsolete.will-go",
            "will be removed from Postfix (warned of",
        ),
        Ending::Ignored => ("obsolete.ignored", "has no effect (ignored"),
        Ending::Gone => ("obsolete.gone", "no longer exists"),
    };
    let rule = RULES.iter().find(|rule| rule.code == code)?;
    let since = parameter.ends.iter().find(|end| end.how == how)?.from;
    let message = match how {
        Ending::Obsolete | Ending::Gone => format!("{} {what}.", setting.name),
        Ending::Warned | Ending::Ignored => format!(
            "{} {what} since Postfix {}.{}).",
            setting.name, since.major, since.minor
        ),
    };
    let text = parameter.replaced_by.map_or("delete the line", |r| r.text);
    let same = equivalent(context, setting);
    let remedy = same.map_or_else(|| sentence(text), |same| same.remedy());
    let found = rule.says(message).on(Some(setting)).remedy(remedy);
    Some(found.mended_by(mended(context, setting, how)))
}

/// The same meaning as wishes, where a parameter says nothing more or its successor is known.
fn mended(context: &Context<'_>, setting: &Setting<'_>, how: Ending) -> Option<Fix> {
    let gone = || fix::absent(context, setting);
    match equivalent(context, setting) {
        Some(Equivalent::Level { level, means }) => {
            fix::at(context, context.service_of(setting), &level, means)?.and(gone())
        }
        Some(Equivalent::Nothing) => gone(),
        Some(Equivalent::Table) => None,
        None if how == Ending::Ignored => gone(),
        // Postfix's own groups are as good as those of a file, or better.
        None if setting.name.ends_with("_tls_dh1024_param_file") => gone(),
        None => None,
    }
}

/// What means the same today.
enum Equivalent {
    /// This level.
    Level { level: String, means: &'static str },
    /// Nothing: it does nothing here.
    Nothing,
    /// Rows of another table.
    Table,
}

impl Equivalent {
    fn remedy(&self) -> String {
        match self {
            Self::Level { level, means } => {
                format!("Write {level} = {means}; it means the same.")
            }
            Self::Nothing => NO_EFFECT.to_owned(),
            Self::Table => PER_SITE.to_owned(),
        }
    }
}

/// What means the same today, where that depends on the values.
fn equivalent(context: &Context<'_>, setting: &Setting<'_>) -> Option<Equivalent> {
    if setting.name.ends_with("_tls_per_site") {
        return Some(Equivalent::Table);
    }
    let service = context.service_of(setting);
    let (prefix, stem) = setting.name.split_once('_')?;
    let level = format!("{prefix}_tls_security_level");
    let yes = |stem: &str| context.yes(service, &format!("{prefix}_{stem}"));
    let means = match (prefix, stem) {
        ("smtpd" | "smtp" | "lmtp", "use_tls" | "enforce_tls") => {
            match (yes("enforce_tls"), yes("use_tls")) {
                (true, _) if prefix == "smtpd" => "encrypt",
                (true, _) if yes("tls_enforce_peername") => "verify",
                (true, _) => "encrypt",
                (false, true) => "may",
                (false, false) => "none",
            }
        }
        ("smtp" | "lmtp", "tls_enforce_peername") => match (yes("enforce_tls"), yes(stem)) {
            (true, true) => "verify",
            (true, false) => "encrypt",
            (false, _) => return Some(Equivalent::Nothing),
        },
        _ => return None,
    };
    Some(Equivalent::Level { level, means })
}

const NO_EFFECT: &str =
    "Delete the line: it counts only beside smtp_enforce_tls = yes, and does nothing here.";
const PER_SITE: &str = "Move its rows to smtp_tls_policy_maps: NONE becomes none, MAY becomes may, \
    MUST_NOPEERMATCH becomes encrypt, MUST becomes verify.";

/// The level that makes an old switch moot.
fn overruled_by(context: &Context<'_>, setting: &Setting<'_>) -> Option<String> {
    let old = ["_use_tls", "_enforce_tls", "_tls_enforce_peername"];
    let prefix = old.iter().find_map(|end| setting.name.strip_suffix(end))?;
    let level = format!("{prefix}_tls_security_level");
    context
        .given(context.service_of(setting), &level)
        .then_some(level)
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}
