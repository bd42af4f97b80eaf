//! Settings: one's own sessions and codes; for administrators users and tokens.
//!
//! Owns: the page and its forms. Never: changes an account itself (`accounts`).

use super::frame::{Frame, View};
use super::when::When;
use super::{filters, page};
use crate::app::App;
use crate::caller::Caller;
use crate::matrix::Right;
use crate::problem::Problem;
use crate::{accounts, secret};
use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postseal_store::desk::{Role, Token, User};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    frame: Frame,
    sessions: Vec<Session>,
    manages: bool,
    /// Whether whoever asks has one-time codes.
    has_codes: bool,
    users: Vec<User>,
    tokens: Vec<(When, Token)>,
    roles: [Role; 4],
    /// A link or a token, shown this once.
    once: String,
}

/// A session of one's own.
struct Session {
    handle: String,
    seen: When,
    address: String,
    browser: String,
    /// The one that asks.
    is_this: bool,
}

#[derive(Deserialize)]
pub(crate) struct NewUser {
    name: String,
    role: Role,
}

#[derive(Deserialize)]
pub(crate) struct Named {
    name: String,
}

#[derive(Deserialize)]
pub(crate) struct OneSession {
    session: String,
}

#[derive(Deserialize)]
pub(crate) struct NewToken {
    user: String,
    name: String,
    role: Role,
    days: i64,
}

#[derive(Deserialize)]
pub(crate) struct Numbered {
    id: u64,
}

pub(crate) async fn show(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    shown(&app, &caller, String::new()).await
}

/// Adds a user and shows the link by which they choose a password.
pub(crate) async fn add_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(new): Form<NewUser>,
) -> Result<Response, Problem> {
    let invited = accounts::add_user(&app, &caller, &new.name, new.role).await?;
    shown(&app, &caller, invited.link).await
}

pub(crate) async fn change_role(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(new): Form<NewUser>,
) -> Result<Response, Problem> {
    accounts::change_role(&app, &caller, new.name, new.role).await?;
    Ok(back())
}

pub(crate) async fn reset_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    let invited = accounts::reset_user(&app, &caller, named.name).await?;
    shown(&app, &caller, invited.link).await
}

pub(crate) async fn remove_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    accounts::remove_user(&app, &caller, named.name).await?;
    Ok(back())
}

/// Ends all sessions of somebody.
pub(crate) async fn sign_out_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    accounts::end_sessions(&app, &caller, named.name).await?;
    Ok(back())
}

/// Ends one of one's own sessions.
pub(crate) async fn end_session(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(one): Form<OneSession>,
) -> Result<Response, Problem> {
    accounts::end_session(&app, &caller, caller.user.clone(), one.session).await?;
    Ok(back())
}

/// Makes a token and shows it.
pub(crate) async fn add_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(new): Form<NewToken>,
) -> Result<Response, Problem> {
    let made = accounts::add_token(&app, &caller, new.user, &new.name, new.role, new.days).await?;
    shown(&app, &caller, made.text).await
}

pub(crate) async fn remove_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(numbered): Form<Numbered>,
) -> Result<Response, Problem> {
    accounts::remove_token(&app, &caller, numbered.id).await?;
    Ok(back())
}

async fn shown(app: &App, caller: &Caller, once: String) -> Result<Response, Problem> {
    let view = View::of(app, caller, "settings", &[]).await?;
    let (user, manages) = (caller.user.clone(), caller.may(Right::Manage));
    let read = app.desks.at(move |desk| {
        let (users, tokens) = match manages {
            true => (desk.users()?, desk.tokens()?),
            false => (Vec::new(), Vec::new()),
        };
        let has_codes = desk.user(&user)?.is_some_and(|user| user.totp.is_some());
        Ok((desk.sessions(&user)?, has_codes, users, tokens))
    });
    let (sessions, has_codes, users, tokens) = read.await?;
    let at = |ms| When::at(ms, view.now_ms);
    let settings = Settings {
        sessions: sessions
            .into_iter()
            .map(|one| Session {
                handle: secret::handle(&one.digest),
                seen: at(one.seen_ms),
                is_this: caller.is_by(&one.digest),
                address: one.address,
                browser: one.browser,
            })
            .collect(),
        manages,
        has_codes,
        users,
        tokens: tokens
            .into_iter()
            .map(|one| (at(one.ends_ms), one))
            .collect(),
        roles: Role::ALL,
        once,
        frame: view.frame,
    };
    Ok(page(StatusCode::OK, &settings))
}

fn back() -> Response {
    Redirect::to("/settings").into_response()
}
