//! Users, tokens and sessions.
//!
//! Owns: their documents. Never: changes an account itself (`accounts`), or shows a secret twice.

use super::json;
use crate::accounts::{self, Invited};
use crate::app::App;
use crate::caller::Caller;
use crate::clock;
use crate::matrix::{Right, rights};
use crate::problem::Problem;
use crate::secret;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use postseal_store::desk::{self, Role, SignIn};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Somebody who may sign in.
#[derive(Serialize, JsonSchema)]
pub(super) struct User {
    name: String,
    #[schemars(schema_with = "roles")]
    role: Role,
    /// Whether they have not chosen a password yet.
    invited: bool,
    /// Whether signing in wants a one-time code.
    has_codes: bool,
    added_at: String,
}

/// All users, by name.
#[derive(Serialize, JsonSchema)]
pub(super) struct Users {
    users: Vec<User>,
}

/// A user who is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    /// Up to 64 letters, digits, dots, hyphens, _ and @.
    name: String,
    #[schemars(schema_with = "roles")]
    role: Role,
}

/// What of a user is to be another.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    #[schemars(schema_with = "roles")]
    role: Role,
}

/// The right to choose a password, once.
#[derive(Serialize, JsonSchema)]
pub(super) struct Invitation {
    user: String,
    /// The path of its page, after the console's address; shown this once.
    link: String,
    ends_at: String,
}

/// The right of a program to act as somebody.
#[derive(Serialize, JsonSchema)]
pub(super) struct Token {
    id: u64,
    /// As whom.
    user: String,
    /// What for.
    name: String,
    /// What it may do at most; its user's role bounds it, too.
    #[schemars(schema_with = "roles")]
    role: Role,
    made_at: String,
    ends_at: String,
    used_at: Option<String>,
}

/// All tokens, by number.
#[derive(Serialize, JsonSchema)]
pub(super) struct Tokens {
    tokens: Vec<Token>,
}

/// A token that is wanted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// As whom.
    user: String,
    /// What for.
    name: String,
    #[schemars(schema_with = "roles")]
    role: Role,
    /// How long it holds: a year at most.
    days: i64,
}

/// A token that was made.
#[derive(Serialize, JsonSchema)]
pub(super) struct MadeToken {
    id: u64,
    /// What a program sends (`Authorization: Bearer …`); shown this once.
    token: String,
    ends_at: String,
}

/// A session of a browser.
#[derive(Serialize, JsonSchema)]
pub(super) struct Session {
    /// By what it is ended; it says nothing of the session's secret.
    id: String,
    /// Whether it is the one that asks.
    this: bool,
    began_at: String,
    seen_at: String,
    ends_at: String,
    /// From where it began.
    address: String,
    /// What the browser called itself.
    browser: String,
}

/// The sessions of a user, the newest first.
#[derive(Serialize, JsonSchema)]
pub(super) struct Sessions {
    sessions: Vec<Session>,
}

/// How many sessions were ended.
#[derive(Serialize, JsonSchema)]
pub(super) struct Ended {
    ended: u64,
}

/// Who asks, and what they may.
#[derive(Serialize, JsonSchema)]
pub(super) struct Me {
    user: String,
    /// As jobs and notes name them.
    actor: String,
    /// Of `see`, `look`, `wish`, `change`, `approve` and `manage`.
    rights: Vec<&'static str>,
}

pub(super) async fn me(Extension(caller): Extension<Caller>) -> Response {
    let may = rights().filter(|right| caller.may(*right));
    json(&Me {
        actor: caller.actor(),
        rights: may.map(Right::name).collect(),
        user: caller.user,
    })
}

pub(super) async fn users(State(app): State<App>) -> Result<Response, Problem> {
    let users = app.desks.at(|desk| desk.users()).await?;
    let users = users.into_iter().map(user_document).collect();
    Ok(json(&Users { users }))
}

