//! A CA by script: rate limits, wrong chains, renewal information, slowness.

use crate::scene::{bounds, names, now, order, short};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postseal_issue::acme::{Account, AcmeCa, AcmeError, Order, certificate_id};
use postseal_issue::{
    Bounds, Challenge, ChallengeKind, Issued, Key, KeyType, PrivateCa, Solver, SolverError,
    Validity,
};
use postseal_testkit::https_script::{HttpAnswer, HttpRequest, HttpsScript};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Never called: the scripted CA takes every name for proved.
struct Nothing;

impl Solver for Nothing {
    fn kind(&self) -> ChallengeKind {
        ChallengeKind::Http01
    }

    fn present(&mut self, _: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        Err(SolverError::Unusable("nothing".into()))
    }

    fn clean_up(&mut self, _: &Challenge, _: &Bounds<'_>) -> Result<(), SolverError> {
        Ok(())
    }
}

/// A CA that answers `/certificate` with `chain` and everything else as it should, unless
/// `instead` knows better.
fn ca(
    chain: String,
    instead: impl Fn(&HttpRequest) -> Option<HttpAnswer> + Send + Sync + 'static,
) -> HttpsScript {
    HttpsScript::start(move |url, request| {
        if let Some(answer) = instead(request) {
            return answer.header("Replay-Nonce: bm9uY2U");
        }
        let order = |status: &str| {
            format!(
                r#"{{"status":"{status}","authorizations":["{url}/authz"],"finalize":"{url}/finalize","certificate":"{url}/certificate"}}"#
            )
        };
        let answer = match request.path.as_str() {
            "/dir" => HttpAnswer::new(
                "200 OK",
                format!(
                    r#"{{"newNonce":"{url}/nonce","newAccount":"{url}/account","newOrder":"{url}/order","renewalInfo":"{url}/ari"}}"#
                ),
            ),
            "/nonce" => HttpAnswer::new("200 OK", ""),
            "/account" => HttpAnswer::new("201 Created", "{}").header(format!("Location: {url}/account/1")),
            "/order" => HttpAnswer::new("201 Created", order("ready")).header(format!("Location: {url}/order/1")),
            "/authz" => HttpAnswer::new(
                "200 OK",
                r#"{"status":"valid","identifier":{"type":"dns","value":"mx.mail.test"},"challenges":[]}"#,
            ),
            "/finalize" | "/order/1" => HttpAnswer::new("200 OK", order("valid")),
            "/certificate" => HttpAnswer::new("200 OK", chain.clone()),
            _ => HttpAnswer::new("404 Not Found", "<html>"),
        };
        answer.header("Replay-Nonce: bm9uY2U")
    })
    .unwrap()
}

fn at(server: &HttpsScript) -> AcmeCa {
    AcmeCa {
        directory: format!("{}/dir", server.url()),
        roots_pem: Some(server.root_pem().into()),
    }
}

fn registered(server: &HttpsScript) -> Account {
    Account::register(&at(server), &[], None, &bounds())
        .unwrap()
        .account
}

fn issued(key: &Key) -> Issued {
    let life = Validity::days(now(), 60);
    let root = PrivateCa::new("Root", KeyType::EcdsaP256, life).unwrap();
    let ca = root
        .intermediate("Middle", KeyType::EcdsaP256, life)
        .unwrap();
    ca.issue_for(&names(&["mx.mail.test"]), life, key).unwrap()
}

fn key() -> Key {
    Key::generate(KeyType::EcdsaP256).unwrap()
}

fn ordered(server: &HttpsScript, key: &Key) -> Result<Issued, AcmeError> {
    let names = names(&["mx.mail.test"]);
    order(&registered(server), &names, key, &mut Nothing).map(|ordered| ordered.issued)
}

#[test]
fn a_wrong_chain_is_refused_and_the_right_one_taken() {
    let key = key();
    let right = issued(&key);
    let server = ca(right.fullchain_pem(), |_| None);
    assert_eq!(ordered(&server, &key).unwrap().cert_pem, right.cert_pem);
    let other = issued(&self::key());
    for wrong in [other.fullchain_pem(), "<html>".into(), String::new()] {
        let server = ca(wrong, |_| None);
        assert_eq!(
            ordered(&server, &key).unwrap_err().code(),
            "acme.wrong-chain"
        );
    }
    let foreign = format!("{}{}", right.cert_pem, other.chain_pem);
    let server = ca(foreign, |_| None);
    assert_eq!(
        ordered(&server, &key).unwrap_err().code(),
        "acme.wrong-chain"
    );
}

