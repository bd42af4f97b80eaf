//! The planner's picture of trivial-rewrite(8) against the running daemon: generated addresses on
//! generated configurations, and each must go where Postfix itself sends it.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod configurations;

use configurations::{Configuration, addresses, senders};
use postseal_host::{HostOptions, PostfixHost};
use postseal_planner::resolve::{Answer, Answers, Asked, Envelope, Question, Resolution};
use postseal_planner::{Facts, resolve::resolve};
use postseal_testkit::dice::Dice;
use postseal_testkit::postfix_box::PostfixBox;
use postseal_testkit::trivial_rewrite::Resolved;
use std::process::Command;

/// Addresses a configuration.
const ADDRESSES: usize = 50;
/// Looks into tables that one address may take.
const MOST_LOOKS: usize = 200;

#[test]
fn half_of_five_hundred_addresses_go_where_postfix_sends_them() {
    check(0..6);
}

#[test]
fn the_other_half_of_five_hundred_goes_where_postfix_sends_it() {
    check(6..12);
}

/// Lists of tables in braces, and files of patterns.
#[test]
fn lists_are_split_as_postfix_splits_them() {
    let postfix = PostfixBox::builder()
        .set("default_transport", "smtp")
        .set(
            "transport_maps",
            "inline:{ {a.test = smtp:[a.out]}, b.test=smtp:[b.out]:26 } static:DUNNO",
        )
        .set(
            "relay_domains",
            "{base}/config/relayed, inline:{ {c.test = 1} e.test=2 } # d.test",
        )
        .build()
        .unwrap();
    let patterns =
        "# none.test\ninline:{ {f.test = 1}, g.test=2 } h.test # i.test\n  # j.test\nk.test\n";
    std::fs::write(postfix.config_directory().join("relayed"), patterns).unwrap();
    postfix.start().unwrap();
    let host = PostfixHost::new(HostOptions::new(postfix.config_directory())).unwrap();
    let facts = postseal_engine::observe_unadopted(&host).unwrap();
    for name in [
        "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "none",
    ] {
        let recipient = format!("somebody@{name}.test");
        let theirs = postfix.resolve("", &recipient).unwrap();
        let ours = ask(&facts, "", &recipient);
        assert!(same(&ours, &theirs), "{recipient}: {theirs:?}, {ours:?}");
    }
}

fn check(seeds: std::ops::Range<u64>) {
    let mut wrong = Vec::new();
    let mut by_class = std::collections::BTreeMap::new();
    for seed in seeds {
        let mut dice = Dice::new(seed);
        let configuration = Configuration::roll(&mut dice);
        let postfix = configuration.start();
        let options = HostOptions::new(postfix.config_directory());
        let host = PostfixHost::new(options).unwrap();
        let facts = postseal_engine::observe_unadopted(&host).unwrap();
        for _ in 0..ADDRESSES {
            let recipient = dice.pick(&addresses()).clone();
            let sender = *dice.pick(&senders());
            let theirs = postfix.resolve(sender, &recipient).unwrap();
            let ours = ask(&facts, sender, &recipient);
            *by_class.entry(format!("{:?}", ours.class)).or_insert(0) += 1;
            if !same(&ours, &theirs) {
                wrong.push(format!(
                    "seed {seed}: <{sender}> to <{recipient}>\n  postfix {theirs:?}\n  ours {ours:?}\n{}",
                    configuration.text()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong[0]);
    assert!(by_class.len() >= 4, "every class is met: {by_class:?}");
}

/// The answer, with every table really asked.
fn ask(facts: &Facts, sender: &str, recipient: &str) -> Resolution {
    let mut answers = Answers::default();
    for _ in 0..MOST_LOOKS {
        match resolve(facts, Envelope { sender, recipient }, &answers) {
            Asked::Answered(resolution) => return resolution,
            Asked::Unanswered(question) => {
                let answer = look(facts, &question);
                answers.put(question, answer);
            }
        }
    }
    panic!("<{recipient}>: more than {MOST_LOOKS} looks into tables");
}

fn look(facts: &Facts, question: &Question) -> Answer {
    match question {
        Question::File(path) => Answer::Found(std::fs::read_to_string(path).unwrap()),
        Question::Anchors(_) | Question::Ciphers(_) => panic!("of policies, not of ways"),
        Question::Lookup { table, key } => {
            let mut postmap = Command::new("/usr/sbin/postmap");
            postmap.arg("-c").arg(&facts.config_directory);
            let out = postmap.args(["-q", key, table]).output().unwrap();
            let value = String::from_utf8(out.stdout).unwrap();
            match (out.status.code(), value.strip_suffix('\n')) {
                (Some(0), value) => Answer::Found(value.unwrap_or_default().to_owned()),
                _ if out.stderr.is_empty() => Answer::NotFound,
                _ => Answer::Failed(String::from_utf8_lossy(&out.stderr).into_owned()),
            }
        }
    }
}

fn same(ours: &Resolution, theirs: &Resolved) -> bool {
    if ours.failed.is_some() || theirs.failed {
        return ours.failed.is_some() == theirs.failed;
    }
    theirs.class == Some(ours.class)
        && ours.transport == theirs.transport
        && ours.nexthop == theirs.nexthop
        && ours.recipient == theirs.recipient
}
