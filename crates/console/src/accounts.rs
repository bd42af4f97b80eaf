//! Users, tokens and sessions, as they are kept by pages and API alike.
//!
//! Owns: what is added, changed and ended, and that it is noted. Never: asks for the right to it; the door does
//! (`routes`). Shows no secret twice, and changes nobody's own account.

use crate::app::App;
use crate::caller::Caller;
use crate::problem::Problem;
use crate::{clock, form, secret};
use postseal_store::desk::{Invitation, Role, SignIn, Token, User};

const DAY_MS: i64 = 86_400_000;
/// How long an invitation waits, in days.
const INVITED_DAYS: i64 = 1;
/// How long a token may hold, in days.
pub(crate) const TOKEN_DAYS: i64 = 366;

/// Somebody who may choose a password.
pub(crate) struct Invited {
    pub(crate) name: String,
    /// The path of the link, which is shown this once.
    pub(crate) link: String,
    /// Until when it holds, milliseconds since the epoch.
    pub(crate) ends_ms: i64,
}

/// A token that was made.
pub(crate) struct Made {
    pub(crate) id: u64,
    /// What a program sends; shown this once.
    pub(crate) text: String,
    /// Until when it holds, milliseconds since the epoch.
    pub(crate) ends_ms: i64,
}

/// Adds a user, who chooses a password by the link.
pub(crate) async fn add_user(
    app: &App,
    caller: &Caller,
    name: &str,
    role: Role,
) -> Result<Invited, Problem> {
    let name = name.trim().to_owned();
    let fit = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(fit) {
        return Err(Problem::malformed(
            "a name is up to 64 letters, digits, dots, hyphens, _ and @",
        ));
    }
    let (now, actor) = (clock::now_ms(), caller.actor());
    let (invited, invitation) = invitation(&name, now)?;
    let user = User {
        name,
        role,
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
        true => Ok(invited),
        false => Err(Problem::conflict(
            "console.user-exists",
            "there is a user of that name",
        )),
    }
}

/// Gives somebody another role; it holds from their next request on.
pub(crate) async fn change_role(
    app: &App,
    caller: &Caller,
    name: String,
    role: Role,
) -> Result<(), Problem> {
    not_oneself(caller, &name)?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let changed = app.desks.at(move |desk| {
        let Some(user) = desk.user(&name)? else {
            return Ok(false);
        };
        let what = format!("user {} became {}", user.name, role.name());
        desk.change_user(&User { role, ..user })?;
        desk.note(&actor, now, &what)?;
        Ok(true)
    });
    there(changed.await?, "such user")
}

/// As `postseal user reset`: password and one-time codes are forgotten, sessions end, and a new password is chosen by
/// the link.
pub(crate) async fn reset_user(
    app: &App,
    caller: &Caller,
    name: String,
) -> Result<Invited, Problem> {
    not_oneself(caller, &name)?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let (invited, invitation) = invitation(&name, now)?;
    let reset = app.desks.at(move |desk| {
        let Some(user) = desk.user(&name)? else {
            return Ok(false);
        };
        let what = format!("user {} was reset", user.name);
        desk.change_user(&User {
            password: None,
            totp: None,
            ..user
        })?;
        desk.sign_out_everywhere(&name)?;
        desk.invite(&invitation)?;
        desk.note(&actor, now, &what)?;
        Ok(true)
    });
    there(reset.await?, "such user")?;
    Ok(invited)
}

/// Removes a user with all sessions and tokens.
pub(crate) async fn remove_user(app: &App, caller: &Caller, name: String) -> Result<(), Problem> {
    not_oneself(caller, &name)?;
    let (now, actor) = (clock::now_ms(), caller.actor());
    let removed = app.desks.at(move |desk| {
        let removed = desk.remove_user(&name)?;
        if removed {
            let what = format!("removed user {}", form::noted(&name));
            desk.note(&actor, now, &what)?;
        }
        Ok(removed)
    });
    there(removed.await?, "such user")
}

