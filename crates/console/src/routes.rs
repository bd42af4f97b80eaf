//! Every route, with what it needs.
//!
//! Owns: the one table that the router is made of, and the door before each route: who asks, whether they may,
//! whether a form is of their session. Never: what a route does.

use crate::api::Spec;
use crate::app::App;
use crate::caller::{self, Caller};
use crate::matrix::Right;
use crate::open::Work;
use crate::pages::policies::{bulk, form, import, preflight};
use crate::pages::{
    certificates, domains, edits, history, job, lists, notifications, overview, plan, policies,
    probe, search, settings, smtp_tls, totp,
};
use crate::parts::Parts;
use crate::problem::Problem;
use crate::secret;
use crate::{access, api, assets, guard, held};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Form, FromRequest as _, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use postseal_planner::task::{Effect, LONGEST_IMPORT};

/// No request is larger, in bytes.
const LARGEST: usize = 64 * 1024;
/// But a list of rules: 8 MiB, of which a form makes up to three times as much (URL, application/x-www-form-urlencoded).
const LARGEST_LIST: usize = 3 * LONGEST_IMPORT + LARGEST;

/// No form has more fields: in memory each takes many times what it takes on its way. Fifty thousand rules may be ticked.
const FIELDS: usize = 60_000;
/// The type of a form without files (URL, 5).
const FORM: &str = "application/x-www-form-urlencoded";

/// How a route is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verb {
    Get,
    Post,
    Patch,
    Delete,
}

/// A route, with what it needs.
pub struct Route {
    /// How it is asked.
    pub verb: Verb,
    /// Its path; parts in braces stand for any.
    pub path: &'static str,
    /// What the door asks for.
    pub right: Right,
    /// No request is larger, in bytes.
    largest: usize,
    to: fn() -> MethodRouter<App>,
    /// What a route of the API takes and answers.
    pub(crate) api: Option<Spec>,
}

pub(crate) const SEE: Right = Right::See;
pub(crate) const LOOK: Right = Right::File(Effect::Look);
const WISH: Right = Right::File(Effect::Wish);
pub(crate) const MANAGE: Right = Right::Manage;
const CHANGE: Right = Right::File(Effect::Change);

