//! Signing in.
//!
//! Owns: name, password and one-time code, and the session that they open. Never: says which of them was wrong, by
//! word or by time.

use super::{note, set_cookie, totp};
use crate::app::{App, Peer};
use crate::caller::{self, Caller, SESSION};
use crate::problem::Problem;
use crate::{clock, form, pages, secret};
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use postseal_store::desk::{SignIn, User};
use serde::Deserialize;
use zeroize::Zeroizing;

/// How long a session lasts at most, in seconds.
const SESSION_S: u32 = 12 * 60 * 60;
/// The cookie of a browser that somebody has signed in with.
const DEVICE: &str = "__Host-postseal-device";
/// How long a browser is remembered, in seconds.
const DEVICE_S: u32 = 180 * 24 * 60 * 60;

#[derive(Deserialize)]
pub(crate) struct Whence {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub(crate) struct Said {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    next: String,
}

pub(crate) async fn page(
    Query(whence): Query<Whence>,
    caller: Option<Extension<Caller>>,
) -> Response {
    let next = form::onward(&whence.next);
    match caller {
        Some(_) => Redirect::to(next).into_response(),
        None => pages::sign_in(StatusCode::OK, next, ""),
    }
}

pub(crate) async fn send(
    State(app): State<App>,
    Extension(Peer(address)): Extension<Peer>,
    headers: HeaderMap,
    Form(said): Form<Said>,
) -> Result<Response, Problem> {
    let name = said.name.trim().to_owned();
    let next = form::onward(&said.next).to_owned();
    let wanted = name.clone();
    let user = app.desks.at(move |desk| desk.user(&wanted)).await?;
    let device = known_device(&headers, user.as_ref());
    app.limits.attempt(address, &name, device)?;
    let hash = user.as_ref().and_then(|user| user.password.clone());
    let right = app.hasher.verify(said.password, hash).await?;
    let user = user.filter(|_| right);
    let user = match user {
        Some(user) if totp::takes(&app, &user, &said.code).await? => user,
        _ => {
            let what = format!("sign-in refused, from {address}");
            note(&app, &form::noted(&name), what).await?;
            return Ok(pages::sign_in(
                StatusCode::UNAUTHORIZED,
                &next,
                "The name, the password or the code is wrong.",
            ));
        }
    };
    let mut answer = Redirect::to(&next).into_response();
    begin(
        &app,
        &user,
        &address.to_string(),
        &headers,
        answer.headers_mut(),
    )
    .await?;
    Ok(answer)
}

/// The mark of a browser that this user was signed in with under the password of now.
fn known_device<'a>(headers: &'a HeaderMap, user: Option<&User>) -> Option<&'a str> {
    let cookie = caller::cookie(headers, DEVICE)?;
    let (mark, proof) = cookie.split_once('.')?;
    let right = device_proof(user?, mark)?;
    secret::same(proof, &right).then_some(cookie)
}

/// Made of the password's hash, which leaves the desk nowhere: nothing more needs to be stored, and a new password
/// ends it.
fn device_proof(user: &User, mark: &str) -> Option<String> {
    let hash = user.password.as_deref()?;
    Some(secret::derived("device", hash, mark))
}

async fn begin(
    app: &App,
    user: &User,
    address: &str,
    asked: &HeaderMap,
    answer: &mut HeaderMap,
) -> Result<(), Problem> {
    let no_randomness = |error: std::io::Error| Problem::no_randomness(&error);
    let cookie = secret::fresh().map_err(no_randomness)?;
    let now = clock::now_ms();
    let browser = asked.get(header::USER_AGENT);
    let browser = browser.and_then(|text| text.to_str().ok()).unwrap_or("");
    let session = SignIn {
        digest: secret::digest(&cookie),
        user: user.name.clone(),
        made_ms: now,
        seen_ms: now,
        ends_ms: now + i64::from(SESSION_S) * 1000,
        address: address.to_owned(),
        browser: form::noted(browser),
    };
    let what = format!("signed in, from {address}");
    app.desks
        .at(move |desk| {
            desk.sign_in(&session)?;
            desk.note(&session.user, now, &what)
        })
        .await?;
    set_cookie(answer, SESSION, &cookie, SESSION_S);
    let mark = secret::fresh().map_err(no_randomness)?;
    if let Some(proof) = device_proof(user, &mark) {
        set_cookie(answer, DEVICE, &format!("{mark}.{proof}"), DEVICE_S);
    }
    Ok(())
}
