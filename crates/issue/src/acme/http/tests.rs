//! What is made of a CA's problem documents.

#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use serde_json::{Value, json};

fn read(document: &Value) -> Value {
    let (mut parts, ()) = hyper::Response::new(()).into_parts();
    parts.status = hyper::StatusCode::FORBIDDEN;
    let body = problem(&parts, document.to_string().into());
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn the_page_where_somebody_has_to_agree_is_named() {
    let document = |kind: &str| {
        json!({
            "type": format!("urn:ietf:params:acme:error:{kind}"),
            "detail": "Terms of service have changed",
            "instance": "https://ca.example/agreement?token=W8Ih3PswD-8",
        })
    };
    let told = read(&document("userActionRequired"));
    let page =
        "Terms of service have changed: visit https://ca.example/agreement?token=W8Ih3PswD-8";
    assert_eq!(told["detail"], page);
    assert_eq!(told["status"], 403);
    // Elsewhere it is a number of the CA's for its own use.
    assert_eq!(
        read(&document("unauthorized"))["detail"],
        "Terms of service have changed"
    );
}
