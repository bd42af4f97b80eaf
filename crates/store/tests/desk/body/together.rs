//! Several at the same time: what was promised to one of them holds.

use super::people::{agent, job, user};
use super::{MX, Open};
use postseal_store::desk::{Desk, Filed, Invitation, JobState, Role};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::scope;

/// How many, as the console has desks.
const THREADS: usize = 4;

/// What each of them says, begun by all at once.
fn at_once<T: Send>(open: Open<'_>, work: impl Fn(usize, &mut dyn Desk) -> T + Sync) -> Vec<T> {
    // The first one makes what is missing.
    drop(open().users());
    let begin = Barrier::new(THREADS);
    scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let (begin, work) = (&begin, &work);
                scope.spawn(move || {
                    let mut desk = open();
                    begin.wait();
                    work(n, &mut *desk)
                })
            })
            .collect();
        threads.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

pub(crate) fn a_desk_is_made_once_whoever_comes_first(open: Open<'_>) {
    scope(|scope| {
        for n in 0..THREADS {
            scope.spawn(move || {
                let name = format!("user{n}");
                assert!(open().add_user(&user(&name, Role::Auditor)).unwrap());
            });
        }
    });
    assert_eq!(open().users().unwrap().len(), THREADS);
}

pub(crate) fn the_same_request_is_one_job_however_many_send_it(open: Open<'_>) {
    for round in 0..20 {
        let request = format!("request {round}");
        let filed = at_once(open, |_, desk| {
            desk.file(&job("task", Some(&request))).unwrap()
        });
        let new = filed.iter().filter(|one| matches!(one, Filed::New(_)));
        assert_eq!(new.count(), 1, "{filed:?}");
    }
}

pub(crate) fn a_code_an_invitation_and_an_approval_are_taken_once(open: Open<'_>) {
    open().add_user(&user("alice", Role::Admin)).unwrap();
    for step in 1..20 {
        let taken = at_once(open, |_, desk| desk.take_totp_step("alice", step).unwrap());
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
        let digest = [step as u8; 32];
        let invitation = Invitation {
            digest,
            user: "alice".to_owned(),
            ends_ms: 100,
        };
        open().invite(&invitation).unwrap();
        let taken = at_once(open, |n, desk| {
            desk.take_invitation(&digest, &format!("hash {n}"), 1)
                .unwrap()
        });
        assert_eq!(taken.iter().flatten().count(), 1);
        let Filed::New(id) = open().propose(&job("task", None)).unwrap() else {
            panic!("it is new");
        };
        let approved = at_once(open, |n, desk| {
            desk.approve(id, &format!("user{n}")).unwrap()
        });
        assert_eq!(approved.iter().filter(|approved| **approved).count(), 1);
    }
}

/// What was given up before the agent began is never begun, and the other way round.
pub(crate) fn a_job_is_begun_or_given_up(open: Open<'_>) {
    const JOBS: usize = 40;
    let mut desk = open();
    for _ in 0..JOBS {
        desk.file(&job("task", None)).unwrap();
    }
    let mut waiting = desk.jobs(MX, None, JOBS).unwrap();
    waiting.reverse();
    let claimed = at_once(open, |n, desk| {
        let mut claimed = Vec::new();
        for job in &waiting {
            match n {
                // An agent is the only one of its desk.
                0 => claimed.extend(desk.claim(&agent("a")).unwrap()),
                n if job.id as usize % THREADS == n => drop(desk.cancel(job.id, 7).unwrap()),
                _ => {}
            }
        }
        claimed
    });
    let mut claimed: Vec<u64> = claimed.iter().flatten().map(|job| job.id).collect();
    let all = claimed.len();
    claimed.sort_unstable();
    claimed.dedup();
    assert_eq!(claimed.len(), all, "each is begun once");
    for job in open().jobs(MX, None, JOBS).unwrap() {
        let is_claimed = claimed.contains(&job.id);
        assert_eq!(is_claimed, job.state == JobState::Running, "{job:?}");
    }
}

/// A note that is being written while others are taken is not among those that go.
pub(crate) fn no_note_is_lost_however_many_write(open: Open<'_>) {
    const NOTES: usize = 60;
    let writing = AtomicUsize::new(THREADS - 1);
    let seen = at_once(open, |n, desk| {
        let (mut seen, mut taken) = (Vec::new(), 0);
        if n > 0 {
            for k in 0..NOTES {
                desk.note("alice", 1, &format!("{n}.{k}")).unwrap();
            }
            writing.fetch_sub(1, Ordering::SeqCst);
            return seen;
        }
        loop {
            let is_last = writing.load(Ordering::SeqCst) == 0;
            let notes = desk.notes(taken, 7).unwrap();
            match notes.last() {
                Some(last) => taken = last.id,
                None if is_last => return seen,
                None => {}
            }
            seen.extend(notes.into_iter().map(|note| note.what));
        }
    });
    assert_eq!(seen[0].len(), NOTES * (THREADS - 1));
}

/// Who reads while the rules are handed over anew sees one whole set, never a piece and never none.
pub(crate) fn whoever_reads_sees_one_whole_set(open: Open<'_>) {
    use super::rules::{query, rule};
    const SETS: u64 = 15;
    let fill = |desk: &mut dyn Desk, round: u64| {
        let set = desk.begin_rules(MX, 1).unwrap();
        for n in 0..3 {
            let rows = [rule(&format!("{n}.example"), &format!("level{round}"))];
            desk.add_rules(set, &rows).unwrap();
        }
        let mark = format!("{round}.");
        desk.show_rules(MX, set, &mark, 2).unwrap();
    };
    fill(&mut *open(), 0);
    at_once(open, |n, desk| {
        if n == 0 {
            (1..=SETS).for_each(|round| fill(desk, round));
            return;
        }
        loop {
            let page = desk.rule_page(MX, &query()).unwrap().unwrap();
            let level = format!("level{}", page.revision().unwrap());
            assert_eq!(page.rules.len(), 3);
            assert!(
                page.rules.iter().all(|rule| rule.policy == level),
                "{page:?}"
            );
            if page.revision() == Some(SETS as i64) {
                return;
            }
        }
    });
}
