//! Sealed uploads at the desk: how long they lie there.

use crate::served::{HOUR_MS, INSTANCE, Served, now};
use crate::wire::Ask;
use postseal_store::desk::{Desk as _, Filed, NewJob, Role};
use serde_json::{Value, json};

fn filed(served: &Served, id: u64) -> Value {
    let job = served.desk().job(id).unwrap().unwrap();
    serde_json::from_str(&job.task).unwrap()
}

fn import(filed_ms: i64) -> NewJob {
    let sealed = "QUFB".repeat(100);
    NewJob {
        instance: INSTANCE.to_owned(),
        actor: "operator".to_owned(),
        filed_ms,
        task: json!({"task": "cert-import", "name": "mx3", "sealed": sealed}).to_string(),
        request: Some("once".to_owned()),
    }
}

#[test]
fn an_upload_goes_with_its_job_and_the_same_one_again_is_known() {
    let (served, session) = Served::to(Role::Operator);
    let job = import(now());
    let mut desk = served.desk();
    assert_eq!(desk.file(&job).unwrap(), Filed::New(1));
    assert_eq!(filed(&served, 1)["sealed"].as_str().unwrap().len(), 400);
    assert!(desk.cancel(1, now()).unwrap());
    assert_eq!(filed(&served, 1)["sealed"].as_str().unwrap().len(), 64);
    assert_eq!(desk.file(&job).unwrap(), Filed::Before(1));
    let other = NewJob {
        task: job.task.replacen("QUFB", "QUFC", 1),
        ..job
    };
    assert_eq!(desk.file(&other).unwrap(), Filed::Other(1));
    let page = served.ask(&Ask::get("/jobs/1").cookie(&session)).body;
    assert!(page.contains("Import a certificate: mx3"), "{page}");
}

#[test]
fn an_upload_that_no_agent_fetches_is_removed_after_a_day_and_its_job_says_so() {
    let served = Served::told(|options| {
        let mut desk = options.desk.open().unwrap();
        desk.file(&import(now() - 25 * HOUR_MS)).unwrap();
        let young = NewJob {
            request: None,
            ..import(now() - 23 * HOUR_MS)
        };
        desk.file(&young).unwrap();
    });
    let session = served.signed_in(Role::Operator);
    let job = Ask::get("/jobs/1").cookie(&session);
    served.until(&job, |page| page.body.contains("job.upload-expired"));
    assert_eq!(filed(&served, 1)["sealed"].as_str().unwrap().len(), 64);
    assert_eq!(filed(&served, 2)["sealed"].as_str().unwrap().len(), 400);
}
