//! Which version of a certificate may take the place of the one in force without anybody looking.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod support;

use mailtls::{Certificate, Fingerprint, pem_certificates};
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::facts::StoredCertificate;
use postseal_planner::intent::{Binding, Place};
use postseal_planner::{AllTheSame, Finding, Intent, lost_by_succession, share_a_name};
use support::{Host, NOW};

const DAY: i64 = 86_400;
const MASTER: &str = "smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n";
const MX: &[&str] = &["mx.example.com", "mail.example.com"];

fn ca(name: &str) -> PrivateCa {
    PrivateCa::new(name, KeyType::EcdsaP256, Validity::days(NOW, 3650)).unwrap()
}

fn root(ca: &PrivateCa) -> Certificate {
    pem_certificates(ca.certificate_pem().as_bytes())
        .unwrap()
        .remove(0)
}

/// A certificate of these names that begins now and ends after so many days.
fn leaf(ca: &PrivateCa, names: &[&str], days: i64) -> Certificate {
    leaf_of(ca, KeyType::EcdsaP256, names, days)
}

fn leaf_of(ca: &PrivateCa, key_type: KeyType, names: &[&str], days: i64) -> Certificate {
    let request = LeafRequest {
        names: names.iter().copied().map(str::to_owned).collect(),
        key_type,
        validity: Validity {
            not_before: NOW - 10 * DAY,
            not_after: NOW + days * DAY,
        },
    };
    let pem = ca.issue(&request).unwrap().cert_pem;
    pem_certificates(pem.as_bytes()).unwrap().remove(0)
}

/// A version: its chain, and the CA that was chosen for it.
struct Version<'a>(&'a [&'a Certificate], Option<&'a Certificate>);

fn fingerprint(version: &Version<'_>) -> Fingerprint {
    version.0[0].fingerprint()
}

/// Whether a certificate that only its own key vouches for was accepted where it is bound.
#[derive(Clone, Copy)]
enum SelfSigned {
    Accepted,
    Not,
}

fn bound(version: &Version<'_>, place: &Place, accepted: SelfSigned) -> Intent {
    let binding = Binding {
        name: "mx".to_owned(),
        fingerprint: fingerprint(version),
        allow_self_signed: matches!(accepted, SelfSigned::Accepted),
        place: place.clone(),
    };
    Intent {
        bindings: vec![binding],
        ..Intent::default()
    }
}

fn lost_at(place: &Place, before: &Version<'_>, after: &Version<'_>) -> Vec<Finding> {
    lost(place, SelfSigned::Not, before, after)
}

fn lost(
    place: &Place,
    accepted: SelfSigned,
    before: &Version<'_>,
    after: &Version<'_>,
) -> Vec<Finding> {
    let main = "myhostname = mx.example.com\n";
    let mut host = Host::new(main.as_bytes(), MASTER.as_bytes());
    let name = ["myhostname", "mx.example.com"].map(str::to_owned);
    host.facts.values.extend([name.into()]);
    for (version, of) in [(1, before), (2, after)] {
        host.facts.certificates.push(StoredCertificate {
            name: "mx".to_owned(),
            version,
            chain: of.0.iter().map(|one| one.der.clone()).collect(),
            fingerprint: fingerprint(of),
            has_key: true,
            private_ca: of.1.map(|ca| ca.der.clone()),
            file_digest: None,
        });
    }
    let [in_force, next] = [before, after].map(|version| bound(version, place, accepted));
    lost_by_succession(
        "mx",
        (&in_force, &next),
        (&host.facts, NOW),
        AllTheSame::Possible,
    )
}

fn codes(before: &Version<'_>, after: &Version<'_>) -> String {
    text(&lost_at(&Place::Server, before, after))
}

fn text(lost: &[Finding]) -> String {
    let codes: Vec<&str> = lost.iter().map(|one| &*one.code).collect();
    codes.join(" ")
}

#[test]
fn a_renewal_that_loses_nothing_may() {
    let (ours, other) = (ca("Ours"), ca("Other"));
    let (ours_root, other_root) = (root(&ours), root(&other));
    let before = leaf(&ours, MX, 20);
    let before = [&before];
    let after = leaf(&ours, MX, 80);
    let (trusted, not) = (Some(&ours_root), None);
    assert_eq!(
        codes(&Version(&before, trusted), &Version(&[&after], trusted)),
        ""
    );
    // What nobody vouched for before need not be vouched for.
    assert_eq!(codes(&Version(&before, not), &Version(&[&after], not)), "");
    assert_eq!(
        codes(&Version(&before, not), &Version(&[&after], trusted)),
        ""
    );
    let elsewhere = leaf(&other, MX, 80);
    let by_other = Version(&[&elsewhere], Some(&other_root));
    assert_eq!(codes(&Version(&before, trusted), &by_other), "");
    // It is the same one.
    assert_eq!(
        codes(&Version(&before, trusted), &Version(&before, not)),
        ""
    );
}

