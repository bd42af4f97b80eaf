//! The rules on certificates, keys and trust anchors.
//!
//! Owns: data. Codes that mailtls gives keep their names; the severities here are those of a
//! certificate that a mail server uses today.

use crate::Severity::{Error, Info, Warning};
use crate::lint::rule::{Rule, rule};

const OFF: &str = "Postfix switches TLS off: a server answers STARTTLS with 454 and drops what comes to 465, and many clients then send in clear; a client sends in clear at may, and defers its mail at stronger levels.";
const UNREADABLE: &str = "Root cannot read it (what another user may not read is cert.undetermined). Postfix switches TLS off: a server answers STARTTLS with 454, and many clients then send in clear; a client sends in clear at may, and defers its mail at stronger levels.";
/// Of a file that is not there (Postfix 3.7.11).
const MISSING: &str = "With cert_file and key_file Postfix switches TLS off (454 after STARTTLS). With chain_files a server goes on without a certificate: who wants one gets no handshake, and many clients then send in clear.";
pub(super) const CA_FILE_OF_SERVER: &str = "Postfix switches TLS off: STARTTLS is offered and answered with 454, and many clients then send in clear.";
pub(super) const CA_FILE_OF_CLIENT: &str = "Postfix switches TLS off: at may mail goes in clear, at stronger levels it is deferred (4.7.5, TLS is required, but our TLS engine is unavailable).";

#[rustfmt::skip]
pub(super) const UNDETERMINED: Rule = rule("cert.undetermined", Info, "files were not looked at",
    "The files named here were not looked at; whether certificate and key are right is undetermined.",
    "Run postseal lint on the mail host itself, as root.");
#[rustfmt::skip]
pub(super) const BOTH_FORMS: Rule = rule("cert.both-forms", Warning, "chain files beside the legacy form",
    "Postfix warns and ignores cert_file and key_file where chain_files is set.",
    "Delete the legacy lines.");
#[rustfmt::skip]
pub(super) const KEY_ALONE: Rule = rule("cert.key-without-certificate", Warning, "key without a certificate",
    "Without a certificate the key has no use.",
    "Set the certificate too, or use chain_files.");
#[rustfmt::skip]
pub(super) const KEY_READABLE: Rule = rule("cert.key-readable", Error, "private key that others can read",
    "Whoever reads the key can pass for this server. Postfix reads it as root, so root alone need read it.",
    "chmod 0600 and chown root the file.");
#[rustfmt::skip]
pub(super) const CA_FILE: Rule = rule("trust.ca-file", Error, "CA file that cannot be used", OFF,
    "Correct the path, or delete the line.");
#[rustfmt::skip]
pub(super) const CA_PATH: Rule = rule("trust.ca-path", Warning, "CA folder that is not there",
    "No certificate of a peer is trusted through it.",
    "Correct the path (c_rehash the folder), or delete the line.");