#[test]
fn a_rate_limit_says_when_to_try_again() {
    let limited =
        r#"{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many\ncertificates"}"#;
    let cases = [
        ("429 Too Many Requests", limited, "Retry-After: 3600", true),
        (
            "429 Too Many Requests",
            "<html>busy</html>",
            "Retry-After: 3600",
            true,
        ),
        ("503 Service Unavailable", "", "Retry-After: 3600", true),
        (
            "429 Too Many Requests",
            limited,
            "Retry-After: nonsense",
            false,
        ),
    ];
    for (status, body, header, known) in cases {
        let server = ca(String::new(), move |request| {
            (request.path == "/order").then(|| HttpAnswer::new(status, body).header(header))
        });
        let error = ordered(&server, &key()).unwrap_err();
        assert_eq!(
            error.code(),
            "acme.rate-limited",
            "{status} {body}: {error}"
        );
        assert!(!error.to_string().contains('\n'));
        let after = error.retry_at().map(|at| at - now());
        match known {
            true => assert!(matches!(after, Some(3500..=3600)), "{after:?}"),
            false => assert_eq!(after, None),
        }
    }
    let server = ca(String::new(), |request| {
        let date = "Retry-After: Fri, 31 Dec 2049 23:59:59 GMT";
        (request.path == "/order").then(|| HttpAnswer::new("429 Too Many", "{}").header(date))
    });
    assert_eq!(
        ordered(&server, &key()).unwrap_err().retry_at(),
        Some(2_524_607_999)
    );
}

#[test]
fn a_busy_directory_is_told_and_a_busy_moment_waited_out() {
    for path in ["/dir", "/nonce"] {
        let server = ca(String::new(), move |request| {
            let busy = || HttpAnswer::new("503 Busy", "<html>").header("Retry-After: 60");
            (request.path == path).then(busy)
        });
        let error = Account::register(&at(&server), &[], None, &bounds()).unwrap_err();
        assert_eq!(error.code(), "acme.rate-limited", "{path}");
        assert!(error.retry_at().is_some_and(|at| at > now()));
    }
    const PROCESSING: &str =
        r#"{"status":"processing","authorizations":[],"finalize":"https://127.0.0.1/"}"#;
    let key = key();
    let right = issued(&key);
    let polls = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&polls);
    let server = ca(right.fullchain_pem(), move |request| {
        match request.path.as_str() {
            "/finalize" => Some(HttpAnswer::new("200 OK", PROCESSING)),
            "/order/1" => {
                let mut polls = seen.lock().unwrap();
                *polls += 1;
                match *polls {
                    1 => Some(HttpAnswer::new("429 Too Many", "{}").header("Retry-After: 1")),
                    2 => Some(HttpAnswer::new("200 OK", PROCESSING)),
                    _ => None,
                }
            }
            _ => None,
        }
    });
    ordered(&server, &key).unwrap();
    assert_eq!(*polls.lock().unwrap(), 3);
    // Longer than there is time: told at once, with the CA's hour.
    let server = ca(String::new(), move |request| match request.path.as_str() {
        "/finalize" => Some(HttpAnswer::new("200 OK", PROCESSING)),
        "/order/1" => Some(HttpAnswer::new("429 Too Many", "{}").header("Retry-After: 3600")),
        _ => None,
    });
    let error = ordered(&server, &key).unwrap_err();
    assert!(
        error.retry_at().is_some_and(|at| at > now() + 3000),
        "{error:?}"
    );
}

#[test]
fn problems_of_single_names_are_told() {
    let server = ca(String::new(), |request| {
        let body = r#"{"type":"urn:ietf:params:acme:error:rejectedIdentifier","detail":"no","subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"CAA forbids","identifier":{"type":"dns","value":"mx.mail.test"}}]}"#;
        (request.path == "/order").then(|| HttpAnswer::new("403 Forbidden", body))
    });
    let error = ordered(&server, &key()).unwrap_err();
    assert_eq!(error.code(), "acme.refused");
    let text = error.to_string();
    assert!(text.contains("mx.mail.test: CAA forbids (caa)"), "{text}");
}

