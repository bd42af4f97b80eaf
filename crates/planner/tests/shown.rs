//! What `show` says of parameters.

#![allow(clippy::expect_used, reason = "helpers of tests")]

mod support;

use postseal_planner::facts::CfFile;
use postseal_planner::shown::{Shown, Which, show};
use postseal_planner::{Facts, PostfixVersion};
use std::path::Path;
use support::varied::{MAIN, MASTER, host};

fn one(name: &str, service: Option<&str>) -> Shown {
    let host = host();
    let names = [name.to_owned()];
    let mut shown = show(&host.facts, Which::Named(&names), service).expect("it is known");
    assert_eq!(shown.values.len(), 1);
    shown.values.remove(0)
}

#[test]
fn a_parameter_tells_where_it_comes_from() {
    for (name, service, raw, from) in [
        ("smtpd_tls_security_level", None, "may", "main.cf:2"),
        (
            "smtpd_tls_security_level",
            Some("587"),
            "encrypt",
            "master.cf:3 -o",
        ),
        (
            "smtpd_tls_security_level",
            Some("587/inet"),
            "encrypt",
            "master.cf:3 -o",
        ),
        (
            "smtpd_tls_security_level",
            Some("submission"),
            "encrypt",
            "master.cf:3 -o",
        ),
        (
            "smtpd_tls_security_level",
            Some("smtps"),
            "may",
            "main.cf:2",
        ),
        (
            "smtpd_tls_security_level",
            Some("submissions"),
            "may",
            "main.cf:2",
        ),
        // Of two, the last counts.
        ("smtpd_tls_loglevel", None, "1", "main.cf:4"),
        ("smtpd_tls_loglevel", Some("587"), "3", "master.cf:4 -o"),
        (
            "smtpd_tls_wrappermode",
            Some("465"),
            "yes",
            "master.cf:5 -o",
        ),
        ("smtpd_tls_wrappermode", None, "no", "default"),
        ("smtp_tls_ciphers", None, "medium", "default"),
    ] {
        let shown = one(name, service);
        assert_eq!(
            (shown.raw.as_str(), shown.from.as_str()),
            (raw, from),
            "{name} {service:?}"
        );
    }
}

#[test]
fn values_are_shown_as_written_and_expanded() {
    let shown = one("smtpd_tls_cert_file", None);
    assert_eq!(shown.raw, "$config_directory/mx.pem");
    assert_eq!(shown.expanded.as_deref(), Some("/etc/postfix/mx.pem"));
}

#[test]
fn without_names_every_tls_parameter_that_is_set_is_shown() {
    let names = |service: Option<&str>| -> Vec<String> {
        let shown = show(&host().facts, Which::Set, service).expect("a list");
        shown.values.into_iter().map(|shown| shown.name).collect()
    };
    let main = [
        "smtp_tls_security_level",
        "smtp_use_tls",
        "smtpd_tls_cert_file",
        "smtpd_tls_loglevel",
        "smtpd_tls_security_level",
    ];
    assert_eq!(names(None), main);
    let smtps = names(Some("smtps"));
    assert!(
        smtps.contains(&"smtpd_tls_wrappermode".to_owned()),
        "{smtps:?}"
    );
    assert_eq!(smtps.len(), main.len() + 1);
}

#[test]
fn what_is_not_there_is_refused() {
    let host = host();
    let code = |names: &[&str], service| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let refusal = show(&host.facts, Which::Named(&names), service).expect_err("a refusal");
        assert!(refusal.to_string().contains("There is no"), "{refusal}");
        refusal.findings[0].code.to_string()
    };
    assert_eq!(code(&["smtpd_tls_securitylevel"], None), "name.unknown");
    assert_eq!(code(&[], Some("2525")), "name.unknown");
    assert_eq!(code(&[], Some("amavis")), "name.unknown");
}

