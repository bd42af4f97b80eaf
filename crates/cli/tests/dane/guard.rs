//! The guard: no plan after which senders with DANE would keep their mail.

use crate::scene::Ran;
use crate::site::all;
use crate::world::{World, dane, one};
use postseal_issue::KeyType;

#[test]
fn a_certificate_that_no_published_record_matches_is_refused_until_its_record_is_there() {
    let world = World::signed().serving();
    let old = world.lines("mx", &["key"]);
    world.publish(&old);
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);

    world.import("other", KeyType::Rsa2048);
    let new = world.lines("other", &["key"]);
    let refused = world.refused("cert bind other");
    told(&refused, &old, &new);
    assert_eq!(
        world.must("plan").json["changed"],
        false,
        "nothing is stored"
    );

    // Published, bound, and taken out again before the apply: the plan asks anew.
    world.publish(&format!("{old}{new}"));
    world.must("cert bind other");
    world.publish(&old);
    for words in ["plan", "apply"] {
        told(&world.refused(words), &old, &new);
    }
    assert_eq!(
        world.site.plainly(),
        all("mx"),
        "the old one is still presented"
    );

    world.publish(&format!("{old}{new}"));
    let applied = world.must("apply");
    assert_eq!(dane(&applied), [[""; 2]; 0]);
    assert_eq!(world.site.plainly(), all("other"));
    world.publish(&new);
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
    assert_eq!(dane(&world.must("cert check")), [[""; 2]; 0]);
}

/// Refused with the record that is published, the one to publish, and the steps.
fn told(refused: &Ran, old: &str, new: &str) {
    assert_eq!(refused.code(), "dane.would-break");
    let finding = &refused.json["findings"][0];
    let text = finding.to_string();
    for line in old.lines().take(1).chain(new.lines().take(1)) {
        assert!(text.contains(line), "{line} is evidence or remedy: {text}");
    }
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("Publish") && remedy.contains("Only then"),
        "{remedy}"
    );
}

#[test]
fn records_that_match_nothing_are_told_and_do_not_keep_one_from_putting_it_right() {
    let world = World::signed().serving();
    let wrong = format!("_25._tcp.mx TLSA 3 1 1 {}\n", "ab".repeat(32));
    world.publish(&wrong);
    world.tells_of_a_mismatch();
    let status = world.must("status").json;
    assert_eq!(status["tlsa_mismatches"][0]["code"], "dane.mismatch");
    assert!(world.say("status").contains("[dane.mismatch]"));
    let resolver = world.dns.address().to_string();
    let nagios = ["status", "--nagios", "--resolver", &resolver];
    let nagios = world.site.scene.say(&nagios);
    assert_eq!(nagios.exit, Some(2), "{}", nagios.stdout);
    assert!(
        nagios.stdout.contains("TLSA records of mx.signed.test"),
        "{}",
        nagios.stdout
    );
    // Who asks nobody, or nobody who answers, is told nothing of it.
    for nobody in ["none", "127.0.0.1:1"] {
        let nagios = ["status", "--nagios", "--resolver", nobody];
        assert_eq!(world.site.scene.say(&nagios).exit, Some(0));
    }
    world.import("other", KeyType::EcdsaP256);
    world.must("cert bind other");
    assert_eq!(dane(&world.must("apply")), one("dane.mismatch", "warning"));
    assert_eq!(world.site.plainly(), all("other"));
    // Taking a certificate that matches is no matter at all.
    world.publish(&world.lines("other", &["key"]));
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
}

#[test]
fn every_kind_of_key_needs_its_record() {
    let world = World::signed().serving();
    world.publish(&world.lines("mx", &["key"]));
    world.import("ec", KeyType::EcdsaP256);
    assert_eq!(world.refused("cert bind ec").code(), "dane.would-break");
    let [mx, ec] = ["mx", "ec"].map(|name| world.lines(name, &["key"]));
    world.publish(&format!("{mx}{ec}"));
    world.must("cert bind ec");
    let said = world.must("cert tlsa mx");
    assert_eq!(said.json["beside"], serde_json::json!(["ec"]));
    assert_eq!(dane(&world.must("apply")), [[""; 2]; 0]);
    // One of the two is enough of a reason not to take the other's record out.
    let one_kind = world.lines("mx", &["key"]);
    let rsa: String = one_kind
        .lines()
        .take(1)
        .map(|line| format!("{line}\n"))
        .collect();
    world.publish(&rsa);
    assert_eq!(
        dane(&world.ends(1, "verify")),
        one("dane.mismatch", "error")
    );
}