/// There is no page beside these, and no route beside them and those of the API. Where a route files a task, `filing` asks for the right of that very task, too.
const ROUTES: &[Route] = &[
    at(Verb::Get, "/sign-in", Right::Anyone, || {
        get(access::sign_in::page)
    }),
    at(Verb::Post, "/sign-in", Right::Anyone, || {
        post(access::sign_in::send)
    }),
    at(Verb::Get, "/welcome/{secret}", Right::Anyone, || {
        get(access::welcome::page)
    }),
    at(Verb::Post, "/welcome/{secret}", Right::Anyone, || {
        post(access::welcome::send)
    }),
    at(Verb::Get, "/assets/{digest}/{name}", Right::Anyone, || {
        get(assets::one)
    }),
    at(Verb::Get, "/", SEE, || get(overview::show)),
    at(Verb::Post, "/adopt", WISH, || post(overview::adopt)),
    at(Verb::Get, "/smtp-tls", SEE, || get(smtp_tls::show)),
    at(Verb::Post, "/smtp-tls", WISH, || post(smtp_tls::save)),
    at(Verb::Post, "/smtp-tls/plan", LOOK, || post(smtp_tls::plan)),
    at(Verb::Get, "/policies", SEE, || get(policies::show)),
    at(Verb::Get, "/policies/new", SEE, || get(form::new)),
    at(Verb::Get, "/policies/edit", SEE, || get(form::one)),
    at(Verb::Post, "/policies/add", WISH, || post(form::add)),
    at(Verb::Post, "/policies/edit", WISH, || post(form::edit)),
    at(Verb::Post, "/policies/remove", WISH, || post(form::remove)),
    of_a_list(at(Verb::Post, "/policies/bulk", WISH, || {
        post(bulk::change)
    })),
    at(Verb::Get, "/policies/import", SEE, || get(import::show)),
    of_a_list(at(Verb::Post, "/policies/import", WISH, || {
        post(import::check)
    })),
    at(Verb::Post, "/policies/import/take", WISH, || {
        post(import::take)
    }),
    at(Verb::Post, "/policies/export", LOOK, || {
        post(import::export)
    }),
    at(Verb::Get, "/policies/export/{id}", SEE, || {
        get(import::download)
    }),
    at(Verb::Post, "/policies/check", LOOK, || {
        post(preflight::check)
    }),
    at(Verb::Get, "/policies/check/{id}", SEE, || {
        get(preflight::progress)
    }),
    at(Verb::Get, "/domains", SEE, || get(domains::show)),
    at(Verb::Get, "/domains/edit", SEE, || get(domains::one)),
    at(Verb::Post, "/domains/add", WISH, || post(domains::add)),
    at(Verb::Post, "/domains/edit", WISH, || post(domains::edit)),
    at(Verb::Post, "/domains/remove", WISH, || {
        post(domains::remove)
    }),
    at(Verb::Post, "/domains/sync", WISH, || post(domains::sync)),
    at(Verb::Get, "/probe", SEE, || get(probe::show)),
    at(Verb::Post, "/probe", LOOK, || post(probe::look)),
    at(Verb::Get, "/plan", SEE, || get(plan::show)),
    at(Verb::Post, "/plan/apply", CHANGE, || post(plan::apply)),
    at(Verb::Post, "/plan/discard", WISH, || post(plan::discard)),
    at(Verb::Post, "/plan/confirm", CHANGE, || post(plan::confirm)),
    at(Verb::Post, "/plan/edits", WISH, || post(edits::end)),
    at(Verb::Get, "/jobs/{id}", SEE, || get(job::show)),
    at(Verb::Get, "/jobs/{id}/progress", SEE, || get(job::progress)),
    at(Verb::Post, "/jobs/{id}/cancel", LOOK, || post(job::cancel)),
    at(Verb::Post, "/jobs/{id}/approve", Right::Approve, || {
        post(job::approve)
    }),
    at(Verb::Get, "/history", SEE, || get(history::show)),
    at(Verb::Post, "/history/rollback", CHANGE, || {
        post(history::roll_back)
    }),
    at(Verb::Get, "/findings", SEE, || get(lists::findings)),
    at(Verb::Get, "/certificates", SEE, || get(certificates::list)),
    at(Verb::Get, "/certificates/one", SEE, || {
        get(certificates::one)
    }),
    at(Verb::Get, "/certificates/new", SEE, || {
        get(certificates::new)
    }),
    at(Verb::Post, "/certificates/import", WISH, || {
        post(certificates::import)
    }),
    at(Verb::Post, "/certificates/make", WISH, || {
        post(certificates::make)
    }),
    at(Verb::Post, "/certificates/wish", WISH, || {
        post(certificates::wish)
    }),
    at(Verb::Post, "/certificates/present", CHANGE, || {
        post(certificates::present)
    }),
    at(Verb::Post, "/certificates/look", LOOK, || {
        post(certificates::look)
    }),
    at(Verb::Post, "/certificates/download", LOOK, || {
        post(certificates::download)
    }),
    at(Verb::Get, "/search", SEE, || get(search::show)),
    at(Verb::Get, "/settings", SEE, || get(settings::show)),
    at(Verb::Get, "/settings/notifications", SEE, || {
        get(notifications::show)
    }),
    at(Verb::Post, "/settings/notifications/test", MANAGE, || {
        post(notifications::test)
    }),
    at(Verb::Post, "/settings/users", MANAGE, || {
        post(settings::add_user)
    }),
    at(Verb::Post, "/settings/users/role", MANAGE, || {
        post(settings::change_role)
    }),
    at(Verb::Post, "/settings/users/reset", MANAGE, || {
        post(settings::reset_user)
    }),
    at(Verb::Post, "/settings/users/sign-out", MANAGE, || {
        post(settings::sign_out_user)
    }),
    at(Verb::Post, "/settings/sessions/end", SEE, || {
        post(settings::end_session)
    }),
    at(Verb::Post, "/settings/users/remove", MANAGE, || {
        post(settings::remove_user)
    }),
    at(Verb::Post, "/settings/codes", SEE, || post(totp::begin)),
    at(Verb::Post, "/settings/codes/confirm", SEE, || {
        post(totp::confirm)
    }),
    at(Verb::Post, "/settings/codes/end", SEE, || post(totp::end)),
    at(Verb::Post, "/settings/tokens", MANAGE, || {
        post(settings::add_token)
    }),
    at(Verb::Post, "/settings/tokens/remove", MANAGE, || {
        post(settings::remove_token)
    }),
    at(Verb::Post, "/sign-out", SEE, || {
        post(access::sign_out::here)
    }),
    at(Verb::Post, "/sign-out-everywhere", SEE, || {
        post(access::sign_out::everywhere)
    }),
];

impl Route {
    /// What a route of the API takes and answers, by its summary; none of a page.
    pub fn api(&self) -> Option<&'static str> {
        self.api.as_ref().map(|spec| spec.summary)
    }
}

const fn at(verb: Verb, path: &'static str, right: Right, to: fn() -> MethodRouter<App>) -> Route {
    Route {
        verb,
        path,
        right,
        largest: LARGEST,
        to,
        api: None,
    }
}

