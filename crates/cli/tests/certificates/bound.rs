//! What `cert bind` says: all that a plan will, and nothing else than it.

use crate::scene::Ran;
use crate::site::{Site, validity};
use postseal_issue::{KeyType, Validity};

/// The findings of a command, by code: their severities.
fn told(ran: &Ran, code: &str) -> Vec<String> {
    let findings = ran.json["findings"].as_array().unwrap().iter();
    let here = findings.filter(|one| one["code"] == code);
    here.map(|one| one["severity"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_where_it_is_bound() {
    let site = Site::adopted();
    let now = validity();
    let late = Validity {
        not_before: now.not_before - 86 * 86_400,
        not_after: now.not_before + 4 * 86_400,
    };
    let late = site.make_valid("mx", KeyType::Rsa2048, &["mx.box.test"], late);
    site.must(&format!("cert import mx --cert {late}"));
    let codes = ["cert.chain-incomplete", "cert.expiring"];
    // TLS is not even on yet.
    let bound = site.must("cert bind mx");
    for code in codes {
        assert_eq!(told(&bound, code).len(), 1, "{code}: {}", bound.stdout);
    }
    site.must("set mode=may");
    let plan = site.must("plan");
    for code in codes {
        assert_eq!(told(&plan, code).len(), 1, "{code}: {}", plan.stdout);
    }
    // A server that asks for a client's certificate does not ask who vouches for it.
    let client = site.must("cert bind mx --client");
    assert_eq!(told(&client, "cert.expiring").len(), 1, "{}", client.stdout);
}

#[test]
fn a_port_without_a_server_is_told_at_once() {
    let site = Site::serving();
    let bound = site.must("cert bind mx --service 26");
    let code = "cert.port-not-served";
    assert_eq!(told(&bound, code), ["warning"], "{}", bound.stdout);
    let both = site.must("cert bind mx --service 2601,2602");
    let both = both.json["findings"].to_string();
    assert!(
        both.contains("port 2601") && both.contains("port 2602"),
        "{both}"
    );
    let said = site
        .scene
        .say(&["cert", "bind", "mx", "--service", "2600"])
        .stdout;
    assert!(said.contains(code), "{said}");
}

/// Mail clients come to these ports also before there is a service.
#[test]
fn a_name_of_mail_clients_is_no_warning_before_their_service_is_on() {
    let site = Site::adopted();
    site.import("mua", KeyType::Rsa2048, &["imap.box.test"]);
    for _ in ["off", "on"] {
        let bound = site.must("cert bind mua --service 587,465");
        assert_eq!(told(&bound, "cert.name-mismatch"), [""; 0]);
        let told = told(&bound, "cert.names-of-clients");
        assert_eq!(told, ["info"], "{}", bound.stdout);
        site.must("set mode=may submission=on smtps=on");
    }
}

/// A domain takes the server's own name with it, where that is not bound by itself; a certificate for one
/// label below it does not reach two labels below.
#[test]
fn a_domain_that_captures_the_servers_own_name_is_told_from_the_wish_on() {
    let site = Site::serving();
    let code = "cert.own-name-captured";
    site.import("web", KeyType::Rsa2048, &["www.box.test"]);
    let bound = site.must("cert bind web --sni .box.test");
    assert_eq!(told(&bound, code), ["warning"], "{}", bound.stdout);
    assert!(bound.stdout.contains("mx.box.test"), "{}", bound.stdout);
    let plan = site.must("plan");
    assert_eq!(told(&plan, code), ["warning"], "{}", plan.stdout);
    site.must("apply");
    assert_eq!(told(&site.must("cert check"), code), ["warning"]);
    let status = site.scene.say(&["status"]).stdout;
    assert!(status.contains(code), "{status}");
    // The longer name goes first.
    let bound = site.must("cert bind mx --sni mx.box.test");
    assert_eq!(told(&bound, code), [""; 0], "{}", bound.stdout);
    assert_eq!(told(&site.must("plan"), code), [""; 0]);
    site.must("apply");
    assert_eq!(told(&site.must("cert check"), code), [""; 0]);
}

/// The way back leads to a file of the administrator's that is gone meanwhile: that is told first, and what
/// Postfix logs of it after that.
#[test]
fn a_way_back_to_a_file_that_is_gone_says_so() {
    let site = Site::adopted();
    let file = site.make("own", KeyType::Rsa2048, &["mx.box.test"]);
    let lines = format!("smtpd_tls_chain_files = {file}\nsmtpd_tls_security_level = may\n");
    site.scene.edit("main.cf", |text| text + &lines);
    crate::scene::run("/usr/sbin/postfix", &["-c", &site.scene.config(), "reload"]);
    site.must("drift --adopt");
    site.import("mx", KeyType::Rsa2048, &["mx.box.test"]);
    site.must("cert bind mx");
    site.must("apply");
    std::fs::remove_file(&file).unwrap();
    let refused = site.ends(65, "rollback");
    assert_eq!(refused.code(), "cert.missing", "{}", refused.stdout);
    let first = refused.json["findings"][0].to_string();
    assert!(first.contains(&file), "{first}");
    assert!(first.contains("Put the file back"), "{first}");
    std::fs::copy(site.key_file("mx"), &file).unwrap();
    site.must("rollback");
}

/// Who may read the identity may open every key of the store: that is told before a key is needed.
#[test]
fn an_identity_that_others_may_read_is_told_by_whoever_looks() {
    use std::os::unix::fs::PermissionsExt;
    let site = Site::serving();
    let identity =
        std::path::PathBuf::from(site.scene.store().replace("sqlite:", "")).join("identity");
    let mode =
        |mode| std::fs::set_permissions(&identity, std::fs::Permissions::from_mode(mode)).unwrap();
    let warned = |words: &[&str]| {
        let ran = site.scene.say(words);
        format!("{}{}", ran.stdout, ran.stderr)
    };
    mode(0o644);
    for words in [&["status"][..], &["cert", "check"], &["status", "--nagios"]] {
        let told = warned(words);
        assert!(
            told.contains("mode 644") && told.contains("identity"),
            "{told}"
        );
    }
    mode(0o600);
    let told = warned(&["status"]);
    assert!(!told.contains("mode 644"), "{told}");
}
