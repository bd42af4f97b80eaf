//! What postfix-cf noticed about the text of the files.
//!
//! Owns: how grave each is, and what to do. Never: finds it (postfix-cf does).

use super::context::Context;
use super::fix;
use super::rule::{self, Place as _, Rule, rule};
use crate::Severity::{Error, Fatal, Info, Warning};
use crate::finding::Fix;
use crate::{Facts, Finding, catalog, settings};
use postfix_cf::FindingCode;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// The rules; each code is `syntax.` and postfix-cf's name.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    rule("syntax.missing-equals", Fatal, "main.cf line without =",
        "Every Postfix program that starts dies of this line, and every port hangs.",
        "Write name = value, put # in front of the line, or indent it to continue the line above."),
    rule("syntax.missing-name", Fatal, "main.cf line without a name",
        "Every Postfix program that starts dies of this line, and every port hangs.",
        "Write the parameter's name before the =, or take the line out."),
    rule("syntax.bad-expansion", Fatal, "$ expression that cannot be read",
        "Every program that reads the parameter dies of it.",
        "Close the braces; write $$ for a dollar sign."),
    rule("syntax.field-count", Fatal, "master.cf line with too few fields",
        "Postfix refuses the whole master.cf: no reload, no start.",
        "Give all eight fields: name, type, private, unprivileged, chroot, wakeup, maxproc, command."),
    rule("syntax.bad-type", Fatal, "unknown service type",
        "Postfix refuses the whole master.cf: no reload, no start.",
        "Write inet, unix, unix-dgram, fifo or pass."),
    rule("syntax.bad-field", Fatal, "field of master.cf that cannot have this value",
        "Postfix refuses the whole master.cf: no reload, no start.",
        "Write y, n or - for yes-or-no fields, and a number or - for the others."),
    rule("syntax.bad-override", Fatal, "-o without name=value",
        "The service's processes die at once, and its port hangs.",
        "Write -o name=value without blanks, or -o { name = value }."),
    rule("syntax.stray-argument", Error, "argument after the options of a service",
        "Options end at the first word that is none: it and all -o after it are lost, silently.",
        "Put a value with blanks in braces: -o { name = a, b }."),
    rule("syntax.indented-first-line", Warning, "first line of a file is indented",
        "Postfix drops the line, with a warning.",
        "Take the blanks at its start away."),
    rule("syntax.overridden", Warning, "parameter set twice",
        "The last one wins, and every process logs a warning at every start.",
        "Keep one of the two lines."),
    rule("syntax.repeated", Info, "parameter set twice to the same value",
        "It has no effect, but a later edit of one of them may have none either.",
        "Keep one of the two lines."),
    rule("syntax.unbalanced-braces", Warning, "braces that do not match",
        "Postfix cuts the value elsewhere than it looks.",
        "Close every { with a }."),
    rule("syntax.nul-byte", Warning, "NUL byte",
        "Postfix does not see what follows it in the line.",
        "Take the byte out."),
    rule("syntax.carriage-return", Warning, "carriage return inside a value",
        "It is part of the value.",
        "Save the file with Unix line ends."),
    rule("syntax.duplicate-service", Warning, "service twice in master.cf",
        "The last one wins, with a warning; what the first one says has no effect.",
        "Keep one of the two."),
    rule("syntax.repeated-override", Warning, "-o of the same parameter twice",
        "The last one wins, silently.",
        "Keep one of the two."),
    rule("syntax.not-utf8", Info, "bytes that are not UTF-8",
        "Postfix takes them as they are; other programs may not.",
        "Save the file as UTF-8."),
    rule("syntax.inline-comment", Info, "# after a value",
        "main.cf has no comments after a value: the # and what follows belong to the value.",
        "Put the comment on a line of its own."),
    rule("syntax.split-continuation", Info, "value that goes on after a comment or blank line",
        "The indented line still belongs to the parameter above, however far above it is.",
        "Put the lines of a value together."),
    rule("syntax.byte-order-mark", Error, "byte order mark at the start of the file",
        "Postfix takes it for a part of the first name: what the line sets is not set.",
        "Save the file as UTF-8 without a byte order mark."),
    rule("syntax.no-final-newline", Info, "no newline at the end of the file",
        "postconf -e before 3.7.15 joins the next entry to the last line.",
        "End the last line with a newline."),
];

