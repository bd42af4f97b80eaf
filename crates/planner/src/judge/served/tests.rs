//! Which cause is told for which surroundings.

use super::*;
use crate::Digest;
use crate::compile::bound_path;
use crate::compile::sni;
use crate::facts::FileLook;
use crate::intent::{Binding, Place};
use crate::report::{AuthExpectation, Handshake, Presented, TlsExpectation, WireExpectation};
use crate::view::tests::facts as bare;
use mailtls::TlsVersion;
use zeroize::Zeroizing;

const AT: &str = "192.0.2.25:25";

fn leaf(name: &str) -> Fingerprint {
    Fingerprint::of(name.as_bytes())
}

fn stored(name: &str, version: u32, what: &str) -> StoredCertificate {
    StoredCertificate {
        name: name.to_owned(),
        version,
        chain: vec![what.as_bytes().to_vec()],
        fingerprint: leaf(what),
        has_key: true,
        private_ca: None,
        file_digest: None,
    }
}

fn bound(name: &str, what: &str, place: Place) -> Binding {
    Binding {
        name: name.to_owned(),
        fingerprint: leaf(what),
        allow_self_signed: false,
        place,
    }
}

/// `mx` in its second version on every service, `web` for clients that ask for it.
fn world() -> (Facts, Intent) {
    let mut facts = bare("", "");
    facts.certificates = vec![
        stored("mx", 2, "new"),
        stored("mx", 1, "old"),
        stored("web", 1, "web"),
    ];
    let intent = Intent {
        bindings: vec![
            bound("mx", "new", Place::Server),
            bound("web", "web", Place::Sni("web.example.org".to_owned())),
        ],
        ..Intent::default()
    };
    let map = sni::map(&intent, &facts).unwrap();
    for path in map.files() {
        facts.files.insert(path, file(&map.source));
    }
    (facts, intent)
}

fn file(text: &str) -> FileLook {
    FileLook::File {
        bytes: Zeroizing::new(text.as_bytes().to_vec()),
        mode: 0o600,
        uid: 0,
    }
}

fn named(name: &str) -> Ask {
    Ask {
        name: Some(name.to_owned()),
        algorithm: None,
    }
}

fn expected() -> ServiceExpectation {
    ServiceExpectation {
        service: "smtp/inet".to_owned(),
        addresses: vec![AT.parse().unwrap()],
        wire: WireExpectation::Serving {
            tls: TlsExpectation::StartTls {
                required: false,
                handshake: HandshakeExpectation {
                    certificates: vec![leaf("new")],
                    presented: vec![Presented {
                        ask: named("web.example.org"),
                        certificates: vec![leaf("web")],
                    }],
                    ..HandshakeExpectation::default()
                },
            },
            auth: AuthExpectation::Any,
        },
    }
}

fn report(plain: &str, by_name: &str) -> Report {
    Report {
        handshake: Some(Handshake {
            version: TlsVersion::Tls1_3,
            cipher: String::new(),
            group: None,
            chain: Vec::new(),
            fingerprint: Some(leaf(plain)),
        }),
        asked: vec![crate::report::Asked {
            ask: named("web.example.org"),
            answer: Answered::Shown(Some(leaf(by_name))),
            leaf: None,
        }],
        ..Report::unseen("smtp/inet", AT.parse().unwrap())
    }
}

/// The causes: code and message of each.
fn causes(around: &(Facts, Intent), owner: PortOwner, seen: [&str; 2]) -> Vec<(String, String)> {
    causes_beside(around, owner, seen, &[])
}

/// The same, where these files of ours were written by others.
fn causes_beside(
    around: &(Facts, Intent),
    owner: PortOwner,
    [plain, by_name]: [&str; 2],
    touched: &[FileDrift],
) -> Vec<(String, String)> {
    let expectations = [expected()];
    let reports = [report(plain, by_name)];
    let owners = BTreeMap::from([(AT.parse().unwrap(), owner)]);
    let mut verdict = crate::judge(&expectations, &reports);
    let before: Vec<usize> = verdict
        .judgements
        .iter()
        .map(|j| j.findings.len())
        .collect();
    let around = Around {
        facts: &around.0,
        intent: &around.1,
        owners: &owners,
        known: &[stored("other", 3, "elsewhere")],
        touched,
        edits: &[],
    };
    add_causes(&mut verdict, &differences(&expectations, &reports), &around);
    let added = verdict.judgements[0].findings[before[0]..].iter();
    added
        .map(|finding| (finding.code.to_string(), finding.message.clone()))
        .collect()
}

fn one(around: &(Facts, Intent), owner: PortOwner, seen: [&str; 2], code: &str, words: &[&str]) {
    let told = causes(around, owner, seen);
    let [(found, message)] = told.as_slice() else {
        panic!("{seen:?}: {told:?}");
    };
    assert_eq!(found, code, "{message}");
    for word in words {
        assert!(message.contains(word), "{word:?} in {message}");
    }
}

#[test]
fn where_nothing_differs_nothing_is_said() {
    assert_eq!(causes(&world(), PortOwner::Ours, ["new", "web"]), []);
}

