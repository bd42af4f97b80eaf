//! The desk: users, sessions, tokens, jobs.

use super::{MX, Open};
use postseal_store::desk::{
    Beat, End, Filed, Heartbeat, Invitation, JobEvent, JobState, NewJob, Role, SignIn, Token, User,
};

pub(crate) fn user(name: &str, role: Role) -> User {
    User {
        name: name.to_owned(),
        role,
        password: Some("a hash".to_owned()),
        totp: None,
        added_ms: 1,
    }
}

pub(crate) fn sign_in(user: &str, digest: u8) -> SignIn {
    SignIn {
        digest: [digest; 32],
        user: user.to_owned(),
        made_ms: 1_000,
        seen_ms: 1_000,
        ends_ms: 100_000,
        address: "127.0.0.1".to_owned(),
        browser: "x".to_owned(),
    }
}

pub(crate) fn job(task: &str, request: Option<&str>) -> NewJob {
    NewJob {
        instance: MX.to_owned(),
        actor: "alice".to_owned(),
        filed_ms: 5,
        task: task.to_owned(),
        request: request.map(str::to_owned),
    }
}

pub(crate) fn agent(name: &str) -> Heartbeat {
    Heartbeat {
        instance: MX.to_owned(),
        agent: name.to_owned(),
        version: "1".to_owned(),
        now_ms: 10,
        lease_ms: 20,
    }
}