pub(super) async fn user(
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let found = app.desks.at(move |desk| desk.user(&name)).await?;
    let found = found.ok_or_else(|| Problem::not_found("such user"))?;
    Ok(json(&user_document(found)))
}

pub(super) async fn add_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(new): Json<NewUser>,
) -> Result<Response, Problem> {
    let invited = accounts::add_user(&app, &caller, &new.name, new.role).await?;
    let place = [(header::LOCATION, format!("/api/v1/users/{}", invited.name))];
    Ok((StatusCode::CREATED, place, json(&invitation(invited))).into_response())
}

pub(super) async fn change_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Json(new): Json<NewRole>,
) -> Result<Response, Problem> {
    accounts::change_role(&app, &caller, name.clone(), new.role).await?;
    user(State(app), Path(name)).await
}

pub(super) async fn remove_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    accounts::remove_user(&app, &caller, name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn invite(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let invited = accounts::reset_user(&app, &caller, name).await?;
    Ok((StatusCode::CREATED, json(&invitation(invited))).into_response())
}

pub(super) async fn tokens(State(app): State<App>) -> Result<Response, Problem> {
    let tokens = app.desks.at(|desk| desk.tokens()).await?;
    let tokens = tokens.into_iter().map(|token| Token {
        id: token.id,
        user: token.user,
        name: token.name,
        role: token.role,
        made_at: clock::written(token.made_ms),
        ends_at: clock::written(token.ends_ms),
        used_at: token.used_ms.map(clock::written),
    });
    let tokens = tokens.collect();
    Ok(json(&Tokens { tokens }))
}

pub(super) async fn add_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Json(new): Json<NewToken>,
) -> Result<Response, Problem> {
    let made = accounts::add_token(&app, &caller, new.user, &new.name, new.role, new.days).await?;
    let made = MadeToken {
        id: made.id,
        token: made.text,
        ends_at: clock::written(made.ends_ms),
    };
    Ok((StatusCode::CREATED, json(&made)).into_response())
}

pub(super) async fn remove_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Result<StatusCode, Problem> {
    accounts::remove_token(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn own_sessions(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    sessions_of(&app, &caller, caller.user.clone()).await
}

pub(super) async fn end_own_session(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    accounts::end_session(&app, &caller, caller.user.clone(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn end_own_sessions(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let ended = accounts::end_sessions(&app, &caller, caller.user.clone()).await?;
    Ok(json(&Ended { ended }))
}

pub(super) async fn sessions(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    sessions_of(&app, &caller, name).await
}

pub(super) async fn end_sessions(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let ended = accounts::end_sessions(&app, &caller, name).await?;
    Ok(json(&Ended { ended }))
}

async fn sessions_of(app: &App, caller: &Caller, user: String) -> Result<Response, Problem> {
    let found = app.desks.at(move |desk| match desk.user(&user)? {
        Some(_) => desk.sessions(&user).map(Some),
        None => Ok(None),
    });
    let found = found.await?;
    let found = found.ok_or_else(|| Problem::not_found("such user"))?;
    let sessions = found.into_iter().map(|one| session(one, caller)).collect();
    Ok(json(&Sessions { sessions }))
}

fn session(one: SignIn, caller: &Caller) -> Session {
    Session {
        id: secret::handle(&one.digest),
        this: caller.is_by(&one.digest),
        began_at: clock::written(one.made_ms),
        seen_at: clock::written(one.seen_ms),
        ends_at: clock::written(one.ends_ms),
        address: one.address,
        browser: one.browser,
    }
}

fn user_document(user: desk::User) -> User {
    User {
        invited: user.password.is_none(),
        has_codes: user.totp.is_some(),
        added_at: clock::written(user.added_ms),
        name: user.name,
        role: user.role,
    }
}

fn invitation(invited: Invited) -> Invitation {
    Invitation {
        user: invited.name,
        link: invited.link,
        ends_at: clock::written(invited.ends_ms),
    }
}

/// The words of roles.
fn roles(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "enum": Role::ALL.map(Role::name) })
}
