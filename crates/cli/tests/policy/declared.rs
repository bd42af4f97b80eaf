//! The declarative file: the whole intent as one document, and back.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder};
use std::fs;

const ROUTES: &str = "inline:{ relayed.example=smtp:[relay.example]:587 }";

fn place() -> Place {
    let postfix = builder().set("transport_maps", ROUTES);
    Place::of(postfix.set("smtp_dns_support_level", "dnssec"))
}

/// What `export` prints.
fn exported(place: &Place) -> String {
    place.scene.say(&["export"]).stdout
}

/// Rules of many kinds, an entry, settings, a certificate.
fn filled(place: &Place) {
    place.must("cert self-signed mx --domain mx.place.example");
    place.must("cert bind mx --allow-self-signed");
    place.must("cert bind mx --service 587 --allow-self-signed");
    place.must("set inbound=may loglevel.inbound=1 param.smtp_tls_note_starttls_offer=yes");
    place.must("set profile=recommended profile.outbound=strict");
    for words in [
        "bücher.example secure --match .bücher.example --note two%20words --tag b --tag a",
        "b.example encrypt --scope both --owner alice --until 2031-01-31",
        "[mx.example]:2525 encrypt --protocols >=TLSv1.2",
    ] {
        place.must(&format!("policy add {words} --no-preflight"));
    }
    let forced =
        "policy add relayed.example encrypt --no-preflight --force --reason it%20\"moves\"";
    place.must(forced);
    place.must("domain add x.example --next-hop [out.example]:587 --requires-auth --note n");
}

#[test]
fn what_is_exported_makes_the_same_of_a_fresh_store() {
    let place = self::place();
    filled(&place);
    let text = exported(&place);
    for word in [
        "schema = 1\n",
        "inbound = \"may\"\n",
        "loglevel.inbound = \"1\"\n",
        "profile = \"recommended\"\n",
        "\"profile.outbound\" = \"strict\"\n",
        "param.smtp_tls_note_starttls_offer = \"yes\"\n",
        "name = \"mx\"\nservice = 587\n",
        "domain = \"x.example\"\nnext-hop = \"[out.example]:587\"\n",
        "tags = [\"a\", \"b\"]\n",
        "until = \"2031-01-31\"\n",
        "# bücher.example\n",
    ] {
        assert!(text.contains(word), "{word:?} in\n{text}");
    }
    assert!(!text.contains("PRIVATE"), "{text}");
    let other = self::place();
    other.must("cert self-signed mx --domain mx.place.example");
    let file = other.write("intent.toml", &text);
    let file = file.display();
    // To be put in force, and nothing is stored.
    let checked = other.ends(2, &format!("apply -f {file} --check")).json;
    assert_eq!(checked["pending"], true, "{checked}");
    assert_eq!(other.must("apply --check").json["pending"], false);
    assert!(other.listed("wanted").is_empty());
    let applied = other.run(&format!("apply -f {file} --yes --no-such"));
    assert_eq!(applied.exit, Some(64));
    apply(&other, &format!("apply -f {file}"));
    assert_eq!(exported(&other), text);
    assert_eq!(other.scene.say(&["export", "--in-force"]).stdout, text);
    // Again: nothing to do, and no operation more.
    let before = other.must("history").json;
    let again = other.must(&format!("apply -f {file}")).json;
    assert_eq!(again["changed"], false, "{again}");
    assert_eq!(other.must("history").json, before);
    other.must(&format!("apply -f {file} --check"));
}

/// Applies; where Postfix does not run nothing can be proved.
fn apply(place: &Place, words: &str) {
    let ran = place.run(words);
    assert!(
        matches!(ran.exit, Some(0 | 3)),
        "{words}: {}{}",
        ran.stdout,
        ran.stderr
    );
    assert_eq!(ran.json["changed"], true, "{}", ran.stdout);
}

#[test]
fn what_a_section_leaves_out_is_taken_back_and_what_has_no_section_stays() {
    let place = self::place();
    filled(&place);
    apply(&place, "apply");
    let file = place.write(
        "some.toml",
        "schema = 1\n[[rules]]\ndestination = \"b.example\"\npolicy = \"encrypt\"\n",
    );
    apply(&place, &format!("apply -f {}", file.display()));
    let text = exported(&place);
    let rules: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("destination"))
        .collect();
    assert_eq!(rules, ["destination = \"b.example\""]);
    assert!(!text.contains("alice"), "{text}");
    assert!(text.contains("inbound = \"may\""), "{text}");
    assert!(text.contains("name = \"mx\""), "{text}");
    assert!(text.contains("domain = \"x.example\""), "{text}");
    let empty = place.write(
        "empty.toml",
        "schema = 1\nrules = []\ndomains = []\ncertificates = []\n[settings]\n",
    );
    apply(&place, &format!("apply -f {}", empty.display()));
    let text = exported(&place);
    for gone in ["mx", "x.example", "b.example", "inbound"] {
        assert!(!text.contains(&format!("\"{gone}\"")), "{gone} in\n{text}");
    }
    // One step back is the file before.
    place.run("rollback --yes");
    assert!(exported(&place).contains("domain = \"x.example\""));
}

