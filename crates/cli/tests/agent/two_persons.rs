//! Two persons for one change, where the configuration asks for it.

use crate::site::Site;
use postseal_store::desk::{Desk, Job, JobState};

fn proposed(site: &Site) -> Option<Job> {
    let jobs = site.at_desk(|desk, instance| Desk::jobs(desk, instance, None, 100).unwrap());
    jobs.into_iter().find(|job| job.state == JobState::Proposed)
}

#[test]
fn a_change_from_afar_is_carried_out_once_another_has_approved_it() {
    let site = Site::configured("two_persons = true\n");
    let before = site.scene.files();
    for words in [&["cert", "bind", "mx"][..], &["set", "mode=may"]] {
        assert_eq!(site.remote(words).exit, Some(0), "{words:?}");
    }
    let unnamed = site.remote(&["apply"]);
    assert_eq!(unnamed.exit, Some(65), "{unnamed:#?}");
    let added = site.local(&["user", "add", "ingrid", "--role=approver"]);
    assert_eq!(added.exit, Some(0), "{added:#?}");
    let made = site.local(&["token", "add", "ingrid", "--name=test", "--role=approver"]);
    let plan = site.remote(&["plan"]).text("plan").to_owned();
    std::thread::scope(|scope| {
        let applied = scope.spawn(|| site.remote(&["apply", &plan]));
        site.wait("a proposal", |site| proposed(site).is_some());
        assert_eq!(site.scene.files(), before);
        let job = proposed(&site).unwrap().id;
        let head = format!(
            "POST /api/v1/jobs/{job}/approval HTTP/1.1\r\nauthorization: Bearer {}",
            made.text("token")
        );
        let answer = site.http(&head, "");
        assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
        let applied = applied.join().unwrap();
        assert_eq!(applied.exit, Some(0), "{applied:#?}");
        let told = "waits until somebody else has approved it";
        assert!(applied.stderr.contains(told), "{applied:#?}");
    });
    let history = site.local(&["history"]);
    let by = "admin (token 1), approved by ingrid (token 2)";
    assert!(history.stdout.contains(by), "{history:#?}");
}