#[test]
fn one_by_which_trust_is_lost_waits() {
    let (ours, other) = (ca("Ours"), ca("Other"));
    let ours_root = root(&ours);
    let (before, after) = (leaf(&ours, MX, 20), leaf(&other, MX, 80));
    let trusted = Some(&ours_root);
    let old = Version(&[&before], trusted);
    assert_eq!(
        codes(&old, &Version(&[&after], trusted)),
        "cert.chain-incomplete"
    );
    let other_root = root(&other);
    let whole = [&after, &other_root];
    assert_eq!(
        codes(&old, &Version(&whole, trusted)),
        "cert.issuer-unknown"
    );
    let ca_itself = codes(&old, &Version(&[&other_root], trusted));
    assert!(ca_itself.contains("cert.ca-as-leaf"), "{ca_itself}");
    // Nobody vouched for either, but only the new one comes without its issuer.
    let untrusted = [&before, &ours_root];
    assert_eq!(
        codes(&Version(&untrusted, None), &Version(&[&after], None)),
        "cert.chain-incomplete"
    );
    // Peers refuse what has expired in any case.
    let expired = leaf(&ours, MX, -1);
    assert_eq!(
        codes(&Version(&[&expired], trusted), &Version(&[&after], trusted)),
        ""
    );
}

/// Only its own key vouches for it.
fn selfish(days: i64) -> Certificate {
    let request = LeafRequest {
        names: MX.iter().copied().map(str::to_owned).collect(),
        key_type: KeyType::EcdsaP256,
        validity: Validity::days(NOW, u32::try_from(days).unwrap()),
    };
    let pem = postseal_issue::self_signed(&request).unwrap().cert_pem;
    pem_certificates(pem.as_bytes()).unwrap().remove(0)
}

/// `--allow-self-signed` was said of what was there then. Where a CA vouches now, it is trust that
/// would be lost.
#[test]
fn what_was_accepted_once_gives_no_trust_away() {
    let ours = ca("Ours");
    let root = root(&ours);
    let before = leaf(&ours, MX, 20);
    let (own, next) = (selfish(30), selfish(80));
    let (trusted, own, next) = (
        Version(&[&before], Some(&root)),
        Version(&[&own], None),
        Version(&[&next], None),
    );
    for place in [Place::Server, Place::Sni("mail.example.com".to_owned())] {
        let codes = |old, new| text(&lost(&place, SelfSigned::Accepted, old, new));
        assert_eq!(codes(&trusted, &own), "cert.self-signed", "{place:?}");
        assert_eq!(codes(&own, &next), "");
        assert_eq!(codes(&own, &trusted), "cert.ends-sooner");
    }
    // What is said to help does: the binding has to accept it anew.
    let waits = lost(&Place::Server, SelfSigned::Accepted, &trusted, &own);
    let remedy = &waits[0].remedy;
    assert!(
        remedy.contains("`postseal cert bind mx --allow-self-signed`"),
        "{remedy}"
    );
}

/// RSA and ECDSA are taken by everybody of today, Ed25519 by some.
#[test]
fn one_whose_kind_of_key_few_programs_take_waits() {
    use KeyType::{EcdsaP256, EcdsaP384, Ed25519, Rsa2048};
    let ours = ca("Ours");
    for (old, new, lost) in [
        (Rsa2048, EcdsaP256, ""),
        (EcdsaP256, Rsa2048, ""),
        (EcdsaP256, EcdsaP384, ""),
        (Rsa2048, Ed25519, "cert.kind-gone"),
        (EcdsaP256, Ed25519, "cert.kind-gone"),
        (Ed25519, Ed25519, ""),
        (Ed25519, Rsa2048, ""),
    ] {
        let made = |kind, days| leaf_of(&ours, kind, MX, days);
        let (before, after) = (made(old, 20), made(new, 80));
        let (before, after) = ([&before], [&after]);
        let (before, after) = (Version(&before, None), Version(&after, None));
        for place in [Place::Server, Place::Port(465), Place::Client(None)] {
            let found = lost_at(&place, &before, &after);
            assert_eq!(text(&found), lost, "{old:?} {new:?} {place:?}");
        }
    }
    // Peers refuse what has expired, whatever its key.
    let expired = leaf_of(&ours, Rsa2048, MX, -1);
    let after = leaf_of(&ours, Ed25519, MX, 80);
    assert_eq!(
        codes(&Version(&[&expired], None), &Version(&[&after], None)),
        ""
    );
}