#[test]
fn of_a_file_with_bad_lines_nothing_is_stored_and_each_is_told() {
    let place = self::place();
    place.must("policy add kept.example encrypt --no-preflight");
    let before = exported(&place);
    for (text, codes) in [
        (
            "schema = 1\n[settings]\ninbound = \"may\"\nno-such = \"x\"\n",
            vec![("setting.unknown-key", 4)],
        ),
        (
            "schema = 1\n[settings]\ninbound = \"mai\"\n",
            vec![("setting.bad-value", 3)],
        ),
        (
            "schema = 1\n[settings]\ninbound = \"may\"\nmode = \"may\"\n",
            vec![("document.twice", 4)],
        ),
        (
            "schema = 1\n[[certificates]]\nname = \"none\"\n",
            vec![("document.no-certificate", 2)],
        ),
        (
            "schema = 1\nrules = []\n[[domains]]\ndomain = \"a.example\"\nnext-hop = \"[a]:465\"\n",
            vec![("domain.needs-smtps", 3)],
        ),
        (
            "schema = 1\nwhat = 1\nelse = 2\n",
            vec![("document.bad-file", 3), ("document.bad-file", 2)],
        ),
        (
            "schema = 1\n[settings]\ninbound = \"may\"\n[[rules]]\ndestination = \"a.example\"\n\
             policy = \"encrypt\"\n[[rules]]\ndestination = \"b..example\"\npolicy = \"may\"\n\
             [[rules]]\ndestination = \"relayed.example\"\npolicy = \"encrypt\"\n",
            vec![("policy.bad-destination", 7), ("policy.never-matches", 10)],
        ),
    ] {
        let file = place.write("bad.toml", text);
        for words in ["apply -f", "apply --check -f"] {
            let ran = place.ends(65, &format!("{words} {}", file.display()));
            let findings = ran.json["findings"].as_array().unwrap().iter();
            let told: Vec<(String, u64)> = findings
                .map(|one| {
                    assert!(!one.to_string().contains("--partial"), "{one}");
                    let at = &one["evidence"].as_array().unwrap().iter();
                    let at = at.clone().find(|at| at["line"].is_u64()).unwrap();
                    assert_eq!(at["file"], file.display().to_string(), "{one}");
                    let code = one["code"].as_str().unwrap().to_owned();
                    (code, at["line"].as_u64().unwrap())
                })
                .collect();
            for (code, line) in &codes {
                let wanted = (code.to_string(), *line);
                assert!(told.contains(&wanted), "{text}: {wanted:?} in {told:?}");
            }
            assert_eq!(exported(&place), before, "{text}");
        }
    }
}

#[test]
fn a_pending_wish_that_the_file_does_not_say_is_dropped_and_others_stay() {
    let place = self::place();
    place.must("policy add gone.example encrypt --no-preflight");
    place.must("set outbound=may");
    let file = place.write("none.toml", "schema = 1\nrules = []\n");
    let checked = place.run(&format!("apply --check -f {}", file.display()));
    assert!(
        exported(&place).contains("gone.example"),
        "{}",
        checked.stdout
    );
    apply(&place, &format!("apply -f {}", file.display()));
    assert!(!exported(&place).contains("gone.example"));
    assert!(exported(&place).contains("outbound = \"may\""));
}

#[test]
fn export_writes_a_file_and_policy_takes_its_rules() {
    let place = self::place();
    filled(&place);
    let folder = place.write("old.toml", "what was there");
    let path = folder.display();
    let ran = place.must(&format!("export {path}")).json;
    assert_eq!(ran["file"], path.to_string());
    let text = fs::read_to_string(&folder).unwrap();
    assert_eq!(text, exported(&place));
    let same = place.must(&format!("policy import {path}")).json;
    assert_eq!(
        (&same["same"], &same["changed"]),
        (&4.into(), &false.into())
    );
    let none = place.write("none.toml", "schema = 1\nrules = []\n");
    let none = place
        .must(&format!("policy import {}", none.display()))
        .json;
    assert_eq!(none["changed"], false, "{none}");
    let json = place.must("export").json;
    assert_eq!(json["schema"], 1, "{json}");
    assert_eq!(json["rules"].as_array().unwrap().len(), 4, "{json}");
    assert_eq!(json["settings"]["inbound"], "may", "{json}");
    let nowhere = place.ends(1, "export /no-such-folder/x.toml").json;
    assert_eq!(nowhere["error"]["code"], "file.not-written", "{nowhere}");
}

