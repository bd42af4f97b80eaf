//! One good chain, and one change at a time.

use super::*;
use crate::forge::{DAY, Forged, NOW, Recipe, chain, der, ed25519_key, rsa_key};
use openssl::dsa::Dsa;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;

const NAME: &[&str] = &["mx.example.com"];

/// `code:gravity` of everything wrong, worst first.
fn codes(chain: &[Certificate], names: &[&str], trust: Trust<'_>) -> Vec<String> {
    problems(chain, NOW, names, trust)
        .iter()
        .map(|problem| {
            assert!(
                problem.message.len() > 15 && problem.remedy.len() > 15,
                "{problem:?}"
            );
            format!("{}:{:?}", problem.code, problem.gravity)
        })
        .collect()
}

/// A leaf of a good chain, changed, and what is wrong with it.
fn changed(change: impl FnOnce(&mut Recipe<'_>)) -> Vec<String> {
    let chain = chain("unused.example");
    let mut recipe = Recipe::leaf("mx.example.com").by(&chain.middle);
    change(&mut recipe);
    let presented = [recipe.make().certificate(), chain.middle.certificate()];
    codes(
        &presented,
        NAME,
        Trust::Anchors(&[chain.root.certificate()]),
    )
}

#[test]
fn a_good_chain_has_no_problems() {
    assert_eq!(changed(|_| ()), [""; 0]);
    assert_eq!(
        codes(&[], NAME, Trust::Unknown),
        ["cert.no-certificate:Error"]
    );
}

#[test]
fn dates_are_judged_by_the_share_of_the_lifetime_that_is_left() {
    let dated = |from: i64, to: i64| {
        changed(|recipe| {
            recipe.not_before = NOW + from * DAY;
            recipe.not_after = NOW + to * DAY;
        })
    };
    for (from, to, expected) in [
        (-60, 30, None),
        (-61, 29, Some("cert.expiring:Warning")),
        (-82, 8, Some("cert.expiring:Warning")),
        (-84, 6, Some("cert.expiring:Error")),
        // Certificates of 47 days and of 6 days.
        (-31, 16, None),
        (-32, 15, Some("cert.expiring:Warning")),
        (-43, 4, Some("cert.expiring:Error")),
        (-3, 3, None),
        (-5, 1, Some("cert.expiring:Warning")),
        // A ten-year certificate is not expiring for three years.
        (-3000, 650, None),
        (-3606, 44, Some("cert.expiring:Warning")),
        (-3644, 6, Some("cert.expiring:Error")),
        (-100, -1, Some("cert.expired:Error")),
        (1, 100, Some("cert.not-yet-valid:Error")),
    ] {
        assert_eq!(dated(from, to), Vec::from_iter(expected), "{from} {to}");
    }
}

#[test]
fn times_are_said_in_days_or_hours() {
    let leaf = Recipe::leaf("mx.example.com").make().certificate();
    let at = |now| problems(std::slice::from_ref(&leaf), now, NAME, Trust::Unknown);
    let message = |now| {
        let found = at(now).into_iter();
        let mut of_date = found.filter(|p| p.code.starts_with("cert.expir"));
        of_date.next().unwrap().message
    };
    let end = NOW + 60 * DAY;
    assert_eq!(
        message(end + 3 * DAY),
        "CN=mx.example.com expired 3 days ago"
    );
    assert_eq!(
        message(end - 5 * 3600),
        "CN=mx.example.com expires in 5 hours"
    );
    for (seconds, words) in [
        (2 * DAY, "2 days"),
        (2 * DAY - 1, "47 hours"),
        (7199, "119 minutes"),
        (119, "1 minute"),
        (59, "less than a minute"),
        (-1, "less than a minute"),
        (i64::MAX, "106751991167300 days"),
    ] {
        assert_eq!(span(seconds), words);
    }
    for now in [i64::MIN, i64::MAX] {
        assert!(!at(now).is_empty());
    }
}

#[test]
fn names_uses_and_strength_are_judged() {
    assert_eq!(
        changed(|recipe| recipe.dns = vec!["other.example.com".into()]),
        ["cert.name-mismatch:Warning"]
    );
    assert_eq!(
        changed(|recipe| recipe.dns.clear()),
        ["cert.no-alternative-name:Warning"]
    );
    assert_eq!(
        changed(|recipe| recipe.usages = vec!["clientAuth"]),
        ["cert.no-server-auth:Error"]
    );
    assert_eq!(
        changed(|recipe| recipe.usages = vec!["serverAuth", "clientAuth"]),
        [""; 0]
    );
    assert_eq!(changed(|recipe| recipe.key = rsa_key(2048)), [""; 0]);
    assert_eq!(
        changed(|recipe| recipe.key = rsa_key(1024)),
        ["cert.weak-key:Error"]
    );
    let dsa = PKey::from_dsa(Dsa::generate(1024).unwrap()).unwrap();
    let dsa = PKey::public_key_from_der(&dsa.public_key_to_der().unwrap()).unwrap();
    assert_eq!(
        changed(|recipe| recipe.public = Some(dsa)),
        ["cert.key-kind:Error"]
    );
    assert_eq!(changed(|recipe| recipe.key = ed25519_key()), [""; 0]);
    assert_eq!(
        changed(|recipe| recipe.digest = Some(MessageDigest::sha1())),
        ["cert.weak-signature:Error"]
    );
    assert_eq!(
        changed(|recipe| recipe.is_ca = true),
        ["cert.ca-as-leaf:Error"]
    );
}

#[test]
fn a_long_list_of_names_is_cut_in_the_sentence() {
    let mut recipe = Recipe::leaf("h.example");
    recipe.dns = (0..10_000).map(|i| format!("h{i}.example")).collect();
    let found = problems(&[recipe.make().certificate()], NOW, NAME, Trust::Unknown);
    let mismatch = found
        .iter()
        .find(|p| p.code == "cert.name-mismatch")
        .unwrap();
    assert!(
        mismatch
            .message
            .contains("h0.example, h1.example, h2.example, h3.example and 9996 more")
    );
}

#[test]
fn intermediates_are_judged_too() {
    let root = Recipe::ca("Root").make();
    let mut middle = Recipe::ca("Middle").by(&root);
    middle.not_after = NOW - DAY;
    middle.key = rsa_key(1024);
    middle.digest = Some(MessageDigest::sha1());
    let middle = middle.make();
    let leaf = Recipe::leaf("mx.example.com").by(&middle).make();
    let presented = [leaf.certificate(), middle.certificate()];
    assert_eq!(
        codes(&presented, NAME, Trust::Anchors(&[root.certificate()])),
        [
            "cert.issuer-expired:Error",
            "cert.weak-key:Error",
            "cert.weak-signature:Error"
        ]
    );
}

#[test]
fn an_intermediate_that_is_not_valid_yet_is_not_called_ended() {
    let root = Recipe::ca("Root").make();
    for (from, until, code, words, helps) in [
        (
            -20,
            -1,
            "cert.issuer-expired",
            "is not valid any more",
            "current intermediate",
        ),
        (
            3,
            20,
            "cert.issuer-not-yet-valid",
            "is not valid yet, for 3 days",
            "clock",
        ),
    ] {
        let mut middle = Recipe::ca("Middle").by(&root);
        (middle.not_before, middle.not_after) = (NOW + from * DAY, NOW + until * DAY);
        let middle = middle.make();
        let leaf = Recipe::leaf("mx.example.com").by(&middle).make();
        let presented = [leaf.certificate(), middle.certificate()];
        let found = problems(&presented, NOW, &[], Trust::Unknown);
        let found = found
            .iter()
            .find(|one| one.code.starts_with("cert.issuer-"));
        let found = found.unwrap();
        assert_eq!(found.code, code);
        assert!(found.message.contains(words), "{}", found.message);
        assert!(found.remedy.contains(helps), "{}", found.remedy);
    }
}

#[test]
fn a_chain_must_be_complete_and_in_order() {
    let chain = chain("mx.example.com");
    let low = Recipe::ca("Low").by(&chain.middle).make();
    let deep = Recipe::leaf("mx.example.com").by(&low).make();
    let of = |parts: &[&Forged]| {
        parts
            .iter()
            .map(|part| part.certificate())
            .collect::<Vec<_>>()
    };
    let anchors = of(&[&chain.root]);
    let trust = Trust::Anchors(&anchors);
    for (parts, expected) in [
        (&[&deep, &low, &chain.middle][..], None),
        (&[&deep, &low, &chain.middle, &chain.root], None),
        (&[&deep], Some("cert.chain-incomplete:Warning")),
        (&[&deep, &low], Some("cert.issuer-unknown:Warning")),
        (
            &[&deep, &chain.middle, &low],
            Some("cert.wrong-order:Warning"),
        ),
        (&[&deep, &chain.middle], Some("cert.wrong-order:Warning")),
    ] {
        assert_eq!(codes(&of(parts), NAME, trust), Vec::from_iter(expected));
    }
    let by_root = Recipe::leaf("mx.example.com").by(&chain.root).make();
    assert_eq!(codes(&of(&[&by_root]), NAME, trust), [""; 0]);
    assert_eq!(codes(&of(&[&deep]), NAME, Trust::Unknown), [""; 0]);
}

#[test]
fn an_issuer_that_is_no_ca_is_refused_and_an_anchor_needs_not_be_a_root() {
    let chain = chain("mx.example.net");
    let (middle, root) = (chain.middle.certificate(), chain.root.certificate());
    let evil = Recipe::leaf("mx.example.com").by(&chain.leaf).make();
    let presented = [evil.certificate(), chain.leaf.certificate(), middle.clone()];
    assert_eq!(
        codes(&presented, NAME, Trust::Anchors(&[root])),
        ["cert.untrusted:Warning"]
    );
    let good = Recipe::leaf("mx.example.com").by(&chain.middle).make();
    assert_eq!(
        codes(&[good.certificate()], NAME, Trust::Anchors(&[middle])),
        [""; 0]
    );
}

#[test]
fn a_missing_intermediate_is_named_with_the_place_to_get_it_from() {
    let chain = chain("unused.example");
    let remedy = |method: u8, url: &[u8]| {
        let method = der(6, &[&[0x2b, 6, 1, 5, 5, 7, 0x30, method]]);
        let access = der(0x30, &[&der(0x30, &[&method, &der(0x86, &[url])])]);
        let mut recipe = Recipe::leaf("mx.example.com").by(&chain.middle);
        recipe.extensions = vec![("1.3.6.1.5.5.7.1.1", access)];
        let leaf = recipe.make().certificate();
        let found = problems(&[leaf], NOW, NAME, Trust::Anchors(&[]));
        assert_eq!(found[0].code, "cert.chain-incomplete");
        assert!(found[0].message.contains("CN=Middle, O=Test CA"));
        found[0].remedy.clone()
    };
    let plain = "Add the intermediate certificate; if this is a private CA, name its root.";
    assert_eq!(
        remedy(2, b"http://ca.example/r3.der"),
        plain.replacen(';', " (from http://ca.example/r3.der);", 1)
    );
    // The address of OCSP, and one that no program fetches.
    assert_eq!(remedy(1, b"http://ocsp.example/"), plain);
    assert_eq!(remedy(2, b"ldap://ca.example/"), plain);
}

#[test]
fn self_signed_and_system_certificates_are_told_apart_by_content() {
    let lone = |name: &'static str, organisation, days| {
        let mut recipe = Recipe::leaf(name);
        recipe.organisation = organisation;
        recipe.not_after = NOW + days * DAY;
        codes(&[recipe.make().certificate()], &[name], Trust::Unknown)
    };
    // As Debian's ssl-cert makes it, and `postfix tls enable-server` for a hundred years.
    assert_eq!(
        lone("localhost", None, 3650),
        ["cert.system-certificate:Error"]
    );
    assert_eq!(
        lone("mx.example.com", None, 36_500),
        ["cert.system-certificate:Error"]
    );
    assert_eq!(
        lone("mx.example.com", None, 365),
        ["cert.self-signed:Error"]
    );
    assert_eq!(
        lone("mx.example.com", Some("Example"), 3650),
        ["cert.self-signed:Error"]
    );
}

