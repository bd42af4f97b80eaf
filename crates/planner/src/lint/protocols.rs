//! Protocol lists that are valid and mean something else than they look.
//!
//! Owns: what a list allows, against what peers speak. Never: invalid lists (`values`).

use super::context::{Context, Setting};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::catalog::{Direction, Kind};
use crate::compile::range_syntax;
use mailtls::{ProtocolList, RangeSyntax, TlsVersion};

/// The rules.
pub(super) const RULES: &[Rule] = &[
    SSL,
    PINNED_OLD,
    CAPPED,
    OLD_MANDATORY,
    TOO_STRICT,
    CONTRADICTION,
    OLD_FORM,
    MANDATORY_WEAKER,
    NOTHING,
];

#[rustfmt::skip]
const SSL: Rule = rule("protocols.ssl", Warning, "SSLv2 or SSLv3 allowed",
    "SSLv3 is broken (RFC 7568); where the TLS library still has it, peers can be pushed down to it.",
    "Write >=TLSv1.2 for mandatory TLS and >=TLSv1 for optional TLS (before 3.6: !SSLv2, !SSLv3).");
#[rustfmt::skip]
const PINNED_OLD: Rule = rule("protocols.pinned-old", Error, "only protocols that peers refuse",
    "Names without ! pin the list to them: nothing newer is allowed, and handshakes with today's peers fail.",
    "Exclude what is unwanted (>=TLSv1.2), do not list what is wanted.");
#[rustfmt::skip]
const CAPPED: Rule = rule("protocols.capped", Warning, "TLS 1.3 left out",
    "The list ends at TLS 1.2: newer and better versions are refused.",
    "Write >=TLSv1.2 instead of naming versions.");
#[rustfmt::skip]
const OLD_MANDATORY: Rule = rule("protocols.old-mandatory", Info, "TLS 1.0 or 1.1 allowed where TLS is demanded",
    "TLS 1.0 and 1.1 are out of use (RFC 8996); where TLS is demanded, peers speak 1.2 or newer.",
    "Write >=TLSv1.2 (before 3.6: !SSLv2, !SSLv3, !TLSv1, !TLSv1.1).");
#[rustfmt::skip]
const TOO_STRICT: Rule = rule("protocols.too-strict-for-may", Warning, "TLS 1.2 refused where TLS is optional",
    "Peers that speak TLS 1.2 cannot use TLS at all, and send or receive in clear.",
    "Write >=TLSv1.2.");
#[rustfmt::skip]
const CONTRADICTION: Rule = rule("protocols.contradiction", Warning, "protocol both named and excluded",
    "The exclusion wins.",
    "Name it once.");

#[rustfmt::skip]
const OLD_FORM: Rule = rule("protocols.old-form", Info, "protocol list in the form before Postfix 3.6",
    "It works; a range says the same in one word, and needs no change when a version is added.",
    "Write the range.");
#[rustfmt::skip]
const MANDATORY_WEAKER: Rule = rule("protocols.mandatory-weaker", Warning, "older protocols where TLS is demanded than where it is optional",
    "tls_protocols is for optional TLS alone and tls_mandatory_protocols for demanded TLS alone; the one does not limit the other.",
    "Set both.");
#[rustfmt::skip]
const NOTHING: Rule = rule("protocols.none-left", Error, "protocol list that allows nothing",
    "Names and limits exclude each other: no handshake succeeds.",
    "Write >=TLSv1.2.");

/// Looks at every protocol list that is set.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter else {
            continue;
        };
        if parameter.kind == Kind::ProtocolList && parameter.direction != Direction::Tlsproxy {
            judge(context, setting, out);
        }
    }
}

fn judge(context: &Context<'_>, setting: &Setting<'_>, out: &mut Vec<Finding>) {
    let Some(value) = context.expanded(setting) else {
        return;
    };
    let Ok(list) = ProtocolList::parse(&value, RangeSyntax::Allowed) else {
        return;
    };
    let (Some(floor), Some(ceiling)) = (list.floor(), list.ceiling()) else {
        let found = NOTHING.found().on(Some(setting));
        out.push(found.mended_by(fix::absent(context, setting)));
        return;
    };
    let mandatory = setting.name.contains("_mandatory_");
    let say = |rule: &Rule, what: String| {
        let message = format!("{} {what}. {}", setting.name, rule.why);
        rule.says(message).on(Some(setting))
    };
    let left_out = ceiling == TlsVersion::Tls1_2 && on_purpose(&value);
    let mended = || match left_out {
        true => None,
        false => fix::written(context, setting, &opened(context, floor)),
    };
    if ceiling <= TlsVersion::Tls1_1 {
        let found = say(&PINNED_OLD, format!("allows {list} only"));
        out.push(found.mended_by(mended()));
    } else if ceiling == TlsVersion::Tls1_2 {
        let found = say(&CAPPED, format!("allows {list} only"));
        out.push(found.mended_by(mended()));
    }
    // SSLv2 is in no library of this age; a list that leaves only that open is as good as one
    // that excludes it.
    if list.allows(TlsVersion::Ssl3) {
        let found = say(&SSL, "allows SSLv3".to_owned());
        out.push(found.mended_by(mended()));
    } else if mandatory && floor < TlsVersion::Tls1_2 && ceiling > TlsVersion::Tls1_1 {
        out.push(say(
            &OLD_MANDATORY,
            format!("allows {}", floor.max(TlsVersion::Tls1_0)),
        ));
    }
    if !mandatory && floor == TlsVersion::Tls1_3 && optional(context, setting) {
        out.push(say(&TOO_STRICT, "allows TLSv1.3 only".to_owned()));
    }
    out.extend(old_form(context, setting, &value, list));
    if !mandatory {
        out.extend(weaker(context, setting, floor));
    }
    if let Some(name) = contradiction(&value) {
        let found = say(&CONTRADICTION, format!("both names and excludes {name}"));
        out.push(found.mended_by(mended()));
    }
}