#[test]
fn renewal_information_is_read() {
    let old = issued(&key());
    let id = certificate_id(&old.cert_pem).unwrap();
    let path = format!("/ari/{id}");
    let key = key();
    let right = issued(&key);
    let server = ca(right.fullchain_pem(), move |request| {
        let window = r#"{"suggestedWindow":{"start":"2026-01-02T04:00:00Z","end":"2026-01-03T04:00:00Z"},"explanationURL":"https://ca.test/why"}"#;
        (request.path == path)
            .then(|| HttpAnswer::new("200 OK", window).header("Retry-After: 7200"))
    });
    let account = registered(&server);
    let info = account
        .renewal_info(&old.cert_pem, &bounds())
        .unwrap()
        .unwrap();
    assert_eq!(info.start, 1_767_326_400);
    assert_eq!(info.end, info.start + 86_400);
    assert_eq!(info.explanation.as_deref(), Some("https://ca.test/why"));
    assert!((7100..=7200).contains(&info.ask_again.as_secs()));
}

/// The payload of a signed request.
fn payload(request: &HttpRequest) -> serde_json::Value {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    let payload = body["payload"].as_str().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

#[test]
fn the_certificate_that_is_replaced_is_named_and_a_ca_that_refuses_that_still_issues() {
    let old = issued(&key()).cert_pem;
    let id = certificate_id(&old).unwrap();
    let key = key();
    let right = issued(&key);
    let refuse = |_: &str| {
        HttpAnswer::new(
            "409 Conflict",
            r#"{"type":"urn:ietf:params:acme:error:alreadyReplaced"}"#,
        )
    };
    let ignore = |_: &str| {
        HttpAnswer::new(
            "201 Created",
            r#"{"status":"ready","authorizations":[],"finalize":"https://127.0.0.1/"}"#,
        )
        .header("Location: https://127.0.0.1/")
    };
    for answer in [refuse as fn(&str) -> HttpAnswer, ignore] {
        let orders = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&orders);
        let server = ca(right.fullchain_pem(), move |request| {
            if request.path != "/order" {
                return None;
            }
            let replaces = payload(request)["replaces"].as_str().map(str::to_owned);
            seen.lock().unwrap().push(replaces.clone());
            replaces.map(|id| answer(&id))
        });
        let names = names(&["mx.mail.test"]);
        let wanted = Order {
            names: &names,
            key: &key,
            replaces: Some(&old),
        };
        registered(&server)
            .order(&wanted, &mut Nothing, &bounds())
            .unwrap();
        assert_eq!(*orders.lock().unwrap(), [Some(id.clone()), None]);
    }
}

#[test]
fn nonsense_and_slowness_are_bounded() {
    let window = r#"{"suggestedWindow":{"start":"2026-01-03T04:00:00Z","end":"2026-01-02T04:00:00Z"},"explanationURL":"javascript:alert(1)"}"#;
    let server = ca(String::new(), move |request| {
        request
            .path
            .starts_with("/ari/")
            .then(|| HttpAnswer::new("200 OK", window))
    });
    let account = registered(&server);
    let cert = issued(&key()).cert_pem;
    let error = account.renewal_info(&cert, &bounds()).unwrap_err();
    assert_eq!(error.code(), "acme.bad-answer");
    assert_eq!(account.renewal_info("", &bounds()).unwrap(), None);
    let endless = ca("a".repeat(3 << 20), |_| None);
    let error = ordered(&endless, &key()).unwrap_err();
    assert!(
        matches!(error.code(), "acme.unreachable" | "acme.bad-answer"),
        "{error:?}"
    );
    let slow = ca(String::new(), |request| {
        let mut answer = HttpAnswer::new("200 OK", "");
        answer.after = Duration::from_secs(600);
        (request.path == "/nonce").then_some(answer)
    });
    let error = Account::register(&at(&slow), &[], None, &short(Duration::from_secs(2)));
    assert_eq!(error.unwrap_err().code(), "acme.deadline");
    let no_url = r#"{"newNonce":"https:// /","newAccount":"https://\u0000","newOrder":""}"#;
    let html = ca(String::new(), move |_| {
        Some(HttpAnswer::new("200 OK", no_url))
    });
    let error = Account::register(&at(&html), &[], None, &bounds());
    assert_eq!(error.unwrap_err().code(), "acme.bad-answer");
    let html = ca(String::new(), |_| Some(HttpAnswer::new("200 OK", "<html>")));
    let error = Account::register(&at(&html), &[], None, &bounds());
    assert_eq!(error.unwrap_err().code(), "acme.bad-answer");
}