#[test]
fn a_rule_may_need_what_the_same_file_sets() {
    let postfix = builder().set("tls_append_default_CA", "no");
    let place = Place::of(postfix.set("transport_maps", ROUTES));
    let rules = "[[rules]]\ndestination = \"s.example\"\npolicy = \"secure\"\n";
    let bare = place.write("bare.toml", &format!("schema = 1\n{rules}"));
    let refused = place.ends(65, &format!("apply -f {} --check", bare.display()));
    assert!(
        refused.stdout.contains("policy.nobody-trusted"),
        "{}",
        refused.stdout
    );
    let anchors = place.write(
        "ca.pem",
        &fs::read_to_string(place.scene.named("rsa.pem")).unwrap(),
    );
    let anchors = anchors.display();
    let both = format!("schema = 1\n[settings]\ntrust.outbound = \"{anchors}\"\n{rules}");
    let both = place.write("both.toml", &both);
    place.ends(2, &format!("apply -f {} --check", both.display()));
    assert!(place.listed("wanted").is_empty());
}

#[test]
fn credentials_have_their_rules_where_the_file_says_so() {
    let postfix = builder()
        .set("smtp_sasl_auth_enable", "yes")
        .set("relayhost", "[relay.example]:587")
        .set("smtp_sasl_password_maps", "hash:{base}/config/passwords");
    let place = Place::unadopted(postfix);
    place.table("passwords", "[relay.example]:587 u:secret-word\n");
    place.must("init");
    let with = |word: &str| {
        let text = format!("schema = 1\n[credentials]\nrules = {word}\n");
        format!(
            "apply -f {}",
            place.write("credentials.toml", &text).display()
        )
    };
    apply(&place, &with("true"));
    assert_eq!(place.listed("in_force"), ["[relay.example]:587 encrypt"]);
    let text = exported(&place);
    assert!(text.contains("[credentials]\nrules = true\n"), "{text}");
    assert!(text.contains("\nrules = []\n"), "{text}");
    assert!(!text.contains("secret-word"), "{text}");
    place.must(&with("true"));
    assert!(!place.run(&with("false")).stdout.contains("secret-word"));
    assert!(exported(&place).contains("[credentials]\nrules = false\n"));
}

#[test]
fn what_servers_bar_leaves_the_wishes_as_they_were() {
    let place = self::place();
    place.must("set loglevel.outbound=1");
    let before = exported(&place);
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = format!("[{}]:{}", clear.address().ip(), clear.address().port());
    let rule = format!("schema = 1\n[[rules]]\ndestination = \"{hop}\"\npolicy = \"encrypt\"\n");
    let file = place.write("barred.toml", &rule);
    let refused = place.ends(65, &format!("apply -f {}", file.display()));
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    assert_eq!(exported(&place), before);
    // Who says why is heard.
    place.write(
        "barred.toml",
        &(rule + "reason = \"STARTTLS comes tomorrow\"\n"),
    );
    apply(&place, &format!("apply -f {}", file.display()));
    assert_eq!(place.looked_up(&hop).as_deref(), Some("encrypt"));
}

#[test]
fn the_reason_of_an_entry_that_its_server_bars_goes_with_it() {
    let place = self::place();
    let chains = Chains::new();
    let clear = chains.sink(Peer::Cleartext);
    let hop = format!("[{}]:{}", clear.address().ip(), clear.address().port());
    let entry = format!("schema = 1\n[[domains]]\ndomain = \"x.example\"\nnext-hop = \"{hop}\"\n");
    let file = place.write("entry.toml", &entry);
    let refused = place.ends(65, &format!("apply -f {}", file.display()));
    assert_eq!(refused.code(), "policy.no-starttls", "{}", refused.stdout);
    let reason = "reason = \"STARTTLS comes tomorrow\"\n";
    place.write("entry.toml", &(entry + reason));
    apply(&place, &format!("apply -f {}", file.display()));
    let text = exported(&place);
    assert!(text.contains(reason), "{text}");
    let other = self::place();
    let file = other.write("entry.toml", &text);
    apply(&other, &format!("apply -f {}", file.display()));
    assert_eq!(exported(&other), text);
}
