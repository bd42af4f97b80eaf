//! What `lint --explain` says of codes of certificates that lint itself does not give.
//!
//! Owns: data, for what import, check and plans find. Never: a rule that lint applies (`table`).

use crate::Severity::{Error, Info, Warning};
use crate::lint::rule::{Rule, rule};

const OUTSIDE: &str = "The file cannot be taken into the store as it is.";

/// The explanations.
#[rustfmt::skip]
pub(in crate::lint) const EXPLAINED: &[Rule] = &[
    rule("cert.bound", Error, "deleting a certificate that is bound", "Postfix presents it, would after apply, or would after a rollback.", "Bind another certificate and apply, or apply the unbinding, then delete it."),
    rule("cert.chain-broken", Error, "intermediates that do not follow from each other", OUTSIDE, "Give the CA's intermediate certificate (chain.pem, or fullchain.pem as a whole)."),
    rule("cert.chain-incomplete", Error, "intermediate certificate is missing", "Peers that verify cannot get from the certificate to a CA that they trust.", "Import it anew with its intermediate: `--chain FILE`; or `--private-ca FILE` for a CA of your own."),
    rule("cert.duplicate", Warning, "the same certificate under another name", "Which of the two is meant is not clear.", "Use one of them, and delete the other."),
    rule("cert.is-request", Error, "certificate request in place of a certificate", "A request is what a CA signs; servers cannot present it.", "Give the request to a CA, and import the certificate it returns."),
    rule("cert.issuer-unknown", Error, "issuer that nobody trusts", "Peers that verify refuse it, unless they know the CA.", "Import it anew with `--private-ca FILE` if that is a CA of your own; else get a certificate from a public CA."),
    rule("cert.key-kind", Error, "key of a kind that TLS cannot use", "No cipher of today works with it (DSA, for one).", "Have a certificate issued for a P-256 or RSA key."),
    rule("cert.key-owner", Warning, "private key file that is not root's", "Its owner can read and replace the key. Postfix reads it as root, so root alone need have it.", "chown root and chmod 0600 the file; `postseal apply` writes installed files anew."),
    rule("cert.key-writable", Error, "private key file that others can replace", "Whoever writes to it decides what this server presents, or that it presents nothing.", "chmod 0600 and chown root the file; `postseal apply` writes installed files anew."),
    rule("cert.kind-gone", Warning, "kind of key that is presented no more", "Clients that take no other kind cannot use TLS: RSA alone is taken by very old ones, Ed25519 alone is not taken by many.", "Bind a certificate with that kind of key beside it: each client gets its kind."),
    rule("cert.legacy-cipher", Error, "PKCS#12 file with a cipher that OpenSSL has retired", OUTSIDE, "Convert it: openssl pkcs12 -legacy -in FILE -nodes -out FILE.pem (mode 0600)."),
    rule("cert.names-gone", Warning, "names that mail clients were shown and are shown no more", "Mail clients look for the name that they were told, and refuse a certificate without it.", "Have the certificate issued with these names, or tell the clients another one."),
    rule("cert.needed-by-rollback", Error, "deleting a version that the next rollback presents", "`postseal rollback` would lead to a certificate that is not there.", "Delete it once another operation has been kept."),
    rule("cert.no-leaf", Error, "CA certificates only", "A server presents its own certificate; those of CAs follow it.", "Add the server's certificate (cert.pem or fullchain.pem of the ACME client)."),
    rule("cert.only-version", Error, "deleting the only version of a certificate", "Nothing would be left of the certificate.", "`postseal cert delete NAME` deletes the certificate itself."),
    rule("cert.open-length", Error, "PKCS#12 file in the indefinite form of BER", OUTSIDE, "Convert it: openssl pkcs12 -in FILE -nodes -out FILE.pem (mode 0600)."),
    rule("cert.own-name-captured", Warning, "server's own name in a domain that is bound to another certificate", "Who asks for the name looks at who answers: senders by DANE and MTA-STS, and mail programs.", "Bind a certificate with the name to it by itself: `postseal cert bind NAME --sni HOST`."),
    rule("cert.password-costly", Error, "PKCS#12 file that takes too long to open", "It asks for more rounds than any program writes: a file made to hang who opens it.", "Have key and certificate exported again by another program."),
    rule("cert.password-missing", Error, "PKCS#12 file without its password", "Key and certificates in it are encrypted.", "Put the password into a file, mode 0600, and say `--password-file FILE`."),
    rule("cert.password-wrong", Error, "PKCS#12 file with another password", "Key and certificates in it are encrypted.", "Check the password: its case, and that its file holds it alone, in UTF-8."),
    rule("cert.pkcs12", Error, "PKCS#12 file where PEM is wanted", OUTSIDE, "Convert it: openssl pkcs12 -in FILE -nodes -out FILE.pem (mode 0600)."),
    rule("cert.pkcs12-no-key", Error, "PKCS#12 file without a private key", "A certificate cannot be presented without its key.", "Export it again with its key, or give the key in a file of its own."),
    rule("cert.pkcs7", Error, "PKCS#7 file where PEM is wanted", OUTSIDE, "Convert it: openssl pkcs7 -in FILE -print_certs -out FILE.pem."),
    rule("cert.too-many", Error, "too many certificates", "A file holds more than a chain can have; or more certificates are bound in one place than Postfix before 3.4 presents (two).", "Give the server's certificate and its intermediates only; or `postseal cert unbind NAME` until two are left."),
    rule("cert.two-keys", Error, "two private keys in what is imported", "Which of them belongs to the certificate is not for guessing.", "Give one key; import an RSA and an ECDSA certificate one by one."),
    rule("cert.two-leaves", Error, "two servers' certificates in one file", "One certificate is presented for one key.", "Give the private key too, or one certificate at a time."),
    rule("cert.unexpected-object", Warning, "something else among keys and certificates", "Postfix skips it, with a warning.", "Take that block out of the file."),
    rule("cert.unknown-cipher", Error, "PKCS#12 file with an unknown cipher", OUTSIDE, "Have key and certificate exported again by another program."),
    rule("cert.untrusted", Error, "chain that no trusted CA vouches for", "Peers that verify refuse it.", "Get the chain that the CA issued with it, and import it anew."),
    rule("cert.issuer-ends-sooner", Warning, "certificate that outlives its CA", "Peers that verify refuse it from the day that the CA ends.", "Have it issued anew before then, by a CA that lasts longer."),
    rule("cert.ends-with-its-ca", Info, "certificate that is shorter than was asked for", "No certificate outlives the private CA that issues it here.", "Make another CA before it ends, and have your peers trust that one."),
    rule("cert.issuer-of-bound", Error, "CA whose certificates are presented", "Its only key would go with it, and nothing could be issued by it again.", "Bind certificates of another CA in their place and apply, then delete it."),
];
