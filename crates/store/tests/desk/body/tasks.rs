//! The desk: tasks that are long, or carry an upload.

use super::people::{agent, job, new};
use super::{MX, Open};
use postseal_store::desk::{Desk, End, Filed, JobState, LONGEST_PAGE, NewJob};

/// A task with an upload of so many letters.
fn upload(letters: usize) -> String {
    format!(
        r#"{{"task":"cert-import","name":"mx","sealed":"{}"}}"#,
        "a".repeat(letters)
    )
}

fn task(desk: &dyn Desk, id: u64) -> String {
    desk.job(id).unwrap().unwrap().task
}

pub(crate) fn a_page_of_jobs_ends_where_their_tasks_are_long(open: Open<'_>) {
    let mut desk = open();
    let long = "x".repeat(LONGEST_PAGE * 2 / 5);
    let ids: Vec<u64> = (0..8)
        .map(|_| new(desk.file(&job(&long, None)).unwrap()))
        .collect();
    let mut seen = Vec::new();
    let mut before = None;
    for together in [3, 3, 2, 0] {
        let page = desk.jobs(MX, before, 50).unwrap();
        assert_eq!(page.len(), together);
        assert!(page.iter().all(|job| job.task == long));
        seen.extend(page.iter().map(|job| job.id));
        before = seen.last().copied();
    }
    assert!(seen.iter().eq(ids.iter().rev()));
    assert_eq!(desk.jobs(MX, None, 2).unwrap().len(), 2);
    // One that is longer than a page is a page.
    let longest = "y".repeat(LONGEST_PAGE + 1);
    desk.file(&job(&longest, None)).unwrap();
    assert_eq!(desk.jobs(MX, None, 50).unwrap().len(), 1);
}

pub(crate) fn an_upload_goes_when_its_job_has_ended(open: Open<'_>) {
    let mut desk = open();
    let carried = upload(500);
    let id = new(desk.file(&job(&carried, Some("r1"))).unwrap());
    let other = new(desk.file(&job(&upload(501), None)).unwrap());
    assert_eq!(
        desk.claim(&agent("one")).unwrap().unwrap().task,
        carried,
        "whoever carries it out has it"
    );
    let end = End {
        exit: 0,
        answer: "{}".to_owned(),
    };
    desk.end(id, JobState::Done, &end, 30).unwrap();
    assert!(!task(&*desk, id).contains("aaaa"));
    // What was filed is known by its digest.
    assert_eq!(
        desk.file(&job(&carried, Some("r1"))).unwrap(),
        Filed::Before(id)
    );
    assert_eq!(
        desk.file(&job(&upload(502), Some("r1"))).unwrap(),
        Filed::Other(id)
    );
    assert!(desk.cancel(other, 40).unwrap());
    assert!(!task(&*desk, other).contains("aaaa"));
}

pub(crate) fn an_upload_that_nobody_fetches_goes_and_no_other_task_does(open: Open<'_>) {
    let mut desk = open();
    let at = |task: &str, filed_ms| NewJob {
        filed_ms,
        ..job(task, None)
    };
    let noted = r#"{"task":"policy-set","note":"sealed","owner":"\"sealed\":\"x"}"#;
    let old = new(desk.file(&at(&upload(500), 5)).unwrap());
    let proposed = new(desk.propose(&at(&upload(500), 6)).unwrap());
    let young = new(desk.file(&at(&upload(500), 7)).unwrap());
    let other = new(desk.file(&at(noted, 5)).unwrap());
    assert_eq!(desk.expire_uploads(7, 99).unwrap(), 2);
    for id in [old, proposed] {
        let job = desk.job(id).unwrap().unwrap();
        assert_eq!((job.state, job.ended_ms), (JobState::Cancelled, Some(99)));
        assert!(!job.task.contains("aaaa"));
        assert!(job.end.unwrap().answer.contains("job.upload-expired"));
    }
    for id in [young, other] {
        assert_eq!(desk.job(id).unwrap().unwrap().state, JobState::Waiting);
    }
    assert_eq!(task(&*desk, other), noted);
    assert_eq!(desk.expire_uploads(7, 99).unwrap(), 0);
}
