//! Tags of documents (RFC 9110 §8.8.3).
//!
//! Owns: how one is made and compared. Never: what a document says.

use crate::problem::Problem;
use crate::secret;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

/// The tag of a text, without quotes. A copy's is that of its document, whenever it was made.
pub(crate) fn of(text: &str) -> String {
    let tag = secret::derived("tag", text, "");
    tag.chars().take(22).collect()
}

/// A document with its tag; nothing more where the one who asks has it already.
pub(super) fn tagged(headers: &HeaderMap, document: &impl Serialize) -> Response {
    let text = serde_json::to_string(document).unwrap_or_default();
    let tag = of(&text);
    let mark = [(header::ETAG, format!("\"{tag}\""))];
    match is_known(headers, &tag) {
        true => (StatusCode::NOT_MODIFIED, mark).into_response(),
        false => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (mark, kind, text).into_response()
        }
    }
}

/// Whether the one who asks has this already (RFC 9110 §13.1.2, by weak comparison).
pub(super) fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = named(headers, &header::IF_NONE_MATCH).unwrap_or_default();
    known.iter().any(|one| one == "*" || one == tag)
}

/// What a change was made from: the tags that `If-Match` names; none where it is not said.
///
/// Weak tags are taken here (RFC 9110 §13.1.1 has them never match): they are those of copies, and what may differ
/// between two copies of one tag is the time at which they were made.
pub(super) fn made_from(headers: &HeaderMap) -> Result<Option<Vec<String>>, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    let tags = named(headers, &header::IF_MATCH).filter(|tags| !tags.is_empty());
    let wrong = || Problem::malformed("If-Match names no tag of a copy");
    tags.map(Some).ok_or_else(wrong)
}

/// The tags in a header, without quotes; none where it is no text.
fn named(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    for line in headers.get_all(name) {
        let all = line.to_str().ok()?.split(',').map(str::trim);
        tags.extend(all.filter(|one| !one.is_empty()).map(bare));
    }
    Some(tags)
}

fn bare(tag: &str) -> String {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.trim_matches('"').to_owned()
}
