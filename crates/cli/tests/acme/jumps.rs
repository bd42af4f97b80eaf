//! The host's clock jumps, beyond the end of a certificate and before its beginning, and comes back, while
//! renewals, their pauses and a watched folder are remembered. Needs faketime(1); Postfix, the CA and the
//! clients of the test go by the real time.

use crate::scene::Ran;
use crate::site::{Site, all};
use crate::world::World;
use postseal_issue::{KeyType, Validity};
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// Runs the program by a clock that is off by so many seconds.
pub(crate) fn off(site: &Site, seconds: i64, words: &str) -> Ran {
    let words: Vec<&str> = words.split(' ').chain(["--json"]).collect();
    let real = site.scene.command(&words);
    let mut command = Command::new("/usr/bin/faketime");
    command.env_clear();
    for (name, value) in real.get_envs() {
        command.env(name, value.unwrap());
    }
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command.args(["-f", &format!("{seconds:+}s")]);
    command.arg(real.get_program()).args(real.get_args());
    Ran::of(&command.output().unwrap())
}

fn codes(ran: &Ran) -> Vec<String> {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    let codes = findings.map(|one| one["code"].as_str().unwrap().to_owned());
    // Nobody vouches for the CA of a test.
    let known = ["cert.issuer-unknown", "cert.chain-incomplete"];
    codes.filter(|code| !known.contains(&&**code)).collect()
}

/// Nothing is amiss by the real clock.
fn is_well(site: &Site, served: &str) {
    assert_eq!(codes(&site.run("cert check")), [""; 0]);
    site.must("verify");
    assert_eq!(site.plainly(), all(served));
}

#[test]
fn by_a_wrong_clock_nothing_is_ordered_again_and_again_and_nothing_is_lost() {
    let world = World::new();
    let site = &world.site;
    world.issue("mx", "mx.box.test", "", "mx 1");
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    is_well(site, "mx 1");
    // A request with a rejected nonce is sent again: what counts is what the CA took.
    let orders = || world.pebble.log().matches("Added order ").count();
    let before = orders();

    // Before it began: it is not due, and that it is not valid yet is told.
    let back = -400 * DAY;
    for _ in 0..2 {
        assert_eq!(outcome(&off(site, back, "cert renew"), 0), "not-due");
    }
    assert_eq!(orders(), before);
    let checked = off(site, back, "cert check");
    assert_eq!(
        codes(&checked),
        ["cert.not-yet-valid", "cert.issuer-not-yet-valid"]
    );
    let told = checked.json["findings"].to_string();
    assert_eq!(told.matches(" is not valid yet, for ").count(), 2, "{told}");
    is_well(site, "mx 1");
    assert_eq!(outcome(&site.must("cert renew"), 0), "not-due");

    // After its end: what the CA issues has ended, too, and is not taken. It is asked once.
    let ahead = 6 * 366 * DAY;
    let checked = codes(&off(site, ahead, "cert check"));
    assert_eq!(checked, ["cert.expired"]);
    let monitor = off(site, ahead, "status --nagios").json;
    assert_eq!(monitor["state"], "CRITICAL", "{monitor:#}");
    let failed = off(site, ahead, "cert renew");
    assert_eq!(outcome(&failed, 1), "failed");
    assert!(failed.json["findings"].to_string().contains("timedatectl"));
    for _ in 0..2 {
        let held = off(site, ahead, "cert renew");
        assert_eq!(outcome(&held, 0), "held-back");
        let next = held.json["certificates"][0]["next"].as_str().unwrap();
        let next: jiff::Timestamp = next.parse().unwrap();
        let pause = next.as_second() - now() - ahead;
        assert!((0..2 * 3600).contains(&pause), "{pause}");
    }
    assert_eq!(orders(), before + 1);

    // Back: it is not due, that attempt holds nothing back, and nothing of it is told any more.
    for _ in 0..2 {
        assert_eq!(outcome(&site.must("cert renew"), 0), "not-due");
        is_well(site, "mx 1");
    }
    assert_eq!(orders(), before + 1);
    site.must("cert renew --force");
    world.know("mx", "mx 2");
    is_well(site, "mx 2");
}

/// What became of the only certificate.
fn outcome(ran: &Ran, exit: i32) -> String {
    assert_eq!(ran.exit, Some(exit), "{ran:#?}");
    let outcome = ran.json["certificates"][0]["outcome"].as_str();
    outcome.unwrap().to_owned()
}

#[test]
fn a_watched_folder_by_a_wrong_clock() {
    let site = Site::adopted();
    let live = site.scene.named("live");
    fs::create_dir(&live).unwrap();
    let keep = |name: &str, validity: Validity| {
        let made = site.make_valid(name, KeyType::Rsa2048, &["mx.box.test"], validity);
        let both = fs::read_to_string(made).unwrap();
        let at = both.find("-----BEGIN CERTIFICATE").unwrap();
        fs::write(format!("{live}/fullchain.pem"), &both[at..]).unwrap();
        fs::write(format!("{live}/privkey.pem"), &both[..at]).unwrap();
    };
    let days = |from: i64, until: i64| Validity {
        not_before: now() + from * DAY,
        not_after: now() + until * DAY,
    };
    keep("first", days(-60, 30));
    site.must(&format!("cert import mx --dir {live}"));
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    site.must(&format!("cert watch mx --dir {live} --once"));
    keep("second", days(-1, 89));
    // By a clock before it began or after its end it is not taken; what is in force stays.
    for (seconds, code) in [
        (-30 * DAY, "cert.not-yet-valid"),
        (200 * DAY, "cert.expired"),
    ] {
        for _ in 0..2 {
            let refused = off(&site, seconds, "cert watch --once");
            assert_ne!(refused.exit, Some(0), "{refused:#?}");
            assert_eq!(codes(&refused), [code], "{refused:#?}");
        }
        assert_eq!(site.plainly(), all("first"));
    }
    // By the right one it is, once.
    let taken = site.must("cert watch --once").json;
    assert_eq!(taken["renewed"][0]["certificate"], "mx");
    assert_eq!(site.plainly(), all("second"));
    for seconds in [-30 * DAY, 200 * DAY, 0] {
        let again = off(&site, seconds, "cert watch --once");
        assert_eq!(again.json["changed"], false, "{again:#?}");
    }
    assert_eq!(site.plainly(), all("second"));
    assert_eq!(site.must("cert show mx").json["certificate"]["version"], 2);
}