/// A route of the API.
pub(crate) const fn api(
    verb: Verb,
    path: &'static str,
    right: Right,
    to: fn() -> MethodRouter<App>,
    spec: Spec,
) -> Route {
    Route {
        api: Some(spec),
        ..at(verb, path, right, to)
    }
}

/// The same, where the document may hold a list of rules.
pub(crate) const fn of_a_list(route: Route) -> Route {
    Route {
        largest: LARGEST_LIST,
        ..route
    }
}

/// Every route, for whoever walks them.
pub fn listed() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(api::ROUTES)
}

/// The router of all routes, behind the guard.
pub(crate) fn router(app: &App) -> Router {
    let mut router = Router::new();
    for route in listed() {
        let door = from_fn_with_state((app.clone(), route.right, route.largest), door);
        router = router.route(route.path, (route.to)().route_layer(door));
    }
    router
        .fallback(guard::nowhere)
        .method_not_allowed_fallback(guard::no_such_method)
        .with_state(app.clone())
        .layer(from_fn_with_state(app.clone(), guard::guard))
}

async fn door(
    State((app, right, largest)): State<(App, Right, usize)>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = caller::find(&app, request.headers()).await?;
    // Who may wish for nothing has no list to send.
    let largest = match caller.as_ref().is_some_and(|caller| caller.may(WISH)) {
        true => largest,
        false => largest.min(LARGEST),
    };
    let _turn = match &caller {
        Some(caller) if is_list(&request, largest) => Some(app.lists.wait(&caller.user).await?),
        _ => None,
    };
    let mut request = match (&caller, right) {
        (_, Right::Anyone) => read(request, largest).await?.0,
        (None, _) => return Err(Problem::not_signed_in()),
        (Some(caller), _) if !caller.may(right) => {
            return Err(Problem::forbidden(request.uri().path()));
        }
        (Some(caller), _) => checked(caller, request, largest).await?,
    };
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    // Who has not sent all of it yet, or waits for a turn, has no place that another is kept from.
    let _at_work = request.extensions().get::<Work>().map(Work::begin);
    Ok(next.run(request).await)
}

/// Whether a request may be longer than others, as far as its head tells.
fn is_list(request: &Request, largest: usize) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let may_be = request.headers().contains_key(header::TRANSFER_ENCODING);
    largest > LARGEST && length.map_or(may_be, |length| length > LARGEST)
}

/// The request, where it is no forged one: what changes something says what only a page of this session knows.
async fn checked(caller: &Caller, request: Request, largest: usize) -> Result<Request, Problem> {
    let safe = guard::is_safe(request.method());
    let (mut request, body) = read(request, largest).await?;
    // The door has read it already, within its bounds.
    DefaultBodyLimit::disable().apply(&mut request);
    let Some(token) = caller.form_token().filter(|_| !safe) else {
        return Ok(request);
    };
    let said = match request.headers().get("x-form-token") {
        Some(said) => said.to_str().ok().map(str::to_owned),
        None => in_form(request.headers(), body).await,
    };
    match said.is_some_and(|said| secret::same(&said, &token)) {
        true => Ok(request),
        false => Err(Problem::form_token()),
    }
}

async fn in_form(headers: &HeaderMap, body: Bytes) -> Option<String> {
    let kind = headers.get(header::CONTENT_TYPE)?;
    if Parts::is_one(kind) {
        let parts = Parts::read(kind, &body).ok()?;
        return parts.text("form_token").map(|token| token.to_string());
    }
    let mut form = Request::post("/").header(header::CONTENT_TYPE, kind);
    form = form.header(header::CONTENT_LENGTH, body.len());
    let mut form = form.body(Body::from(body)).ok()?;
    DefaultBodyLimit::disable().apply(&mut form);
    let Form(fields) = Form::<Vec<(String, String)>>::from_request(form, &())
        .await
        .ok()?;
    let mut tokens = fields.into_iter().filter(|(name, _)| name == "form_token");
    tokens.next().map(|(_, value)| value)
}

/// Reads a request whole, within its bounds.
async fn read(request: Request, largest: usize) -> Result<(Request, Bytes), Problem> {
    let (parts, body) = request.into_parts();
    let bytes = held::read(body, largest).await?;
    if fields(&parts.headers, &bytes) > FIELDS {
        return Err(Problem::malformed("it has too many fields"));
    }
    let request = Request::from_parts(parts, Body::from(bytes.clone()));
    Ok((request, bytes))
}

/// How many fields a form has, before one is read.
fn fields(headers: &HeaderMap, body: &Bytes) -> usize {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    // Those of a form with files are counted where they are read (`parts`).
    match kind.to_ascii_lowercase().starts_with(FORM) {
        true => body.iter().filter(|byte| **byte == b'&').count(),
        false => 0,
    }
}