/// Makes a token as a user, that is called something, may do no more than a role, and holds for so many days.
pub(crate) async fn add_token(
    app: &App,
    caller: &Caller,
    user: String,
    called: &str,
    role: Role,
    days: i64,
) -> Result<Made, Problem> {
    let text = secret::fresh().map_err(|error| Problem::no_randomness(&error))?;
    let text = format!("{}{text}", secret::TOKEN_PREFIX);
    let digest = secret::digest(&text);
    let (now, actor) = (clock::now_ms(), caller.actor());
    let ends_ms = now + days.clamp(1, TOKEN_DAYS) * DAY_MS;
    let token = Token {
        id: 0,
        user,
        name: form::noted(called),
        role,
        made_ms: now,
        ends_ms,
        used_ms: None,
    };
    let added = app.desks.at(move |desk| {
        if desk.user(&token.user)?.is_none() {
            return Ok(None);
        }
        let id = desk.add_token(&token, &digest)?;
        let what = format!("made token {id} for {} ({})", token.user, token.role.name());
        desk.note(&actor, now, &what)?;
        Ok(Some(id))
    });
    match added.await? {
        Some(id) => Ok(Made { id, text, ends_ms }),
        None => Err(Problem::not_found("such user")),
    }
}

pub(crate) async fn remove_token(app: &App, caller: &Caller, id: u64) -> Result<(), Problem> {
    let (now, actor) = (clock::now_ms(), caller.actor());
    let removed = app.desks.at(move |desk| {
        let removed = desk.remove_token(id)?;
        if removed {
            desk.note(&actor, now, &format!("removed token {id}"))?;
        }
        Ok(removed)
    });
    there(removed.await?, "such token")
}

/// Ends one session of a user, by its handle.
pub(crate) async fn end_session(
    app: &App,
    caller: &Caller,
    user: String,
    handle: String,
) -> Result<(), Problem> {
    let (now, actor) = (clock::now_ms(), caller.actor());
    let ended = app.desks.at(move |desk| {
        let sessions = desk.sessions(&user)?;
        let found = |one: &&SignIn| secret::handle(&one.digest) == handle;
        let Some(session) = sessions.iter().find(found) else {
            return Ok(false);
        };
        desk.sign_out(&session.digest)?;
        let what = format!("ended a session of {user}, from {}", session.address);
        desk.note(&actor, now, &what)?;
        Ok(true)
    });
    there(ended.await?, "such session")
}

/// Ends all sessions of a user; how many.
pub(crate) async fn end_sessions(app: &App, caller: &Caller, user: String) -> Result<u64, Problem> {
    let (now, actor, own) = (clock::now_ms(), caller.actor(), user == caller.user);
    let ended = app.desks.at(move |desk| {
        if desk.user(&user)?.is_none() {
            return Ok(None);
        }
        let ended = desk.sign_out_everywhere(&user)?;
        let what = match own {
            true => format!("signed out everywhere: {ended} sessions ended"),
            false => format!("signed {user} out everywhere: {ended} sessions ended"),
        };
        desk.note(&actor, now, &what)?;
        Ok(Some(ended))
    });
    ended.await?.ok_or_else(|| Problem::not_found("such user"))
}

fn invitation(user: &str, now: i64) -> Result<(Invited, Invitation), Problem> {
    let link = secret::fresh().map_err(|error| Problem::no_randomness(&error))?;
    let ends_ms = now + INVITED_DAYS * DAY_MS;
    let invitation = Invitation {
        digest: secret::digest(&link),
        user: user.to_owned(),
        ends_ms,
    };
    let invited = Invited {
        name: user.to_owned(),
        link: format!("/welcome/{link}"),
        ends_ms,
    };
    Ok((invited, invitation))
}

/// So there is always an administrator left.
fn not_oneself(caller: &Caller, name: &str) -> Result<(), Problem> {
    if name != caller.user {
        return Ok(());
    }
    let why = "nobody changes or removes their own account: another administrator does, or the command line";
    Err(Problem::conflict("console.own-account", why))
}

fn there(found: bool, what: &str) -> Result<(), Problem> {
    match found {
        true => Ok(()),
        false => Err(Problem::not_found(what)),
    }
}