/// The rules.
#[rustfmt::skip]
pub(in crate::lint) const RULES: &[Rule] = &[
    UNDETERMINED, BOTH_FORMS, KEY_ALONE, KEY_READABLE, CA_FILE, CA_PATH,
    rule("cert.missing", Error, "certificate or key file is not there", MISSING, "Correct the path."),
    rule("cert.is-directory", Error, "folder in place of a file", OFF, "Name the file in it."),
    rule("cert.unreadable", Error, "certificate or key file cannot be read", UNREADABLE, "Make it readable for root."),
    rule("cert.too-large", Error, "file too large for a certificate", OFF, "Name the server's own chain, not a bundle of CAs."),
    rule("cert.empty", Error, "empty certificate or key file", OFF, "Get the file again."),
    rule("cert.utf16", Error, "certificate in UTF-16", OFF, "Save it as plain text."),
    rule("cert.not-pem", Error, "not a PEM file", OFF, "Convert it to PEM."),
    rule("cert.truncated", Error, "file that ends too early", OFF, "Copy it again."),
    rule("cert.damaged", Error, "damaged certificate", OFF, "Copy it again."),
    rule("cert.no-certificate", Error, "no certificate in the file", OFF, "Name the certificate."),
    rule("cert.key-missing", Error, "no private key in the file", OFF, "Name the key."),
    rule("cert.key-encrypted", Error, "private key with a pass phrase", OFF, "Take the pass phrase off (openssl pkey), mode 0600."),
    rule("cert.key-mismatch", Error, "key of another certificate", OFF, "Name the key that belongs to the certificate."),
    rule("cert.key-not-first", Error, "certificate before the key in chain files", OFF, "Put the key first, then its certificate, then the intermediates."),
    rule("cert.key-alone", Error, "key without its certificate in chain files", OFF, "Put the certificate after its key."),
    rule("cert.wrong-order", Error, "chain in the wrong order", "With an intermediate first Postfix switches TLS off; with intermediates mixed up, peers cannot verify.", "Put the server's certificate first, then each one's issuer."),
    rule("cert.two-of-a-kind", Error, "two chains for one algorithm", OFF, "Keep one chain for each algorithm."),
    rule("cert.expired", Error, "certificate is expired", "Postfix serves it all the same; peers that verify refuse it.", "Renew it."),
    rule("cert.not-yet-valid", Error, "certificate is not valid yet", "Postfix serves it all the same; peers that verify refuse it.", "Wait, or check this host's clock."),
    rule("cert.expiring", Warning, "certificate expires soon", "Peers that verify refuse it after that day. With a tenth of its life left, at most a week, it is an error.", "Renew it."),
    rule("cert.self-signed", Warning, "self-signed certificate", "Good enough for opportunistic TLS and DANE; mail programs and peers that verify refuse it. An error where TLS is demanded of clients.", "Get a certificate from a CA."),
    rule("cert.system-certificate", Warning, "certificate that the system made for itself", "Good enough for opportunistic TLS; mail programs and peers that verify refuse it. An error where TLS is demanded of clients.", "Get a certificate from a CA."),
    rule("cert.name-mismatch", Warning, "certificate for another name", "Peers that verify compare it with the MX host's name and refuse it.", "Have a certificate issued for myhostname."),
    rule("cert.no-alternative-name", Warning, "certificate without subjectAltName", "Many programs ignore the common name.", "Have a certificate issued with a DNS name."),
    rule("cert.weak-key", Error, "weak key", "OpenSSL and peers refuse it.", "Have a certificate issued for a new key."),
    rule("cert.no-server-auth", Error, "certificate that is not for servers", "Peers that verify refuse it.", "Have a certificate issued for servers."),
    rule("cert.ca-as-leaf", Warning, "CA certificate in place of a server's", "A stolen server key could then sign other certificates.", "Have the CA issue a certificate for the server."),
    rule("cert.bad-curve", Error, "key on a curve that TLS does not use", "Peers cannot complete a handshake with it.", "Have a certificate issued for a P-256 key."),
    rule("cert.rare-curve", Warning, "key on a curve that few peers know", "Peers that do not know it cannot complete a handshake.", "Have a certificate issued for a P-256 key."),
    rule("cert.weak-signature", Error, "certificate signed by SHA-1 or MD5", "OpenSSL and peers refuse it.", "Have a certificate issued anew."),
    rule("cert.small-exponent", Info, "RSA key with a small exponent", "Some peers refuse it.", "Have a certificate issued for a new key."),
    rule("cert.bad-serial", Warning, "serial number that RFC 5280 forbids", "Some peers refuse it.", "Have a certificate issued anew."),
    rule("cert.bad-wildcard", Warning, "wildcard that no peer takes", "A * must be the whole first label, and not of a top-level domain (RFC 9525 §6.3).", "Have a certificate issued with the names themselves, or *.example.org."),
    rule("cert.name-not-ascii", Warning, "name that is not in A-labels", "Peers compare A-labels (RFC 9525 §6.3).", "Have a certificate issued with the xn-- form."),
    rule("cert.no-digital-signature", Error, "certificate that may not sign", "TLS 1.3 and all forward-secret ciphers need it.", "Have a certificate issued with keyUsage digitalSignature."),
    rule("cert.too-long", Error, "chain too long for a handshake", "OpenSSL clients refuse more than 100 KiB.", "Have a certificate issued for fewer names."),
    rule("cert.must-staple", Warning, "certificate that demands a stapled OCSP answer", "Postfix cannot give one; peers that heed it refuse the certificate.", "Have a certificate issued without must-staple."),
    rule("cert.issuer-expired", Error, "intermediate that is expired", "Peers that verify refuse the chain.", "Take the CA's current intermediate certificate."),
    rule("cert.issuer-not-yet-valid", Error, "intermediate that is not valid yet", "Peers that verify refuse the chain until then.", "Wait until it is valid, or check this host's clock."),
    rule("cert.key-unusable", Error, "private key that OpenSSL cannot use", OFF, "Have a certificate issued for a P-256 or RSA key."),
    rule("cert.nul-in-name", Error, "NUL byte in a name", "Programs read the name to its NUL and take the certificate for another's.", "Have a certificate issued anew, and ask who issued this one."),
];
