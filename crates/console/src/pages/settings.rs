//! Settings: one's own sessions and codes; for administrators users and tokens.
//!
//! Owns: who is added, changed and removed. Never: shows a secret twice, or removes whoever asks.

use super::frame::{Frame, View};
use super::when::When;
use super::{filters, page};
use crate::app::App;
use crate::caller::Caller;
use crate::matrix::Right;
use crate::problem::Problem;
use crate::{clock, form, secret};
use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use postseal_store::desk::{Desk as _, Invitation, Role, SignIn, Token, User};
use serde::Deserialize;

const DAY_MS: i64 = 86_400_000;
/// How long an invitation waits, in days.
const INVITED_DAYS: i64 = 1;
/// How long a token may hold, in days.
const TOKEN_DAYS: i64 = 366;

#[derive(Template)]
#[template(path = "settings.html")]
struct Settings {
    frame: Frame,
    sessions: Vec<(When, SignIn)>,
    manages: bool,
    /// Whether whoever asks has one-time codes.
    has_codes: bool,
    users: Vec<User>,
    tokens: Vec<(When, Token)>,
    roles: [Role; 4],
    /// A link or a token, shown this once.
    once: String,
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
    let name = new.name.trim().to_owned();
    let fit = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fit) {
        return Err(Problem::malformed(
            "a name is up to 64 letters, digits, dots, hyphens, _ and @",
        ));
    }
    let link = secret::fresh().map_err(|error| Problem::no_randomness(&error))?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let invitation = invitation(&name, &link, now);
    let user = User {
        name,
        role: new.role,
        password: None,
        totp: None,
        added_ms: now,
    };
    let added = app.desks.at(move |desk| {
        let added = desk.add_user(&user)?;
        if added {
            desk.invite(&invitation)?;
            let what = format!("added user {} ({})", user.name, user.role.name());
            desk.note(&actor, now, &what)?;
        }
        Ok(added)
    });
    match added.await? {
        true => shown(&app, &caller, format!("/welcome/{link}")).await,
        false => Err(conflict(
            "console.user-exists",
            "there is a user of that name",
        )),
    }
}

/// Gives somebody another role; it holds from their next request on.
pub(crate) async fn change_role(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(new): Form<NewUser>,
) -> Result<Response, Problem> {
    not_oneself(&caller, &new.name)?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let changed = app.desks.at(move |desk| {
        let Some(user) = desk.user(&new.name)? else {
            return Ok(false);
        };
        let role = new.role;
        let what = format!("user {} became {}", user.name, role.name());
        desk.change_user(&User { role, ..user })?;
        desk.note(&actor, now, &what)?;
        Ok(true)
    });
    back(changed.await?, "such user")
}

/// As `postseal user reset`: password and one-time codes are forgotten, sessions end, and a link is shown by which a new
/// password is chosen.
pub(crate) async fn reset_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    not_oneself(&caller, &named.name)?;
    let link = secret::fresh().map_err(|error| Problem::no_randomness(&error))?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let invitation = invitation(&named.name, &link, now);
    let reset = app.desks.at(move |desk| {
        let Some(user) = desk.user(&named.name)? else {
            return Ok(false);
        };
        let what = format!("user {} was reset", user.name);
        desk.change_user(&User {
            password: None,
            totp: None,
            ..user
        })?;
        desk.sign_out_everywhere(&named.name)?;
        desk.invite(&invitation)?;
        desk.note(&actor, now, &what)?;
        Ok(true)
    });
    match reset.await? {
        true => shown(&app, &caller, format!("/welcome/{link}")).await,
        false => Err(Problem::not_found("such user")),
    }
}

pub(crate) async fn remove_user(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    not_oneself(&caller, &named.name)?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let removed = app.desks.at(move |desk| {
        let removed = desk.remove_user(&named.name)?;
        if removed {
            let what = format!("removed user {}", form::noted(&named.name));
            desk.note(&actor, now, &what)?;
        }
        Ok(removed)
    });
    back(removed.await?, "such user")
}

/// Makes a token and shows it.
pub(crate) async fn add_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(new): Form<NewToken>,
) -> Result<Response, Problem> {
    let text = secret::fresh().map_err(|error| Problem::no_randomness(&error))?;
    let text = format!("{}{text}", secret::TOKEN_PREFIX);
    let digest = secret::digest(&text);
    let (now, actor) = (clock::now_ms(), caller.actor());
    let token = Token {
        id: 0,
        user: new.user,
        name: form::noted(&new.name),
        role: new.role,
        made_ms: now,
        ends_ms: now + new.days.clamp(1, TOKEN_DAYS) * DAY_MS,
        used_ms: None,
    };
    let added = app.desks.at(move |desk| {
        if desk.user(&token.user)?.is_none() {
            return Ok(false);
        }
        let id = desk.add_token(&token, &digest)?;
        let what = format!("made token {id} for {} ({})", token.user, token.role.name());
        desk.note(&actor, now, &what)?;
        Ok(true)
    });
    match added.await? {
        true => shown(&app, &caller, text).await,
        false => Err(Problem::not_found("such user")),
    }
}

pub(crate) async fn remove_token(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Form(numbered): Form<Numbered>,
) -> Result<Response, Problem> {
    let (now, actor, id) = (clock::now_ms(), caller.actor(), numbered.id);
    let removed = app.desks.at(move |desk| {
        let removed = desk.remove_token(id)?;
        if removed {
            desk.note(&actor, now, &format!("removed token {id}"))?;
        }
        Ok(removed)
    });
    back(removed.await?, "such token")
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
            .map(|one| (at(one.seen_ms), one))
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

fn invitation(user: &str, link: &str, now: i64) -> Invitation {
    Invitation {
        digest: secret::digest(link),
        user: user.to_owned(),
        ends_ms: now + INVITED_DAYS * DAY_MS,
    }
}

/// So there is always an administrator left.
fn not_oneself(caller: &Caller, name: &str) -> Result<(), Problem> {
    if name != caller.user {
        return Ok(());
    }
    let why = "nobody changes or removes their own account: another administrator does, or the command line";
    Err(conflict("console.own-account", why))
}

fn conflict(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, code, detail)
}

fn back(done: bool, what: &str) -> Result<Response, Problem> {
    match done {
        true => Ok(Redirect::to("/settings").into_response()),
        false => Err(Problem::not_found(what)),
    }
}
