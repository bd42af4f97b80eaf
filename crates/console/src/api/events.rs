//! What is told of a job, as it happens (server-sent events, WHATWG HTML §9.2).
//!
//! Owns: the stream. Never: keeps an event; the desk does, so a reader may come back after the last it has seen.

use super::jobs;
use crate::app::App;
use crate::caller::{self, Caller};
use crate::clock;
use crate::problem::Problem;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use http_body_util::StreamBody;
use hyper::body::Frame;
use postseal_store::desk::{Job, JobEvent};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the desk is looked at.
const EVERY: Duration = Duration::from_millis(250);
/// After how many looks it is asked again whether the reader may still read: a stream ends with its session.
const RECHECK: u32 = 8;
/// After how many silent looks a line keeps the connection open.
const KEEP_ALIVE: u32 = 60;
/// How many events are taken at once.
const BATCH: usize = 100;

pub(crate) async fn stream(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let turn = app.streams.now(&caller.user)?;
    jobs::find(&app, id).await?;
    let last = headers.get("last-event-id");
    let last = last.and_then(|last| last.to_str().ok()?.parse().ok());
    let (lines, told) = mpsc::channel(4);
    tokio::spawn(async move {
        let _turn = turn;
        let teller = Teller {
            app,
            headers,
            lines,
        };
        // It ends when the reader has gone or the desk is: the reader comes back by itself.
        let _gone = teller.tell(id, last.unwrap_or(0)).await;
    });
    let kind = [(header::CONTENT_TYPE, "text/event-stream")];
    Ok((kind, Body::new(StreamBody::new(Lines(told)))).into_response())
}

/// Why a stream ends early.
struct Over;

impl From<Problem> for Over {
    fn from(_: Problem) -> Self {
        Self
    }
}

struct Teller {
    app: App,
    headers: HeaderMap,
    lines: mpsc::Sender<String>,
}

impl Teller {
    async fn tell(&self, id: u64, mut after: u64) -> Result<(), Over> {
        let mut quiet = 0;
        for look in 1u32.. {
            let (job, events) = self.look(id, after).await?;
            for event in &events {
                after = event.n;
                self.line(&written(event)).await?;
            }
            if events.is_empty() {
                quiet += 1;
                if job.state.has_ended() {
                    return self.line(&end(&job)).await;
                }
                if quiet % KEEP_ALIVE == 0 {
                    self.line(": still at it\n\n").await?;
                }
            }
            if look % RECHECK == 0 && caller::find(&self.app, &self.headers).await?.is_none() {
                return Err(Over);
            }
            if events.len() < BATCH {
                tokio::time::sleep(EVERY).await;
            }
            if self.lines.is_closed() {
                return Err(Over);
            }
        }
        Err(Over)
    }

    /// The job is read first: what is told before it ends is then among the events.
    async fn look(&self, id: u64, after: u64) -> Result<(Job, Vec<JobEvent>), Problem> {
        let job = jobs::find(&self.app, id).await?;
        let events = self.app.desks.at(move |desk| desk.events(id, after, BATCH));
        Ok((job, events.await?))
    }

    async fn line(&self, text: &str) -> Result<(), Over> {
        self.lines.send(text.to_owned()).await.map_err(|_| Over)
    }
}

fn written(event: &JobEvent) -> String {
    // A document is one line of JSON; were it not, its lines would be another's events.
    let document: String = event
        .document
        .chars()
        .map(|c| if c == '\n' || c == '\r' { ' ' } else { c })
        .collect();
    let at = clock::written(event.at_ms);
    format!(
        "id: {}\nevent: told\ndata: {{\"at\":\"{at}\",\"told\":{document}}}\n\n",
        event.n
    )
}

fn end(job: &Job) -> String {
    let exit = job.end.as_ref().map(|end| end.exit);
    let data = serde_json::json!({ "state": job.state.name(), "exit": exit });
    format!("event: end\ndata: {data}\n\n")
}

/// The lines of a stream as the frames of a body.
struct Lines(mpsc::Receiver<String>);

impl futures_core::Stream for Lines {
    type Item = Result<Frame<hyper::body::Bytes>, std::convert::Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let line = self.0.poll_recv(context);
        line.map(|line| line.map(|line| Ok(Frame::data(line.into()))))
    }
}
