//! A job at a console, from filing to answer.
//!
//! Owns: what is asked, how long is waited, how the answer is shown. Never: the connection (`http`).

use super::Server;
use super::http::{Client, Reply};
use crate::answer::printable;
use crate::failure::{Exit, Failure};
use postseal_planner::task::Task;
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

/// How often it is looked whether the job has ended: often at first, as most end at once.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
];

/// What came of it.
#[derive(Debug)]
pub(super) struct End {
    exit: u8,
    document: Value,
}

/// Files the task and waits for its end.
pub(super) fn carry_out(task: &Task, server: &Server) -> Result<End, Failure> {
    let client = Client::new(server)?;
    let body = serde_json::to_string(task)
        .map_err(|error| Failure::new(Exit::Failed, "task.unwritable", error.to_string()))?;
    let filed = client.post("/api/v1/jobs", body)?;
    let job = filed.body.get("job").and_then(Value::as_u64);
    let (202, Some(job)) = (filed.status, job) else {
        return Err(refused(&filed));
    };
    let place = format!("/api/v1/jobs/{job}");
    let mut is_proposed = false;
    let mut looks = LOOKS.into_iter().chain(std::iter::repeat(LOOKS[3]));
    loop {
        let looked = client.get(&place)?;
        if looked.status != 200 {
            return Err(refused(&looked));
        }
        if looked.body["state"] == "proposed" && !is_proposed {
            is_proposed = true;
            let told = format!("postseal: job {job} waits until somebody else has approved it\n");
            let _ = std::io::stderr().write_all(told.as_bytes());
        }
        if let Some(end) = ended(looked.body, job)? {
            return Ok(end);
        }
        if let Some(pause) = looks.next() {
            std::thread::sleep(pause);
        }
    }
}

fn ended(mut job: Value, id: u64) -> Result<Option<End>, Failure> {
    let state = job.get("state").and_then(Value::as_str).unwrap_or_default();
    match state {
        "proposed" | "waiting" | "running" => return Ok(None),
        "cancelled" => {
            let text = format!("job {id} was given up before it began");
            return Err(Failure::new(Exit::Failed, "job.cancelled", text));
        }
        _ => {}
    }
    let exit = job.get("exit").and_then(Value::as_u64);
    let document = job.get_mut("answer").map(Value::take);
    match (exit.and_then(|exit| u8::try_from(exit).ok()), document) {
        (Some(exit), Some(document)) => Ok(Some(End { exit, document })),
        _ => {
            let text = format!("job {id} has ended without an answer");
            Err(Failure::new(Exit::Failed, "job.no-answer", text))
        }
    }
}

/// What a console says instead of an answer (RFC 9457).
fn refused(reply: &Reply) -> Failure {
    let word = |name: &str| reply.body.get(name).and_then(Value::as_str);
    let code = word("code").unwrap_or("server.unexpected").to_owned();
    let text = word("detail").or(word("title"));
    let text = text.map_or_else(
        || format!("the server answers {}", reply.status),
        |text| printable(text).into_owned(),
    );
    let exit = match reply.status {
        401 | 403 => Exit::Permission,
        422 => Exit::Data,
        429 | 503 => Exit::Temporary,
        _ => Exit::Failed,
    };
    Failure::new(exit, code, text)
}

impl End {
    /// A word of the document.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.document.get(name).and_then(Value::as_str)
    }

    /// As the command would have printed it with `--json`.
    pub(super) fn print_document(mut self) -> ExitCode {
        if let Some(document) = self.document.as_object_mut() {
            document.shift_remove("text");
        }
        let _ = writeln!(std::io::stdout(), "{:#}", self.document);
        ExitCode::from(self.exit)
    }

    /// As the command would have printed it for people; why there is no answer goes where errors go.
    pub(super) fn print_text(self) -> ExitCode {
        let text = self.document.get("text").and_then(Value::as_str);
        let failed = self.document.get("error").is_some();
        let fallback = self.document.pointer("/error/message");
        let fallback = fallback
            .and_then(Value::as_str)
            .map(|why| format!("postseal: error: {why}\n"));
        let text = text.map(str::to_owned).or(fallback).unwrap_or_default();
        let text = printable(&text);
        let _ = match failed {
            true => std::io::stderr().write_all(text.as_bytes()),
            false => std::io::stdout().write_all(text.as_bytes()),
        };
        ExitCode::from(self.exit)
    }
}
