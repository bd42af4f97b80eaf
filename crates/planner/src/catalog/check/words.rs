//! Values that are one word.
//!
//! Owns: booleans, levels, grades, digests and closed words. Never: lists (`lists`).

use super::{Answer, GOOD, Reason};
use mailtls::{Grade, Level, OnServer};

/// `yes` and `no` in any case; nothing else (3.7.11: `true`, `1`, `on` are fatal).
pub(super) fn boolean(value: &str) -> Answer {
    if value.eq_ignore_ascii_case("yes") || value.eq_ignore_ascii_case("no") {
        return GOOD;
    }
    Err(Reason::new(
        "value.boolean",
        format!("{value:?} is neither yes nor no; a process that reads it dies"),
        "Write yes or no.",
    ))
}

/// A level of smtpd(8).
pub(super) fn server_level(value: &str) -> Answer {
    let words = "Write none, may or encrypt.";
    match value.parse::<Level>().map(Level::on_server) {
        Ok(OnServer::AsWritten) => GOOD,
        Ok(OnServer::AsEncrypt) => Err(Reason::new(
            "value.level-of-client",
            format!("{value} is a level of the SMTP client; the server warns and uses encrypt"),
            words,
        )),
        Ok(OnServer::Fatal) => Err(Reason::new(
            "value.level",
            format!("{value} is a level of the SMTP client only; the server dies of it"),
            words,
        )),
        Err(_) => Err(Reason::new(
            "value.level",
            format!("{value:?} is not a TLS security level; a process that reads it dies"),
            words,
        )),
    }
}

/// A level of smtp(8).
pub(super) fn client_level(value: &str) -> Answer {
    match value.parse::<Level>() {
        Ok(_) => GOOD,
        Err(_) => Err(Reason::new(
            "value.level",
            format!("{value:?} is not a TLS security level; a process that reads it dies"),
            "Write none, may, encrypt, dane, dane-only, fingerprint, verify or secure.",
        )),
    }
}

/// A cipher grade that means what it says.
pub(super) fn grade(value: &str) -> Answer {
    match value.parse::<Grade>() {
        Ok(grade) => match grade.replacement() {
            None => GOOD,
            Some(better) => Err(Reason::new(
                "value.grade-obsolete",
                format!("the grade {grade} is obsolete; since Postfix 3.8 it means {better}"),
                format!("Write {better} or high."),
            )),
        },
        Err(_) => Err(Reason::new(
            "value.grade",
            format!("{value:?} is not a cipher grade; handshakes that use it fail"),
            "Write medium or high.",
        )),
    }
}

/// Digests of OpenSSL 1.1.1 to 3.5 that have fixed length, by its names.
const DIGESTS: &[&str] = &[
    "md5",
    "sha1",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
    "sha512-224",
    "sha512-256",
    "sha3-224",
    "sha3-256",
    "sha3-384",
    "sha3-512",
    "blake2b512",
    "blake2s256",
    "ripemd160",
    "rmd160",
    "sm3",
    "sha-1",
    "sha2-224",
    "sha2-256",
    "sha2-384",
    "sha2-512",
];

/// A digest.
pub(super) fn digest(value: &str) -> Answer {
    if DIGESTS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(value))
    {
        return GOOD;
    }
    Err(Reason::new(
        "value.digest",
        format!("{value:?} is not a message digest; Postfix switches TLS off"),
        "Write sha256.",
    ))
}

/// One of `known`, in any case.
pub(super) fn one_of(value: &str, known: &[&str]) -> Answer {
    if known.iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return GOOD;
    }
    Err(Reason::new(
        "value.word",
        format!("{value:?} is none of {}", known.join(", ")),
        format!("Write one of {}.", known.join(", ")),
    ))
}

/// `hostname`, `nexthop` or a name.
pub(super) fn server_name(value: &str) -> Answer {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if value.len() <= 253 && value.split('.').all(label) {
        return GOOD;
    }
    Err(Reason::new(
        "value.server-name",
        format!("{value:?} is not a host name"),
        "Write hostname, nexthop or the name that the server's certificate is for.",
    ))
}
