//! Problems: what a request could not be done for (RFC 9457).
//!
//! Owns: their codes, and their form for programs. Never: their form for people; `guard` dresses them for a page.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use postseal_planner::task::TaskError;
use postseal_planner::whole_chain;
use postseal_store::StoreError;
use schemars::JsonSchema;
use serde::Serialize;

/// Why a request could not be done.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) detail: String,
    retry_after: Option<u64>,
}

/// Why a request could not be done (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Document<'a> {
    /// Always `about:blank`: `code` tells problems apart.
    r#type: &'static str,
    /// The status in words.
    title: &'a str,
    status: u16,
    /// Stable, for programs.
    code: &'a str,
    /// What, why, and what to do.
    detail: &'a str,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            retry_after: None,
        }
    }

    pub(crate) fn not_signed_in() -> Self {
        let detail = "sign in, or send a token that holds: Authorization: Bearer postseal_…";
        Self::new(StatusCode::UNAUTHORIZED, "console.not-signed-in", detail)
    }

    pub(crate) fn forbidden(what: &str) -> Self {
        let detail =
            format!("your role does not allow it: {what}; an administrator can give another");
        Self::new(StatusCode::FORBIDDEN, "console.forbidden", detail)
    }

    pub(crate) fn not_found(what: &str) -> Self {
        let detail = format!("there is no {what} here");
        Self::new(StatusCode::NOT_FOUND, "console.not-found", detail)
    }

    pub(crate) fn form_token() -> Self {
        let detail = "the form is not of this session: load the page again and send it once more";
        Self::new(StatusCode::FORBIDDEN, "console.form-token", detail)
    }

    pub(crate) fn malformed(what: impl std::fmt::Display) -> Self {
        let detail = format!("the request cannot be read: {what}");
        Self::new(StatusCode::BAD_REQUEST, "console.malformed", detail)
    }

    pub(crate) fn no_recipient() -> Self {
        let detail = "the agent has not told yet to whom uploads are sealed, and nothing was kept: see whether it \
            runs, and whether Postseal has adopted this Postfix; then send it once more";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "console.no-recipient",
            detail,
        )
    }

    pub(crate) fn too_large(largest: usize) -> Self {
        let kib = largest / 1024;
        let detail = format!("the request is larger than {kib} KiB, and nothing was stored");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "console.too-large", detail)
    }

    pub(crate) fn too_many(seconds: u64) -> Self {
        let detail = format!("too many attempts: wait {seconds} s and try again");
        let made = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "console.too-many-attempts",
            detail,
        );
        made.later(seconds)
    }

    pub(crate) fn busy() -> Self {
        let detail = "the console has too much to do: try again in some seconds";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "console.busy", detail).later(5)
    }

    pub(crate) fn conflict(code: &'static str, detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    pub(crate) fn stopping() -> Self {
        let detail = "the console is being stopped";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "console.stopping", detail)
    }

    pub(crate) fn store(error: &StoreError) -> Self {
        let why = whole_chain(error);
        let look = match error {
            StoreError::Server { .. } => "`postseal user list` on the mail server says what helps",
            _ => {
                "see on the mail server whether its disk is full and who holds the files of the store's folder console"
            }
        };
        let detail = format!(
            "the desk cannot be used, and nothing was stored: {why}; try again in some seconds, and where it stays {look}"
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "console.desk", detail).later(5)
    }

    pub(crate) fn no_randomness(error: &std::io::Error) -> Self {
        let detail = format!("the system gives no random bytes: {error}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "console.system", detail)
    }

    fn later(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }
}

impl From<TaskError> for Problem {
    fn from(error: TaskError) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            error.code(),
            error.to_string(),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
        };
        let text = serde_json::to_string(&document).unwrap_or_default();
        let mut response = (self.status, text).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"postseal\""),
            );
        }
        response.extensions_mut().insert(self);
        response
    }
}
