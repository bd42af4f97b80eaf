//! The codes of a preflight: what each means and what to do, as `lint --explain` tells it.
//!
//! Owns: data. Never: judges.

use crate::Severity::{Error, Fatal, Info, Warning};
use crate::finding::Finding;
use crate::lint::{Rule, row};

const WAITS: &str = "Where no other server of the destination does better, mail waits in the queue and comes back after some days (maximal_queue_lifetime).";
const BACK: &str = "Mail for it comes back at once, whatever the policy.";

/// The code of what could not be told.
pub const UNDETERMINED: &str = "policy.preflight-undetermined";

/// The rules.
#[rustfmt::skip]
pub(crate) const RULES: &[Rule] = &[
    row("policy.no-starttls", Error, "a server offers no TLS", WAITS,
        "Ask its administrator for TLS."),
    row("policy.starttls-refused", Error, "a server offers TLS and refuses to start it", WAITS,
        "Tell its administrator: its TLS is broken."),
    row(super::overlooked::CODE, Error, "the client starts no TLS, whatever a server offers", "Postfix takes STARTTLS for not offered: mail goes in clear where the level allows it, and waits elsewhere.",
        "Delete smtp_never_send_ehlo, and take starttls out of smtp_discard_ehlo_keywords; they may stand as -o of the client in master.cf."),
    row("policy.handshake-failed", Error, "a server's TLS handshake fails", WAITS,
        "Tell its administrator: its TLS is broken."),
    row("policy.protocol", Error, "a server speaks no version of TLS that may be used", WAITS,
        "Allow its version by protocols=, or ask its administrator for a newer one."),
    row("policy.no-cipher", Error, "no cipher that may be used is one that a server takes", WAITS,
        "Exclude less (exclude=, smtp_tls_exclude_ciphers), or allow a lower grade (ciphers=); only TLS 1.3 has its own ciphers."),
    row("policy.tafile-missing", Error, "a file of trust anchors that cannot be used", "smtp(8) opens it in its jail and as mail_owner; where it cannot, or finds no certificate in it, mail waits in the queue.",
        "Put the trust anchors there, readable for all, or take tafile= away and trust a CA by smtp_tls_CAfile."),
    row("policy.ca-file-unusable", Fatal, "file of CAs that smtp(8) cannot load",
        "Without the file that smtp_tls_CAfile names smtp(8) does no TLS at all: mail goes in clear where the level allows it, and waits elsewhere.",
        "Put the file back, or name another one by `postseal set trust.outbound=FILE`; then `postfix reload`."),
    row(super::disabled::CERTIFICATE, Fatal, "certificate of the client that smtp(8) cannot load",
        "Without a file that smtp_tls_cert_file or smtp_tls_key_file names smtp(8) does no TLS at all: mail goes in clear where the level allows it, and waits elsewhere. Without one of smtp_tls_chain_files it does TLS, and shows no certificate.",
        "Put certificate and key back, or leave the parameters empty: few servers ask for one; then `postfix reload`."),
    row("policy.nobody-trusted", Error, "no CA is trusted on this host", "Postfix trusts nobody by itself: without a CA no certificate can be verified, and all mail for the destination waits.",
        "`postseal set trust.outbound=system` and `postseal apply`, or name the CA of the destination by tafile=."),
    row("policy.no-fingerprint", Error, "level fingerprint without a fingerprint", "No server can match none, so all mail for the destination waits.",
        "List it: match=FINGERPRINT, as its administrator reads it to you by telephone; `postseal policy check` shows that of the server."),
    row("policy.weak-tls", Error, "a server's TLS is too old to verify it by", "OpenSSL 3 takes TLS 1.1 and older only where nobody is verified; else mail waits in the queue.",
        "Ask its administrator for TLS 1.2 or later."),
    row("policy.certificate-untrusted", Error, "a server's certificate is not trusted", WAITS,
        "Ask its administrator for a certificate of a public CA, name its own CA by tafile=, or pin its key at the level fingerprint."),
    row("policy.certificate-expired", Error, "a server's certificate has expired", WAITS,
        "Ask its administrator to renew it."),
    row("policy.certificate-name", Error, "a server's certificate is for another name", WAITS,
        "If that name is the right one, name it by match=; else ask its administrator."),
    row("policy.no-certificate", Error, "a server shows no certificate", WAITS,
        "Ask its administrator for one."),
    row("policy.fingerprint-mismatch", Error, "a server's fingerprint is not among the listed ones", WAITS,
        "Ask its administrator, by telephone, for the fingerprint, and list the new one."),
    row("policy.tlsa-mismatch", Error, "a server's certificate does not match its TLSA records", WAITS,
        "Tell its administrator: records and certificate differ."),
    row("policy.no-tlsa", Error, "a server has no TLSA records that DNSSEC vouches for", WAITS,
        "Use dane-only for domains that publish them only."),
    row("policy.tlsa-unusable", Error, "a server's TLSA records are of no use to SMTP", WAITS,
        "Tell its administrator: mail servers need usage 3 or 2."),
    row("policy.mx-insecure", Error, "DNSSEC does not vouch for the mail exchanger", WAITS,
        "Use dane-only for domains that are signed themselves only."),
    row("policy.dane-without-dnssec", Error, "the transport does not ask for DNSSEC", "dane acts as may, and dane-only holds all mail back.",
        "Set smtp_dns_support_level = dnssec, with a validating resolver on this host."),
    row("policy.no-wrappermode", Error, "the transport begins in clear towards port 465", "The server waits for TLS from the first byte, so no mail is delivered.",
        "Send it by a transport with -o smtp_tls_wrappermode=yes in master.cf."),
    row("policy.wrapper-without-encrypt", Error, "the transport begins with TLS, and the level does not demand it", "Postfix defers all mail of that transport.",
        "Demand encrypt at least."),
    row("policy.null-mx", Error, "the domain takes no mail", BACK,
        "Take the rule back; the domain has no mail server."),
    row("policy.no-mx", Error, "the domain has neither a mail exchanger nor an address", BACK,
        "Check how the name is written."),
    row("policy.mx-self", Error, "this very host is the mail exchanger", BACK,
        "Tell Postfix where the domain's mail is kept (mydestination, relay_domains, virtual_mailbox_domains, transport_maps), or have its MX record corrected."),
    row("policy.mx-without-address", Error, "a mail exchanger has no address", "Postfix goes on to the next one; where there is none, the mail is not delivered.",
        "Check how the name is written; if it is right, tell the domain's administrator."),
    row("policy.mx-many", Info, "more mail exchangers than are looked at", "One delivery tries no more than smtp_mx_address_limit addresses; of those of one preference it draws them.",
        "Where one may come to a server that was not looked at, the answer is undetermined; otherwise nothing has to be done."),
    row("policy.dane-as-may", Warning, "dane comes to no more than may", "Without TLSA records, or without DNSSEC on the whole way to them, nobody is held to anything.",
        "Demand encrypt, or secure, if mail is rather to wait than to go unprotected."),
    row("policy.cleartext", Warning, "mail would be sent in cleartext", "The level allows it, and the server speaks no TLS that works.",
        "Ask its administrator for TLS; a mandatory level would hold the mail back."),
    row(UNDETERMINED, Warning, "what the servers would do could not be told", "A server that is busy, slow or behind a firewall, or a resolver that does not answer, says nothing of TLS.",
        "Check it again later (postseal policy check); where it stays so, look at the way there: a firewall, a greet delay, a resolver."),
];

/// The rule of a code.
pub(super) fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

/// A finding of a code as it usually is.
pub(super) fn found(code: &'static str, message: impl Into<String>) -> Finding {
    usual(rule(code), code, message)
}

/// A finding of a rule as it usually is; bad, where somebody forgot the rule.
pub(crate) fn usual(
    rule: Option<&Rule>,
    code: &'static str,
    message: impl Into<String>,
) -> Finding {
    match rule {
        Some(rule) => rule.says(message),
        None => Finding::new(code, Error, message, ""),
    }
}
