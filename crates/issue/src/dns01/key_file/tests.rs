//! Keys as name servers write them, and what is none.

use super::*;

const SECRET: &str = "YSBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcy4uLi8=";

#[test]
fn keys_of_several_servers_are_read() {
    let bind = format!(
        "# made by tsig-keygen\nkey \"acme.example\" {{\n\talgorithm hmac-sha512;\n\tsecret \"{SECRET}\";\n}};\n"
    );
    let tight = format!("key acme.example.{{algorithm HMAC-SHA512.;secret {SECRET};}};");
    let comments = format!(
        "// one\n/* key no {{ */ key /* two */ acme.example {{ secret {SECRET}; # three\n algorithm hmac-sha512; }};"
    );
    let knot = format!("hmac-sha512:acme.example:{SECRET}\n");
    for text in [bind, tight, comments, knot] {
        let key = read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(key.name, "acme.example");
        assert_eq!(key.algorithm, TsigAlgorithm::HmacSha512);
        assert_eq!(key.secret.as_slice(), b"a secret for tests, 32 bytes.../");
        assert!(!format!("{key:?}").contains(SECRET));
    }
    let plain = read(&format!("acme:{SECRET}")).unwrap();
    assert_eq!(plain.algorithm, TsigAlgorithm::HmacSha256);
}

#[test]
fn what_is_no_key_is_refused_without_telling_what_it_holds() {
    let bad = [
        String::new(),
        "key".into(),
        format!("key acme {{ secret {SECRET}; }};"),
        format!("key acme {{ algorithm hmac-md5; secret {SECRET}; }};"),
        "key acme { algorithm hmac-sha256; };".into(),
        format!("key acme {{ algorithm hmac-sha256; secret {SECRET};"),
        "key acme { algorithm hmac-sha256; secret \"not base64!\"; };".into(),
        "key acme { algorithm hmac-sha256; secret \"\"; };".into(),
        format!("key {{ algorithm hmac-sha256; secret {SECRET}; }};"),
        format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"),
        "/* never closed".into(),
        "k".repeat(1 << 20),
    ];
    for text in bad {
        let error = read(&text).unwrap_err();
        assert_eq!(error.code(), "dns01.key-file", "{text:.80}");
        assert!(!error.to_string().contains("secret for"), "{error}");
        assert!(!format!("{error:?} {error}").contains(SECRET));
    }
}
