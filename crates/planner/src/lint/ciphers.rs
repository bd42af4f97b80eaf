//! Grades, cipher lists and groups.
//!
//! Owns: what can be said of them without asking the TLS library. Never: expands a list.

use super::context::{Context, Latent, Setting, unless};
use super::fix;
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};
use crate::catalog::Kind;
use crate::finding::Fix;
use crate::openssl::Release;
use mailtls::Level;

/// The rules.
pub(super) const RULES: &[Rule] = &[
    NULL,
    SELECTS_NOTHING,
    REDEFINED,
    UNKNOWN_GROUP,
    NO_EXCLUSION,
    MANDATORY_WEAKER,
    STRICT_FOR_MAY,
    KEM_FIRST,
];

#[rustfmt::skip]
const NULL: Rule = rule("ciphers.null", Error, "TLS without encryption",
    "The grade null selects ciphers that do not encrypt; TLS 1.3 peers encrypt all the same, others fail or are read.",
    "Write medium or high.");
#[rustfmt::skip]
const SELECTS_NOTHING: Rule = rule("ciphers.selects-nothing", Error, "cipher list without a known name",
    "OpenSSL finds no cipher in it (no cipher match): the server answers 220 to STARTTLS and drops the connection.",
    "Delete the line; the default list is best.");
#[rustfmt::skip]
const REDEFINED: Rule = rule("ciphers.list-redefined", Info, "cipher list of a grade redefined",
    "postconf(5) strongly encourages not to change it: the default follows the TLS library, this one does not.",
    "Delete the line, and use a grade and exclusions.");
#[rustfmt::skip]
const UNKNOWN_GROUP: Rule = rule("ciphers.unknown-group", Warning, "unknown group or curve",
    "Postfix warns (ignoring unknown ECDHE curve) and goes on without it.",
    "Delete the line, or correct the name.");
#[rustfmt::skip]
const NO_EXCLUSION: Rule = rule("ciphers.exclusion-without-effect", Info, "excluded cipher that no library knows",
    "Postfix and OpenSSL ignore unknown names in exclusions, silently: nothing is excluded by it.",
    "Correct the name, or take it out.");

#[rustfmt::skip]
const MANDATORY_WEAKER: Rule = rule("ciphers.mandatory-weaker", Info, "better ciphers where TLS is optional than where it is demanded",
    "tls_ciphers is for optional TLS and tls_mandatory_ciphers for demanded TLS; the two are easily taken for each other.",
    "Swap the two, or set tls_mandatory_ciphers = high as well.");
#[rustfmt::skip]
const STRICT_FOR_MAY: Rule = rule("ciphers.strict-for-may", Info, "high ciphers where TLS is optional",
    "Who has no high cipher does not get a better one but none: the mail goes in clear.",
    "Leave the grade at medium for optional TLS (RFC 7435).");
#[rustfmt::skip]
const KEM_FIRST: Rule = rule("ciphers.large-hello-for-all", Info, "post-quantum group as the client's first guess",
    "The client then begins with a ClientHello of 1.5 kB and more, at which some mail servers hang; Postfix 3.11 takes care to put it second.",
    "Delete tls_eecdh_auto_curves, or write ?X25519MLKEM768:DEFAULT with Postfix 3.11 and OpenSSL 3.5.");

/// Looks at every cipher setting.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter.filter(|p| p.exists_in(context.version)) else {
            continue;
        };
        let judge = match parameter.kind {
            Kind::CipherGrade => grade,
            Kind::CipherList if parameter.ends.is_empty() => list,
            Kind::Groups => groups,
            Kind::Exclusions => exclusions,
            _ => continue,
        };
        if let Some(value) = context.expanded(setting).filter(|v| !v.is_empty()) {
            judge(context, setting, &value, out);
        }
    }
}

fn grade(context: &Context<'_>, setting: &Setting<'_>, value: &str, out: &mut Vec<Finding>) {
    if value.eq_ignore_ascii_case("null") {
        let message = format!("{} is null. {}", setting.name, NULL.why);
        let server = setting.name.starts_with("smtpd_");
        let latent = match setting.name.contains("_mandatory_") {
            true if server && !context.some_server_demands() => Latent::Yes,
            _ => Latent::No,
        };
        let severity = unless(latent, NULL.severity);
        out.push(NULL.says(message).on(Some(setting)).severe(severity));
    }
    if value.eq_ignore_ascii_case("high") && setting.name.ends_with("_tls_ciphers") {
        out.extend(strict(context, setting));
    }
}

