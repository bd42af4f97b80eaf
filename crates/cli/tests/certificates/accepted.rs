//! What a refusal of a self-signed certificate says to do: the command that was typed, and what is
//! missing. Run as it stands, it works.

use crate::scene::Ran;
use crate::site::{Site, all, by_name};
use mailtls::Bundle;

/// The commands of a remedy: what stands between backticks, without the program's name.
fn commands(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let ours = quoted.filter_map(|words| words.strip_prefix("postseal "));
    ours.map(str::to_owned).collect()
}

fn remedy(ran: &Ran) -> String {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    let mut selfish = findings.filter(|found| found["code"] == "cert.self-signed");
    let found = selfish.next().unwrap_or_else(|| panic!("{ran:#?}"));
    found["remedy"].as_str().unwrap().to_owned()
}

/// `mx` in force on all services, and `own` in the store, which nobody vouches for.
fn site() -> Site {
    let site = Site::serving();
    site.must("cert self-signed own --domain mx.box.test,a.box.test,b.box.test");
    let chain = site.must("cert export own").json["chain"].clone();
    let own = Bundle::read(chain.as_str().unwrap().as_bytes(), None, None).unwrap();
    site.know(own.chain[0].fingerprint(), "own");
    site
}

#[test]
fn the_remedy_is_what_was_typed_and_what_is_missing() {
    let site = site();
    for typed in [
        "cert bind own --service 25",
        "cert bind own --sni a.box.test,b.box.test",
    ] {
        let bound = site.must(typed);
        let complete = format!("{typed} --allow-self-signed");
        assert_eq!(commands(&remedy(&bound)), [complete.as_str()], "{typed}");
        assert_eq!(
            commands(&remedy(&site.ends(65, "apply"))),
            [complete.as_str()]
        );
        let accepted = site.must(&complete);
        let findings = accepted.json["findings"].as_array().unwrap().iter();
        let mut grave = findings.filter(|found| found["severity"] == "error");
        assert!(grave.next().is_none(), "{}", accepted.stdout);
    }
    // Nobody is shown it yet.
    let monitor = || site.scene.say(&["status", "--nagios"]);
    assert_eq!(monitor().exit, Some(0), "{}", monitor().stdout);
    site.must("apply");
    // Who accepted it is not woken for it.
    assert_eq!(monitor().exit, Some(0), "{}", monitor().stdout);
    assert_eq!(site.plainly(), ["own", "mx", "mx"].map(str::to_owned));
    assert_eq!(site.shown(&by_name("b.box.test")), all("own"));
}

/// While TLS is off no plan would refuse it, and what it takes later is told all the same.
#[test]
fn it_is_told_before_tls_is_switched_on() {
    let site = Site::adopted();
    site.must("cert self-signed own --domain mx.box.test");
    let bound = site.must("cert bind own --service 25");
    let complete = "cert bind own --service 25 --allow-self-signed";
    assert_eq!(commands(&remedy(&bound)), [complete]);
    site.must(complete);
    site.must("set inbound=may");
    site.must("apply");
}

/// Bound in several ways, each has its command; what was accepted needs none.
#[test]
fn places_of_different_kinds_have_a_command_each() {
    let site = Site::adopted();
    site.must("cert self-signed own --domain mx.box.test");
    site.must("set inbound=may");
    site.must("cert bind own");
    let bound = site.must("cert bind own --service 25");
    assert_eq!(bound.exit, Some(0));
    let refused = commands(&remedy(&site.ends(65, "apply")));
    assert_eq!(refused, ["cert bind own --service 25 --allow-self-signed"]);
    site.must(&refused[0]);
    site.must("apply");
}

/// Where mail clients must use TLS they verify: accepting it would not help, and is not offered.
#[test]
fn what_would_be_refused_again_is_not_offered() {
    let site = site();
    let bound = site.must("cert bind own --service 587,465");
    assert_eq!(commands(&remedy(&bound)), [""; 0], "{}", bound.stdout);
    site.must("cert bind own --service 587,465 --allow-self-signed");
    let refused = remedy(&site.ends(65, "apply"));
    assert!(refused.contains("for optional TLS only"), "{refused}");
    assert_eq!(site.plainly(), all("mx"));
}
