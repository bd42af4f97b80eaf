//! A domain: its exchangers, DNSSEC, TLSA records, and its MTA-STS policy.

use crate::world::{World, codes, level, stages};
use postseal_testkit::https_script::HttpAnswer;
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

const GOOD: &str = "version: STSv1\r\nmode: testing\r\nmx: mx.signed.test\r\nmax_age: 86400\r\n";
const RECORD: &str = "@ MX 10 mx\n_mta-sts TXT \"v=STSv1; id=20261122;\"\n";

fn policy(text: &str) -> HttpAnswer {
    HttpAnswer::new("200 OK", text).header("Content-Type: text/plain")
}

fn outcome(judged: &Value) -> &str {
    judged["judged"]["outcome"].as_str().unwrap_or("-")
}

#[test]
fn a_domain_with_dane_can_be_held_to_it() {
    let world = World::server().named("@ MX 10 mx\n_25._tcp.mx TLSA {tlsa}\n");
    let seen = world.ends(0, &["signed.test"]);
    assert_eq!(seen["dns"]["outcome"], "pass");
    let host = &seen["hosts"][0];
    assert_eq!(
        (&host["name"], &host["preference"]),
        (&"mx.signed.test".into(), &10.into())
    );
    assert!(
        host["tlsa"][0].as_str().unwrap().starts_with("3 1 1 "),
        "{host:#}"
    );
    let address = &host["addresses"][0];
    assert_eq!(address["dane"]["outcome"], "pass", "{address:#}");
    assert_eq!(address["sni"], "mx.signed.test");
    assert_eq!(level(&seen, "dane")["delivery"], "verified");
    assert_eq!(seen["strongest"]["policy"], "dane-only");
    // A mail address means its domain, a host its addresses.
    let same = world.ends(0, &["ingrid@signed.test"]);
    assert_eq!(same["hosts"][0]["name"], "mx.signed.test");
    let host = world.ends(0, &["mx.signed.test:25"]);
    assert_eq!(host["hosts"][0]["preference"], Value::Null);
    assert_eq!(host["hosts"][0]["addresses"][0]["dane"]["outcome"], "pass");
    // Its CA is this Postfix's: there `verify` works, by the system's CAs it does not.
    assert_eq!(level(&host, "verify")["outcome"], "fail");
    assert_eq!(
        level(&host, "verify")["here"]["outcome"],
        "pass",
        "{host:#}"
    );
}

#[test]
fn records_that_do_not_match_are_an_error_and_unsigned_ones_are_none() {
    let wrong = "ab".repeat(32);
    let lines = format!("@ MX 10 mx\n_25._tcp.mx TLSA 3 1 1 {wrong}\n");
    let world = World::server().named(&lines);
    let seen = world.ends(2, &["signed.test"]);
    assert_eq!(seen["hosts"][0]["addresses"][0]["dane"]["outcome"], "fail");
    assert_eq!(codes(&seen), ["policy.tlsa-mismatch"]);
    assert_eq!(level(&seen, "dane")["outcome"], "fail");
    assert_eq!(seen["strongest"]["policy"], "encrypt");
    let seen = world.ends(0, &["plain.test"]);
    assert_eq!(
        seen["hosts"][0]["addresses"][0]["dane"]["outcome"],
        Value::Null
    );
    assert!(seen["hosts"][0]["tlsa"].as_array().unwrap().is_empty());
}

