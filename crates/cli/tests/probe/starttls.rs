//! STARTTLS that something on the way takes out, and a server that takes commands from before it.

use crate::scene::{Ran, postseal};
use crate::world::codes;
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslContext, SslMethod};
use openssl::x509::X509;
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use serde_json::Value;

const BANNER: &str = "220 mx.example ESMTP\r\n";
const STARS: &str = "220 ****************2****0*0\r\n";

fn said(banner: &str, ehlo: &str) -> SmtpScript {
    SmtpScript::new().say(banner).hear("EHLO ").say(ehlo)
}

/// One look: its exit code and the target's report.
fn look(scripts: Vec<SmtpScript>, more: &[&str]) -> (Option<i32>, Value) {
    let server = ScriptedServer::start(scripts);
    let at = server.address().to_string();
    let mut command = postseal(&["--instance", "/nonexistent", "probe", "--json", "--timeout"]);
    let ran = Ran::of(&command.args(["5", &at]).args(more).output().unwrap());
    (ran.exit, ran.json["probed"][0].clone())
}

fn finding<'p>(probed: &'p Value, code: &str) -> &'p Value {
    let mut all = probed["findings"].as_array().unwrap().iter();
    all.find(|one| one["code"] == code)
        .unwrap_or_else(|| panic!("{code}: {probed:#}"))
}

#[test]
fn what_takes_starttls_out_is_a_finding() {
    let plain = "250-mx.example\r\n250 8BITMIME\r\n";
    let masked = "250-mx.example\r\n250-XXXXXXXA\r\n250 8BITMIME\r\n";
    let unknown = "500 5.5.1 Command unrecognized: \"XXXX vm\"\r\n";
    let offered = "250-mx.example\r\n250 STARTTLS\r\n";
    let other = said(BANNER, offered)
        .hear("STARTTLS")
        .say("500 5.5.1 Command unrecognized: \"XXXXXXXX\"\r\n");
    for (script, by) in [
        (said(BANNER, masked), "EHLO shows XXXXXXXA"),
        (said(STARS, plain), "made of asterisks"),
        (said(BANNER, unknown), "another command"),
        (other, "another command"),
    ] {
        let (exit, seen) = look(vec![script], &[]);
        assert_eq!(exit, Some(2), "{seen:#}");
        let found = finding(&seen, "starttls.stripped");
        assert_eq!(found["severity"], "error");
        let evidence = found["evidence"][0]["text"].as_str().unwrap();
        assert!(evidence.contains(by), "{evidence:?} lacks {by:?}");
        assert!(
            found["remedy"]
                .as_str()
                .unwrap()
                .contains("another network")
        );
    }
    // It has none, that is all; and what masks other words lets TLS pass.
    let (exit, seen) = look(vec![said(BANNER, plain)], &[]);
    assert_eq!((exit, codes(&seen)), (Some(2), vec!["policy.no-starttls"]));
    let beside = "250-mx.example\r\n250-XXXXXXXB\r\n250 STARTTLS\r\n";
    let taken = said(STARS, beside)
        .hear("STARTTLS")
        .say("454 4.7.0 later\r\n");
    let (_, seen) = look(vec![taken], &[]);
    assert!(!codes(&seen).contains(&"starttls.stripped"), "{seen:#}");
}

#[test]
fn a_full_look_finds_a_starttls_that_is_hidden() {
    let plain = "250-mx.example\r\n250 8BITMIME\r\n";
    let script = said(BANNER, plain);
    let hidden = script.clone().hear("STARTTLS").say("220 2.0.0 Ready\r\n");
    let (exit, seen) = look(vec![script.clone(), script, hidden], &["--full"]);
    assert_eq!(exit, Some(2), "{seen:#}");
    let found = finding(&seen, "starttls.stripped");
    let evidence = found["evidence"][0]["text"].as_str().unwrap();
    assert!(
        evidence.contains("is not in EHLO, but is taken"),
        "{found:#}"
    );
    // What both looks see is told once.
    let masked = said(BANNER, "250-mx.example\r\n250 XXXXXXXA\r\n");
    let (_, seen) = look(vec![masked; 4], &["--full"]);
    let found = finding(&seen, "starttls.stripped");
    assert_eq!(found["evidence"].as_array().unwrap().len(), 1, "{found:#}");
}

