//! Servers that are slow, silent or hostile: each look ends by its deadline, with little memory, and
//! nothing that they say steers a terminal.

use crate::held::Held;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use postseal_testkit::smtp_script::{ScriptedServer, SmtpScript};
use serde_json::Value;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A look may hold 32 MiB in all. As the program is shipped, a look at a server that behaves holds 18, most of
/// it pages of programs and libraries (docs/measured.md); so one that does not may take so many bytes more.
const MORE: u64 = 12 << 20;
const ALL: u64 = 32 << 20;
/// What a test machine may take beside the deadline of two seconds.
const ROOM: Duration = Duration::from_secs(30);

struct Ended {
    exit: Option<i32>,
    text: String,
}

/// One look, which must end in time and within the memory.
fn look(script: SmtpScript, more: &[&str]) -> Ended {
    let usual = usual();
    let (ended, peak) = measured(script.serve(), more);
    let text = &ended.text;
    assert!(
        peak <= usual + MORE,
        "{} KiB were held: {text:.2000}",
        peak >> 10
    );
    // A program for a debugger has many more pages of its own.
    assert!(cfg!(debug_assertions) || peak <= ALL, "{} KiB", peak >> 10);
    ended
}

/// What a look at a server that behaves holds at most, in bytes.
fn usual() -> u64 {
    static USUAL: OnceLock<u64> = OnceLock::new();
    *USUAL.get_or_init(|| {
        let server = ready().accept_tls(&context(1, 1)).hear("EHLO ");
        let server = server.say("250 mx\r\n").hear("QUIT").serve();
        let (ended, peak) = measured(server, &[]);
        assert_eq!(ended.exit, Some(0), "{}", ended.text);
        peak
    })
}

fn measured(server: ScriptedServer, more: &[&str]) -> (Ended, u64) {
    let at = server.address().to_string();
    let began = Instant::now();
    let held = Held::new();
    let mut command = held.command(&["--instance", "/nonexistent", "probe", "--timeout", "2", &at]);
    let output = command.args(more).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(began.elapsed() < ROOM, "{text}");
    assert!(text.len() < 200_000, "{} bytes were told", text.len());
    let steers = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    assert!(!text.contains(steers), "{text:?}");
    let ended = Ended {
        exit: output.status.code(),
        text,
    };
    (ended, held.peak())
}

/// It ends at `stage` with `outcome` (and these words), and with this exit code.
fn ends(script: SmtpScript, stage: &str, outcome: &str, exit: i32, words: &str) {
    let seen = look(script, &[]);
    let mut stages = seen
        .text
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    let last = stages
        .rfind(|row| row.len() == 7 && !row[5].is_empty())
        .unwrap();
    assert_eq!((last[3], last[4]), (stage, outcome), "{}", seen.text);
    assert!(last[6].contains(words), "{:?} lacks {words:?}", last[6]);
    assert_eq!(seen.exit, Some(exit), "{}", seen.text);
}

fn greeted() -> SmtpScript {
    SmtpScript::new()
        .say("220 mx.example ESMTP\r\n")
        .hear("EHLO ")
}

fn ready() -> SmtpScript {
    let offered = greeted().say("250-mx.example\r\n250 STARTTLS\r\n");
    offered.hear("STARTTLS").say("220 2.0.0 Ready\r\n")
}

#[test]
fn silence_and_slowness_tell_nothing() {
    const UNKNOWN: &str = "undetermined";
    ends(SmtpScript::new().hold(), "banner", UNKNOWN, 3, "no answer");
    ends(SmtpScript::new(), "banner", UNKNOWN, 3, "closed");
    let slow = SmtpScript::new().drip(
        "220 mx.example ESMTP and more\r\n",
        Duration::from_millis(300),
    );
    ends(slow, "banner", UNKNOWN, 3, "no answer");
    let dropped = SmtpScript::new().say("220 mx.example ESMTP\r\n");
    ends(dropped, "ehlo", UNKNOWN, 3, "");
    ends(greeted().hold(), "ehlo", UNKNOWN, 3, "no answer");
    let busy = SmtpScript::new().say("421 4.7.0 too many connections\r\n");
    ends(busy, "banner", "refused", 3, "421 4.7.0");
    ends(
        ready().swallow(16_384).hold(),
        "handshake",
        UNKNOWN,
        3,
        "no answer",
    );
}

#[test]
fn floods_are_cut_off() {
    let line = SmtpScript::new().say("220 ").flood("x", 10 << 20);
    ends(line, "banner", "refused", 3, "more than 64 KiB");
    let lines = greeted().flood("250-PADDING\r\n", 100_000);
    ends(lines, "ehlo", "refused", 3, "more than");
    let binary = SmtpScript::new().flood([0, 0xff, 0x1b], 4 << 20);
    ends(binary, "banner", "refused", 3, "");
}

