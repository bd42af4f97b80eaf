//! Certificates that are served, and are not valid today: whoever is shown them, everybody is told.

use crate::site::{Site, all, by_name, validity};
use postseal_issue::{KeyType, Validity};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const EXPIRED: &str = "wire.certificate-expired";

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// In force: a certificate of `www.box.test`, bound to that name, which has expired since. No plan
/// binds one that has, so it must last until it is applied, however slow this machine is.
fn expired_by_name() -> Site {
    let site = Site::serving();
    for lasts in [15, 60, 240] {
        let short = Validity {
            not_after: now() + lasts,
            ..validity()
        };
        let name = format!("www{lasts}");
        let file = site.make_valid(&name, KeyType::EcdsaP256, &["www.box.test"], short);
        let import = format!("cert import {name} --cert {file}");
        let bind = format!("cert bind {name} --sni www.box.test");
        let ran = [import.as_str(), &bind, "apply"].map(|words| site.run(words).exit);
        if ran == [Some(0); 3] {
            while now() <= short.not_after {
                std::thread::sleep(Duration::from_millis(200));
            }
            assert_eq!(site.shown(&by_name("www.box.test")), all(&name));
            return site;
        }
        site.run("discard");
    }
    panic!("nothing was applied within four minutes");
}

#[test]
fn an_expired_certificate_of_a_name_is_no_good_answer() {
    let site = expired_by_name();
    let verified = site.ends(1, "verify");
    let judged = verified.json["judgements"].as_array().unwrap().clone();
    assert_eq!(judged.len(), 3, "{judged:#?}");
    for one in &judged {
        assert_eq!(one["outcome"], "fail", "{one:#}");
        assert_eq!(one["findings"].as_array().unwrap().len(), 1, "{one:#}");
        assert_eq!(one["findings"][0]["code"], EXPIRED);
        let told = one["findings"][0]["message"].as_str().unwrap();
        assert!(told.contains("ask for www.box.test"), "{told}");
    }
    let told = site.scene.say(&["verify"]).stdout;
    assert!(told.contains("that is not valid today"), "{told}");
    assert!(!told.contains("does not show"), "{told}");
    let status = site.scene.say(&["status"]).stdout;
    assert!(status.contains(&format!("FAIL {EXPIRED}")), "{status}");
    for words in [&["status"][..], &["cert", "list"]] {
        let told = site.scene.say(words).stdout;
        assert!(told.contains("expired ") && told.contains(" ago"), "{told}");
        assert!(!told.contains("(-1") && !told.contains("\t-"), "{told}");
    }
    let nagios = site.scene.say(&["status", "--nagios"]);
    assert_eq!(nagios.exit, Some(2), "{}", nagios.stdout);
    assert!(nagios.stdout.contains("expired "), "{}", nagios.stdout);
    // It hinders no other change, and goes with the next one.
    site.must("set loglevel.inbound=1");
    site.must("apply");
    site.import("good", KeyType::EcdsaP256, &["www.box.test"]);
    site.must("cert bind good --sni www.box.test");
    site.must("apply");
    site.must("verify");
    // The way back to it is free, and tells where it leads.
    let checked = site.ends(2, "rollback --check").json["findings"].clone();
    let expired = checked.as_array().unwrap().iter();
    let mut expired = expired.filter(|one| one["code"] == "cert.expired");
    assert_eq!(
        expired.next().unwrap()["was_so_before"],
        false,
        "{checked:#}"
    );
    let said = site.scene.say(&["rollback", "--yes"]);
    assert_eq!(said.exit, Some(0), "{said:#?}");
    assert!(said.stdout.contains("[cert.expired]"), "{}", said.stdout);
    site.ends(1, "verify");
}