#[test]
fn a_process_of_ours_that_shows_what_was_is_from_before() {
    let mut world = world();
    let words = ["version 1 of mx", "max_idle = 100s", "max_use = 100"];
    one(
        &world,
        PortOwner::Ours,
        ["old", "web"],
        "served.not-reloaded",
        &words,
    );
    one(
        &world,
        PortOwner::Unknown,
        ["old", "web"],
        "served.not-reloaded",
        &words,
    );
    let words = ["version 3 of other"];
    one(
        &world,
        PortOwner::Unknown,
        ["elsewhere", "web"],
        "served.not-reloaded",
        &words,
    );
    let words = ["no longer configured"];
    one(
        &world,
        PortOwner::Ours,
        ["strange", "web"],
        "served.not-reloaded",
        &words,
    );
    world
        .0
        .values
        .insert("max_idle".to_owned(), "7s".to_owned());
    let words = ["max_idle = 7s"];
    one(
        &world,
        PortOwner::Ours,
        ["old", "web"],
        "served.not-reloaded",
        &words,
    );
}

#[test]
fn another_process_on_the_port_is_named_whatever_it_shows() {
    let other = |pid, command: Option<&str>| PortOwner::Other {
        pid,
        command: command.map(str::to_owned),
    };
    let words = ["\"stunnel4\" (process 4711)", "port 25 on 192.0.2.25"];
    let stunnel = other(Some(4711), Some("stunnel4"));
    one(
        &world(),
        stunnel.clone(),
        ["old", "old"],
        "served.other-process",
        &words,
    );
    one(
        &world(),
        stunnel,
        ["strange", "web"],
        "served.other-process",
        &words,
    );
    let words = ["which the system does not name"];
    one(
        &world(),
        other(None, None),
        ["old", "web"],
        "served.other-process",
        &words,
    );
}

#[test]
fn a_file_that_somebody_wrote_is_named() {
    let mut world = world();
    let path = bound_path(&world.0, &world.1.bindings[0]);
    let words = [
        path.to_str().unwrap().to_owned(),
        "holds no certificate".to_owned(),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    world.0.files.insert(
        path.clone(),
        file("-----BEGIN NOTHING-----\n-----END NOTHING-----\n"),
    );
    one(
        &world,
        PortOwner::Ours,
        ["strange", "web"],
        "served.file-differs",
        &words,
    );
    world.0.files.insert(path, FileLook::Missing);
    one(
        &world,
        PortOwner::Ours,
        ["strange", "web"],
        "served.file-differs",
        &["is gone"],
    );
}

#[test]
fn the_default_for_a_name_is_told_from_a_foreign_map() {
    let mut world = world();
    let seen = ["new", "new"];
    let words = ["ask for web.example.org", "has not looked"];
    one(
        &world,
        PortOwner::Ours,
        seen,
        "served.default-for-name",
        &words,
    );
    one(
        &world,
        PortOwner::Ours,
        ["new", "strange"],
        "served.foreign-map",
        &["compiled by somebody"],
    );
    one(
        &world,
        PortOwner::Ours,
        ["new", "old"],
        "served.not-reloaded",
        &["version 1 of mx"],
    );
    let map = sni::map(&world.1, &world.0).unwrap();
    world
        .0
        .files
        .insert(map.path.clone(), file("www.example.org /x.pem\n"));
    one(
        &world,
        PortOwner::Ours,
        seen,
        "served.default-for-name",
        &["other rows"],
    );
    world.0.files.insert(map.path.clone(), FileLook::Missing);
    one(
        &world,
        PortOwner::Ours,
        seen,
        "served.default-for-name",
        &["cannot be read"],
    );
    let digest = Digest::of(b"compiled");
    assert!(map.source_beside(digest, digest).starts_with(&map.source));
}

#[test]
fn a_map_that_others_compiled_is_the_cause_whatever_it_holds() {
    let mut world = world();
    let map = sni::map(&world.1, &world.0).unwrap();
    let told = |world: &(Facts, Intent), by_name: &str, what: &str| {
        let touched = [FileDrift {
            path: map.path.clone(),
            what: what.to_owned(),
        }];
        let told = causes_beside(world, PortOwner::Ours, ["new", by_name], &touched);
        let [(code, message)] = told.as_slice() else {
            panic!("{told:?}");
        };
        (code.clone(), message.clone())
    };
    // The default of the port, a version of the store, and what nobody knows.
    for seen in ["new", "old", "strange"] {
        let (code, message) = told(&world, seen, "holds something else");
        assert_eq!(code, "served.foreign-map", "{message}");
        assert!(message.contains(map.path.to_str().unwrap()), "{message}");
    }
    // Neither its mode nor rows that others wrote say what it was compiled to.
    let (code, _) = told(&world, "new", "may be opened by others (mode 644)");
    assert_eq!(code, "served.default-for-name");
    let other = file("www.example.org /x.pem\n");
    world.0.files.insert(map.path.clone(), other);
    let (code, _) = told(&world, "new", "holds something else");
    assert_eq!(code, "served.default-for-name");
}

#[test]
fn what_nobody_knows_is_called_a_stranger() {
    let words = ["neither in the store"];
    one(
        &world(),
        PortOwner::Unknown,
        ["strange", "web"],
        "served.stranger",
        &words,
    );
}

#[test]
fn both_kinds_of_clients_get_a_cause_of_their_own() {
    let told = causes(&world(), PortOwner::Ours, ["old", "strange"]);
    let codes: Vec<&str> = told.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(codes, ["served.not-reloaded", "served.foreign-map"]);
}
