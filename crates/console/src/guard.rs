//! What holds for every request and answer, whatever its route.
//!
//! Owns: the host that was asked for, where an unsafe request came from, deadlines, the headers of every answer, and
//! problems as pages. Never: who asks; that is asked where a route says what it needs (`routes`).

use crate::app::{App, Peer};
use crate::caller;
use crate::pages;
use crate::problem::Problem;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use std::time::Duration;

/// How long a request may take; streams go on after their first byte.
const DEADLINE: Duration = Duration::from_secs(30);

/// Why a request cannot be read is told where it is no longer, in bytes.
const LONGEST_WHY: usize = 2_000;

/// What every answer says.
const HEADERS: [(&str, &str); 9] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-robots-tag", "noindex"),
    ("cache-control", "no-store"),
];

/// Every request goes through here.
pub(crate) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let client = app.proxies.client(peer, request.headers());
        request.extensions_mut().insert(Peer(client));
    }
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let is_part = request.headers().contains_key("hx-request");
    let whence = request.uri().path_and_query().map(ToString::to_string);
    let admitted = right_host(&app, &request).and_then(|host| same_origin(&request, &host));
    let answer = match admitted {
        Err(problem) => problem.into_response(),
        Ok(()) => match tokio::time::timeout(DEADLINE, next.run(request)).await {
            Ok(answer) => answer,
            Err(_) => late().into_response(),
        },
    };
    let answer = told(answer).await;
    let mut answer = match path.starts_with("/api/") {
        true => answer,
        false => as_page(
            answer,
            is_safe(&method) && !is_part,
            whence.as_deref().unwrap_or("/"),
        ),
    };
    if app.has_tls {
        let always = HeaderValue::from_static("max-age=31536000");
        answer
            .headers_mut()
            .insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    for (name, value) in HEADERS {
        let headers = answer.headers_mut();
        let name = HeaderName::from_static(name);
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    answer
}

/// What no route is for.
pub(crate) async fn nowhere() -> Problem {
    Problem::not_found("such page")
}

/// A route that has no such method.
pub(crate) async fn no_such_method() -> Problem {
    let detail = "this address is not asked in this way";
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "console.method-not-allowed",
        detail,
    )
}

fn late() -> Problem {
    let detail = "the answer took longer than 30 s; nothing says that it was not done";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "console.late", detail)
}

/// The host that was asked for is one of ours: a page of another name that resolves to this address (DNS rebinding) is
/// a stranger's, whatever browsers call its origin.
fn right_host(app: &App, request: &Request) -> Result<String, Problem> {
    let mut said = request.headers().get_all(header::HOST).iter();
    let host = match (said.next(), said.next()) {
        (Some(host), None) => host.to_str().ok(),
        _ => None,
    };
    let authority = host.and_then(|host| host.parse::<Authority>().ok());
    let (Some(host), Some(authority)) = (host, authority) else {
        return Err(Problem::malformed("it names no host, or several"));
    };
    let ours = known(app, authority.host());
    // In the absolute form (RFC 9112 §3.2.2) the host stands in the request line, too.
    let agrees = request
        .uri()
        .authority()
        .is_none_or(|other| other.as_str().eq_ignore_ascii_case(host));
    match ours && agrees {
        true => Ok(host.to_ascii_lowercase()),
        false => Err(Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "console.unknown-host",
            "this console is not known by that name; whoever runs it can add the name",
        )),
    }
}

fn known(app: &App, host: &str) -> bool {
    let address = app.listen.ip();
    let literal = match address {
        std::net::IpAddr::V4(four) => four.to_string(),
        std::net::IpAddr::V6(six) => format!("[{six}]"),
    };
    let names = app.hosts.iter().map(String::as_str);
    names
        .chain(["localhost", &literal])
        .any(|name| name.eq_ignore_ascii_case(host))
}

/// What changes something comes from a page of ours, by what the browser itself says of it (Fetch Metadata; RFC 6454
/// §7). A program says neither; it has a token, which no browser sends by itself.
fn same_origin(request: &Request, host: &str) -> Result<(), Problem> {
    if is_safe(request.method()) {
        return Ok(());
    }
    let headers = request.headers();
    let origin = text(headers, "origin");
    let site = text(headers, "sec-fetch-site");
    let ours = origin.is_none_or(|origin| {
        let origin = origin.to_ascii_lowercase();
        let bare = origin
            .strip_prefix("http://")
            .or(origin.strip_prefix("https://"));
        bare == Some(host)
    });
    let same = site.is_none_or(|site| site == "same-origin");
    let said = origin.is_some() || site.is_some() || caller::bearer(headers).is_some();
    match ours && same && said {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "console.other-origin",
            "the request does not come from a page of this console",
        )),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    // What is no text is no origin of ours.
    headers
        .get(name)
        .map(|value| value.to_str().unwrap_or("null"))
}

/// Whether a method changes nothing (RFC 9110 §9.2.1).
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What axum itself refuses (a number that is none, a form that is no form) is a problem like any other, in its words.
async fn told(answer: Response) -> Response {
    let status = answer.status();
    let plain = answer.headers().get(header::CONTENT_TYPE);
    let plain = plain.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !(status.is_client_error() && plain) {
        return answer;
    }
    let why = to_bytes(answer.into_body(), LONGEST_WHY).await;
    let why = why.unwrap_or_default();
    let detail = match str::from_utf8(&why) {
        Ok(why) if !why.is_empty() => format!("the request cannot be read: {why}"),
        _ => "the request cannot be read: a part of it is not what belongs there".to_owned(),
    };
    Problem::new(status, "console.malformed", detail).into_response()
}

/// A problem as people read it; who is not signed in is led to where one signs in, but for a page that asks for a part of
/// itself, which says so.
fn as_page(answer: Response, leads: bool, whence: &str) -> Response {
    let Some(problem) = answer.extensions().get::<Problem>().cloned() else {
        return answer;
    };
    if problem.status == StatusCode::UNAUTHORIZED && leads {
        return Redirect::to(&pages::sign_in_first(whence)).into_response();
    }
    let mut page = pages::of_problem(&problem);
    if let Some(later) = answer.headers().get(header::RETRY_AFTER) {
        page.headers_mut()
            .insert(header::RETRY_AFTER, later.clone());
    }
    page
}
