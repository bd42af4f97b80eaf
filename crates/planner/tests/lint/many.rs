//! Files with more of the same than anybody reads, and names among many services.

use crate::host;
use postfix_cf::{MainCf, MasterCf};
use postseal_planner::lint::{LintInput, lint};
use postseal_planner::{Finding, Severity};
use std::fmt::Write as _;
use std::path::Path;

fn of(main: &str, master: &str) -> Vec<Finding> {
    let (main, master) = (
        MainCf::parse(main.as_bytes()),
        MasterCf::parse(master.as_bytes()),
    );
    lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        master: Some((Path::new("master.cf"), &master)),
        ..LintInput::default()
    })
}

fn lines(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line(number));
        text
    })
}

fn with_code<'a>(findings: &'a [Finding], code: &str) -> Vec<&'a Finding> {
    findings.iter().filter(|f| f.code == code).collect()
}

fn says_more(finding: &Finding) -> Option<&str> {
    let texts = finding.evidence.iter().map(|seen| seen.text.as_str());
    texts.into_iter().find(|text| text.starts_with("and "))
}

#[test]
fn a_hundred_of_a_kind_are_told_and_the_others_counted() {
    let slips = |count| lines(count, |n| format!("x{n}")) + "myorigin = a.example\n";
    let found = of(&slips(100), "");
    let all = with_code(&found, "syntax.missing-equals");
    assert_eq!(all.len(), 100);
    assert!(all.iter().all(|finding| says_more(finding).is_none()));

    let found = of(&slips(250), "");
    let told = with_code(&found, "syntax.missing-equals");
    assert_eq!(told.len(), 100);
    let more: Vec<_> = told
        .iter()
        .filter_map(|finding| says_more(finding))
        .collect();
    assert_eq!(more, ["and 150 more like this, which are left out"]);
    assert_eq!(says_more(told[99]), Some(more[0]));
}

#[test]
fn rules_of_values_are_limited_too_and_one_kind_hides_no_other() {
    let main =
        lines(150, |n| format!("smtpd_tls_of_mine_{n} = x")) + "smtpd_tls_security_level = mya\n";
    let found = of(&main, "");
    let kinds = [
        with_code(&found, "name.unknown"),
        with_code(&found, "name.misspelt"),
    ];
    let told: usize = kinds.iter().map(Vec::len).sum();
    assert!((100..=150).contains(&told), "{told}");
    assert!(kinds.iter().all(|kind| kind.len() <= 100));
    assert!(
        found
            .iter()
            .any(|finding| finding.severity == Severity::Fatal),
        "the bad level is told: {found:?}"
    );
}

#[test]
fn of_repeated_options_the_last_is_judged() {
    let service = |last: &str| {
        let options = lines(300, |n| format!("  -o smtpd_tls_loglevel={}", n % 2));
        format!("25 inet n - n - - smtpd\n{options}  -o smtpd_tls_loglevel={last}\n")
    };
    let values = |last| {
        let found = of("", &service(last));
        let values = found.iter().filter(|f| f.code.starts_with("value."));
        values.count()
    };
    assert_eq!(values("1"), 0);
    assert_ne!(values("many"), 0);
}

#[test]
fn a_transports_own_parameter_is_no_stranger_wherever_its_service_stands() {
    let master = lines(200, |n| format!("tls_{n}_ unix - - n - - smtp"))
        + "smtp_tls_relay unix - - n - - smtp\n";
    let own = "smtp_tls_relay_time_limit = 5s\ntls_7__recipient_limit = 1\n";
    let strangers = |main: &str| {
        let found = of(main, &master);
        let names = found.iter().filter(|f| f.code.starts_with("name."));
        names.count()
    };
    assert_eq!(strangers(own), 0);
    assert_eq!(strangers("smtp_tls_other_time_limit = 5s\n"), 1);
    assert_eq!(strangers("smtp_tls_relay_times_limit = 5s\n"), 1);
}

#[test]
fn what_cannot_be_expanded_is_grave_only_where_something_reads_it() {
    let severity = |rest: &str| {
        let main = format!("own_name = ${{oops\n{rest}");
        let found = host::findings_where_defaults_are_known(&main);
        let bad = found.iter().find(|f| f.code == "syntax.bad-expansion");
        bad.map(|finding| finding.severity)
    };
    assert_eq!(severity(""), Some(Severity::Warning));
    assert_eq!(severity("other = $own\n"), Some(Severity::Warning));
    for reader in [
        "$own_name",
        "${own_name}",
        "$(own_name)",
        "${own_name?x}",
        "a$own_name,b",
    ] {
        let found = severity(&format!("other = {reader}\n"));
        assert_eq!(found, Some(Severity::Fatal), "{reader}");
    }
}

/// A thousand services that all offer AUTH by Cyrus, a thousand names in an exclusion, restrictions
/// as long as a book: linted to the end, and no finding is told twice.
#[test]
fn many_services_beside_long_values_come_to_an_end() {
    let names = (0..1000).map(|n| format!("X{n}")).collect::<Vec<_>>();
    let restrictions = "permit_tls_clientcerts, ".repeat(1000);
    let main = format!(
        "smtpd_tls_security_level = may\nsmtpd_sasl_auth_enable = yes\n\
         smtpd_tls_exclude_ciphers = {}\nsmtpd_relay_restrictions = {restrictions}\n",
        names.join(" ")
    );
    let master = lines(1000, |n| format!("{} inet n - y - - smtpd", 2000 + n));
    let facts = host::facts(&main, Vec::new());
    let (main, master) = (
        MainCf::parse(main.as_bytes()),
        MasterCf::parse(master.as_bytes()),
    );
    let found = lint(&LintInput {
        main: Some((Path::new("main.cf"), &main)),
        master: Some((Path::new("master.cf"), &master)),
        facts: Some(&facts),
        ..LintInput::default()
    });
    assert_eq!(
        with_code(&found, "ciphers.exclusion-without-effect").len(),
        1
    );
    assert_eq!(with_code(&found, "auth.cleartext").len(), 1);
}