pub(crate) fn new(filed: Filed) -> u64 {
    match filed {
        Filed::New(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn what_is_stored_stays(open: Open<'_>) {
    let mut desk = open();
    assert!(desk.add_user(&user("alice", Role::Admin)).unwrap());
    assert!(!desk.add_user(&user("alice", Role::Auditor)).unwrap());
    drop(desk);
    assert_eq!(open().users().unwrap(), [user("alice", Role::Admin)]);
}

pub(crate) fn a_session_ends_by_idleness_by_its_end_by_sign_out_and_by_a_new_password(
    open: Open<'_>,
) {
    let mut desk = open();
    desk.add_user(&user("alice", Role::Operator)).unwrap();
    desk.sign_in(&sign_in("alice", 1)).unwrap();
    let found = desk.signed_in(&[1; 32], 2_000, 500, true).unwrap().unwrap();
    assert_eq!(found.user.name, "alice");
    assert_eq!(desk.signed_in(&[2; 32], 2_000, 500, true).unwrap(), None);
    assert_eq!(
        desk.signed_in(&[1; 32], 2_000, 1_500, true).unwrap(),
        None,
        "idle"
    );
    assert_eq!(
        desk.signed_in(&[1; 32], 100_000, 500, true).unwrap(),
        None,
        "ended"
    );
    // A page that asks by itself keeps no session alive.
    desk.signed_in(&[1; 32], 40_000, 500, false)
        .unwrap()
        .unwrap();
    assert_eq!(
        desk.signed_in(&[1; 32], 41_000, 39_000, true).unwrap(),
        None
    );
    // Seen again after half a minute, it is idle from then on.
    desk.signed_in(&[1; 32], 40_000, 500, true)
        .unwrap()
        .unwrap();
    assert!(
        desk.signed_in(&[1; 32], 41_000, 39_000, true)
            .unwrap()
            .is_some()
    );
    let other = User {
        password: Some("another".to_owned()),
        ..user("alice", Role::Operator)
    };
    assert!(desk.change_user(&other).unwrap());
    assert_eq!(desk.signed_in(&[1; 32], 41_000, 500, true).unwrap(), None);
    desk.sign_in(&sign_in("alice", 3)).unwrap();
    desk.sign_out(&[3; 32]).unwrap();
    assert_eq!(desk.signed_in(&[3; 32], 2_000, 500, true).unwrap(), None);
    desk.sign_in(&sign_in("alice", 4)).unwrap();
    desk.sign_in(&sign_in("alice", 5)).unwrap();
    assert_eq!(desk.sign_out_everywhere("alice").unwrap(), 2);
}

pub(crate) fn an_invitation_is_taken_once(open: Open<'_>) {
    let mut desk = open();
    let nobody_knows = User {
        password: None,
        ..user("alice", Role::Admin)
    };
    desk.add_user(&nobody_knows).unwrap();
    let invitation = |digest: u8| Invitation {
        digest: [digest; 32],
        user: "alice".to_owned(),
        ends_ms: 100,
    };
    desk.invite(&invitation(1)).unwrap();
    desk.invite(&invitation(2)).unwrap();
    assert_eq!(desk.invited(&[1; 32], 50).unwrap(), None, "replaced");
    assert_eq!(desk.invited(&[2; 32], 100).unwrap(), None, "too late");
    assert_eq!(
        desk.invited(&[2; 32], 50).unwrap().as_deref(),
        Some("alice")
    );
    let taken = desk.take_invitation(&[2; 32], "hash", 50).unwrap();
    assert_eq!(taken.as_deref(), Some("alice"));
    assert_eq!(desk.take_invitation(&[2; 32], "other", 50).unwrap(), None);
    let password = desk.user("alice").unwrap().unwrap().password;
    assert_eq!(password.as_deref(), Some("hash"));
}

pub(crate) fn a_time_step_is_taken_once(open: Open<'_>) {
    let mut desk = open();
    desk.add_user(&user("alice", Role::Admin)).unwrap();
    assert!(desk.take_totp_step("alice", 7).unwrap());
    assert!(!desk.take_totp_step("alice", 7).unwrap());
    assert!(!desk.take_totp_step("alice", 6).unwrap());
    assert!(desk.take_totp_step("alice", 8).unwrap());
}

pub(crate) fn a_token_holds_until_its_end_and_goes_with_its_user(open: Open<'_>) {
    let mut desk = open();
    desk.add_user(&user("alice", Role::Admin)).unwrap();
    let token = Token {
        id: 0,
        user: "alice".to_owned(),
        name: "ci".to_owned(),
        role: Role::Auditor,
        made_ms: 1,
        ends_ms: 100,
        used_ms: None,
    };
    let id = desk.add_token(&token, &[9; 32]).unwrap();
    assert_eq!(desk.token(&[9; 32], 50).unwrap().unwrap().id, id);
    assert_eq!(desk.tokens().unwrap()[0].used_ms, Some(50));
    assert_eq!(desk.token(&[9; 32], 100).unwrap(), None);
    assert!(desk.remove_user("alice").unwrap());
    assert_eq!(desk.token(&[9; 32], 50).unwrap(), None);
    assert!(!desk.remove_token(id).unwrap());
}

pub(crate) fn a_job_goes_from_filed_to_ended_once(open: Open<'_>) {
    let mut desk = open();
    let first = new(desk.file(&job("one", Some("k"))).unwrap());
    assert_eq!(
        desk.file(&job("one", Some("k"))).unwrap(),
        Filed::Before(first)
    );
    assert_eq!(
        desk.file(&job("two", Some("k"))).unwrap(),
        Filed::Other(first)
    );
    let second = new(desk.file(&job("two", None)).unwrap());
    let claimed = desk.claim(&agent("a")).unwrap().unwrap();
    assert_eq!((claimed.id, claimed.state), (first, JobState::Running));
    assert_eq!(desk.beat(&agent("a")).unwrap(), Beat::default());
    assert!(desk.cancel(first, 11).unwrap());
    assert_eq!(desk.beat(&agent("a")).unwrap().cancel, Some(first));
    let event = JobEvent {
        n: 1,
        at_ms: 12,
        document: "{}".to_owned(),
    };
    desk.tell(first, &event).unwrap();
    desk.tell(first, &event).unwrap();
    assert_eq!(desk.events(first, 0, 9).unwrap(), [event]);
    assert_eq!(desk.events(first, 1, 9).unwrap(), []);
    let end = |answer: &str| End {
        exit: 4,
        answer: answer.to_owned(),
    };
    desk.end(first, JobState::Done, &end("answer"), 13).unwrap();
    desk.end(first, JobState::Lost, &end("late"), 14).unwrap();
    let ended = desk.job(first).unwrap().unwrap();
    assert_eq!(ended.end, Some(end("answer")));
    assert!(!desk.cancel(first, 15).unwrap());
    assert!(desk.cancel(second, 15).unwrap());
    assert_eq!(
        desk.job(second).unwrap().unwrap().state,
        JobState::Cancelled
    );
    assert_eq!(desk.claim(&agent("a")).unwrap(), None);
    let listed = desk.jobs(MX, None, 9).unwrap();
    assert_eq!(
        listed.iter().map(|job| job.id).collect::<Vec<_>>(),
        [second, first]
    );
    assert_eq!(desk.jobs(MX, Some(second), 9).unwrap().len(), 1);
}

pub(crate) fn what_an_agent_left_is_found_by_the_next_one_alone(open: Open<'_>) {
    let mut desk = open();
    let left = new(desk.file(&job("one", None)).unwrap());
    desk.claim(&agent("a")).unwrap().unwrap();
    assert_eq!(desk.abandoned(&agent("a")).unwrap(), []);
    let found = desk.abandoned(&agent("b")).unwrap();
    assert_eq!(found.iter().map(|job| job.id).collect::<Vec<_>>(), [left]);
    let elsewhere = Heartbeat {
        instance: "/etc/postfix-two".to_owned(),
        ..agent("b")
    };
    assert_eq!(desk.abandoned(&elsewhere).unwrap(), []);
    assert_eq!(desk.claim(&elsewhere).unwrap(), None);
}

pub(crate) fn what_is_due_is_filed_once_and_the_oldest_jobs_go(open: Open<'_>) {
    let mut desk = open();
    desk.due(&job("renew", Some("hour 1"))).unwrap();
    desk.due(&job("renew", Some("hour 1"))).unwrap();
    assert_eq!(desk.jobs(MX, None, 9).unwrap().len(), 1);
    let first = desk.claim(&agent("a")).unwrap().unwrap().id;
    for n in 0..10_001 {
        let id = new(desk.file(&job("x", None)).unwrap());
        if n != 0 && n < 9 {
            assert!(desk.cancel(id, 1).unwrap());
        }
    }
    desk.due(&job("renew", Some("hour 2"))).unwrap();
    assert!(desk.job(first).unwrap().is_some(), "it is running");
    assert!(desk.job(first + 1).unwrap().is_some(), "it waits");
    assert!(desk.job(first + 2).unwrap().is_none());
    assert!(desk.job(first + 3).unwrap().is_some());
}

pub(crate) fn notes_stay_until_they_are_taken(open: Open<'_>) {
    let mut desk = open();
    desk.note("alice", 1, "signed in").unwrap();
    desk.note("bob", 2, "signed in").unwrap();
    let notes = desk.notes(0, 1).unwrap();
    assert_eq!(notes[0].actor, "alice");
    assert_eq!(desk.notes(0, 9).unwrap().len(), 2, "nothing was taken yet");
    assert_eq!(desk.notes(notes[0].id, 9).unwrap()[0].actor, "bob");
}

pub(crate) fn a_copy_is_the_newest(open: Open<'_>) {
    let mut desk = open();
    assert_eq!(desk.copy(MX, "status").unwrap(), None);
    desk.put_copy(MX, "status", "{\"a\": 1}", 1).unwrap();
    desk.put_copy(MX, "status", "{\"a\": 2}", 2).unwrap();
    let copy = desk.copy(MX, "status").unwrap().unwrap();
    assert_eq!((copy.document.as_str(), copy.copied_ms), ("{\"a\": 2}", 2));
}

pub(crate) fn a_proposed_job_is_claimed_once_it_is_approved_in_the_name_of_both(open: Open<'_>) {
    let mut desk = open();
    let first = new(desk.propose(&job("1", Some("a"))).unwrap());
    let second = new(desk.propose(&job("2", None)).unwrap());
    assert_eq!(desk.claim(&agent("x")).unwrap(), None);
    assert!(desk.cancel(second, 6).unwrap());
    assert!(!desk.approve(second, "bob").unwrap(), "given up");
    assert!(desk.approve(first, "bob").unwrap());
    assert!(!desk.approve(first, "bob").unwrap(), "once");
    // Sent again, by who filed it.
    let again = desk.file(&job("1", Some("a"))).unwrap();
    assert_eq!(again, Filed::Before(first));
    let claimed = desk.claim(&agent("x")).unwrap().unwrap();
    assert_eq!(
        (claimed.id, claimed.actor.as_str()),
        (first, "alice, approved by bob")
    );
    assert_eq!(claimed.abandoned_ms(20), None);
    assert_eq!(claimed.abandoned_ms(21), Some(20));
}