#[test]
fn one_that_ends_before_the_one_in_force_waits() {
    let ours = ca("Ours");
    let before = leaf(&ours, MX, 89);
    let ends = |days: i64| {
        let after = leaf(&ours, MX, days);
        codes(&Version(&[&before], None), &Version(&[&after], None))
    };
    assert_eq!(ends(3), "cert.ends-sooner");
    assert_eq!(ends(87), "cert.ends-sooner");
    // Ends are rounded.
    assert_eq!(ends(88), "");
    assert_eq!(ends(89), "");
}

#[test]
fn one_without_the_names_waits_where_they_are_asked_for() {
    let ours = ca("Ours");
    let before = leaf(&ours, MX, 20);
    let of = |place: &Place, names: &[&str]| {
        let after = leaf(&ours, names, 80);
        let lost = lost_at(place, &Version(&[&before], None), &Version(&[&after], None));
        let codes: Vec<&str> = lost.iter().map(|one| &*one.code).collect();
        codes.join(" ")
    };
    let sni = Place::Sni("mail.example.com".to_owned());
    assert_eq!(
        of(&Place::Server, &["mail.example.com"]),
        "cert.name-mismatch"
    );
    assert_eq!(of(&sni, &["mail.example.com"]), "");
    assert_eq!(of(&sni, &["mx.example.com"]), "cert.name-mismatch");
    // Another certificate waits everywhere, also where only mail clients come.
    for place in [Place::Server, sni, Place::Port(587), Place::Client(None)] {
        assert_eq!(
            of(&place, &["www.example.net"]),
            "cert.other-names",
            "{place:?}"
        );
        assert_eq!(of(&place, &["*.example.com"]), "", "{place:?}");
    }
    assert_eq!(of(&Place::Port(587), &["mail.example.com"]), "");
}

#[test]
fn what_helps_names_the_place() {
    let ours = ca("Ours");
    let (before, after) = (leaf(&ours, MX, 89), leaf(&ours, MX, 3));
    for (place, words) in [
        (Place::Server, "`postseal cert bind mx`"),
        (Place::Port(587), "`postseal cert bind mx --service 587`"),
        (
            Place::Client(Some("relay".to_owned())),
            "`postseal cert bind mx --client --transport relay`",
        ),
    ] {
        let lost = lost_at(
            &place,
            &Version(&[&before], None),
            &Version(&[&after], None),
        );
        assert!(lost[0].remedy.contains(words), "{}", lost[0].remedy);
        assert!(lost[0].remedy.contains("`postseal apply`"));
    }
}

#[test]
fn names_are_in_common_by_wildcards_addresses_and_case() {
    let ours = ca("Ours");
    for (one, other, shared) in [
        (&["mx.example.com"][..], &["MX.Example.com"][..], true),
        (&["*.example.com"], &["mx.example.com"], true),
        (&["mx.example.com"], &["*.example.com"], true),
        (&["*.example.com"], &["*.example.com"], true),
        (&["*.example.com"], &["example.com"], false),
        (&["*.example.com"], &["a.mx.example.com"], false),
        (
            &["a.example", "b.example"],
            &["c.example", "b.example"],
            true,
        ),
        (&["192.0.2.1"], &["192.0.2.1"], true),
        (&["192.0.2.1"], &["192.0.2.2"], false),
        (&["mx.example.com"], &["192.0.2.1"], false),
    ] {
        let (a, b) = (leaf(&ours, one, 90), leaf(&ours, other, 90));
        assert_eq!(share_a_name(&a, &b), shared, "{one:?} {other:?}");
        assert_eq!(share_a_name(&b, &a), shared, "{other:?} {one:?}");
    }
}

/// Everything from outside is hostile: ten thousand names against ten thousand others.
#[test]
fn many_names_are_compared_at_once() {
    let ours = ca("Ours");
    let many =
        |domain: &str| -> Vec<String> { (0..5000).map(|n| format!("h{n}.{domain}")).collect() };
    let made = |names: &[String]| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        leaf(&ours, &names, 90)
    };
    let (a, b) = (made(&many("example.com")), made(&many("example.net")));
    assert!(!share_a_name(&a, &b));
    assert!(share_a_name(&a, &a));
}