#[test]
fn a_ca_is_called_self_signed_and_only_a_hosts_name_makes_it_the_systems() {
    let lone = |name: &'static str| {
        let mut recipe = Recipe::ca(name);
        recipe.not_after = NOW + 3650 * DAY;
        recipe.organisation = None;
        // It may sign handshakes too: digitalSignature, keyCertSign.
        recipe.extensions = vec![("2.5.29.15", vec![3, 2, 2, 0x84])];
        codes(&[recipe.make().certificate()], &[], Trust::Unknown)
    };
    for (name, code) in [
        ("ours", "cert.self-signed:Error"),
        ("mx.example.com", "cert.system-certificate:Error"),
    ] {
        let found = lone(name);
        assert_eq!(found[0], code, "{found:?}");
        let as_leaf = |code: &String| code.starts_with("cert.ca-as-leaf");
        assert!(found.iter().any(as_leaf), "{found:?}");
    }
}

#[test]
fn a_leaf_that_outlives_its_issuer_is_told_with_the_day_that_this_one_ends() {
    let told = |middle_days: i64, root_days: i64, leaf_days: i64| {
        let dated = |mut recipe: Recipe<'_>, days: i64| {
            recipe.not_before = NOW - 30 * DAY;
            recipe.not_after = NOW + days * DAY;
            recipe.make()
        };
        let root = dated(Recipe::ca("Root"), root_days);
        let middle = dated(Recipe::ca("Middle").by(&root), middle_days);
        let leaf = dated(Recipe::leaf("mx.example.com").by(&middle), leaf_days);
        let chain = [leaf.certificate(), middle.certificate()];
        let found = problems(&chain, NOW, NAME, Trust::Anchors(&[root.certificate()]));
        let told = found.iter().map(|p| format!("{}:{:?}", p.code, p.gravity));
        // Nobody vouches where no anchor is known, and an anchor in the chain ends the path.
        let codes = |trust| codes(&chain, NAME, trust).join(" ");
        assert!(!codes(Trust::Unknown).contains("sooner"));
        let at_middle = codes(Trust::Anchors(&[middle.certificate()]));
        assert_eq!(at_middle.contains("sooner"), middle_days < leaf_days);
        told.collect::<Vec<_>>()
    };
    const SOONER: &str = "cert.issuer-ends-sooner:Warning";
    assert_eq!(told(90, 90, 90), [""; 0]);
    assert_eq!(told(91, 365, 90), [""; 0]);
    assert_eq!(told(89, 365, 90), [SOONER]);
    assert_eq!(told(365, 89, 90), [SOONER]);
    assert_eq!(told(365, 6, 90), ["cert.issuer-ends-sooner:Error"]);
}

