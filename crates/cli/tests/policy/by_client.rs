//! One next hop, and clients that begin differently: what one of them saw says nothing of the other.

use crate::peers::{Chains, Peer};
use crate::place::{Place, builder};
use postseal_probe::{Sink, SinkTls};

const LATE: &str = "policy.no-wrappermode";

/// A server that begins with TLS, and the client for it.
struct Wrapped {
    place: Place,
    hop: String,
    _server: Sink,
}

fn wrapped(address: &str) -> Wrapped {
    let mut options = Chains::new().options(Peer::Trusted);
    let SinkTls::StartTls(certificate) = options.tls else {
        unreachable!("it shows a certificate");
    };
    options.tls = SinkTls::Implicit(certificate);
    options.address = format!("{address}:465").parse().unwrap();
    let maps = "hash:{base}/config/transport";
    let place = Place::unadopted(builder().set("transport_maps", maps));
    let service = "smtps-out unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n  \
                   -o smtp_tls_security_level=encrypt\n";
    place.add_to_master_cf(service);
    Wrapped {
        place,
        hop: format!("[{address}]:465"),
        _server: Sink::start(options).unwrap(),
    }
}

impl Wrapped {
    /// By which services mail for the two domains leaves.
    fn route(&self, good: &str, late: &str) {
        let hop = &self.hop;
        let rows = format!("good.example {good}:{hop}\nlate.example {late}:{hop}\n");
        self.place.table("transport", &rows);
    }

    /// Imports lines of a CSV.
    fn import(&self, exit: i32, lines: &str) -> crate::scene::Ran {
        let text = format!("destination,policy,follow\n{lines}");
        let file = self.place.write("rules.csv", &text);
        let import = format!("policy import {}", file.display());
        self.place.ends(exit, &import)
    }

    /// What the list says of the servers of the rule that follows the mail of good.example.
    fn seen(&self) -> String {
        let listed = self.place.must("policy list").json;
        let rules = listed["rules"].as_array().unwrap().iter();
        let mut good = rules.filter(|rule| rule["follows"] == "good.example");
        good.next().unwrap()["servers"]["outcome"].to_string()
    }
}

#[test]
fn an_import_refuses_a_rule_whose_own_mail_begins_in_clear() {
    let wrapped = wrapped("127.77.4.66");
    wrapped.route("smtps-out", "smtp");
    wrapped.place.must("init");
    let refused = wrapped.import(65, "late.example,encrypt,yes\n");
    assert!(refused.stdout.contains(LATE), "{}", refused.stdout);
    assert!(wrapped.place.listed("wanted").is_empty());
    wrapped.import(0, "good.example,encrypt,yes\n");
    // What is there already is no news.
    wrapped.place.must("apply --yes");
    wrapped.route("smtp", "smtps-out");
    wrapped.import(0, "good.example,encrypt,yes\n");
}

#[test]
fn a_look_by_another_client_does_not_put_a_rule_in_force() {
    let wrapped = wrapped("127.77.4.67");
    let place = &wrapped.place;
    wrapped.route("smtps-out", "smtps-out");
    place.must("init");
    let hop = &wrapped.hop;
    place.must(&format!("domain add good.example --next-hop {hop} --smtps"));
    place.must("discard");
    let rows = format!("{hop},encrypt,\ngood.example,encrypt,yes\nlate.example,encrypt,yes\n");
    wrapped.import(0, &rows);
    wrapped.route("smtps-out", "smtp");
    let refused = place.ends(65, "apply --yes");
    assert!(
        refused.stdout.contains("late.example"),
        "{}",
        refused.stdout
    );
    wrapped.route("smtps-out", "smtps-out");
    place.must("apply --yes");
}

#[test]
fn a_check_of_anothers_mail_does_not_change_what_is_listed_of_a_rule() {
    let wrapped = wrapped("127.77.4.68");
    let place = &wrapped.place;
    wrapped.route("smtps-out", "smtp");
    place.must("init");
    place.must("policy add good.example encrypt --follow");
    place.must("apply --yes");
    assert_eq!(wrapped.seen(), "\"pass\"");
    place.run("policy check late.example --timeout 3");
    assert_eq!(wrapped.seen(), "\"pass\"");
    place.run("policy check good.example");
    assert_eq!(wrapped.seen(), "\"pass\"");
}