/// Records of one of two kinds of keys: the clients of that kind are not to lose their match, and
/// those of the other have none to lose.
#[test]
fn the_kind_that_has_its_record_keeps_it_where_the_other_has_none() {
    let world = World::signed().serving();
    let rsa = world.lines("mx", &["key"]);
    world.import("ec", KeyType::EcdsaP256);
    world.must("cert bind ec");
    world.must("apply");
    let of_ec = || -> String {
        let both = world.lines("ec", &["key"]);
        let own = both.lines().filter(|line| !rsa.contains(line));
        own.map(|line| format!("{line}\n")).collect()
    };
    let old = of_ec();
    world.publish(&old);
    let told = world.ends(1, "verify");
    assert!(told.stdout.contains("only a part"), "{}", told.stdout);
    let names = ["mx.signed.test", "mail.signed.test"];
    let made = world.site.make("ec-2", KeyType::EcdsaP256, &names);
    world.must(&format!("cert import ec --renew --cert {made}"));
    let new = of_ec();
    let refused = world.refused("cert deploy ec");
    assert_eq!(refused.code(), "dane.would-break");
    let message = refused.json["findings"][0]["message"].to_string();
    assert!(message.contains("match a part of what"), "{message}");
    assert!(!message.contains("neither"), "{message}");
    // Its clients would be shown the other one.
    world.must("cert unbind ec");
    assert_eq!(world.refused("apply").code(), "dane.would-break");
    world.must("discard");
    // The other kind may change as it likes; that its record is missing is told truly.
    let made = world.site.make("mx-2", KeyType::Rsa2048, &names);
    world.must(&format!("cert import mx --renew --cert {made}"));
    let deployed = world.must("cert deploy mx");
    assert_eq!(dane(&deployed)[0], one("dane.mismatch", "warning")[0]);
    let said = &deployed.stdout;
    assert!(
        said.contains("only a part") && !said.contains("neither"),
        "{said}"
    );
    // Both records, and the renewal is free.
    world.publish(&format!("{old}{new}"));
    world.must("cert deploy ec");
    let told = world.ends(1, "verify");
    assert!(told.stdout.contains("only a part"), "{}", told.stdout);
}

#[test]
fn ports_and_names_are_judged_each_for_itself() {
    let world = World::signed().serving();
    let of = |name: &str, owner: &str| -> String {
        let lines = world.lines(name, &["key"]);
        let line = lines.lines().find(|line| line.starts_with(owner)).unwrap();
        format!("{line}\n")
    };
    // Only submission has a record: another certificate on 465 is nobody's matter.
    world.publish(&of("mx", "_587._tcp.mx"));
    world.import("other", KeyType::Rsa2048);
    world.must("cert bind other --service 465");
    assert_eq!(dane(&world.must("apply")), [[""; 2]; 0]);
    let refused = world.refused("cert bind other --service 587");
    assert_eq!(refused.code(), "dane.would-break");
    let message = refused.json["findings"][0]["message"].to_string();
    assert!(message.contains("port 587"), "{message}");

    // DANE clients ask for the name that they look up.
    world.publish(&of("mx", "_25._tcp.mail"));
    world.must("cert bind other --sni mx.signed.test");
    assert_eq!(dane(&world.must("apply")), [[""; 2]; 0]);
    let refused = world.refused("cert bind other --sni mail.signed.test");
    assert_eq!(refused.code(), "dane.would-break");
    let message = refused.json["findings"][0]["message"].to_string();
    assert!(message.contains("mail.signed.test"), "{message}");

    // No certificate at all, where records ask for TLS.
    world.must("set inbound=off");
    assert_eq!(world.refused("apply").code(), "dane.would-break");
}

#[test]
fn certificates_are_compared_with_the_names_that_mx_records_give() {
    let world = World::signed();
    let mismatch = |ran: &Ran| -> Vec<String> {
        let findings = ran.json["findings"].as_array().unwrap().iter();
        let findings = findings.map(|finding| match finding["finding"].is_object() {
            true => finding["finding"].clone(),
            false => finding.clone(),
        });
        let wrong = findings.filter(|finding| finding["code"] == "cert.name-mismatch");
        let mut said: Vec<String> = wrong
            .map(|finding| finding["message"].to_string())
            .collect();
        said.dedup();
        said
    };
    world
        .site
        .import("mx", KeyType::EcdsaP256, &["mx.signed.test"]);
    world.must("cert bind mx");
    world.must("set mode=may");
    for words in ["plan", "apply", "cert check"] {
        let said = mismatch(&world.must(words));
        assert_eq!(said.len(), 1, "{words}: {said:?}");
        assert!(
            said[0].contains("not for mail.signed.test"),
            "{words}: {said:?}"
        );
    }
    world
        .site
        .import("wild", KeyType::EcdsaP256, &["*.signed.test"]);
    world.must("cert bind wild");
    for words in ["plan", "apply", "cert check"] {
        assert_eq!(mismatch(&world.must(words)), [""; 0], "{words}");
    }
}