/// Whether TLS 1.3 was left out by a word of its own: somebody had a reason. A list of names may be older than TLS 1.3.
fn on_purpose(value: &str) -> bool {
    value.contains('<') || value.to_ascii_lowercase().contains("!tlsv1.3")
}

/// The same lowest version, without SSL, and every newer one: nobody who is served is turned away.
fn opened(context: &Context<'_>, floor: TlsVersion) -> String {
    let floor = floor.max(TlsVersion::Tls1_0);
    mailtls::render_floor(floor, range_syntax(context.version))
}

/// A list of exclusions that a range can say.
fn old_form(
    context: &Context<'_>,
    setting: &Setting<'_>,
    value: &str,
    list: ProtocolList,
) -> Option<Finding> {
    let floor = list.floor().filter(|floor| *floor > TlsVersion::Ssl3)?;
    let same = ProtocolList::from_floor(floor).same_as(&list);
    if !same || value.contains(['<', '>']) || !context.version.at_least(3, 6) {
        return None;
    }
    let message = format!("{value} is >={floor}. {}", OLD_FORM.why);
    let remedy = format!("Write >={floor} in its place; it means the same.");
    let found = OLD_FORM.says(message).on(Some(setting)).remedy(remedy);
    Some(found.mended_by(fix::written(context, setting, &format!(">={floor}"))))
}

/// A list for optional TLS that is stricter than the one for demanded TLS beside it.
fn weaker(context: &Context<'_>, setting: &Setting<'_>, floor: TlsVersion) -> Option<Finding> {
    let stem = setting.name.strip_suffix("_tls_protocols")?;
    let name = format!("{stem}_tls_mandatory_protocols");
    let service = context.service_of(setting);
    let value = context.text(service, &name)?;
    let mandatory = ProtocolList::parse(&value, RangeSyntax::Allowed).ok()?;
    let lower = mandatory.floor().filter(|lower| *lower < floor)?;
    // Below TLS 1.0 there is nothing left in the libraries of today.
    if floor <= TlsVersion::Tls1_0 {
        return None;
    }
    let severity = match stem {
        "smtpd" if !context.some_server_demands() => Info,
        "smtp" | "lmtp" if !client_demands(context) => Info,
        _ => Warning,
    };
    let lower = lower.max(TlsVersion::Tls1_0);
    let message = format!(
        "{} begins at {floor} and {name} at {lower}. {}",
        setting.name, MANDATORY_WEAKER.why
    );
    let at = context.set(service, &name);
    let found = MANDATORY_WEAKER.says(message).on(Some(setting)).on(at);
    Some(
        found
            .severe(severity)
            .remedy(format!("Set {name} = >={floor} too.")),
    )
}

fn client_demands(context: &Context<'_>) -> bool {
    let level = context.client_level(None);
    level.is_some_and(mailtls::Level::never_cleartext)
        || context.given(None, "smtp_tls_policy_maps")
}

/// Whether the list is for sessions that can go on in clear.
fn optional(context: &Context<'_>, setting: &Setting<'_>) -> bool {
    match setting.name.starts_with("smtpd_") {
        true => context.some_server_offers(),
        false => true,
    }
}

fn contradiction(value: &str) -> Option<String> {
    let words: Vec<String> = value
        .split([' ', '\t', ',', ':'])
        .map(str::to_ascii_lowercase)
        .collect();
    let excluded = words.iter().filter_map(|word| word.strip_prefix('!'));
    let mut twice = excluded.filter(|name| words.iter().any(|word| word == name));
    let name = twice.next()?;
    TlsVersion::ALL
        .iter()
        .find(|version| version.name().eq_ignore_ascii_case(name))
        .map(|version| version.name().to_owned())
}