#[test]
fn commands_from_before_tls_that_are_answered_under_it_are_a_finding() {
    let context = context();
    let start = || said(BANNER, "250-mx.example\r\n250 STARTTLS\r\n").hear("STARTTLS");
    let ready = || start().say("220 2.0.0 Ready\r\n");
    let shaken = ready()
        .accept_tls(&context)
        .hear("EHLO ")
        .say("250 mx.example\r\n")
        .hear("QUIT");
    // Every version is refused, so the next connection that gets so far is that of the injection.
    let alert = ready().swallow(16 * 1024).say([21, 3, 3, 0, 2, 2, 40]);
    let injected = |answer: &str| {
        let heard = start().hear("NOOP").say("220 2.0.0 Ready\r\n");
        heard.accept_tls(&context).say(answer).hear("QUIT")
    };
    for (answer, wanted) in [
        ("250 2.0.0 Ok\r\n", vec!["starttls.injection"]),
        ("221 2.0.0 Bye\r\n", vec![]),
    ] {
        let mut scripts = vec![shaken.clone()];
        scripts.extend(vec![alert.clone(); 6]);
        scripts.push(injected(answer));
        let (exit, seen) = look(scripts, &["--full"]);
        assert_eq!(codes(&seen), wanted, "{seen:#}");
        if let [code] = wanted[..] {
            assert_eq!(exit, Some(2), "{seen:#}");
            let found = finding(&seen, code);
            let evidence = found["evidence"][0]["text"].as_str().unwrap();
            assert!(evidence.contains("NOOP"), "{found:#}");
            assert!(found["remedy"].as_str().unwrap().contains("Update"));
        }
    }
}

/// smtp(8) forgets it and goes on (posttls-finger(1) of 3.7.11 does): such a server has TLS.
#[test]
fn what_is_slipped_in_before_the_handshake_is_a_finding() {
    let answers = |answer: &str| {
        let start = said(BANNER, "250-mx.example\r\n250 STARTTLS\r\n").hear("STARTTLS");
        let shaken = start.say(answer).accept_tls(&context()).hear("EHLO ");
        look(vec![shaken.say("250-mx\r\n250 DSN\r\n").hear("QUIT")], &[])
    };
    let (exit, seen) = answers("220 2.0.0 Ready\r\n250-mx\r\n250 AUTH PLAIN\r\n");
    assert_eq!((exit, codes(&seen)), (Some(2), vec!["starttls.slipped-in"]));
    let evidence = &finding(&seen, "starttls.slipped-in")["evidence"][0]["text"];
    let evidence = evidence.as_str().unwrap();
    assert!(evidence.ends_with(": 250-mx??250 AUTH PLAIN"), "{evidence}");
    let report = &seen["hosts"][0]["addresses"][0]["report"];
    assert_eq!(report["ehlo_after"], serde_json::json!(["DSN"]));
    assert_eq!(seen["outcome"], "pass", "{seen:#}");
    let (exit, seen) = answers("220 2.0.0 Ready\r\n");
    assert_eq!((exit, codes(&seen)), (Some(0), vec![]), "{seen:#}");
}

/// A server's, with a certificate that nobody vouches for.
pub(crate) fn context() -> SslContext {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_pubkey(&key).unwrap();
    let now = openssl::asn1::Asn1Time::days_from_now(0).unwrap();
    let end = openssl::asn1::Asn1Time::days_from_now(9).unwrap();
    builder.set_not_before(&now).unwrap();
    builder.set_not_after(&end).unwrap();
    builder
        .sign(&key, openssl::hash::MessageDigest::sha256())
        .unwrap();
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_certificate(&builder.build()).unwrap();
    context.set_private_key(&key).unwrap();
    context.build()
}