/// Says what the files' own findings say.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    if let Some((path, main)) = context.main {
        let mut readers: Option<Readers<'_>> = None;
        for found in main.findings() {
            let finding = translate(path, &found);
            let sleeps = may_sleep(context, &found)
                && !readers
                    .get_or_insert_with(|| Readers::of(context))
                    .read(&found.subject);
            let finding = finding.map(|one| one.mended_by(said_once(context, &found)));
            out.extend(finding.map(|finding| match sleeps {
                true => dormant(finding),
                false => finding,
            }));
        }
    }
    if let Some((path, master)) = context.master {
        out.extend(master.findings().iter().filter_map(|f| translate(path, f)));
    }
}

/// A parameter that is set twice, set to the value that counts: what is wished for stands once.
fn said_once(context: &Context<'_>, found: &postfix_cf::Finding) -> Option<Fix> {
    if !matches!(found.code, FindingCode::Overridden | FindingCode::Repeated) {
        return None;
    }
    // A word for a parameter decides its value, and leaves the lines as they are.
    if settings::alias(&found.subject).is_some() {
        return None;
    }
    let counts = context.set(None, &found.subject)?;
    fix::written(context, counts, &counts.value)
}

/// Whether an expression that cannot be read is that of a user's own parameter: Postfix expands
/// it only where something reads it. Only the host tells which names are Postfix's own. What
/// stands for more of its kind is as bad as the worst of them may be.
fn may_sleep(context: &Context<'_>, found: &postfix_cf::Finding) -> bool {
    let builtin = |facts: &Facts| {
        facts.defaults.is_empty() || facts.defaults.contains_key(found.subject.as_str())
    };
    found.code == FindingCode::BadExpansion && found.more == 0 && !context.facts.is_none_or(builtin)
}

/// Which names are read, looked up once for all findings.
struct Readers<'a> {
    /// What follows each `$`, `${` and `$(`, wherever it stands.
    named: BTreeSet<Vec<u8>>,
    /// qmgr(8) and others read TRANSPORT_destination_concurrency_limit and its like.
    services: HashSet<&'a str>,
}

impl<'a> Readers<'a> {
    fn of(context: &'a Context<'_>) -> Self {
        let mut named = BTreeSet::new();
        let main = context.main.map(|(_, main)| main.to_bytes());
        let master = context.master.map(|(_, master)| master.to_bytes());
        for text in main.iter().chain(&master) {
            note_named(text, &mut named);
        }
        Self {
            named,
            services: context.service_names(),
        }
    }

    /// A longer name that starts alike counts too: better a warning too grave than one too mild.
    fn read(&self, name: &str) -> bool {
        let mut ends = name.match_indices('_').map(|(at, _)| &name[..at]);
        let mut from = self.named.range(name.as_bytes().to_vec()..);
        ends.any(|service| self.services.contains(service))
            || from.next().is_some_and(|n| n.starts_with(name.as_bytes()))
    }
}

fn note_named(text: &[u8], named: &mut BTreeSet<Vec<u8>>) {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"${}()".contains(byte);
    for after in text.split(|byte| *byte == b'$').skip(1) {
        let name = match after {
            [b'{' | b'(', name @ ..] => name,
            name => name,
        };
        let end = name.iter().position(ends).unwrap_or(name.len());
        if end > 0 {
            named.insert(name[..end].to_vec());
        }
    }
}

fn dormant(mut finding: Finding) -> Finding {
    let rule = RULES
        .iter()
        .find(|rule| rule.code == finding.code)
        .map_or("", |rule| rule.why);
    finding.message = finding.message.replace(
        rule,
        "No other value names the parameter, so nothing reads it yet.",
    );
    finding.severe(Warning)
}

fn translate(path: &Path, found: &postfix_cf::Finding) -> Option<Finding> {
    // Said with its consequence by the type check (`value.inline-comment`).
    if found.code == FindingCode::InlineComment && catalog::is_tls_parameter(&found.subject) {
        return None;
    }
    let name = found.code.as_str();
    let rule = RULES
        .iter()
        .find(|rule| rule.code.strip_prefix("syntax.") == Some(name))?;
    // What is harmless says so itself.
    let message = match rule.severity {
        Info => sentence(&found.text),
        _ => format!("{} {}", sentence(&found.text), rule.why),
    };
    let mut finding = rule.says(message);
    finding = finding.at(path, found.line, found.subject.clone());
    if let Some(line) = found.other_line {
        finding = finding.at(path, line, found.subject.clone());
    }
    if found.more > 0 {
        finding = finding.seen(rule::and_more(found.more));
    }
    Some(finding)
}

fn sentence(text: &str) -> String {
    match text.ends_with(['.', '!', '?']) {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}
