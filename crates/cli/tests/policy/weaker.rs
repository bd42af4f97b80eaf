//! Rules before stricter rows of tables that stay an administrator's own: nothing is weakened unsaid.

use crate::place::{Place, builder};
use serde_json::Value;
use std::fs;

const CODE: &str = "policy.weakens";

/// Mail for svc.test goes to own.plain.test by a service whose own table demands `secure`.
fn place() -> Place {
    let place = Place::unadopted(builder().set("transport_maps", "hash:{base}/config/transport"));
    place.table("transport", "svc.test custom:own.plain.test\n");
    let table = place.table("tls_policy_custom", "# ours\nown.plain.test secure\n");
    let custom = format!("custom unix - - n - - smtp\n  -o smtp_tls_policy_maps={table}\n");
    place.add_to_master_cf(&custom);
    place
}

fn codes(answer: &Value) -> Vec<String> {
    let all = answer["findings"].as_array().unwrap().iter();
    let code = |one: &Value| {
        one["finding"]["code"]
            .as_str()
            .or(one["code"].as_str())
            .map(str::to_owned)
    };
    all.filter_map(code).collect()
}

/// The row and both levels are named.
fn names_the_row(answer: &Value) {
    let found = answer["findings"].as_array().unwrap().iter();
    let found = found.filter(|one| one["code"] == CODE).collect::<Vec<_>>();
    let [found] = found[..] else {
        panic!("{answer}")
    };
    let message = found["message"].as_str().unwrap();
    for word in [
        "tls_policy_custom:2",
        "`encrypt`",
        "`secure`",
        "custom/unix",
    ] {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert_eq!(found["evidence"][0]["line"], 2, "{found}");
}

#[test]
fn a_rule_that_a_service_would_ask_before_its_stricter_row_is_refused_and_told_where_it_is_forced()
{
    let place = place();
    place.must("init");
    names_the_row(
        &place
            .ends(65, "policy add own.plain.test encrypt --no-preflight")
            .json,
    );
    place.write("rules.csv", "own.plain.test,encrypt\n");
    let rules = place.config().join("rules.csv");
    let import = format!("policy import {}", rules.display());
    assert!(
        place
            .ends(65, &import)
            .stdout
            .contains("tls_policy_custom:2")
    );
    assert_eq!(place.listed("wanted"), [""; 0]);
    // One that is as strict, and one for another name.
    place.must("policy add own.plain.test secure --no-preflight");
    place.must("policy add other.plain.test encrypt --no-preflight");
    place.must("discard");

    let forced = "policy add own.plain.test encrypt --no-preflight --force --reason tested";
    names_the_row(&place.must(forced).json);
    let plan = place.must("plan").json;
    assert!(codes(&plan).contains(&CODE.to_owned()), "{plan}");
    place.must("apply --yes");
    let master = fs::read_to_string(place.config().join("master.cf")).unwrap();
    assert!(master.contains("postseal.d/policy-"), "{master}");
}

#[test]
fn a_rule_in_force_is_not_put_before_a_stricter_row_of_a_service_that_came_later() {
    let place = Place::new();
    place.must("policy add own.plain.test encrypt --no-preflight");
    place.must("apply --yes");
    let custom = "custom/unix=custom unix - - n - - smtp -o \
                  smtp_tls_policy_maps=inline:{{.plain.test=secure}}";
    crate::scene::run(
        "/usr/sbin/postconf",
        &["-c", &place.scene.config(), "-Me", custom],
    );
    place.must("drift --adopt");
    let before = fs::read(place.config().join("master.cf")).unwrap();
    for words in ["plan", "apply --yes"] {
        let refused = place.ends(65, words);
        assert_eq!(refused.code(), CODE, "{}", refused.stdout);
        assert!(refused.stdout.contains("custom/unix"), "{}", refused.stdout);
    }
    assert_eq!(fs::read(place.config().join("master.cf")).unwrap(), before);
    place.must("policy edit own.plain.test secure --no-preflight");
    place.must("apply --yes");
    assert_ne!(fs::read(place.config().join("master.cf")).unwrap(), before);
}

#[test]
fn a_row_of_a_service_is_judged_by_the_mail_that_this_service_sends() {
    let place = place();
    let idle = "policy.never-matches";
    let told = |words: &str| codes(&place.run(words).json);
    assert!(
        !told("lint").contains(&idle.to_owned()),
        "{:?}",
        told("lint")
    );
    assert!(!told("init").contains(&idle.to_owned()));
    place.must("policy add own.plain.test secure --no-preflight --force --reason x");
    place.must("apply --yes");
    for words in ["status", "verify", "lint"] {
        let answer = place.run(words).json.to_string();
        assert!(
            !answer.contains(idle) && !answer.contains("nothing"),
            "{words}: {answer}"
        );
    }
    // A row that no mail of this service meets does nothing.
    place.table(
        "tls_policy_custom",
        "own.plain.test secure\nother.plain.test secure\n",
    );
    let lint = place.run("lint").json;
    let found = lint["findings"].as_array().unwrap().iter();
    let found: Vec<&Value> = found.filter(|one| one["code"] == idle).collect();
    assert_eq!(found.len(), 1, "{lint}");
    assert!(
        found[0]["evidence"]
            .to_string()
            .contains("other.plain.test"),
        "{lint}"
    );
}
