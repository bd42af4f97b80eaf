//! Taking an invitation: somebody chooses their password, once.
//!
//! Owns: the link's page. Never: makes an invitation; the command line and the agent's host do.

use super::note;
use crate::app::App;
use crate::problem::Problem;
use crate::{clock, pages, password, secret};
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    password: Zeroizing<String>,
    #[serde(default)]
    again: Zeroizing<String>,
}

pub(crate) async fn page(
    State(app): State<App>,
    Path(link): Path<String>,
) -> Result<Response, Problem> {
    let user = invited(&app, &link).await?;
    Ok(pages::welcome(StatusCode::OK, &link, &user, ""))
}

pub(crate) async fn send(
    State(app): State<App>,
    Path(link): Path<String>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Problem> {
    let user = invited(&app, &link).await?;
    let mut wrong = password::refused(&chosen.password, &user);
    if chosen.password != chosen.again {
        wrong = Some("it is not the same in both fields");
    }
    if let Some(why) = wrong {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(pages::welcome(status, &link, &user, why));
    }
    let hash = app.hasher.hash(chosen.password).await?;
    let digest = secret::digest(&link);
    let now = clock::now_ms();
    let taken = app
        .desks
        .at(move |desk| desk.take_invitation(&digest, &hash, now));
    let user = taken.await?.ok_or_else(over)?;
    note(&app, &user, "chose a password by invitation".to_owned()).await?;
    Ok(Redirect::to("/sign-in").into_response())
}

async fn invited(app: &App, link: &str) -> Result<String, Problem> {
    let digest = secret::digest(link);
    let now = clock::now_ms();
    let user = app.desks.at(move |desk| desk.invited(&digest, now));
    user.await?.ok_or_else(over)
}

fn over() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "console.invitation-over",
        "this invitation was taken, has ended, or never was; ask an administrator for another",
    )
}
