//! The pages before one is in: signing in, an invitation, a problem.
//!
//! Owns: these. Never: who comes in (`access`).

use super::{filters, page};
use crate::form;
use crate::problem::Problem;
use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    next: &'a str,
    wrong: &'a str,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct Welcome<'a> {
    link: &'a str,
    user: &'a str,
    wrong: &'a str,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Wrong<'a> {
    title: &'a str,
    detail: &'a str,
    code: &'a str,
}

pub(crate) fn sign_in(status: StatusCode, next: &str, wrong: &str) -> Response {
    page(status, &SignIn { next, wrong })
}

pub(crate) fn welcome(status: StatusCode, link: &str, user: &str, wrong: &str) -> Response {
    page(status, &Welcome { link, user, wrong })
}

pub(crate) fn of_problem(problem: &Problem) -> Response {
    let title = problem.status.canonical_reason().unwrap_or("Error");
    let wrong = Wrong {
        title,
        detail: &problem.detail,
        code: problem.code,
    };
    page(problem.status, &wrong)
}

/// Where one signs in, to be led back to where one was.
pub(crate) fn sign_in_first(whence: &str) -> String {
    let next: String = form::onward(whence)
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("/sign-in?next={next}")
}
