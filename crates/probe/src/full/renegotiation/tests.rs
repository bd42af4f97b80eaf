//! Keys and records against known answers.

use super::*;
use crate::full::FullBudget;
use crate::target::{Start, Target};
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslOptions};
use openssl::x509::X509;
use postseal_issue::{KeyType, LeafRequest, Validity, self_signed};
use postseal_testkit::smtp_script::SmtpScript;

#[test]
fn the_pseudo_random_function() {
    // P_SHA256 with the label, as in the test vectors that TLS implementers share (IETF TLS list,
    // 2009: TLS 1.2 PRF with SHA-256).
    let secret = hex("9bbe436ba940f017b17652849a71db35");
    let seed = [
        b"test label".to_vec(),
        hex("a0ba9f936cda311827a6f796ffd5198c"),
    ]
    .concat();
    let wanted = hex("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a");
    assert_eq!(*pseudo_random(&secret, &seed, 32).unwrap(), wanted);
    assert_eq!(pseudo_random(&secret, &seed, 100).unwrap().len(), 100);
}

#[test]
fn a_sealed_record_is_opened_again() {
    let keys = Keys::expand(&[1; 48], b"key expansion and two randoms").unwrap();
    let record = seal(&keys, 1, b"a message").unwrap();
    assert_eq!(record[..5], [22, 3, 3, 0, 8 + 9 + 16]);
    let number = 1_u64.to_be_bytes();
    assert_eq!(record[5..13], number);
    let outside = [&number[..], &[22, 3, 3, 0, 9]].concat();
    let nonce = [&keys.salt[..], &number].concat();
    let (sealed, tag) = record[13..].split_at(9);
    let cipher = Cipher::aes_128_gcm();
    let opened =
        openssl::symm::decrypt_aead(cipher, &keys.key, Some(&nonce), &outside, sealed, tag);
    assert_eq!(opened.unwrap(), b"a message");
}

/// A server's context with a certificate, for one suite; with these options.
fn server(options: SslOptions) -> SslContextBuilder {
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_security_level(0);
    context
        .set_cipher_list("ECDHE-ECDSA-AES128-GCM-SHA256")
        .unwrap();
    context.set_options(options);
    let issued = self_signed(&LeafRequest {
        names: vec!["mx.example".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity: Validity {
            not_before: 1_577_836_800,
            not_after: 4_070_908_800,
        },
    });
    let issued = issued.unwrap();
    let leaf = X509::from_pem(issued.cert_pem.as_bytes()).unwrap();
    context.set_certificate(&leaf).unwrap();
    let key = PKey::private_key_from_pem(issued.key_pem.as_bytes()).unwrap();
    context.set_private_key(&key).unwrap();
    context
}

fn seen_at(context: SslContextBuilder) -> Seen {
    let script = SmtpScript::new()
        .accept_tls(&context.build())
        .say("220 mx.example ESMTP\r\n")
        .hear("QUIT");
    let server = script.serve();
    let target = Target::new("smtps/inet", server.address(), Start::Implicit);
    look(&Asker::new(&target, FullBudget::default()))
}

#[test]
fn a_server_that_begins_anew_and_one_that_does_not() {
    // `SSL_OP_ALLOW_CLIENT_RENEGOTIATION` (OpenSSL 3.0).
    let allowed = SslOptions::from_bits_retain(1 << 8);
    assert_eq!(seen_at(server(allowed)), Seen::Yes);
    assert_eq!(seen_at(server(SslOptions::NO_RENEGOTIATION)), Seen::No);
}

#[test]
fn a_server_without_such_a_suite_says_nothing_of_it() {
    let mut other = server(SslOptions::empty());
    other
        .set_cipher_list("ECDHE-ECDSA-AES256-GCM-SHA384")
        .unwrap();
    assert!(matches!(seen_at(other), Seen::Undetermined(_)));
}

fn hex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}