#[test]
fn the_snakeoil_certificate_of_this_system_is_recognised() {
    let path = "/etc/ssl/certs/ssl-cert-snakeoil.pem";
    let Ok(bytes) = std::fs::read(path) else {
        postseal_testkit::beside::missing(&format!("{path} is absent"));
        return;
    };
    let chain = crate::pem_certificates(&bytes).unwrap();
    let now = chain[0].not_before + DAY;
    let found = problems(&chain, now, &[], Trust::Unknown);
    assert_eq!(found[0].code, "cert.system-certificate");
}

#[test]
fn a_mistake_becomes_a_problem_with_its_code_and_remedy() {
    let error = CertError::KeyEncrypted;
    let problem = CertProblem::from(&error);
    assert_eq!(problem.code, error.code());
    assert_eq!(problem.message, error.to_string());
    assert_eq!(problem.remedy, error.remedy());
}

#[test]
fn a_certificate_that_is_known_is_told_by_its_fingerprint() {
    let leaf = Recipe::leaf("mx.example.com").make().certificate();
    let namesake = Recipe::leaf("mx.example.com").make().certificate();
    let other = ("other", namesake.fingerprint());
    assert_eq!(duplicate(&leaf, &[]), None);
    assert_eq!(duplicate(&leaf, &[other]), None);
    let found = duplicate(&leaf, &[other, ("mail", leaf.fingerprint())]).unwrap();
    assert_eq!(found.code, "cert.duplicate");
    assert_eq!(found.message, "CN=mx.example.com is there already, as mail");
}

#[test]
fn a_key_file_is_for_root_alone() {
    let codes = |mode, uid| {
        let path = "/etc/ssl/private/mx.pem";
        let found = KeyFile { path, mode, uid }.problems();
        let codes = found.iter().map(|p| format!("{}:{:?}", p.code, p.gravity));
        codes.collect::<Vec<_>>().join(" ")
    };
    for (mode, uid, expected) in [
        (0o600, 0, ""),
        (0o400, 0, ""),
        (0o640, 0, "cert.key-readable:Note"),
        (0o604, 0, "cert.key-readable:Error"),
        (0o644, 0, "cert.key-readable:Error"),
        (0o620, 0, "cert.key-writable:Error"),
        (0o602, 0, "cert.key-writable:Error"),
        (0o711, 0, ""),
        (0o600, 33, "cert.key-owner:Warning"),
    ] {
        assert_eq!(codes(mode, uid), expected, "{mode:04o} {uid}");
    }
}
