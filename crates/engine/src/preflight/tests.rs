//! What a preflight asks and looks at, on a false host with a wire that counts.

#![allow(clippy::unwrap_used, reason = "a test")]

use super::*;
use crate::SystemClock;
use crate::observe::observe_unadopted;
use mailtls::policy::Dialect;
use postseal_planner::dns::{Answer, Answered, Exchanger, Records, Security};
use postseal_planner::report::{Outcome, Report, Stage, StageName, StageOutcome};
use postseal_testkit::fake_host::FakeHost;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;

const MAIN: &[u8] = b"myhostname = out.example\nsmtp_dns_support_level = dnssec\nrelayhost = [relay.example]:2525\n";
const MASTER: &[u8] = b"smtp unix - - n - - smtp\nstore unix - - n - - lmtp\n";

/// A wire where every domain has one exchanger, and every server no TLS.
#[derive(Default)]
struct Counting {
    asked: Mutex<BTreeMap<Question, usize>>,
    looked: Mutex<Vec<Target>>,
    deaf: bool,
    for_afar: bool,
}

impl Wire for Counting {
    fn probe(&self, targets: &[Target], _: Duration) -> Vec<Report> {
        self.looked.lock().unwrap().extend(targets.iter().cloned());
        targets.iter().map(without_tls).collect()
    }

    fn is_for_afar(&self) -> bool {
        self.for_afar
    }

    fn ask(&self, questions: &[Question], _: &[u8], _: Duration) -> Vec<(Question, Answered)> {
        if self.deaf {
            return Vec::new();
        }
        let mut asked = self.asked.lock().unwrap();
        for question in questions {
            *asked.entry(question.clone()).or_default() += 1;
        }
        questions
            .iter()
            .map(|question| (question.clone(), Ok(answer(question))))
            .collect()
    }
}

fn answer(question: &Question) -> Answer {
    let records = match question {
        Question::Mx(_) => Records::Mx(vec![Exchanger {
            preference: 10,
            host: "mx.shared.example".to_owned(),
        }]),
        Question::Txt(_) => Records::Txt(Vec::new()),
        Question::Addresses(_) => Records::Addresses(vec![IpAddr::from([192, 0, 2, 1])]),
        Question::Tlsa { .. } => {
            Records::Tlsa(vec![format!("3 1 1 {}", "ab".repeat(32)).parse().unwrap()])
        }
    };
    Answer {
        records,
        owner: question.name(),
        security: Security::Secure,
        ttl: None,
    }
}

fn without_tls(target: &Target) -> Report {
    Report {
        stages: vec![Stage {
            name: StageName::StartTls,
            outcome: StageOutcome::Refused("STARTTLS is not offered".to_owned()),
            micros: 1,
        }],
        ..Report::unseen(target.service.clone(), target.address)
    }
}

fn to(nexthop: &str, transport: &str) -> HopPolicy {
    let dialect = Dialect { major: 3, minor: 7 };
    HopPolicy {
        nexthop: nexthop.to_owned(),
        transport: transport.to_owned(),
        policy: Policy::parse("encrypt", dialect).unwrap(),
    }
}

fn run(wire: &Counting, hops: &[HopPolicy]) -> Result<Vec<Preflight>, NoNextHop> {
    let host = FakeHost::new(MAIN, MASTER);
    let facts = observe_unadopted(&host).unwrap();
    let world = World {
        facts: &facts,
        host: &host,
        wire,
        clock: &SystemClock::default(),
    };
    preflight(world, hops, PreflightOptions::default(), &|_| {})
}

#[test]
fn for_somebody_elsewhere_only_ports_of_mail_and_those_of_routes_are_looked_at() {
    let hops = [
        "[inner.example]:6379",
        "[relay.example]:2526",
        "[relay.example]:2525",
        "[inner.example]:587",
    ];
    let hops = hops.map(|hop| to(hop, "smtp"));
    let looked = |wire: &Counting| {
        let looked = wire.looked.lock().unwrap();
        let mut ports: Vec<u16> = looked.iter().map(|one| one.address.port()).collect();
        ports.sort_unstable();
        // With a server name and without.
        ports.dedup();
        ports
    };
    let wire = Counting {
        for_afar: true,
        ..Counting::default()
    };
    let seen = run(&wire, &hops).unwrap();
    assert_eq!(looked(&wire), [587, 2525]);
    let outcomes: Vec<Outcome> = seen.iter().map(|one| one.outcome).collect();
    let (unknown, fail) = (Outcome::Undetermined, Outcome::Fail);
    assert_eq!(outcomes, [unknown, unknown, fail, fail]);
    let said = format!("{:?}", seen[0].findings);
    assert!(said.contains("from afar only the ports of mail"), "{said}");
    let here = Counting::default();
    run(&here, &hops).unwrap();
    assert_eq!(looked(&here), [587, 2525, 2526, 6379]);
}

#[test]
fn many_domains_with_one_exchanger_cost_one_look_and_each_question_is_asked_once() {
    let wire = Counting::default();
    let hops: Vec<HopPolicy> = (0..300)
        .map(|n| to(&format!("d{n}.example"), "smtp"))
        .collect();
    let seen = run(&wire, &hops).unwrap();
    assert_eq!(seen.len(), 300);
    for (one, hop) in seen.iter().zip(&hops) {
        assert_eq!((&one.nexthop, one.outcome), (&hop.nexthop, Outcome::Fail));
    }
    let asked = wire.asked.into_inner().unwrap();
    assert!(asked.values().all(|times| *times == 1));
    assert_eq!(asked.len(), 300 + 2, "exchangers, one host, its records");
    let looked = wire.looked.into_inner().unwrap();
    let names: Vec<Option<&str>> = looked.iter().map(|one| one.sni.as_deref()).collect();
    // As encrypt asks, and as DANE would.
    assert_eq!(names, [None, Some("mx.shared.example")]);
    assert!(looked.iter().all(|one| one.ehlo_name == "out.example"));
    assert!(looked.iter().all(|one| one.greeting == Greeting::Ehlo));
}

#[test]
fn lmtp_goes_to_the_host_itself_at_its_own_port_and_greets_in_its_own_way() {
    let wire = Counting::default();
    let seen = run(&wire, &[to("box.example", "store")]).unwrap();
    assert_eq!(seen[0].hosts[0].name, "box.example");
    let looked = wire.looked.into_inner().unwrap();
    assert_eq!(looked[0].address.to_string(), "192.0.2.1:24");
    assert_eq!(looked[0].greeting, Greeting::Lhlo);
}

#[test]
fn what_is_no_next_hop_stops_all_before_anything_is_asked() {
    let wire = Counting::default();
    let hops = [to("good.example", "smtp"), to("[bad", "smtp")];
    assert_eq!(run(&wire, &hops), Err(NoNextHop("[bad".to_owned())));
    assert!(wire.asked.into_inner().unwrap().is_empty());
    assert!(wire.looked.into_inner().unwrap().is_empty());
    assert_eq!(run(&Counting::default(), &[]), Ok(Vec::new()));
}

#[test]
fn without_dns_nothing_is_known_but_where_an_address_says_it_all() {
    let wire = Counting {
        deaf: true,
        ..Counting::default()
    };
    let seen = run(&wire, &[to("d.example", "smtp"), to("[192.0.2.7]", "smtp")]).unwrap();
    assert_eq!(seen[0].outcome, Outcome::Undetermined);
    assert_eq!(seen[1].outcome, Outcome::Fail);
    assert_eq!(wire.looked.into_inner().unwrap().len(), 1);
}
