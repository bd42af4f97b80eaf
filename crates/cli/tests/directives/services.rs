//! Submission and smtps: stock templates are uncommented in place, with the `-o` lines of the
//! guide, and the services are no open relay.

use crate::scene::{Scene, stock_master};
use postseal_probe::{Credentials, MailBeforeTls, Start, Target, probe, relay_test};
use postseal_testkit::postfix_box::PostfixBox;
use std::time::Duration;
use zeroize::Zeroizing;

const LOOK: Duration = Duration::from_secs(10);
const USER: &str = "alice";
const PASSWORD: &str = "in the jail";

/// What the guide gives each service, as `postconf -P` shows it, but for the log's name.
const SUBMISSION: [[&str; 2]; 7] = [
    ["smtpd_tls_security_level", "encrypt"],
    ["smtpd_sasl_auth_enable", "yes"],
    ["smtpd_tls_auth_only", "yes"],
    ["smtpd_reject_unlisted_recipient", "no"],
    ["smtpd_recipient_restrictions", ""],
    [
        "smtpd_relay_restrictions",
        "permit_sasl_authenticated,reject",
    ],
    ["milter_macro_daemon_name", "ORIGINATING"],
];
const SMTPS: [[&str; 2]; 6] = [
    ["smtpd_tls_wrappermode", "yes"],
    ["smtpd_sasl_auth_enable", "yes"],
    ["smtpd_reject_unlisted_recipient", "no"],
    ["smtpd_recipient_restrictions", ""],
    [
        "smtpd_relay_restrictions",
        "permit_sasl_authenticated,reject",
    ],
    ["milter_macro_daemon_name", "ORIGINATING"],
];

/// The commented-out services as older stock files have them: `smtps`, restrictions by `$mua_…`
/// parameters that nothing defines.
const OLDER: &str = "\
#submission inet n       -       y       -       -       smtpd
#  -o syslog_name=postfix/submission
#  -o smtpd_tls_security_level=encrypt
#  -o smtpd_sasl_auth_enable=yes
#  -o smtpd_tls_auth_only=yes
#  -o smtpd_reject_unlisted_recipient=no
#  -o smtpd_client_restrictions=$mua_client_restrictions
#  -o smtpd_helo_restrictions=$mua_helo_restrictions
#  -o smtpd_sender_restrictions=$mua_sender_restrictions
#  -o smtpd_recipient_restrictions=
#  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
#  -o milter_macro_daemon_name=ORIGINATING
#smtps     inet  n       -       y       -       -       smtpd
#  -o syslog_name=postfix/smtps
#  -o smtpd_tls_wrappermode=yes
#  -o smtpd_sasl_auth_enable=yes
#  -o smtpd_reject_unlisted_recipient=no
#  -o smtpd_client_restrictions=$mua_client_restrictions
#  -o smtpd_helo_restrictions=$mua_helo_restrictions
#  -o smtpd_sender_restrictions=$mua_sender_restrictions
#  -o smtpd_recipient_restrictions=
#  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
#  -o milter_macro_daemon_name=ORIGINATING
";

/// The same lines as they must stand afterwards: the `#` is gone, nothing else.
fn older_uncommented() -> String {
    let lines = OLDER.split_inclusive('\n').map(|line| {
        if line.contains("$mua_") {
            line
        } else {
            line.trim_start_matches('#')
        }
    });
    lines.collect()
}

/// The stock master.cf with the older templates in place of its own.
fn older_master() -> String {
    let stock = stock_master();
    let template = |line: &str| line.starts_with("#submission") || line.starts_with("#127.0.0.1");
    let mut lines: Vec<&str> = stock.split_inclusive('\n').collect();
    let first = lines.iter().position(|line| template(line)).unwrap();
    let last = lines
        .iter()
        .position(|line| line.starts_with("#628"))
        .unwrap();
    lines.splice(first..last, [OLDER]);
    lines.concat()
}

fn scene(master: String) -> Scene {
    Scene::adopted(
        PostfixBox::builder()
            .sasl_user(USER, PASSWORD)
            .set("default_transport", "discard")
            .master_cf(master),
    )
}

fn switch_on(scene: &Scene) {
    scene.must(&["cert", "bind", "mx"]);
    scene.must(&[
        "set",
        "inbound=may",
        "auth-only=yes",
        "submission=on",
        "smtps=on",
    ]);
    scene.must(&["apply"]);
}

