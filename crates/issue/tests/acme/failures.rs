//! What a real CA refuses.

use crate::scene::{Scene, bounds, listening, names, order, short};
use postseal_issue::acme::{Account, AcmeCa, AcmeError, Order};
use postseal_issue::{Bounds, Challenge, ChallengeKind, Key, KeyType, Solver, SolverError};
use postseal_testkit::pebble::Pebble;
use std::net::TcpListener;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A solver that answers wrongly, or not at all, and counts.
#[derive(Default)]
struct Wrong {
    presented: Vec<String>,
    cleaned: Vec<String>,
    fails_for: Option<&'static str>,
    fails_to_clean: bool,
}

impl Solver for Wrong {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Dns01
    }

    fn present(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        self.presented.push(challenge.name.clone());
        match self.fails_for {
            Some(name) if name == challenge.name => Err(SolverError::Unusable(name.into())),
            _ => Ok(()),
        }
    }

    fn clean_up(&mut self, challenge: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        self.cleaned.push(challenge.name.clone());
        match self.fails_to_clean {
            true => Err(SolverError::Deadline),
            false => Ok(()),
        }
    }
}

fn key() -> Key {
    Key::generate(KeyType::EcdsaP256).unwrap()
}

#[test]
fn a_failed_challenge_names_its_name_and_what_the_ca_saw() {
    let scene = Scene::new();
    let account = scene.account();
    let mut wrong = Wrong::default();
    let failed = order(&account, &names(&["mx.mail.test"]), &key(), &mut wrong).unwrap_err();
    match &failed {
        AcmeError::ChallengeFailed {
            name,
            challenge,
            problem,
            ..
        } => {
            assert_eq!(
                (name.as_str(), *challenge),
                ("mx.mail.test", ChallengeKind::Dns01)
            );
            assert!(
                !problem.detail.is_empty() && !problem.kind.is_empty(),
                "{problem:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(failed.code(), "acme.challenge-failed");
    assert!(failed.remedy().contains("_acme-challenge.mx.mail.test"));
    assert_eq!(wrong.presented, wrong.cleaned);
    // Nobody listens on the port where Pebble looks.
    let mut listening = listening();
    let failed = order(
        &account,
        &names(&["mx.mail.test"]),
        &key(),
        &mut listening.solver,
    );
    let failed = failed.unwrap_err();
    assert_eq!(failed.code(), "acme.challenge-failed", "{failed}");
    assert!(failed.to_string().contains("http-01"), "{failed}");
}

#[test]
fn what_was_presented_is_cleaned_up_and_nothing_else() {
    let scene = Scene::new();
    let account = scene.account();
    let wanted = names(&["a.mail.test", "b.mail.test", "c.mail.test"]);
    let mut wrong = Wrong {
        fails_for: Some("b.mail.test"),
        fails_to_clean: true,
        ..Wrong::default()
    };
    let failed = order(&account, &wanted, &key(), &mut wrong).unwrap_err();
    assert!(
        matches!(&failed, AcmeError::Solver { name, .. } if name == "b.mail.test"),
        "{failed:?}"
    );
    assert_eq!(wrong.presented, wrong.cleaned);
    assert_eq!(wrong.presented.last().unwrap(), "b.mail.test");
    // A wildcard cannot be proved over HTTP.
    let mut listening = listening();
    let failed = order(
        &account,
        &names(&["*.mail.test"]),
        &key(),
        &mut listening.solver,
    );
    assert_eq!(failed.unwrap_err().code(), "acme.challenge-not-offered");
}

#[test]
fn a_certificate_is_good_even_if_its_challenge_stays_behind() {
    let scene = Scene::with(Pebble::builder().set("PEBBLE_VA_ALWAYS_VALID", "1"));
    let mut wrong = Wrong {
        fails_to_clean: true,
        ..Wrong::default()
    };
    let wanted = names(&["mx.mail.test"]);
    let ordered = order(&scene.account(), &wanted, &key(), &mut wrong).unwrap();
    assert_eq!(ordered.left_behind.len(), 1);
    scene.judged(&ordered.issued, &wanted);
}

#[test]
fn half_of_the_nonces_rejected_is_no_failure() {
    let builder = Pebble::builder()
        .set("PEBBLE_WFE_NONCEREJECT", "50")
        .set("PEBBLE_VA_ALWAYS_VALID", "1");
    let scene = Scene::with(builder);
    let wanted = names(&["a.mail.test", "b.mail.test"]);
    let ordered = order(&scene.account(), &wanted, &key(), &mut Wrong::default()).unwrap();
    scene.judged(&ordered.issued, &wanted);
}

#[test]
fn a_ca_that_forgot_the_account_or_is_not_the_one_is_told() {
    let scene = Scene::new();
    let kept = Account::register(&scene.ca, &[], None, &bounds()).unwrap();
    let kept = kept.credentials.0;
    for broken in [
        b"".as_slice(),
        b"{}",
        b"\xff",
        b"{\"directory\":\"https://a/\"}",
    ] {
        let error = Account::restore(&scene.ca, broken, &bounds()).unwrap_err();
        assert_eq!(error.code(), "acme.credentials");
    }
    let elsewhere = Pebble::builder().build().unwrap();
    let other = AcmeCa {
        directory: elsewhere.directory(),
        roots_pem: Some(elsewhere.server_root_pem().into()),
    };
    let error = Account::restore(&other, &kept, &bounds()).unwrap_err();
    assert_eq!(error.code(), "acme.credentials");
    // As after the CA lost its memory: the same directory, another account base.
    let text = String::from_utf8(kept.to_vec()).unwrap();
    let moved = text.replace(&scene.ca.directory, &other.directory);
    let account = Account::restore(&other, moved.as_bytes(), &bounds()).unwrap();
    let failed = order(
        &account,
        &names(&["a.mail.test"]),
        &key(),
        &mut Wrong::default(),
    );
    let failed = failed.unwrap_err();
    assert!(
        matches!(failed.code(), "acme.account-unknown" | "acme.refused"),
        "{failed:?}"
    );
}

#[test]
fn an_unreachable_untrusted_or_wrong_server_is_told_apart() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let at = |directory: String| AcmeCa {
        directory,
        roots_pem: None,
    };
    let code = |ca: &AcmeCa| {
        Account::register(ca, &[], None, &bounds())
            .unwrap_err()
            .code()
    };
    assert_eq!(
        code(&at(format!("https://{nobody}/dir"))),
        "acme.unreachable"
    );
    assert_eq!(code(&at("http://127.0.0.1/dir".into())), "acme.unusable");
    assert_eq!(code(&at("https:// /".into())), "acme.unusable");
    let pebble = Pebble::builder().build().unwrap();
    assert_eq!(code(&at(pebble.directory())), "acme.untrusted-server");
    let mut ca = at(pebble.directory());
    ca.roots_pem = Some(b"nonsense".to_vec());
    assert_eq!(code(&ca), "acme.unusable");
    ca.roots_pem = Some(pebble.server_root_pem().into());
    ca.directory = ca.directory.replace("/dir", "/nothing");
    assert_eq!(code(&ca), "acme.bad-answer");
}

#[test]
fn an_interrupted_or_late_order_ends_and_tidies_up() {
    let scene = Scene::with(
        Pebble::builder()
            .set("PEBBLE_VA_NOSLEEP", "0")
            .set("PEBBLE_VA_SLEEPTIME", "600"),
    );
    let account = scene.account();
    let (key, wanted) = (key(), names(&["mx.mail.test"]));
    let wanted = Order {
        names: &wanted,
        key: &key,
        replaces: None,
    };
    let mut wrong = Wrong::default();
    let late = account.order(&wanted, &mut wrong, &short(Duration::from_secs(3)));
    let late = late.unwrap_err();
    assert!(
        matches!(
            late,
            AcmeError::Deadline(_) | AcmeError::ChallengeFailed { .. }
        ),
        "{late:?}"
    );
    assert_eq!(wrong.presented, wrong.cleaned);
    let flag = AtomicBool::new(true);
    let bounds = Bounds::new(0, Duration::from_secs(60), &flag);
    let stopped = account.order(&wanted, &mut wrong, &bounds).unwrap_err();
    assert_eq!(stopped.code(), "acme.interrupted");
}