#[test]
fn settings_that_change_no_certificate_ask_nothing_and_the_way_back_is_never_barred() {
    let world = World::signed().serving();
    world.import("other", KeyType::Rsa2048);
    world.must("cert bind other");
    let both = format!(
        "{}{}",
        world.lines("mx", &["key"]),
        world.lines("other", &["key"])
    );
    world.publish(&both);
    world.must("apply");
    world.publish(&world.lines("other", &["key"]));
    // A resolver that does not answer would be told of.
    world.must("set loglevel.inbound=1");
    let applied = world.site.must("apply --resolver 127.0.0.1:1");
    assert_eq!(dane(&applied), [[""; 2]; 0]);
    world.must("rollback --yes");
    let told = vec![one("dane.would-break", "error").remove(0); 6];
    let checked = world.ends(2, "rollback --check");
    assert_eq!(dane(&checked), told, "two names, three ports");
    assert_eq!(news(&checked), 6);
    let resolver = world.dns.address().to_string();
    let checked = ["rollback", "--check", "--resolver", &resolver];
    let checked = world.site.scene.say(&checked).stdout;
    let place = |words: &str| checked.find(words).unwrap_or(usize::MAX);
    assert!(
        place("[dane.would-break]") < place("--- main.cf"),
        "{checked}"
    );
    assert!(
        place("[dane.would-break]") < place("Was so before:"),
        "{checked}"
    );
    let back = world.must("rollback --yes");
    assert_eq!((dane(&back), news(&back)), (told, 6));
    assert_eq!(world.site.plainly(), all("mx"));
    assert_eq!(
        dane(&world.ends(1, "verify")).len(),
        6,
        "two names, three ports"
    );
}

/// The DANE findings that are told as brought by the change.
fn news(ran: &Ran) -> usize {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    let new = findings.filter(|one| one["was_so_before"] == false);
    let codes = new.map(|one| one["code"].as_str().unwrap_or_default().to_owned());
    codes.filter(|code| code.starts_with("dane.")).count()
}

/// A renewal was deployed, the old record taken out, as the rollover says; then somebody goes back.
#[test]
fn the_way_back_from_a_renewal_is_free_and_tells_what_it_breaks() {
    let world = World::signed().serving();
    let old = world.lines("mx", &["key"]);
    let made = world.site.make(
        "next",
        KeyType::Rsa2048,
        &["mx.signed.test", "mail.signed.test"],
    );
    world.publish(&old);
    world.must(&format!("cert import mx --renew --cert {made}"));
    world.refused("cert deploy mx");
    world.publish("");
    world.must("cert deploy mx");
    world.publish(&world.lines("mx", &["key"]));
    assert_eq!(dane(&world.must("verify")), [[""; 2]; 0]);
    let said = world.say("rollback --yes");
    assert!(said.contains("(renewal of mx) is undone"), "{said}");
    assert!(
        said.contains("error: ") && said.contains("[dane.would-break]"),
        "{said}"
    );
    assert_eq!(world.site.plainly(), all("mx"));
}

/// Who asks why a version waits hears the reason by which it is refused.
#[test]
fn what_waits_for_its_record_is_told_with_the_reason() {
    let world = World::signed().serving();
    world.publish(&world.lines("mx", &["key"]));
    let made = world.site.make(
        "next",
        KeyType::Rsa2048,
        &["mx.signed.test", "mail.signed.test"],
    );
    world.must(&format!("cert import mx --renew --cert {made}"));
    world.refused("cert deploy mx");
    let resolver = world.dns.address().to_string();
    for words in [
        &["cert", "list"][..],
        &["cert", "show", "mx"],
        &["cert", "check"],
        &["status"],
        &["status", "--nagios"],
    ] {
        let words = [words, &["--resolver", &resolver]].concat();
        let said = world.site.scene.say(&words).stdout;
        assert!(said.contains("dane.would-break"), "{words:?}: {said}");
        assert!(
            !said.contains("`postseal cert deploy mx` presents"),
            "{words:?}: {said}"
        );
        // Where nobody answers, nobody knows whether it may be presented.
        let silent = [&words[..words.len() - 1], &["127.0.0.1:1"]].concat();
        let said = world.site.scene.say(&silent).stdout;
        assert!(said.contains("dane.undetermined"), "{silent:?}: {said}");
    }
    // Its records are told all the same.
    let lines = world.lines("mx", &["key"]);
    assert!(!lines.is_empty());
    world.publish(&format!("{lines}{}", world.lines("mx", &["presented"])));
    let said = world.say("cert list");
    assert!(
        said.contains("`postseal cert deploy mx` presents it"),
        "{said}"
    );
    world.must("cert deploy mx");
}