fn master(scene: &Scene) -> String {
    String::from_utf8(scene.files().master).unwrap()
}

fn has_options(scene: &Scene, service: &str, options: &[[&str; 2]]) {
    for [name, value] in options {
        let seen = scene.option(service, name);
        let same = match *name {
            // The stock file's own words for the same: who has not logged in is rejected.
            "smtpd_recipient_restrictions" => seen
                .as_deref()
                .is_some_and(|seen| seen.is_empty() || seen == "permit_sasl_authenticated,reject"),
            _ => seen.as_deref() == Some(*value),
        };
        assert!(same, "{service} has {name} = {seen:?}");
    }
}

/// What can be seen of both services from outside.
fn serves_nobody_but_users(scene: &Scene) {
    for (port, tls) in [(587, Start::StartTls), (465, Start::Implicit)] {
        let mut target = Target::new("clients", scene.postfix.at(port), tls);
        target.mail_before_tls = MailBeforeTls::Ask;
        let answer = relay_test(&target, "stranger@elsewhere.test", "any@example.com", LOOK);
        let answer = answer.unwrap_or_else(|error| panic!("{port}: {error}"));
        assert!(
            answer.starts_with("554"),
            "{port}: a stranger's RCPT: {answer}"
        );
        let own = relay_test(&target, "stranger@elsewhere.test", "inbox@box.test", LOOK).unwrap();
        assert!(
            own.starts_with("554"),
            "{port}: a stranger's RCPT to us: {own}"
        );
        target.credentials = Some(Credentials {
            user: format!("{USER}@mx.box.test"),
            password: Zeroizing::new(PASSWORD.to_owned()),
        });
        let report = probe(&target, LOOK);
        let auth = report.auth.unwrap_or_default();
        assert!(auth.starts_with("235"), "{port}: {auth}");
        let relay = relay_test(&target, "alice@box.test", "any@example.com", LOOK).unwrap();
        assert!(relay.starts_with("250"), "{port}: a user's RCPT: {relay}");
        if port == 587 {
            let refused = report.mail_before_tls.unwrap_or_default();
            assert!(refused.starts_with("530"), "{refused}");
            let clear = &report.ehlo_before;
            assert!(
                !clear.iter().any(|word| word.starts_with("AUTH")),
                "{clear:?}"
            );
        }
    }
}

/// Line by line: as it was, or without its `#`, or with the guide's value, or the guide's own.
fn only_templates_changed(stock: &str, now: &str) {
    let guide = [SUBMISSION.as_slice(), &SMTPS].concat();
    let guide: Vec<String> = guide
        .iter()
        .map(|[name, value]| format!("-o {name}={value}"))
        .collect();
    let option = |line: &str| {
        line.trim_start_matches(['#', ' '])
            .split('=')
            .next()
            .map(str::to_owned)
    };
    let mut old = stock.lines().peekable();
    for line in now.lines() {
        let same = |was: &&str| *was == line || was.strip_prefix('#') == Some(line);
        if old.next_if(same).is_none() {
            assert!(
                guide.iter().any(|known| known == line.trim()),
                "nobody wrote {line:?}"
            );
            old.next_if(|was| was.starts_with("#  -o ") && option(was) == option(line));
        }
    }
    assert_eq!(old.next(), None, "a line is gone");
}

#[test]
fn the_stock_templates_are_uncommented_in_place() {
    let stock = stock_master();
    let scene = scene(stock.clone());
    switch_on(&scene);
    only_templates_changed(&stock, &master(&scene));
    has_options(&scene, "submission/inet", &SUBMISSION);
    has_options(&scene, "submissions/inet", &SMTPS);
    serves_nobody_but_users(&scene);
    scene.must(&["rollback"]);
    assert_eq!(master(&scene), stock);
}

#[test]
fn the_older_templates_are_uncommented_in_place() {
    let before = older_master();
    let scene = scene(before.clone());
    switch_on(&scene);
    assert_eq!(master(&scene), before.replace(OLDER, &older_uncommented()));
    has_options(&scene, "submission/inet", &SUBMISSION);
    has_options(&scene, "smtps/inet", &SMTPS);
    serves_nobody_but_users(&scene);
    scene.must(&["rollback"]);
    assert_eq!(master(&scene), before);
}
