//! The catalogue against the installed Postfix, and the type checks against what it accepts.
//!
//! Needs Postfix's `postconf`; without it the comparison fails with one sentence.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use postseal_planner::PostfixVersion;
use postseal_planner::catalog::{self, Checked, Ending, PerService, Remote, Role, State};
use std::collections::BTreeMap;
use std::process::Command;

const NOW: PostfixVersion = PostfixVersion::new(3, 7, 11);

fn postconf(args: &[&str]) -> String {
    let output = Command::new("/usr/sbin/postconf")
        .args(args)
        .output()
        .expect("this test compares with the installed Postfix: /usr/sbin/postconf must run");
    String::from_utf8(output.stdout).expect("postconf prints UTF-8")
}

fn about_tls(name: &str) -> bool {
    name.contains("_tls_")
        || ["tls_", "tlsproxy_", "tlsmgr_", "postscreen_tls"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        || name.ends_with("_tls")
}

#[test]
fn every_tls_parameter_of_the_installed_postfix_is_known_with_its_default() {
    let version: PostfixVersion = postconf(&["-dh", "mail_version"])
        .parse()
        .expect("a version");
    let defaults: BTreeMap<String, String> = postconf(&["-d"])
        .lines()
        .filter_map(|line| line.split_once(" ="))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut faults = Vec::new();
    for (name, default) in defaults.iter().filter(|(name, _)| about_tls(name)) {
        match catalog::find(name).and_then(|p| p.default_in(version)) {
            None => faults.push(format!("{name}: not in the catalogue of {version}")),
            Some(ours) if ours != default => {
                faults.push(format!("{name}: {default:?} is {ours:?} in the catalogue"));
            }
            Some(_) => {}
        }
    }
    for parameter in catalog::all().iter().filter(|p| p.exists_in(version)) {
        if !defaults.contains_key(&parameter.name) && !SILENT.contains(&parameter.name.as_str()) {
            faults.push(format!("{}: unknown to Postfix {version}", parameter.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Known to Postfix, but printed only when set (legacy fallbacks of other parameters).
const SILENT: &[&str] = &["tlsproxy_client_policy", "tlsproxy_client_level"];

#[test]
fn names_are_unique_and_found() {
    let all = catalog::all();
    assert!(all.len() > 220, "{} parameters", all.len());
    assert!(all.windows(2).all(|pair| pair[0].name < pair[1].name));
    for parameter in all {
        assert_eq!(
            catalog::find(&parameter.name).map(|p| &p.name),
            Some(&parameter.name)
        );
        assert!(!parameter.defaults.is_empty(), "{}", parameter.name);
        let ends = parameter.ends;
        assert!(
            ends.windows(2)
                .all(|e| e[0].from < e[1].from && e[0].how < e[1].how)
        );
        assert_eq!(
            ends.is_empty(),
            parameter.replaced_by.is_none(),
            "{}",
            parameter.name
        );
        if let Some(replacement) = parameter.replaced_by.and_then(|r| r.parameter) {
            let better = catalog::find(replacement).expect(replacement);
            assert_eq!(better.state(NOW), State::Current, "{replacement}");
        }
    }
    assert!(catalog::find("smtpd_tls_security_Level").is_none());
    assert!(catalog::find("").is_none());
}

#[test]
fn defaults_pass_their_own_check() {
    for minor in 4..=11 {
        let version = PostfixVersion::new(3, minor, 0);
        for parameter in catalog::all() {
            if let Some(default) = parameter.default_in(version) {
                let checked = parameter.check(default, version);
                assert!(
                    checked.is_ok(),
                    "{} = {default}: {checked:?}",
                    parameter.name
                );
            }
        }
    }
}

#[test]
fn life_of_a_parameter() {
    let state = |name: &str, minor, patch| {
        catalog::find(name)
            .expect(name)
            .state(PostfixVersion::new(3, minor, patch))
    };
    assert_eq!(state("tls_ffdhe_auto_groups", 7, 11), State::NotYet);
    assert_eq!(state("tls_ffdhe_auto_groups", 8, 0), State::Current);
    assert_eq!(state("tls_config_file", 7, 5), State::NotYet);
    assert_eq!(state("tls_config_file", 7, 6), State::Current);
    assert_eq!(state("tls_config_file", 8, 0), State::NotYet);
    assert_eq!(
        state("smtp_tls_enforce_sts_mx_patterns", 10, 4),
        State::NotYet
    );
    assert_eq!(
        state("smtp_tls_enforce_sts_mx_patterns", 10, 5),
        State::Current
    );
    assert_eq!(
        state("smtpd_tls_dh512_param_file", 4, 0),
        State::Ended(Ending::Obsolete)
    );
    assert_eq!(
        state("smtpd_tls_dh512_param_file", 7, 0),
        State::Ended(Ending::Ignored)
    );
    assert_eq!(state("smtpd_use_tls", 7, 0), State::Ended(Ending::Obsolete));
    assert_eq!(state("smtpd_use_tls", 9, 0), State::Ended(Ending::Warned));
    assert_eq!(
        state("tls_legacy_public_key_fingerprints", 11, 0),
        State::Ended(Ending::Gone)
    );
    let protocols = catalog::find("smtpd_tls_protocols").expect("known");
    assert_eq!(
        protocols.default_in(PostfixVersion::new(3, 5, 9)),
        Some("!SSLv2, !SSLv3")
    );
    assert_eq!(protocols.default_in(NOW), Some(">=TLSv1"));
    let groups = catalog::find("tls_ffdhe_auto_groups").expect("known");
    assert_eq!(groups.default_in(NOW), None);
}

#[test]
fn what_names_a_file_or_table_stays_on_the_host() {
    for parameter in catalog::all()
        .iter()
        .filter(|p| p.remote == Remote::Allowed)
    {
        let name = &parameter.name;
        assert!(
            ![
                "file", "File", "path", "Path", "maps", "database", "source", "exchange"
            ]
            .iter()
            .any(|word| name.ends_with(word)),
            "{name} names something on the host"
        );
        assert_eq!(parameter.role, Role::Tls, "{name}");
    }
    let remote = |name: &str| catalog::find(name).expect(name).remote;
    assert_eq!(remote("smtpd_tls_security_level"), Remote::Allowed);
    assert_eq!(remote("smtp_tls_policy_maps"), Remote::LocalOnly);
    assert_eq!(remote("smtpd_use_tls"), Remote::LocalOnly);
}

#[test]
fn tlsmgr_reads_main_cf_only() {
    let place = |name: &str| catalog::find(name).expect(name).per_service;
    assert_eq!(
        place("smtpd_tls_session_cache_database"),
        PerService::MainOnly
    );
    assert_eq!(place("tls_random_source"), PerService::MainOnly);
    assert_eq!(place("smtpd_tls_security_level"), PerService::Yes);
}

#[test]
fn slips_are_recognised() {
    let nearest = |name: &str| catalog::nearest(name).map(|p| p.name.as_str());
    assert_eq!(
        nearest("smtpd_tls_securty_level"),
        Some("smtpd_tls_security_level")
    );
    assert_eq!(nearest("smtpd_tls_cafile"), Some("smtpd_tls_CAfile"));
    assert_eq!(nearest("smtp_tls_policy_map"), Some("smtp_tls_policy_maps"));
    assert_eq!(nearest("mua_client_restrictions"), None);
    assert_eq!(nearest(&"x".repeat(100_000)), None);
}

/// `parameter | value | the code, or good, or undecided`: as 3.7.11 reacted.
const VALUES: &str = include_str!("catalog/values.txt");

#[test]
fn values_are_judged_as_postfix_takes_them() {
    let mut rows = 0;
    for row in VALUES
        .lines()
        .filter(|row| !row.is_empty() && !row.starts_with('#'))
    {
        let fields: Vec<&str> = row.split(" | ").collect();
        let [name, value, wanted] = fields[..] else {
            panic!("three fields: {row}")
        };
        let (wanted, version) = match wanted.split_once(" in ") {
            Some((wanted, version)) => (wanted, version.parse().expect(row)),
            None => (wanted, NOW),
        };
        let value = value.trim().replace("\\n", "\n");
        let got = match catalog::find(name).expect(row).check(&value, version) {
            Ok(Checked::Good) => "good",
            Ok(Checked::Undecided) => "undecided",
            Err(ref reason) => {
                assert!(
                    reason.remedy.ends_with('.') && !reason.message.ends_with('.'),
                    "{reason:?}"
                );
                reason.code
            }
        };
        assert_eq!(got, wanted, "{row}");
        rows += 1;
    }
    assert!(rows > 70, "{rows} rows");
}