/// TLS 1.2, ECDHE-RSA-AES256-GCM-SHA384: the handshake has begun.
const SERVER_HELLO: [u8; 47] = {
    let mut bytes = [7; 47];
    let head = [22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    let tail = [0, 0xC0, 0x30, 0];
    let mut at = 0;
    while at < head.len() {
        bytes[at] = head[at];
        at += 1;
    }
    at = 0;
    while at < tail.len() {
        bytes[43 + at] = tail[at];
        at += 1;
    }
    bytes
};

#[test]
fn what_is_no_handshake_is_refused() {
    let refused = |script, words| ends(script, "handshake", "refused", 2, words);
    refused(ready().swallow(16_384).say("500 what?\r\n").hold(), "");
    refused(ready().swallow(16_384).reset(), "closed");
    refused(ready().swallow(16_384).say(SERVER_HELLO).reset(), "closed");
    refused(ready().swallow(16_384), "closed");
    let early = greeted()
        .say("250-mx.example\r\n250 STARTTLS\r\n")
        .hear("STARTTLS");
    ends(
        early.say("220 go\r\n250 injected\r\n").swallow(16_384),
        "handshake",
        "refused",
        2,
        "closed",
    );
}

/// Every alert of RFC 8446 §6 and of before.
#[test]
fn every_alert_is_told() {
    let alerts = [
        10, 20, 21, 22, 30, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 60, 70, 71, 80, 86, 90,
        100, 109, 110, 112, 113, 115, 116, 120, 200,
    ];
    for alert in alerts {
        let record = [0x15, 3, 3, 0, 2, 2, alert];
        let seen = look(ready().swallow(16_384).say(record).hold(), &["--json"]);
        let json: Value = serde_json::from_str(&seen.text).unwrap();
        let stages = &json["probed"][0]["hosts"][0]["addresses"][0]["report"]["stages"];
        assert_eq!(stages[4]["name"], "handshake", "{alert}: {stages:#}");
        assert_eq!(
            stages[4]["outcome"]["outcome"], "refused",
            "{alert}: {stages:#}"
        );
        assert_eq!(seen.exit, Some(2), "{alert}");
    }
}

#[test]
fn escapes_nul_and_eight_bits_are_made_harmless() {
    let banner = "220 \x1b]0;owned\x07\x1b[2J mx\0 \u{9b}31m ESMTP\r\n";
    let ehlo = b"250-mx\r\n250-\x1b[31mRED\x00\xff\xfe\r\n250 SIZE\r\n";
    let script = SmtpScript::new().say(banner).hear("EHLO ").say(ehlo).hold();
    let seen = look(script, &[]);
    assert_eq!(seen.exit, Some(2), "{}", seen.text);
    assert!(seen.text.contains("RED"), "{}", seen.text);
    let script = SmtpScript::new().say(banner).hear("EHLO ").say(ehlo).hold();
    assert!(!look(script, &["--json"]).text.contains("\\u001b["));
}

/// A certificate with names enough to be this long, as often as is asked.
fn context(names: usize, copies: usize) -> SslContext {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut builder = X509::builder().unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "large.test").unwrap();
    let name = name.build();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder
        .set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    builder
        .set_not_after(&Asn1Time::days_from_now(9).unwrap())
        .unwrap();
    builder.set_pubkey(&key).unwrap();
    let mut alternative = SubjectAlternativeName::new();
    for number in 0..names {
        alternative.dns(&format!(
            "host-{number:06}.a-long-name-for-a-large-certificate.test"
        ));
    }
    let extension = alternative
        .build(&builder.x509v3_context(None, None))
        .unwrap();
    builder.append_extension(extension).unwrap();
    builder.sign(&key, MessageDigest::sha256()).unwrap();
    let certificate = builder.build();
    let mut context: SslContextBuilder = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_certificate(&certificate).unwrap();
    context.set_private_key(&key).unwrap();
    for _ in 1..copies {
        context.add_extra_chain_cert(certificate.clone()).unwrap();
    }
    context.build()
}

#[test]
fn a_chain_of_a_megabyte_is_refused_and_many_names_are_told_shortly() {
    // OpenSSL's own limit for a chain is 100 KiB.
    let seen = look(ready().accept_tls(&context(400, 40)).hold(), &[]);
    assert_eq!(seen.exit, Some(2), "{}", seen.text);
    assert!(
        seen.text.contains("\thandshake\trefused\t"),
        "{}",
        seen.text
    );
    let large = ready()
        .accept_tls(&context(1000, 1))
        .hear("EHLO ")
        .say("250 mx\r\n")
        .hold();
    let seen = look(large, &[]);
    assert_eq!(seen.exit, Some(0), "{}", seen.text);
    assert!(seen.text.contains("and 999 more"), "{}", seen.text);
}

/// The full look meets them again and again.
#[test]
fn a_full_look_at_a_bad_server_ends_too() {
    let chain = context(400, 40);
    let scripts = [
        (ready().swallow(16_384).hold(), 3, "no answer"),
        (
            ready().swallow(16_384).say(SERVER_HELLO).reset(),
            2,
            "version\tTLSv1.2",
        ),
        (
            ready()
                .swallow(16_384)
                .flood([22, 3, 3, 0xFF, 0xFF], 1 << 20),
            2,
            "tls\tnone: ",
        ),
        (ready().swallow(16_384).flood([0xFF], 4 << 20), 2, "not TLS"),
        (ready().accept_tls(&chain).hold(), 2, "undetermined"),
        (greeted().flood("250-PADDING\r\n", 100_000), 3, "more than"),
        (
            SmtpScript::new().say("220 ").flood("x", 10 << 20),
            3,
            "more than 64 KiB",
        ),
        (
            SmtpScript::new().say("421 4.7.0 too many connections\r\n"),
            3,
            "421 4.7.0",
        ),
    ];
    let usual = usual();
    let mut wrong = Vec::new();
    for (script, exit, words) in scripts {
        let server = ScriptedServer::start(vec![script; 40]);
        let (ended, peak) = measured(server, &["--full"]);
        if !ended.text.contains(words) || ended.exit != Some(exit) || peak > usual + MORE {
            let (code, text) = (ended.exit, ended.text);
            wrong.push(format!("{words:?}: {code:?}, {} KiB: {text}", peak >> 10));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
