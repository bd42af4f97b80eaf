//! Any of the processes may die at any moment.

use crate::site::Site;
use postseal_store::desk::JobState;
use rustix::process::{Signal, kill_process};

const APPLY: &str = r#"{"task": "apply"}"#;

fn wished() -> Site {
    let site = Site::up();
    for words in [&["cert", "bind", "mx"][..], &["set", "mode=may"]] {
        assert_eq!(site.remote(words).exit, Some(0), "{words:?}");
    }
    site
}

/// The files are those from before, or those of the kept operation; nothing is open.
fn is_whole(site: &Site, before: &crate::scene::Files) {
    let recovered = site.local(&["recover"]);
    assert_eq!(recovered.exit, Some(0), "{recovered:#?}");
    let status = site.local(&["status"]);
    assert!(status.json["open_operation"].is_null(), "{status:#?}");
    let kept = status.json["last_operation"]["outcome"]["outcome"] == "kept";
    assert_eq!(site.scene.files() == *before, !kept, "{status:#?}");
}

#[test]
fn a_job_that_is_killed_half_way_is_told_and_leaves_nothing_half() {
    let site = wished();
    let before = site.scene.files();
    let job = site.file(APPLY);
    site.wait("an apply", |site| !site.children("apply").is_empty());
    for child in site.children("apply") {
        let _ = kill_process(child, Signal::KILL);
    }
    let job = site.ended(job);
    assert_eq!(job.state, JobState::Lost);
    assert!(job.end.unwrap().answer.contains("job.died"));
    is_whole(&site, &before);
}

#[test]
fn an_agent_that_is_killed_half_way_is_told_by_the_next_one() {
    let mut site = wished();
    let before = site.scene.files();
    let job = site.file(APPLY);
    site.wait("an apply", |site| !site.children("apply").is_empty());
    site.kill();
    assert_eq!(site.job(job).state, JobState::Running);
    site.up_again();
    let job = site.ended(job);
    assert_eq!(job.state, JobState::Lost);
    let answer = job.end.unwrap().answer;
    assert!(answer.contains("job.lost"), "{answer}");
    is_whole(&site, &before);
    let next = site.remote(&["status"]);
    assert_eq!(next.exit, Some(0), "{next:#?}");
}

#[test]
fn the_agent_outlives_the_console_and_its_own_clerk() {
    let site = wished();
    for verb in ["console", "clerk"] {
        for child in site.children(verb) {
            kill_process(child, Signal::KILL).unwrap();
        }
        let job = site.ended(site.file(r#"{"task": "history"}"#));
        assert_eq!(job.state, JobState::Done, "{verb}");
    }
    site.wait("a new console", |site| {
        site.remote(&["status"]).exit == Some(0)
    });
}

#[test]
fn a_job_is_given_up_by_whoever_wants_it() {
    let site = wished();
    let before = site.scene.files();
    let job = site.file(APPLY);
    site.wait("an apply", |site| !site.children("apply").is_empty());
    assert!(site.at_desk(|desk, _| postseal_store::desk::Desk::cancel(desk, job, 1).unwrap()));
    let job = site.ended(job);
    assert_eq!(job.state, JobState::Done);
    is_whole(&site, &before);
}
