//! Signing out.
//!
//! Owns: ending this session, or all of a user. Never: ends tokens.

use super::{note, set_cookie};
use crate::app::App;
use crate::caller::{Caller, SESSION};
use crate::problem::Problem;
use crate::{accounts, secret};
use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};

pub(crate) async fn here(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    if let Some(cookie) = caller.session() {
        let digest = secret::digest(cookie);
        app.desks.at(move |desk| desk.sign_out(&digest)).await?;
    }
    note(&app, &caller.actor(), "signed out".to_owned()).await?;
    Ok(gone())
}

pub(crate) async fn everywhere(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    accounts::end_sessions(&app, &caller, caller.user.clone()).await?;
    Ok(gone())
}

fn gone() -> Response {
    let mut answer = Redirect::to("/sign-in").into_response();
    set_cookie(answer.headers_mut(), SESSION, "", 0);
    answer
}
