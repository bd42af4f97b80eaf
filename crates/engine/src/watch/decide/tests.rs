//! What each sequence of looks leads to.

use super::*;
use postseal_planner::Severity;

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn finding(code: &'static str) -> Finding {
    Finding::new(code, Severity::Error, "wrong", "mend it")
}

/// `new:a`, `done:a` or `bad:code`.
fn seen(word: &str) -> Seen {
    let (kind, what) = word.split_once(':').unwrap();
    let usable = |known| Seen::Usable {
        files: Digest::of(what.as_bytes()),
        leaf: Fingerprint::of(what.as_bytes()),
        known,
    };
    match kind {
        "new" => usable(Known::New),
        "done" => usable(Known::Done),
        _ => Seen::Unusable(match what {
            "gone" => finding("cert.missing"),
            _ => finding("cert.key-mismatch"),
        }),
    }
}

fn word(decision: &Decision) -> String {
    match decision {
        Decision::Nothing => "nothing".to_owned(),
        Decision::Wait => "wait".to_owned(),
        Decision::Take => "take".to_owned(),
        Decision::Complain(finding) => format!("complain {}", finding.code),
        Decision::Relieve => "relieve".to_owned(),
    }
}

/// Lines of `SECOND LOOK -> DECISION, next SECOND`; a take that is followed by `fails` or `works`.
fn story(lines: &str) {
    let mut memory = Memory::default();
    for line in lines.trim().lines() {
        let (what, expected) = line.trim().split_once(" -> ").unwrap();
        let (second, look) = what.split_once(' ').unwrap();
        let now = at(second.parse().unwrap());
        let decision = memory.decide(seen(look), now);
        let mut told = word(&decision);
        if expected.contains("fails") {
            told.push_str(match memory.failed("wire.wrong-certificate", now) {
                News::New => ", fails",
                News::Old => ", fails silently",
            });
        } else if expected.contains("works") {
            memory.taken();
            told.push_str(", works");
        }
        told.push_str(&format!(", next {}", memory.next().as_secs()));
        assert_eq!(told, expected, "{line}");
    }
}

#[test]
fn what_is_there_already_is_left_alone_and_looked_at_once_a_minute() {
    story(
        "0 done:a -> nothing, next 60
         60 done:a -> nothing, next 120",
    );
}

#[test]
fn what_is_new_is_taken_when_it_has_settled() {
    story(
        "0 done:a -> nothing, next 60
         9 new:b -> wait, next 11
         10 new:c -> wait, next 12
         11 new:c -> wait, next 12
         12 new:c -> take, works, next 72
         72 done:c -> nothing, next 132",
    );
}

#[test]
fn half_written_files_are_waited_out() {
    story(
        "0 done:a -> nothing, next 60
         5 bad:key -> wait, next 35
         7 bad:gone -> wait, next 36
         8 new:b -> wait, next 10
         10 new:b -> take, works, next 70",
    );
}

#[test]
fn what_stays_bad_is_told_once_and_its_end_too() {
    story(
        "0 bad:key -> wait, next 30
         119 bad:key -> wait, next 121
         120 bad:key -> complain cert.key-mismatch, next 180
         180 bad:key -> nothing, next 240
         240 bad:gone -> complain cert.missing, next 300
         300 done:a -> relieve, next 360
         360 bad:key -> wait, next 390
         480 bad:key -> complain cert.key-mismatch, next 540
         540 new:b -> wait, next 542
         542 new:b -> take, works, next 602",
    );
}

#[test]
fn a_failure_is_tried_again_ever_more_rarely_and_at_once_when_the_files_change() {
    story(
        "0 new:b -> wait, next 2
         2 new:b -> take, fails, next 62
         30 new:b -> nothing, next 62
         62 new:b -> take, fails silently, next 182
         182 new:b -> take, fails silently, next 422
         200 new:b -> nothing, next 260
         210 new:c -> wait, next 212
         212 new:c -> take, fails silently, next 272
         272 new:c -> take, works, next 332",
    );
}

#[test]
fn the_pause_after_failures_has_an_end() {
    let mut memory = Memory::default();
    let mut now = at(0);
    assert_eq!(memory.decide(seen("new:a"), now), Decision::Wait);
    for _ in 0..100 {
        now = memory.next();
        while memory.decide(seen("new:a"), now) != Decision::Take {
            now = memory.next();
        }
        memory.failed("store.failed", now);
        let pause = memory.next() - now;
        assert!((RETRY..=LONGEST_RETRY).contains(&pause), "{pause:?}");
    }
}

#[test]
fn only_what_a_moment_will_show_is_settling() {
    let mut memory = Memory::default();
    assert!(!memory.is_settling());
    memory.decide(seen("new:a"), at(0));
    assert!(memory.is_settling());
    memory.decide(seen("new:a"), at(2));
    memory.failed("store.failed", at(2));
    assert!(!memory.is_settling());
    memory.decide(seen("bad:key"), at(3));
    assert!(memory.is_settling());
    memory.decide(seen("done:a"), at(4));
    assert!(!memory.is_settling());
}
