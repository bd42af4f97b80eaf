//! From words to a place.

use crate::served::{HOUR_MS, Served, now};
use crate::wire::Ask;
use postseal_store::desk::Role;
use serde_json::json;

#[test]
fn words_lead_to_pages_certificates_findings_jobs_and_rules() {
    let (served, session) = Served::to(Role::Auditor);
    let certificate = json!({"name": "mx1", "names": ["mail.example"], "has_key": true, "serial": "0a:0b",
        "not_before": "2026-01-01T00:00:00Z", "not_after": "2099-01-01T00:00:00Z"});
    served.copy(
        "certificates",
        &json!({"certificates": [certificate]}).to_string(),
    );
    let finding = json!({"code": "cert.chain-incomplete", "severity": "warning", "message": "An issuer is missing."});
    served.copy("findings", &json!({"findings": [finding]}).to_string());
    let token = served.token("auditor", Role::Auditor, now() + HOUR_MS);
    let job = served.file(&token, r#"{"task":"verify"}"#);
    let page = |words: &str| {
        let path = format!("/search?q={words}");
        served.ask(&Ask::get(&path).cookie(&session)).body
    };
    // Every page has the form, and it works without JavaScript.
    assert!(page("").contains("action=\"/search\"") && page("").contains("name=\"q\""));
    for (words, link) in [
        ("roll", "<a href=\"/history\"><bdi>History</bdi></a>"),
        ("0A:0B", "<a href=\"/certificates\"><bdi>mx1</bdi></a>"),
        (
            "mail.example",
            "<a href=\"/certificates\"><bdi>mx1</bdi></a>",
        ),
        (
            "issuer+missing",
            "<a href=\"/findings\"><bdi>cert.chain-incomplete</bdi></a>",
        ),
        (
            "job+1",
            "<a href=\"/jobs/1\"><bdi>1</bdi></a> <bdi>Verify on the wire</bdi>",
        ),
        ("b.example", "<a href=\"/policies?search=b.example\">"),
        ("a%26b%3C", "<a href=\"/policies?search=a%26b%3C\">"),
    ] {
        assert!(page(words).contains(link), "{words}: {}", page(words));
    }
    assert_eq!(job, 1);
    assert!(page("mx.example").contains("Look at the servers of"));
    assert!(page("nothing+like+it").contains("Nothing has all of these words"));
    // What is asked for is text.
    let hostile = page("%3Cscript%3Ealert(1)%3C/script%3E");
    assert!(!hostile.contains("<script>alert"), "{hostile}");
}
