//! What pages say of a certificate that one may choose, and the host that they are of.

use crate::served::{Served, heartbeat};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Heartbeat, Role};
use serde_json::{Value, json};

#[test]
fn each_certificate_says_which_names_it_is_for_what_was_found_and_why_it_cannot_be_chosen() {
    let (served, session) = Served::to(Role::Operator);
    let one = |name: &str, names: Value, used_by: Value| {
        json!({"name": name, "names": names, "has_key": true, "used_by": used_by, "subject": "O=Box, CN=mx.box.test",
            "not_before": "2026-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z"})
    };
    let certificates = [
        one(
            "both",
            json!(["*.box.test"]),
            json!(["smtpd for web.box.test"]),
        ),
        one("old", json!([]), json!([])),
        one("other", json!(["other.test"]), json!([])),
    ];
    served.copy(
        "certificates",
        &json!({"certificates": certificates}).to_string(),
    );
    let asked = json!({"names": [
        {"name": "mx.box.test", "asked_as": "host-name"},
        {"name": "in.box.test", "asked_as": "mail-exchanger"},
        {"name": "web.box.test", "asked_as": "server-name"}], "unknown": ["the MX of a.test: timed out"]});
    served.copy(
        "status",
        &json!({"asked_for": asked, "services": []}).to_string(),
    );
    let found = json!([
        {"certificate": "other", "code": "cert.weak-signature", "severity": "warning", "message": "Its signature is weak."},
        {"certificate": "other", "code": "cert.no-server-auth", "severity": "info", "message": "It is not for TLS servers."}]);
    served.copy("checks", &json!({"findings": found}).to_string());
    let page = |path| served.ask(&Ask::get(path).cookie(&session)).body;
    let picker = page("/smtp-tls");
    assert!(
        picker.contains("<title>SMTP TLS · mx.box.test · Postseal</title>"),
        "{picker}"
    );
    for words in [
        "yes, it is for <bdi>mx.box.test (this host’s name), in.box.test (an MX that is here), web.box.test (clients ask for it)</bdi>",
        "yes, it is for <bdi>mx.box.test (this host’s name)</bdi>",
        "no, it is not for <bdi>in.box.test (an MX that is here)</bdi>",
        "no, it is not for <bdi>mx.box.test (this host’s name), in.box.test (an MX that is here)</bdi>",
        "cannot be chosen: <bdi>It is not for TLS servers.</bdi>",
        "the MX of a.test: timed out",
    ] {
        assert!(picker.contains(words), "{words}: {picker}");
    }
    assert!(
        picker.contains(r#"value="bind other" disabled"#),
        "{picker}"
    );
    assert!(!picker.contains(r#"value="bind old" disabled"#), "{picker}");
    let own = page("/certificates/one?name=other");
    for words in [
        "cert.no-server-auth",
        "Its signature is weak.",
        "Looked for",
    ] {
        assert!(own.contains(words), "{words}: {own}");
    }
    assert!(page("/certificates/one?name=both").contains("Nothing is wrong with it."));
    let narrowed = page("/certificates?search=OTHER+box");
    assert!(
        narrowed.contains("name=other") && !narrowed.contains("name=both"),
        "{narrowed}"
    );
    // Where one desk serves several instances, a host's name alone would not tell them apart.
    let other = Heartbeat {
        instance: "/etc/postfix-out".to_owned(),
        ..heartbeat()
    };
    served.desk().beat(&other).unwrap();
    assert!(page("/plan").contains("mx.box.test (/etc/postfix) · Postseal"));
}
