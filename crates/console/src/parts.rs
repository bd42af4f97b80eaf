//! Forms that carry files (RFC 7578).
//!
//! Owns: their fields as text and as bytes. Never: keeps one, or says what is in it.

use crate::problem::Problem;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request};
use axum::http::{HeaderValue, header};
use zeroize::Zeroizing;

/// The fields of such a form, in its order.
pub(crate) struct Parts(Vec<(String, Bytes)>);

impl Parts {
    /// Whether a form of this type carries files.
    pub(crate) fn is_one(kind: &HeaderValue) -> bool {
        kind.as_bytes().starts_with(b"multipart/form-data")
    }

    /// Reads one whole; the door has bounded it.
    pub(crate) async fn read(kind: &HeaderValue, body: Bytes) -> Result<Self, Problem> {
        let mut request = Request::new(Body::from(body));
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, kind.clone());
        DefaultBodyLimit::disable().apply(&mut request);
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(Problem::malformed)?;
        let mut fields = Vec::new();
        while let Some(field) = form.next_field().await.map_err(Problem::malformed)? {
            let name = field.name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(Problem::malformed)?;
            fields.push((name, bytes));
        }
        Ok(Self(fields))
    }

    /// What a field holds; none where it is empty or not there.
    pub(crate) fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut fields = self.0.iter();
        let found = fields.find(|(known, bytes)| known == name && !bytes.is_empty());
        found.map(|(_, bytes)| Zeroizing::new(bytes.to_vec()))
    }

    /// The same as text, without the blanks around it.
    pub(crate) fn text(&self, name: &str) -> Option<Zeroizing<String>> {
        let bytes = self.bytes(name)?;
        let text = std::str::from_utf8(&bytes).ok()?.trim();
        (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
    }

    /// A file, or else what was pasted in its place.
    pub(crate) fn file_or_pasted(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let pasted = || {
            let text = self.text(&format!("{name}_text"))?;
            Some(Zeroizing::new(text.as_bytes().to_vec()))
        };
        self.bytes(name).or_else(pasted)
    }
}
