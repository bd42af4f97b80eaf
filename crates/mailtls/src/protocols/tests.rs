//! Good and bad lists, and the same lists asked of Postfix itself.

use super::*;
use RangeSyntax::{Allowed, Unknown};
use proptest::prelude::*;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

/// Each list with what Postfix 3.7.11 made of it: measured with `posttls-finger -p LIST`, which
/// either went on to the handshake or said `Invalid TLS protocol list`.
const GOOD: &[(&str, &str)] = &[
    (">=TLSv1.2", "TLSv1.2, TLSv1.3"),
    (">=tlsv1.2", "TLSv1.2, TLSv1.3"),
    (">=TLSv1.2:<=TLSv1.3", "TLSv1.2, TLSv1.3"),
    (">=TLSv1 <=0304 !TLSv1.1", "TLSv1, TLSv1.2, TLSv1.3"),
    (">=0303", "TLSv1.2, TLSv1.3"),
    (">=0x0303", "TLSv1.2, TLSv1.3"),
    (">=+303", "TLSv1.2, TLSv1.3"),
    (">=0", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (">=", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (">= TLSv1.2", "TLSv1.2"),
    (">=sslv3", "SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (">=TLSv1.3 <=TLSv1.2", "none"),
    ("!TLSv1 !TLSv1.1 !TLSv1.2 !TLSv1.3", "SSLv2, SSLv3"),
    ("", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    (", :\t\n", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    ("!SSLv2", "SSLv3, TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    ("!SSLv2, !SSLv3", "TLSv1, TLSv1.1, TLSv1.2, TLSv1.3"),
    ("!SSLv2,!SSLv3:!TLSv1 !TLSv1.1", "TLSv1.2, TLSv1.3"),
    ("tlsv1.2 , !sslv3", "TLSv1.2"),
    ("TLSv1, SSLv3", "SSLv3, TLSv1"),
    ("SSLv2", "SSLv2"),
    ("<=TLSv1.2", "SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2"),
];

const BAD: &[&str] = &[
    "TLSv9",
    ">=TLSv1.9",
    ">=zz",
    ">=SSLv2",
    "<=SSLv2",
    "!>=TLSv1.2",
    "TLSv1.0",
    ">=TLSv1.0",
    "! TLSv1",
    "!",
    ">=-1",
    "=TLSv1.2",
    ">TLSv1",
    "none",
    "all",
    ">=80000000",
    ">= 0303",
    "!!TLSv1",
    "{TLSv1.2}",
    "0x303",
    "!0303",
    ">=++303",
    ">=0x",
    "TLSv1.2 # comment",
];

/// Taken by Postfix, which then sets no limit at all: smtpd without a word, smtp with a warning.
const IGNORED: &[&str] = &[">=7fffffff", ">=0305", ">=02ff"];

#[test]
fn lists_mean_what_postfix_makes_of_them() {
    for (text, allowed) in GOOD {
        let list =
            ProtocolList::parse(text, Allowed).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(&list.to_string(), allowed, "{text:?}");
    }
}

#[test]
fn what_postfix_rejects_is_rejected_with_the_word_at_fault() {
    for text in BAD {
        let error = ProtocolList::parse(text, Allowed)
            .expect_err(text)
            .to_string();
        let word = text.split_whitespace().find(|word| error.contains(word));
        assert!(word.is_some(), "{text:?}: {error}");
    }
}

#[test]
fn a_limit_that_would_be_ignored_is_rejected() {
    for text in IGNORED {
        let error = ProtocolList::parse(text, Allowed).unwrap_err();
        assert_eq!(error, ProtocolError::Limit((*text).to_owned()));
    }
}

#[test]
fn before_3_6_a_range_is_an_invalid_list() {
    assert_eq!(
        ProtocolList::parse("!SSLv2, >=TLSv1.2", Unknown),
        Err(ProtocolError::RangeUnknown(">=TLSv1.2".into()))
    );
    assert!(ProtocolList::parse("!SSLv2 !SSLv3", Unknown).is_ok());
}

#[test]
fn a_blank_after_the_operator_is_noticed() {
    let parse = |text| ProtocolList::parse(text, Allowed).unwrap();
    assert!(parse(">= TLSv1.2").has_lone_operator());
    assert!(!parse(">=TLSv1.2").has_lone_operator());
    assert!(!parse("").has_lone_operator());
}

#[test]
fn a_rendered_floor_reads_back_as_that_floor() {
    for floor in TlsVersion::ALL {
        let old = ProtocolList::parse(&render_floor(floor, Unknown), Unknown).unwrap();
        assert_eq!(old, ProtocolList::from_floor(floor));
        assert_eq!(
            (old.floor(), old.ceiling()),
            (Some(floor), Some(TlsVersion::Tls1_3))
        );
        let new = ProtocolList::parse(&render_floor(floor, Allowed), Allowed).unwrap();
        assert_eq!(new.floor(), Some(floor.max(TlsVersion::Ssl3)));
    }
    assert_eq!(render_floor(TlsVersion::Tls1_2, Allowed), ">=TLSv1.2");
    assert_eq!(
        render_floor(TlsVersion::Tls1_2, Unknown),
        "!SSLv2, !SSLv3, !TLSv1, !TLSv1.1"
    );
}

/// Speaks SMTP up to STARTTLS and hangs up: posttls-finger reads the list before its handshake.
fn hang_up_after_starttls(mut stream: TcpStream) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    stream.write_all(b"220 test ESMTP\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        match line.to_ascii_uppercase() {
            ehlo if ehlo.starts_with("EHLO") => {
                stream.write_all(b"250-test\r\n250 STARTTLS\r\n")?
            }
            starttls if starttls == "STARTTLS" => return stream.write_all(b"220 go\r\n"),
            _ => stream.write_all(b"250 ok\r\n")?,
        }
    }
    Ok(())
}

/// Whether Postfix takes the list: it goes on to a handshake, which fails; or it says why not.
/// An error is its output where it does neither.
fn posttls_finger(list: &str, port: u16) -> Result<bool, String> {
    let output = Command::new("timeout")
        .args(["20", "posttls-finger", "-c", "-l", "may", "-p", list])
        .args(["-o", "inet_interfaces=127.0.0.1"])
        .arg(format!("[127.0.0.1]:{port}"))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    match text.contains("SSL_connect error") {
        true => Ok(true),
        false if text.contains("Invalid TLS protocol list") => Ok(false),
        false => Err(text),
    }
}

#[test]
fn postfix_itself_agrees_on_every_list() {
    if Command::new("posttls-finger").arg("-?").output().is_err() {
        postseal_testkit::beside::missing("posttls-finger is not installed");
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = hang_up_after_starttls(stream);
        }
    });
    let good = GOOD.iter().map(|(list, _)| (*list, true));
    let bad = BAD.iter().map(|list| (*list, false));
    let ignored = IGNORED.iter().map(|list| (*list, true));
    for (list, taken) in good.chain(bad).chain(ignored) {
        assert_eq!(posttls_finger(list, port), Ok(taken), "{list:?}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,40}") {
        let _ = ProtocolList::parse(&text, Allowed);
        let _ = ProtocolList::parse(&text, Unknown);
    }

    #[test]
    fn never_panics_on_near_misses(text in "([!<>=+0-9a-fxTLSv., :]){0,20}") {
        if let Ok(list) = ProtocolList::parse(&text, Allowed) {
            prop_assert_eq!(list.floor().is_some(), list.ceiling().is_some());
            prop_assert!(list.floor() <= list.ceiling());
        }
    }
}
