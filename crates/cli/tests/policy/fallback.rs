//! Fallback relays: which policy mail meets there is what two servers saw of the real smtp(8).

use crate::managed::{delivery, findings, submit};
use crate::peers::{Chains, Peer};
use crate::place::{Place, builder, hop};
use postseal_probe::Sink;
use std::time::Duration;

const CODE: &str = "policy.fallback-in-clear";
const PATIENCE: Duration = Duration::from_secs(60);

/// Mail for `d.example` goes to one server, and on to another.
fn place(usual: &Sink, parameter: &str, last: &Sink) -> Place {
    let place = Place::unadopted(
        builder()
            .set("transport_maps", "hash:{base}/config/transport")
            .set("smtp_tls_security_level", "none")
            .set(parameter, &hop(last)),
    );
    place.table("transport", &format!("d.example smtp:{}\n", hop(usual)));
    place.must("init");
    place
}

fn came(sink: &Sink) -> Vec<bool> {
    let all = sink.delivered().into_iter();
    all.map(|one| one.tls.is_some()).collect()
}

#[test]
fn a_rule_says_nothing_of_the_fallback_relay_and_that_is_told() {
    let chains = Chains::new();
    let (usual, last) = (chains.sink(Peer::SelfSigned), chains.sink(Peer::SelfSigned));
    let place = place(&usual, "smtp_fallback_relay", &last);
    let own = hop(&usual);
    let told = findings(&place.must(&format!("policy add {own} encrypt")).json, CODE);
    assert!(told.len() == 1 && told[0].contains(&hop(&last)), "{told:?}");
    assert_eq!(findings(&place.must("plan").json, CODE).len(), 1);
    place.must("apply --yes");

    // And so it is, whatever keeps the server from taking the mail.
    drop(usual);
    submit(&place, "one@d.example");
    assert_eq!(last.wait_for(1, PATIENCE), 1);
    assert_eq!(came(&last), [false]);
    let explained = place.must("explain one@d.example").json;
    assert_eq!(explained["hops"][0]["level"], "encrypt", "{explained}");
    let promise = explained["hops"][0]["promise"].as_str().unwrap();
    assert!(promise.contains(&hop(&last)), "{promise}");
    assert!(!promise.contains("waits in the queue"), "{promise}");
    assert_eq!(explained["fallbacks"][0]["level"], "none", "{explained}");
    assert_eq!(findings(&explained, CODE).len(), 1);
    let lint = format!("lint {}", place.config().display());
    for words in [lint.as_str(), "verify", "policy list"] {
        let told = findings(&place.run(words).json, CODE);
        assert_eq!(told.len(), 1, "{words}");
    }
    let status = place.run("status").json;
    assert_eq!(status["passed_by_rules"][0]["code"], CODE, "{status}");
    let checked = place.run(&format!("policy check {own}"));
    assert!(checked.stdout.contains(CODE), "{}", checked.stdout);

    // The rule that is offered closes it: smtp(8) asks for the fallback as it is written.
    let closes = format!("policy add {} encrypt", hop(&last));
    let closed = place.must(&closes);
    assert!(findings(&closed.json, CODE).is_empty(), "{}", closed.stdout);
    place.must("apply --yes");
    submit(&place, "two@d.example");
    assert_eq!(last.wait_for(2, PATIENCE), 2);
    assert_eq!(came(&last), [false, true]);
    let explained = place.must("explain one@d.example").json;
    assert_eq!(explained["fallbacks"][0]["level"], "encrypt", "{explained}");
    for words in [lint.as_str(), "policy list"] {
        assert!(findings(&place.run(words).json, CODE).is_empty(), "{words}");
    }
}

#[test]
fn old_names_services_of_their_own_and_wishes_count() {
    let chains = Chains::new();
    let (usual, last) = (chains.sink(Peer::SelfSigned), chains.sink(Peer::Cleartext));
    let place = place(&usual, "fallback_relay", &last);
    let add = format!("policy add {} encrypt", hop(&usual));
    assert_eq!(findings(&place.must(&add).json, CODE).len(), 1);
    // What is wished for the fallback counts before it is in force.
    place.must(&format!("policy add {} encrypt --no-preflight", hop(&last)));
    assert!(findings(&place.must("plan").json, CODE).is_empty());
    let weaker = format!("policy edit {} encrypt --protocols >=TLSv1.2", hop(&usual));
    assert!(findings(&place.must(&weaker).json, CODE).is_empty());
    place.must("discard");

    // A client with one of its own; the usual one has none.
    let main = place.main_cf();
    let line = main
        .lines()
        .find(|line| line.starts_with("fallback_relay"))
        .unwrap();
    place.write("main.cf", &main.replace(line, ""));
    let own = format!(
        "own unix - - n - - smtp\n  -o smtp_fallback_relay={}\n",
        hop(&last)
    );
    place.add_to_master_cf(&own);
    place.must("drift --adopt");
    assert!(findings(&place.must(&add).json, CODE).is_empty());
    place.must("discard");
    place.table("transport", &format!("d.example own:{}\n", hop(&usual)));
    assert_eq!(findings(&place.must(&add).json, CODE).len(), 1);
    // A rule that demands nothing is not passed by.
    place.must("discard");
    let may = format!("policy add {} may", hop(&usual));
    assert!(findings(&place.must(&may).json, CODE).is_empty());
}

#[test]
fn mail_waits_where_the_fallback_demands_what_it_cannot() {
    let chains = Chains::new();
    let (usual, last) = (chains.sink(Peer::Cleartext), chains.sink(Peer::Cleartext));
    let place = place(&usual, "smtp_fallback_relay", &last);
    for sink in [&usual, &last] {
        let force = "--force --reason shall%20wait";
        place.must(&format!("policy add {} encrypt {force}", hop(sink)));
    }
    place.must("apply --yes");
    submit(&place, "waits@d.example");
    let line = delivery(&place, "waits@d.example");
    assert!(line.contains("status=deferred"), "{line}");
    assert!(usual.delivered().is_empty() && last.delivered().is_empty());
}