fn bare(main: &str, master: &str, version: Option<PostfixVersion>) -> Facts {
    let folder = Path::new("/srv/files");
    let main = CfFile::of(folder.join("main.cf"), main.into());
    let master = CfFile::of(folder.join("master.cf"), master.into());
    Facts::of_files(main, master, version)
}

fn value(facts: &Facts, name: &str, service: Option<&str>) -> Shown {
    let names = [name.to_owned()];
    let shown = show(facts, Which::Named(&names), service).expect("it is known");
    shown.values.into_iter().next().expect("one")
}

#[test]
fn bare_files_are_shown_with_the_defaults_of_a_release() {
    let (old, new) = (PostfixVersion::new(3, 5, 0), PostfixVersion::new(3, 11, 0));
    let level = |version| value(&bare(MAIN, MASTER, version), "smtpd_tls_protocols", None);
    assert_eq!(level(Some(old)).raw, "!SSLv2, !SSLv3");
    assert_eq!(level(Some(new)).raw, ">=TLSv1");
    assert_eq!(level(None), level(Some(new)));
    let facts = bare(MAIN, MASTER, None);
    let shown = value(&facts, "smtpd_tls_cert_file", Some("587"));
    assert_eq!(shown.expanded.as_deref(), Some("/srv/files/mx.pem"));
    let all = show(&facts, Which::All, None).expect("a list").values;
    let set = show(&facts, Which::Set, None).expect("a list").values;
    assert!(
        all.len() > 150 && set.iter().all(|one| all.contains(one)),
        "{}",
        all.len()
    );
}

#[test]
fn what_only_an_installed_postfix_knows_is_not_guessed() {
    let main = "smtpd_tls_CAfile = /ca/$myhostname\nsmtpd_tls_CApath = /ca/$own\nown = x\n";
    let facts = bare(main, "", None);
    let shown = value(&facts, "smtpd_tls_CAfile", None);
    assert_eq!(
        (shown.raw.as_str(), shown.expanded),
        ("/ca/$myhostname", None)
    );
    let shown = value(&facts, "smtpd_tls_CApath", None);
    assert_eq!(shown.expanded.as_deref(), Some("/ca/x"));
}

#[test]
fn a_name_that_no_release_has_is_shown_with_no_default() {
    let facts = bare(
        "smtpd_tls_securty_level = may\nmy_tls_names = x\n",
        "",
        None,
    );
    let shown = show(&facts, Which::Set, None).expect("a list").values;
    let told: Vec<_> = shown.iter().map(|one| (&*one.name, &one.default)).collect();
    assert_eq!(
        told,
        [("my_tls_names", &None), ("smtpd_tls_securty_level", &None)]
    );
}

#[test]
fn what_postfix_refuses_is_refused() {
    let code = |main: &str, master: &str, service| {
        let facts = bare(main, master, None);
        match show(&facts, Which::Set, service) {
            Ok(_) => "shown".to_owned(),
            Err(refusal) => refusal.findings[0].code.to_string(),
        }
    };
    let smtp = "smtp inet n - n - - smtpd\n";
    let broken = "smtp inet n - n - - smtpd -o a = b\n587 inet n - n - - smtpd\n";
    assert_eq!(
        code("smtpd_tls_loglevel 1\n", smtp, None),
        "instance.unreadable"
    );
    assert_eq!(
        code("smtpd_tls_loglevel = ${x\n", smtp, None),
        "instance.unreadable"
    );
    assert_eq!(code("", "smtp inet n - n\n", None), "instance.unreadable");
    // The processes of one service die, the others do not.
    assert_eq!(code("", broken, Some("smtp")), "instance.unreadable");
    assert_eq!(code("", broken, Some("587")), "shown");
    assert_eq!(code("", broken, None), "shown");
}

#[test]
fn a_parameter_tells_which_release_brought_it() {
    let since = |name| one(name, None).since;
    let first = PostfixVersion::new(3, 4, 0);
    assert_eq!(since("smtpd_tls_chain_files"), Some(first));
    assert_eq!(since("smtpd_tls_security_level"), None, "older than all");
}