#[test]
fn every_exchanger_is_seen_in_order_and_the_dead_one_is_told() {
    let lines = "@ MX 20 dead\n@ MX 10 mx\ndead A 127.83.0.9\ndead A 127.83.0.10\n";
    let world = World::server().named(lines);
    // What the dead one would do could not be told.
    let seen = world.ends(3, &["signed.test"]);
    let names: Vec<&str> = seen["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["mx.signed.test", "dead.signed.test"]);
    assert_eq!(stages(&seen).len(), 6);
    let dead = &seen["hosts"][1]["addresses"][0]["report"]["stages"];
    assert_eq!(dead[0]["outcome"]["outcome"], "closed");
    assert_eq!(codes(&seen), ["policy.preflight-undetermined"]);
    // One after the other, however they answer.
    let text = world.text(&["signed.test"]).stdout;
    let at = |words: &str| {
        text.find(words)
            .unwrap_or_else(|| panic!("{words}: {text}"))
    };
    let row = text.lines().find(|line| line.contains("\tpolicy."));
    let words = row.unwrap().rsplit('\t').next().unwrap();
    assert_eq!(words.matches("; dead.signed.test").count(), 1, "{words}");
    assert!(at("\tmx.signed.test\t") < at("\tdead.signed.test\t"));
    assert!(at("\tdns\t") < at("\ttcp\t") && at("\tdane\t") < at("\tmta-sts\t"));
}

#[test]
fn a_domain_that_takes_no_mail_or_does_not_exist_has_no_server() {
    let world = World::server().named("null MX 0 .\nempty TXT \"nothing\"\n");
    for domain in ["null.signed.test", "empty.signed.test", "no.signed.test"] {
        let seen = world.ends(69, &[domain]);
        assert_eq!(seen["reached"], "unreachable", "{seen:#}");
        assert_eq!(seen["dns"]["outcome"], "fail", "{seen:#}");
    }
    // Nobody is asked: nothing is known.
    let ran = crate::world::bare(&["signed.test", "--resolver", "none", "--json"]);
    assert_eq!(ran.exit, Some(3), "{ran:#?}");
}

#[test]
fn the_policy_of_mta_sts_is_fetched_and_held_against_the_servers() {
    let world = World::server().named(RECORD).policy(policy(GOOD));
    let both = world.scene.named("both.pem");
    fs::write(&both, world.all_cas()).unwrap();
    let by_ca =
        |exit: i32| world.ends(exit, &["signed.test", "--cafile", &both])["mta_sts"].clone();
    let seen = by_ca(0);
    assert_eq!(
        (outcome(&seen), &seen["mode"]),
        ("pass", &"testing".into()),
        "{seen:#}"
    );
    assert_eq!(
        (&seen["id"], &seen["max_age"]),
        (&"20261122".into(), &86_400.into())
    );
    assert!(seen["micros"].as_u64().unwrap() > 0, "{seen:#}");
    let text = world.text(&["signed.test"]).stdout;
    let row = text.lines().find(|line| line.contains("\tmta-sts\t"));
    let cells: Vec<&str> = row.unwrap().split('\t').collect();
    assert!(cells[5].parse::<u64>().is_ok(), "{cells:?}");
    // Those that are given count for the policy's server, too, and no others.
    let seen = world.ends(0, &["signed.test", "--cafile", &world.ca()]);
    assert_eq!(codes(&seen), ["mta-sts.no-policy"]);
    // By the system's CAs its certificate does not do.
    let seen = world.ends(0, &["signed.test"]);
    assert_eq!(codes(&seen), ["mta-sts.certificate"]);
    // Who enforces that keeps mail away.
    let enforced = GOOD.replace("testing", "enforce");
    world.say(policy(&enforced));
    assert_eq!(
        codes(&world.ends(2, &["signed.test"])),
        ["mta-sts.certificate"]
    );
    world.say(policy(&enforced.replace("mx.signed", "*.other")));
    let seen = by_ca(2);
    assert_eq!(outcome(&seen), "fail");
    assert!(
        seen["judged"]["words"]
            .as_str()
            .unwrap()
            .contains("does not name it"),
        "{seen:#}"
    );
    world.say(policy("version: STSv1\nmode: none\nmax_age: 1\n"));
    assert_eq!(outcome(&by_ca(0)), "-");
}

#[test]
fn a_policy_that_cannot_be_had_is_told_with_its_cause() {
    let world = World::server().named(RECORD).policy(policy(GOOD));
    let redirect = HttpAnswer::new("302 Found", "").header("Location: https://elsewhere.test/");
    let large = format!("{GOOD}{}", "x: y\r\n".repeat(12_000));
    let bad = [
        (HttpAnswer::new("404 Not Found", ""), "HTTP status 404"),
        (redirect, "redirects are not followed"),
        (policy("<html></html>"), "line 1 is no field"),
        (policy(""), "version: STSv1"),
        (policy(&large), "limit"),
    ];
    for (answer, words) in bad {
        world.say(answer);
        let seen = world.ends(0, &["signed.test"]);
        assert_eq!(codes(&seen), ["mta-sts.no-policy"], "{words}");
        let remedy = seen["findings"][0]["remedy"].as_str().unwrap();
        assert!(remedy.contains("https://mta-sts.signed.test/"), "{remedy}");
        let said = seen["mta_sts"]["judged"]["words"].as_str().unwrap();
        assert!(said.contains(words), "{said:?} lacks {words:?}");
    }
    // Nobody vouches for the web server.
    let mut command = world.command(&["signed.test", "--json"]);
    let output = command.env_remove("SSL_CERT_FILE").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("TLS: invalid peer certificate"), "{said}");
    // Two records are none, and a domain without one has no policy.
    let two = World::server().named(&format!("{RECORD}_mta-sts TXT \"v=STSv1; id=2;\"\n"));
    assert_eq!(codes(&two.ends(0, &["signed.test"])), ["mta-sts.no-policy"]);
    let none = World::server().named("@ MX 10 mx\n");
    let seen = none.ends(0, &["signed.test"]);
    assert!(codes(&seen).is_empty(), "{seen:#}");
    assert_eq!(outcome(&seen["mta_sts"]), "-");
}

/// On a terminal: a line for each stage under the server's name, then what it all comes to.
#[test]
fn people_see_each_stage_below_its_server() {
    let world = World::server()
        .named(&format!("{RECORD}_25._tcp.mx TLSA {{tlsa}}\n"))
        .policy(policy(GOOD));
    let command = world.command(&["signed.test"]);
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    let line = std::iter::once(crate::world::PROGRAM.to_owned()).chain(words);
    let mut terminal = Command::new("script");
    terminal
        .args(["--quiet", "--return", "--command"])
        .arg(line.collect::<Vec<_>>().join(" "))
        .arg("/dev/null");
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    let output = terminal
        .env_clear()
        .envs(environment)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout)
        .unwrap()
        .replace("\r\n", "\n");
    assert_eq!(output.status.code(), Some(0), "{text}");
    let stages: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split("  ").next())
        .filter(|stage| !stage.is_empty())
        .collect();
    let wanted = [
        "dns",
        "tcp",
        "banner",
        "ehlo",
        "starttls",
        "handshake",
        "ehlo again",
        "certificate",
        "dane",
        "mta-sts",
        "may",
        "encrypt",
        "dane",
        "verify",
        "secure",
    ];
    assert_eq!(stages, wanted, "{text}");
    assert!(text.contains("\nmx.signed.test 127."), "{text}");
    assert!(
        text.contains("strongest policy that works: dane-only"),
        "{text}"
    );
}
