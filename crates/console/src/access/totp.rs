//! One-time codes (RFC 6238).
//!
//! Owns: whether one is right, and that it counts once. Never: makes a key, or keeps one.

use crate::app::App;
use crate::clock;
use crate::problem::Problem;
use postseal_store::desk::User;

/// How long a key is: as SHA-1's output (RFC 4226 §4, R6).
pub(crate) const KEY_BYTES: usize = 20;

/// Whether the one-time code is right, where one is wanted; each counts once (RFC 6238 §5.2).
pub(crate) async fn takes(app: &App, user: &User, code: &str) -> Result<bool, Problem> {
    let Some(key) = user.totp.clone() else {
        return Ok(true);
    };
    let totp = totp_rs::Builder::new()
        .with_secret(key)
        .build_noncompliant();
    let now = u64::try_from(clock::now_ms() / 1000).unwrap_or(0);
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(step) = totp.check(&code, now) else {
        return Ok(false);
    };
    let step = i64::try_from(step).unwrap_or(i64::MAX);
    let name = user.name.clone();
    let taken = app.desks.at(move |desk| desk.take_totp_step(&name, step));
    taken.await
}
