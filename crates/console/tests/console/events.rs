//! Events of a job, as they are streamed.

use crate::served::{HOUR_MS, Served, heartbeat, now};
use crate::wire::Ask;
use postseal_store::desk::{Clerk as _, Desk as _, End, JobEvent, JobState, Role};
use std::io::{BufRead as _, BufReader, Read as _};

fn told(n: u64, word: &str) -> JobEvent {
    JobEvent {
        n,
        at_ms: now(),
        document: format!(r#"{{"event":"step","n":{n},"what":"{word}"}}"#),
    }
}

#[test]
fn a_stream_tells_what_happens_and_ends_with_the_job() {
    let (served, token) = Served::to_program(Role::Auditor);
    let id = served.file(&token, r#"{"task":"status"}"#);
    let mut desk = served.desk();
    desk.claim(&heartbeat()).unwrap();
    desk.tell(id, &told(1, "first")).unwrap();
    let ask = Ask::get(&format!("/api/v1/jobs/{id}/events")).with("authorization", &token);
    let mut stream = BufReader::new(ask.open(served.at));
    let mut lines = String::new();
    while !lines.contains("first") {
        assert_ne!(stream.read_line(&mut lines).unwrap(), 0, "{lines}");
    }
    // What comes while one reads.
    desk.tell(id, &told(2, "second")).unwrap();
    let end = End {
        exit: 0,
        answer: "{}".to_owned(),
    };
    desk.end(id, JobState::Done, &end, now()).unwrap();
    stream.read_to_string(&mut lines).unwrap();
    assert!(lines.contains("text/event-stream"), "{lines}");
    assert!(lines.contains("id: 2\nevent: told\n"), "{lines}");
    assert!(
        lines.contains("event: end\ndata: {\"state\":\"done\",\"exit\":0}"),
        "{lines}"
    );
    // Whoever comes back is told only what they have not seen.
    let rest = served.ask(&ask.with("last-event-id", "1"));
    assert!(
        rest.body.contains("second") && !rest.body.contains("first"),
        "{}",
        rest.body
    );
}

#[test]
fn a_stream_ends_with_its_session() {
    let (served, session) = Served::to(Role::Operator);
    served.user("ingrid", Role::Operator);
    let token = served.token("ingrid", Role::Operator, now() + HOUR_MS);
    let id = served.file(&token, r#"{"task":"status"}"#);
    let ask = Ask::get(&format!("/api/v1/jobs/{id}/events")).cookie(&session);
    let mut stream = ask.open(served.at);
    // Shorter than the time between two lines that keep a stream open.
    let patience = Some(std::time::Duration::from_secs(10));
    stream.set_read_timeout(patience).unwrap();
    served.desk().sign_out_everywhere("operator").unwrap();
    let mut rest = String::new();
    // It ends although the job goes on: reading to the end returns.
    stream.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("event: end"), "{rest}");
}

#[test]
fn an_event_cannot_pretend_to_be_several() {
    let (served, token) = Served::to_program(Role::Auditor);
    let id = served.file(&token, r#"{"task":"status"}"#);
    let mut desk = served.desk();
    desk.claim(&heartbeat()).unwrap();
    let mut event = told(1, "x");
    event.document = "{}\n\nevent: end\ndata: forged\n\n".to_owned();
    desk.tell(id, &event).unwrap();
    let end = End {
        exit: 1,
        answer: "{}".to_owned(),
    };
    desk.end(id, JobState::Done, &end, now()).unwrap();
    let ask = Ask::get(&format!("/api/v1/jobs/{id}/events")).with("authorization", &token);
    let body = served.ask(&ask).body;
    assert_eq!(body.matches("\nevent: end").count(), 1, "{body}");
}

#[test]
fn who_opens_streams_without_end_leaves_others_theirs() {
    let (served, token) = Served::to_program(Role::Auditor);
    served.user("bernd", Role::Auditor);
    let others = served.token("bernd", Role::Auditor, now() + HOUR_MS);
    let id = served.file(&token, r#"{"task":"status"}"#);
    let open = |token: &str| {
        let ask = Ask::get(&format!("/api/v1/jobs/{id}/events")).with("authorization", token);
        let mut stream = ask.open(served.at);
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (stream, String::from_utf8_lossy(&status).into_owned())
    };
    let opened: Vec<_> = (0..70).map(|_| open(&token)).collect();
    assert_eq!(opened[0].1, "HTTP/1.1 200");
    assert_ne!(opened[69].1, "HTTP/1.1 200");
    assert_eq!(open(&others).1, "HTTP/1.1 200");
}