/// `high` where TLS is optional: better than where it is demanded, or stricter than it helps.
fn strict(context: &Context<'_>, setting: &Setting<'_>) -> Option<Finding> {
    let service = context.service_of(setting);
    let stem = setting.name.strip_suffix("_tls_ciphers")?;
    let mandatory = format!("{stem}_tls_mandatory_ciphers");
    let grade = context.text(service, &mandatory)?;
    let at = context.set(service, &mandatory);
    if !grade.eq_ignore_ascii_case("high") {
        let message = format!(
            "{} is high and {mandatory} is {grade}. {}",
            setting.name, MANDATORY_WEAKER.why
        );
        return Some(MANDATORY_WEAKER.says(message).on(Some(setting)).on(at));
    }
    let optional = match stem {
        "smtpd" => context.some_server_offers(),
        _ => context.client_level(service) == Some(Level::May),
    };
    optional.then(|| STRICT_FOR_MAY.found().on(Some(setting)))
}

fn list(context: &Context<'_>, setting: &Setting<'_>, value: &str, out: &mut Vec<Finding>) {
    let selects = |word: &&str| !word.starts_with(['!', '-', '+', '@']);
    let words = || value.split([':', ',', ' ', '\t']).filter(|w| !w.is_empty());
    let (rule, known) = (&SELECTS_NOTHING, words().filter(selects).any(is_known));
    if known {
        let message = format!("{} is redefined. {}", setting.name, REDEFINED.why);
        out.push(REDEFINED.says(message).on(Some(setting)));
    } else {
        let message = format!(
            "{} names no cipher that OpenSSL has. {}",
            setting.name, rule.why
        );
        let found = rule.says(message).on(Some(setting));
        out.push(found.mended_by(fix::absent(context, setting)));
    }
}

/// What some OpenSSL knows or knew: its aliases, and names of ciphers.
fn is_known(word: &str) -> bool {
    let alias = |part: &str| ALIASES.contains(&part) || is_cipher(part);
    word.split('+').all(alias)
}

/// Whether a word is built as names of ciphers are. One by one they are more than 300, many of
/// them gone; their parts are few, and slips (`EDH-RSA-DES-CDC3-SHA`) show in them.
fn is_cipher(word: &str) -> bool {
    // RFC names, and SSL2's, are long enough to be no slips.
    if word.contains('_') {
        return word.starts_with("TLS_") || word.starts_with("SSL_");
    }
    let Some((first, rest)) = word.split_once('-') else {
        return false;
    };
    FIRST_PARTS.contains(&first) && rest.split('-').all(|part| PARTS.contains(&part))
}

/// What names of ciphers begin with: key exchange, or the cipher where that is RSA.
#[rustfmt::skip]
const FIRST_PARTS: &[&str] = &[
    "ECDHE", "ECDH", "DHE", "EDH", "DH", "ADH", "AECDH", "PSK", "RSA", "SRP", "EXP", "EXP1024",
    "KRB5", "GOST94", "GOST2001", "GOST2012", "IANA", "NULL", "RC4", "RC2", "RC4_40", "IDEA",
    "DES", "AES128", "AES256", "CAMELLIA128", "CAMELLIA256", "SEED", "ARIA128", "ARIA256",
    "AESCCM", "CHACHA20", "LEGACY", "MAGMA", "KUZNYECHIK",
];
/// What follows.
#[rustfmt::skip]
const PARTS: &[&str] = &[
    "RSA", "DSS", "ECDSA", "PSK", "SRP", "ECDHE", "DHE", "EDH", "ADH", "DH", "KRB5", "NULL",
    "RC4", "RC2", "IDEA", "DES", "CBC3", "CBC", "64", "56", "40", "AES128", "AES256",
    "CAMELLIA128", "CAMELLIA256", "SEED", "ARIA128", "ARIA256", "CHACHA20", "POLY1305", "GCM",
    "CCM", "CCM8", "SHA", "SHA1", "SHA256", "SHA384", "MD5", "GOST89", "GOST94", "GOST2012",
    "GOST8912", "OMAC", "CTR", "NULL",
];

/// openssl-ciphers(1), cipher strings.
#[rustfmt::skip]
const ALIASES: &[&str] = &[
    "DEFAULT", "COMPLEMENTOFDEFAULT", "COMPLEMENTOFALL", "ALL", "HIGH", "MEDIUM", "LOW", "EXP",
    "EXPORT", "EXPORT40", "EXPORT56", "eNULL", "NULL", "aNULL", "kRSA", "aRSA", "RSA", "kDHr",
    "kDHd", "kDH", "kDHE", "kEDH", "DH", "DHE", "EDH", "ADH", "kEECDH", "kECDHE", "ECDHE",
    "EECDH", "AECDH", "aECDH", "aECDSA", "ECDSA", "aDSS", "DSS", "aDH", "TLSv1.2", "TLSv1.0",
    "TLSv1", "SSLv3", "AES128", "AES256", "AES", "AESGCM", "AESCCM", "AESCCM8", "ARIA128",
    "ARIA256", "ARIA", "ARIAGCM", "CAMELLIA128", "CAMELLIA256", "CAMELLIA", "CHACHA20", "3DES",
    "DES", "RC4", "RC2", "IDEA", "SEED", "MD5", "SHA1", "SHA", "SHA256", "SHA384", "GOST",
    "aGOST", "aGOST01", "kGOST", "GOST94", "GOST89MAC", "GOST12", "PSK", "kPSK", "kECDHEPSK",
    "kDHEPSK", "kRSAPSK", "aPSK", "SRP", "kSRP", "aSRP", "SUITEB128", "SUITEB128ONLY",
    "SUITEB192", "CBC", "kECDHr", "kECDHe", "kECDH", "ECDH", "AECDSA", "KRB5", "kKRB5", "aKRB5",
    "FZA", "RC5", "EXPORTLOW", "CBC3", "PROFILE=SYSTEM",
];

