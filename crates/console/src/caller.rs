//! Who asks: a session of a browser, or a program with a token.
//!
//! Owns: reading cookie and token, and what of a caller the rest may know. Never: what a role may do (`matrix`).

use crate::app::App;
use crate::clock;
use crate::matrix::{Right, may};
use crate::problem::Problem;
use crate::secret;
use axum::http::{HeaderMap, header};
use postseal_store::desk::{Role, Secret, SignedIn, Token};

/// The cookie of a session. `__Host-`: only this host over what browsers call secure can have set it
/// (RFC 6265bis §4.1.3.2).
pub(crate) const SESSION: &str = "__Host-postseal";
/// How long a session may rest.
pub(crate) const IDLE_MS: i64 = 30 * 60 * 1000;

/// The elements of pages that ask by themselves (htmx says which in `HX-Trigger`).
const BY_ITSELF: [&str; 5] = ["pulse", "changing", "progress", "checking", "waits"];

/// Somebody who may be here.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: String,
    /// What is done must be allowed to each of them: a token's is bounded by its user's.
    roles: Vec<Role>,
    way: Way,
}

#[derive(Clone)]
enum Way {
    /// The secret in the cookie.
    Session(String),
    Token(u64),
}

/// No secret reaches a log.
impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Session(_) => "session",
            Self::Token(_) => "token",
        })
    }
}

impl Caller {
    pub(crate) fn may(&self, right: Right) -> bool {
        self.roles.iter().all(|role| may(*role, right))
    }

    /// As jobs and notes name them.
    pub(crate) fn actor(&self) -> String {
        match &self.way {
            Way::Session(_) => self.user.clone(),
            Way::Token(id) => format!("{} (token {id})", self.user),
        }
    }

    pub(crate) fn session(&self) -> Option<&str> {
        match &self.way {
            Way::Session(cookie) => Some(cookie),
            Way::Token(_) => None,
        }
    }

    /// Whether this is the session with that digest.
    pub(crate) fn is_by(&self, digest: &Secret) -> bool {
        self.session()
            .is_some_and(|cookie| secret::digest(cookie) == *digest)
    }

    /// What every form of the session holds; none is needed by a program, whose token no browser sends by itself.
    pub(crate) fn form_token(&self) -> Option<String> {
        self.session()
            .map(|cookie| secret::derived("form", cookie, ""))
    }
}

/// Who asks; a token goes before a cookie.
pub(crate) async fn find(app: &App, headers: &HeaderMap) -> Result<Option<Caller>, Problem> {
    if let Some(token) = bearer(headers) {
        return by_token(app, token).await;
    }
    match cookie(headers, SESSION) {
        Some(cookie) => by_session(app, cookie, !asks_by_itself(headers)).await,
        None => Ok(None),
    }
}

/// What a program says in `Authorization` (RFC 6750 §2.1).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let said = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = said.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// A cookie's value.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    all.filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

async fn by_token(app: &App, token: &str) -> Result<Option<Caller>, Problem> {
    if !token.starts_with(secret::TOKEN_PREFIX) {
        return Ok(None);
    }
    let digest = secret::digest(token);
    let now = clock::now_ms();
    let found = app.desks.at(move |desk| {
        let Some(token) = desk.token(&digest, now)? else {
            return Ok(None);
        };
        Ok(desk.user(&token.user)?.map(|user| (token, user.role)))
    });
    let caller = |(token, role): (Token, Role)| Caller {
        roles: vec![role, token.role],
        user: token.user,
        way: Way::Token(token.id),
    };
    Ok(found.await?.map(caller))
}

/// Whether a page that stands open asks, and not the person before it: nobody's session lasts by that.
fn asks_by_itself(headers: &HeaderMap) -> bool {
    let says = |name: &str, what: &[&str]| {
        let said = headers.get(name).and_then(|said| said.to_str().ok());
        said.is_some_and(|said| what.contains(&said))
    };
    says("hx-trigger", &BY_ITSELF) || says("accept", &["text/event-stream"])
}

async fn by_session(app: &App, cookie: &str, is_used: bool) -> Result<Option<Caller>, Problem> {
    let digest = secret::digest(cookie);
    let now = clock::now_ms();
    let found = app
        .desks
        .at(move |desk| desk.signed_in(&digest, now, now - IDLE_MS, is_used));
    let way = Way::Session(cookie.to_owned());
    let caller = |found: SignedIn| Caller {
        roles: vec![found.user.role],
        user: found.user.name,
        way,
    };
    Ok(found.await?.map(caller))
}
