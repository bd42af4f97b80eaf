//! Coming in and going out.
//!
//! Owns: signing in, signing out, one-time codes, and taking an invitation. Never: what may be done then.

pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod totp;
pub(crate) mod welcome;

use crate::app::App;
use crate::clock;
use crate::problem::Problem;
use axum::http::{HeaderMap, HeaderValue, header};

/// Notes for the audit log who did what.
async fn note(app: &App, actor: &str, what: String) -> Result<(), Problem> {
    let actor = actor.to_owned();
    let now = clock::now_ms();
    app.desks
        .at(move |desk| desk.note(&actor, now, &what))
        .await
}

/// Has a browser keep a cookie for so many seconds; 0 makes it forget.
fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str, seconds: u32) {
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Strict");
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}