fn exclusions(context: &Context<'_>, setting: &Setting<'_>, value: &str, out: &mut Vec<Finding>) {
    let words = value.split([',', ':', ' ', '\t']).filter(|w| !w.is_empty());
    let unknown = |w: &&str| !w.starts_with(['!', '-', '+', '@']) && !is_known(w);
    let unknown: Vec<String> = words.filter(unknown).map(|w| format!("{w:?}")).collect();
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        let message = format!("{} excludes {names}. {}", setting.name, NO_EXCLUSION.why);
        let found = NO_EXCLUSION.says(message).on(Some(setting));
        let known = |word: &str| word.starts_with(['!', '-', '+', '@']) || is_known(word);
        out.push(found.mended_by(without(context, setting, known)));
    }
}

/// The list with the words that are good for something.
fn without(
    context: &Context<'_>,
    setting: &Setting<'_>,
    good: impl Fn(&str) -> bool,
) -> Option<Fix> {
    if setting.value.contains(['$', '/']) {
        return None;
    }
    let words = setting.value.split([',', ':', ' ', '\t']);
    let kept: Vec<&str> = words.filter(|w| !w.is_empty() && good(w)).collect();
    match kept.is_empty() {
        true => fix::absent(context, setting),
        false => fix::written(context, setting, &kept.join(", ")),
    }
}

/// Groups of OpenSSL 1.1.1 to 3.5 that mail uses, and the words of `tls_eecdh_auto_curves`.
#[rustfmt::skip]
const GROUPS: &[&str] = &[
    "X25519", "X448", "prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521",
    "secp224r1", "P-224", "secp256k1", "secp256r1", "prime192v1", "P-192", "ffdhe2048", "ffdhe3072", "ffdhe4096",
    "ffdhe6144", "ffdhe8192", "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1",
    "brainpoolP256r1tls13", "brainpoolP384r1tls13", "brainpoolP512r1tls13", "DEFAULT",
];
/// Groups from OpenSSL 3.5 on.
const NEW_GROUPS: &[&str] = &[
    "X25519MLKEM768",
    "SecP256r1MLKEM768",
    "SecP384r1MLKEM1024",
    "MLKEM512",
    "MLKEM768",
    "MLKEM1024",
];

fn groups(context: &Context<'_>, setting: &Setting<'_>, value: &str, out: &mut Vec<Finding>) {
    let known = |list: &[&str], name: &str| list.iter().any(|k| k.eq_ignore_ascii_case(name));
    let old_library = context
        .facts
        .and_then(|facts| Release::of(&facts.openssl))
        .is_some_and(|release| release < Release(3, 5));
    let words = value.split([',', ':', '/', ' ', '\t']);
    for (at, word) in words.filter(|w| !w.is_empty()).enumerate() {
        let name = word.trim_start_matches(['?', '*', '-']);
        if known(GROUPS, name) {
            continue;
        }
        let newer = known(NEW_GROUPS, name);
        if newer && at == 0 && !word.starts_with('?') && client_starts(context) {
            out.push(KEM_FIRST.found().on(Some(setting)));
        }
        if newer && (word.starts_with('?') || !old_library) {
            continue;
        }
        let why = if newer {
            "exists from OpenSSL 3.5 on"
        } else {
            "is no group that OpenSSL has"
        };
        let message = format!("{}: {name} {why}. {}", setting.name, UNKNOWN_GROUP.why);
        // What a newer library has is waited for, it seems.
        let named = |word: &str| {
            let name = word.trim_start_matches(['?', '*', '-']);
            known(GROUPS, name) || known(NEW_GROUPS, name)
        };
        let fix = (!newer).then(|| without(context, setting, named));
        let found = UNKNOWN_GROUP.says(message).on(Some(setting));
        out.push(found.mended_by(fix.flatten()));
    }
}

fn client_starts(context: &Context<'_>) -> bool {
    let level = context.client_level(None);
    context.main.is_some() && level.is_some_and(|level| level != Level::None)
}
