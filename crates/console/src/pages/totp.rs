//! One-time codes of one's own account: setting them up, and switching them off.
//!
//! Owns: that a key holds only after a code of it was typed, and goes only by one. Never: takes a key that was not made
//! here for this session, or shows one that holds.

use super::frame::{Frame, View};
use super::{filters, page};
use crate::access::totp::{self, KEY_BYTES};
use crate::app::{App, Peer};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::{clock, secret};
use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postseal_store::desk::User;
use serde::Deserialize;
use totp_rs::Secret;
use zeroize::Zeroizing;

#[derive(Template)]
#[template(path = "totp.html")]
struct Page {
    frame: Frame,
    /// The key in base32, as apps take it (RFC 4648 §6).
    key: Zeroizing<String>,
    /// That it was made here, for this session.
    proof: String,
    wrong: bool,
}

impl Page {
    /// The key in groups of four, for whoever types it.
    fn groups(&self) -> Vec<&str> {
        let chunks = self.key.as_bytes().chunks(4);
        chunks
            .filter_map(|chunk| std::str::from_utf8(chunk).ok())
            .collect()
    }
}

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    key: Zeroizing<String>,
    proof: String,
    code: String,
}

#[derive(Deserialize)]
pub(crate) struct Code {
    code: String,
}

/// Shows a fresh key; nothing is kept of it.
pub(crate) async fn begin(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    if own(&app, &caller).await?.totp.is_some() {
        return Err(already());
    }
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    secret::random(&mut *bytes).map_err(|error| Problem::no_randomness(&error))?;
    let key = Zeroizing::new(Secret::from(*bytes).to_base32());
    shown(&app, &caller, key, StatusCode::OK).await
}

/// Keeps the key where the code is of it.
pub(crate) async fn confirm(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Extension(Peer(address)): Extension<Peer>,
    Form(said): Form<Confirmed>,
) -> Result<Response, Problem> {
    let user = own(&app, &caller).await?;
    if user.totp.is_some() {
        return Err(already());
    }
    let bytes = Secret::try_from_base32(said.key.as_str()).ok();
    let bytes = bytes.filter(|_| secret::same(&said.proof, &proof(&caller, &said.key)));
    let Some(bytes) = bytes else {
        return Err(Problem::form_token());
    };
    app.limits.attempt(address, &user.name, None)?;
    let key = bytes.to_vec();
    let user = User {
        totp: Some(key.clone()),
        ..user
    };
    if !totp::takes(&app, &user, &said.code).await? {
        return shown(&app, &caller, said.key, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    change(&app, &caller, Some(key), "set up one-time codes").await
}

/// Switches them off, by a code: a session that somebody left open is not enough.
pub(crate) async fn end(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Extension(Peer(address)): Extension<Peer>,
    Form(said): Form<Code>,
) -> Result<Response, Problem> {
    let user = own(&app, &caller).await?;
    app.limits.attempt(address, &user.name, None)?;
    if !totp::takes(&app, &user, &said.code).await? {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "console.wrong-code",
            "the one-time code is wrong, or was used before: wait for the next one",
        ));
    }
    change(&app, &caller, None, "switched off one-time codes").await
}

/// Who asks, in a session: a program's token may not change how somebody signs in.
async fn own(app: &App, caller: &Caller) -> Result<User, Problem> {
    if caller.session().is_none() {
        let why = "one-time codes are set up in a browser, by whoever they are for";
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "console.own-account",
            why,
        ));
    }
    let name = caller.user.clone();
    let user = app.desks.at(move |desk| desk.user(&name)).await?;
    user.ok_or_else(|| Problem::not_found("such user"))
}

/// The rest of the user is as it is now, not as it was when the code was asked for: their role may be another, and
/// their password forgotten.
async fn change(
    app: &App,
    caller: &Caller,
    totp: Option<Vec<u8>>,
    what: &'static str,
) -> Result<Response, Problem> {
    let (now, actor, name) = (clock::now_ms(), caller.actor(), caller.user.clone());
    let changed = app.desks.at(move |desk| {
        let Some(user) = desk.user(&name)? else {
            return Ok(false);
        };
        desk.change_user(&User { totp, ..user })?;
        desk.note(&actor, now, what)?;
        Ok(true)
    });
    if !changed.await? {
        return Err(Problem::not_found("such user"));
    }
    Ok(Redirect::to("/settings").into_response())
}

async fn shown(
    app: &App,
    caller: &Caller,
    key: Zeroizing<String>,
    status: StatusCode,
) -> Result<Response, Problem> {
    let view = View::of(app, caller, "settings", &[]).await?;
    let shown = Page {
        frame: view.frame,
        proof: proof(caller, &key),
        key,
        wrong: status != StatusCode::OK,
    };
    Ok(page(status, &shown))
}

/// What only this session can have been given beside a key.
fn proof(caller: &Caller, key: &str) -> String {
    secret::derived("totp", caller.session().unwrap_or_default(), key)
}

fn already() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "console.codes-are-on",
        "one-time codes are on: switch them off by a code first",
    )
}
