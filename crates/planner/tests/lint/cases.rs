//! Cases of bare files: `cases.txt`.

use postfix_cf::{MainCf, MasterCf};
use postseal_planner::lint::{self, LintInput, lint};
use postseal_planner::{Finding, PostfixVersion, Severity};
use std::collections::BTreeSet;
use std::path::Path;

/// `### CODE FILE:LINE [severity] [VERSION]` fires there; `### !CODE …` does not fire. main.cf
/// follows, then master.cf after a line `--- master`; `--- no main` leaves main.cf out. `<NUL>`,
/// `<CR>`, `<BOM>` and `<FF>` (a byte that is not UTF-8) stand for bytes, `<END>` for a file that ends there.
const CASES: &str = include_str!("cases.txt");

struct Case<'t> {
    head: &'t str,
    code: &'t str,
    fires: bool,
    place: Option<(&'t str, usize)>,
    severity: Option<&'t str>,
    version: Option<PostfixVersion>,
    main: Option<Vec<u8>>,
    master: Option<Vec<u8>>,
}

fn cases() -> Vec<Case<'static>> {
    CASES.split("### ").skip(1).map(case).collect()
}

fn case(text: &'static str) -> Case<'static> {
    let (head, body) = text.split_once('\n').expect("a head and a body");
    let mut words = head.split_whitespace();
    let first = words.next().expect("a code");
    let mut case = Case {
        head,
        code: first.trim_start_matches('!'),
        fires: !first.starts_with('!'),
        place: None,
        severity: None,
        version: None,
        main: None,
        master: None,
    };
    for word in words {
        match (word.split_once(':'), word.parse()) {
            (Some((file, line)), _) => case.place = Some((file, line.parse().expect(head))),
            (None, Ok(version)) => case.version = Some(version),
            (None, Err(_)) => case.severity = Some(word),
        }
    }
    let (main, master) = match body.split_once("--- master\n") {
        Some((main, master)) => (main, Some(master)),
        None => (body, None),
    };
    case.main = (!main.starts_with("--- no main")).then(|| bytes(main));
    case.master = master.map(bytes);
    case
}

fn bytes(text: &str) -> Vec<u8> {
    let text = text.split("<END>").next().unwrap_or_default();
    let text = text
        .replace("<CR>", "\r")
        .replace("<BOM>", "\u{feff}")
        .replace("<NUL>", "\0");
    let mut bytes = Vec::new();
    for (i, part) in text.split("<FF>").enumerate() {
        if i > 0 {
            bytes.push(0xff);
        }
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

fn findings(case: &Case<'_>) -> Vec<Finding> {
    let main = case.main.as_deref().map(MainCf::parse);
    let master = case.master.as_deref().map(MasterCf::parse);
    lint(&LintInput {
        main: main.as_ref().map(|cf| (Path::new("main.cf"), cf)),
        master: master.as_ref().map(|cf| (Path::new("master.cf"), cf)),
        version: case.version,
        ..LintInput::default()
    })
}

/// Every finding of every case, with the case's head and the version that it is judged for.
pub(crate) fn all_findings() -> Vec<(String, Finding, PostfixVersion)> {
    let told = |case: Case<'_>| {
        let version = case.version.unwrap_or(lint::NEWEST);
        let found = findings(&case).into_iter();
        let head = case.head.to_owned();
        found.map(move |finding| (head.clone(), finding, version))
    };
    cases().into_iter().flat_map(told).collect()
}

pub(crate) fn firing_codes() -> BTreeSet<String> {
    let firing = cases().into_iter().filter(|case| case.fires);
    firing.map(|case| case.code.to_owned()).collect()
}

#[test]
fn rules_fire_where_they_must_and_are_silent_beside_it() {
    let mut faults = Vec::new();
    for case in cases() {
        let findings = findings(&case);
        let found = findings.iter().find(|f| f.code == case.code);
        match (found, case.fires) {
            (None, false) => {}
            (Some(finding), true) => faults.extend(misfit(&case, finding)),
            (None, true) => faults.push(format!("{}: silent; said {}", case.head, said(&findings))),
            (Some(finding), false) => faults.push(format!("{}: {finding:?}", case.head)),
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn misfit(case: &Case<'_>, finding: &Finding) -> Option<String> {
    let place = finding.evidence.first();
    let place = place.and_then(|e| Some((e.file.as_deref()?.to_str()?, e.line?)));
    if case.place.is_some() && place != case.place {
        return Some(format!("{}: at {:?}", case.head, finding.evidence));
    }
    let severity = match finding.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
        Severity::Fatal => "fatal",
    };
    if case.severity.is_some_and(|wanted| wanted != severity) {
        return Some(format!("{}: {severity}", case.head));
    }
    let sentence = |text: &str| text.ends_with('.') && !text.contains("..");
    let mut seen = finding.evidence.iter();
    let shown = seen.all(|one| one.line.is_none() || !one.text.is_empty());
    let good = sentence(&finding.message) && !finding.remedy.is_empty() && shown;
    (!good).then(|| format!("{}: {finding:?}", case.head))
}

fn said(findings: &[Finding]) -> String {
    let codes = findings
        .iter()
        .map(|f| format!("{} {:?}", f.code, f.evidence.first().map(|e| e.line)));
    codes.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_rule_on_bare_files_has_a_near_miss() {
    let misses: BTreeSet<&str> = cases()
        .iter()
        .filter(|c| !c.fires)
        .map(|c| c.code)
        .collect();
    let without: Vec<String> = firing_codes()
        .into_iter()
        .filter(|code| !misses.contains(code.as_str()))
        .collect();
    assert!(without.is_empty(), "no near miss: {without:?}");
}

#[test]
fn one_finding_for_what_many_services_share() {
    let main = MainCf::parse(b"smtpd_tls_security_level = may\n");
    let master: String = (1..=1000)
        .map(|port| format!("127.0.0.2:{port} inet n - y - - smtpd\n"))
        .collect();
    let master = MasterCf::parse(master.as_bytes());
    let findings = lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        master: Some((Path::new("master.cf"), &master)),
        ..LintInput::default()
    });
    let same: Vec<_> = findings
        .iter()
        .filter(|f| f.code == "level.no-certificate")
        .collect();
    assert_eq!(same.len(), 1);
    assert_eq!(same[0].evidence.len(), 1001, "the level and each service");
}

#[test]
fn worst_first_then_by_line() {
    let main = MainCf::parse(
        b"smtp_tls_loglevel = 3\nsmtpd_tls_auth_only = maybe\nsmtp_tls_security_level = dane\nfoo\n",
    );
    let findings = lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        ..LintInput::default()
    });
    assert!(
        findings
            .windows(2)
            .all(|pair| pair[0].severity >= pair[1].severity)
    );
    let codes: Vec<&str> = findings.iter().take(4).map(|f| &*f.code).collect();
    assert_eq!(
        codes,
        [
            "value.boolean",
            "syntax.missing-equals",
            "outbound.dane-without-dnssec",
            "logging.too-much"
        ]
    );
}

/// What replaces an old switch means the same, whatever stands beside it.
#[test]
fn old_switches_are_replaced_by_what_means_the_same() {
    let remedy = |text: &str| {
        let main = MainCf::parse(text.as_bytes());
        let findings = lint(&LintInput {
            main: Some((Path::new("main.cf"), &main)),
            ..LintInput::default()
        });
        let old = findings.into_iter();
        let mut old = old.filter(|f| f.code.starts_with("obsolete."));
        old.next().map(|f| f.remedy).unwrap_or_default()
    };
    for (text, level) in [
        ("smtpd_use_tls = yes\n", "smtpd_tls_security_level = may"),
        ("smtpd_use_tls = no\n", "smtpd_tls_security_level = none"),
        (
            "smtpd_enforce_tls = yes\n",
            "smtpd_tls_security_level = encrypt",
        ),
        ("smtp_use_tls = yes\n", "smtp_tls_security_level = may"),
        ("smtp_use_tls = no\n", "smtp_tls_security_level = none"),
        // Names were checked, unless that was switched off.
        (
            "smtp_enforce_tls = yes\n",
            "smtp_tls_security_level = verify",
        ),
        (
            "smtp_enforce_tls = yes\nsmtp_tls_enforce_peername = no\n",
            "smtp_tls_security_level = encrypt",
        ),
    ] {
        assert_eq!(
            remedy(text),
            format!("Write {level}; it means the same."),
            "{text}"
        );
    }
    assert!(remedy("smtp_tls_enforce_peername = yes\n").contains("does nothing"));
    let per_site = remedy("smtp_tls_per_site = hash:/etc/postfix/sites\n");
    assert!(per_site.contains("MUST becomes verify"), "{per_site}");
}

#[test]
fn old_protocol_lists_are_replaced_by_ranges_that_mean_the_same() {
    let remedy = |list: &str| {
        let main = MainCf::parse(format!("smtpd_tls_protocols = {list}\n").as_bytes());
        let findings = lint(&LintInput {
            main: Some((Path::new("main.cf"), &main)),
            ..LintInput::default()
        });
        let mut old = findings
            .into_iter()
            .filter(|f| f.code == "protocols.old-form");
        old.next().map(|f| f.remedy)
    };
    for (list, range) in [
        ("!SSLv2, !SSLv3", ">=TLSv1"),
        ("!SSLv2 !SSLv3 !TLSv1", ">=TLSv1.1"),
        ("!SSLv2:!SSLv3:!TLSv1:!TLSv1.1", ">=TLSv1.2"),
        ("TLSv1.2, TLSv1.3", ">=TLSv1.2"),
    ] {
        let same = format!("Write {range} in its place; it means the same.");
        assert_eq!(remedy(list), Some(same), "{list}");
    }
    for list in ["TLSv1, SSLv3", "!SSLv2", "!TLSv1.1", "", "TLSv1.2"] {
        assert_eq!(remedy(list), None, "{list}");
    }
}
