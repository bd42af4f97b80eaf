//! Questions to DNS: on a real validating resolver, and on scripted ones that are wrong in every
//! way. Needs Knot DNS and Unbound.

#![allow(clippy::unwrap_used, reason = "a test")]

use mailtls::tlsa::TlsaRecord;
use postseal_planner::dns::{Answer, Answered, Question, Records, Security, Ttl};
use postseal_probe::dns::{Named, ask, resolvers};
use postseal_testkit::dns_script::{
    ANSWER, CUT, DnsScript, VOUCHED, name, question, record, reply,
};
use postseal_testkit::resolver::Resolver;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(3);
const A: u16 = 1;
const CNAME: u16 = 5;
const TLSA: u16 = 52;

fn tlsa(base: &str) -> Question {
    Question::Tlsa {
        base: base.to_owned(),
        port: 25,
    }
}

fn addresses(host: &str) -> Question {
    Question::Addresses(host.to_owned())
}

/// Asks one question of a resolver that is named to Postseal.
fn asked(server: SocketAddr, question: &Question) -> Answered {
    let resolvers = resolvers(Named::At(server), b"");
    let mut answers = ask(&resolvers, std::slice::from_ref(question), PATIENCE);
    let (echoed, answered) = answers.remove(0);
    assert_eq!(echoed, *question);
    answered
}

fn records(answer: &Answer) -> Vec<String> {
    match &answer.records {
        Records::Mx(hosts) => hosts.iter().map(|mx| mx.host.clone()).collect(),
        Records::Addresses(addresses) => addresses.iter().map(IpAddr::to_string).collect(),
        Records::Tlsa(records) => records.iter().map(TlsaRecord::to_string).collect(),
        Records::Txt(texts) => texts
            .iter()
            .map(|text| String::from_utf8_lossy(text).into_owned())
            .collect(),
    }
}

#[test]
fn a_validating_resolver_tells_what_is_there_what_is_not_and_what_dnssec_vouches_for() {
    let data = "0123456789abcdef".repeat(4);
    let resolver = Resolver::start(&format!(
        "@ MX 20 back\n@ MX 10 mx\nmx A 192.0.2.25\nmx AAAA 2001:db8::25\nback A 192.0.2.26\n\
         _25._tcp.mx TLSA 3 1 1 {data}\nalias CNAME mx\n_25._tcp.back CNAME _25._tcp.mx\n\
         out CNAME mx.plain.test.\nnull MX 0 .\nxn--bcher-kva A 192.0.2.27"
    ))
    .unwrap();
    let at = resolver.address();
    let line = format!("3 1 1 {data}");
    for (zone, security) in [
        ("signed.test", Security::Secure),
        ("plain.test", Security::Insecure),
    ] {
        let is = |question: Question, wanted: &[&str], owner: &str| {
            let answer = asked(at, &question).unwrap();
            assert_eq!(records(&answer), wanted, "{question:?}");
            assert_eq!(answer.security, security, "{question:?}");
            assert_eq!(answer.owner, owner);
        };
        let mx = format!("mx.{zone}");
        let hosts = [mx.as_str(), &format!("back.{zone}")];
        is(Question::Mx(zone.to_owned()), &hosts, zone);
        is(addresses(&mx), &["192.0.2.25", "2001:db8::25"], &mx);
        is(
            addresses(&format!("alias.{zone}")),
            &["192.0.2.25", "2001:db8::25"],
            &mx,
        );
        let owner = format!("_25._tcp.{mx}");
        is(tlsa(&mx), &[&line], &owner);
        is(tlsa(&format!("back.{zone}")), &[&line], &owner);
        is(
            tlsa(&format!("nobody.{zone}")),
            &[],
            &format!("_25._tcp.nobody.{zone}"),
        );
        is(
            Question::Mx(format!("null.{zone}")),
            &[""],
            &format!("null.{zone}"),
        );
        let label = format!("xn--bcher-kva.{zone}");
        is(addresses(&label), &["192.0.2.27"], &label);
    }
    // Nothing is left of it in this resolver's cache; its signature says what the zone has.
    let ttl = asked(at, &tlsa("mx.signed.test")).unwrap().ttl;
    let of_zone = Ttl {
        seconds: 1,
        of_zone: true,
    };
    assert_eq!(ttl, Some(of_zone));
    let out = asked(at, &addresses("out.signed.test")).unwrap();
    assert_eq!(out.owner, "mx.plain.test");
    assert_eq!(
        out.security,
        Security::Insecure,
        "an alias that leads out of the signed zone"
    );

    // The same data from a server that does not validate.
    let plain = asked(resolver.authority(), &tlsa("mx.signed.test")).unwrap();
    assert_eq!(records(&plain), [line]);
    assert_eq!(plain.security, Security::Insecure);
}

#[test]
fn an_ad_bit_counts_from_resolvers_that_may_be_trusted() {
    let script = DnsScript::start(
        |request| {
            vec![reply(
                request,
                VOUCHED,
                &[record("mx.a.test", A, &[192, 0, 2, 1])],
            )]
        },
        |_| Vec::new(),
    )
    .unwrap();
    assert_eq!(
        asked(script.address(), &Question::Mx("mx.a.test".to_owned()))
            .unwrap()
            .security,
        Security::Secure
    );
    let trusts = |conf: &str| {
        let resolvers = resolvers(Named::System, conf.as_bytes());
        let shown: Vec<String> = resolvers.iter().map(|one| format!("{one:?}")).collect();
        shown.iter().all(|one| one.contains("Counts"))
    };
    assert!(trusts("nameserver 127.0.0.53\n"));
    assert!(trusts("nameserver ::1\n"));
    assert!(trusts("nameserver 192.0.2.53\noptions edns0 trust-ad\n"));
    assert!(trusts("# nothing: the machine asks itself\n"));
    assert!(!trusts("nameserver 192.0.2.53\noptions edns0\n"));
    assert!(!trusts("nameserver 192.0.2.53\n; options trust-ad\n"));
}

#[test]
fn resolvers_are_read_as_people_write_them() {
    let named = |text: &str| text.parse::<Named>();
    let at = |text: &str| Named::At(text.parse().unwrap());
    assert_eq!(named("127.0.0.1"), Ok(at("127.0.0.1:53")));
    assert_eq!(named("127.0.0.1:5353"), Ok(at("127.0.0.1:5353")));
    assert_eq!(named("::1"), Ok(at("[::1]:53")));
    assert_eq!(named("[::1]"), Ok(at("[::1]:53")));
    assert_eq!(named("[::1]:54"), Ok(at("[::1]:54")));
    assert_eq!(named("system"), Ok(Named::System));
    assert_eq!(named("none"), Ok(Named::Nobody));
    for bad in [
        "",
        "dns.example.org",
        "127.0.0.1:",
        "127.0.0.1:99999",
        "1.2.3",
        "none ",
    ] {
        assert!(named(bad).is_err(), "{bad}");
    }
    assert!(resolvers(Named::Nobody, b"nameserver 127.0.0.1").is_empty());
    let system = |conf: &[u8]| -> Vec<String> {
        let found = resolvers(Named::System, conf);
        found.iter().map(|one| one.address.to_string()).collect()
    };
    let conf = b"search x\n  nameserver 192.0.2.1 \nnameserver nonsense\nnameserver\nnameserver fe80::1%2\n\
        nameserver 192.0.2.2\nnameserver 192.0.2.3\n\xff\xfe\n";
    assert_eq!(
        system(conf),
        ["192.0.2.1:53", "[fe80::1%2]:53", "192.0.2.2:53"]
    );
    assert_eq!(system(b""), ["127.0.0.1:53"]);
}

#[test]
fn what_did_not_fit_is_asked_again_over_tcp() {
    let many: Vec<Vec<u8>> = (0..200)
        .map(|n| {
            record(
                "_25._tcp.mx.a.test",
                TLSA,
                &[&[3, 1, 1][..], &[n; 32]].concat(),
            )
        })
        .collect();
    let script = DnsScript::start(
        |request| vec![reply(request, CUT, &[])],
        move |request| vec![reply(request, VOUCHED, &many)],
    )
    .unwrap();
    let answer = asked(script.address(), &tlsa("mx.a.test")).unwrap();
    assert_eq!(records(&answer).len(), 200);
    let left = Ttl {
        seconds: 300,
        of_zone: false,
    };
    assert_eq!(
        (answer.security, answer.ttl),
        (Security::Secure, Some(left))
    );
    assert_eq!(script.asked(), 2);
}

#[test]
fn answers_to_other_questions_are_not_taken() {
    let right = |request: &[u8]| reply(request, ANSWER, &[record("mx.a.test", A, &[192, 0, 2, 1])]);
    // The right one comes after those of strangers.
    let script = DnsScript::start(
        move |request| {
            let forged = record("mx.a.test", A, &[203, 0, 113, 66]);
            let mut wrong_id = reply(request, VOUCHED, std::slice::from_ref(&forged));
            wrong_id[0] ^= 0x55;
            let mut other_name = reply(request, VOUCHED, std::slice::from_ref(&forged));
            other_name[13] ^= 0x01;
            let not_an_answer = reply(request, 0x0100, &[forged]);
            let short = vec![request[0], request[1], 0x81];
            vec![
                wrong_id,
                other_name,
                not_an_answer,
                short,
                Vec::new(),
                right(request),
            ]
        },
        |_| Vec::new(),
    )
    .unwrap();
    let answer = asked(
        script.address(),
        &Question::Addresses("mx.a.test".to_owned()),
    )
    .unwrap();
    assert!(
        !records(&answer).contains(&"203.0.113.66".to_owned()),
        "{answer:?}"
    );
    assert!(
        records(&answer).contains(&"192.0.2.1".to_owned()),
        "{answer:?}"
    );
}

#[test]
fn records_of_other_names_are_not_taken() {
    let script = DnsScript::start(
        |request| {
            let stranger = record("mx.b.test", A, &[203, 0, 113, 66]);
            let alias = record("mx.a.test", CNAME, &name("Mail.A.test"));
            let own = record("mail.a.test", A, &[192, 0, 2, 1]);
            vec![reply(request, VOUCHED, &[stranger, own, alias])]
        },
        |_| Vec::new(),
    )
    .unwrap();
    let answer = asked(script.address(), &addresses("mx.a.test")).unwrap();
    assert_eq!(records(&answer)[0], "192.0.2.1");
    assert!(
        !format!("{answer:?}").contains("203.0.113.66"),
        "{answer:?}"
    );
    assert_eq!(answer.owner, "mail.a.test");
}

/// Every way of not answering is told with its reason, and soon.
#[test]
fn servers_that_are_wrong_or_silent_give_no_answer_and_do_not_hold_anybody_up() {
    type Script = fn(&[u8]) -> Vec<Vec<u8>>;
    let silent: Script = |_| Vec::new();
    let garbage: Script = |_| vec![vec![0xff; 500]];
    let echo: Script = |request| vec![request.to_vec()];
    let servfail: Script = |request| vec![reply(request, ANSWER | 2, &[])];
    let refused: Script = |request| vec![reply(request, ANSWER | 5, &[])];
    let cut: Script = |request| vec![reply(request, CUT, &[])];
    let loops: Script = |request| {
        let round = record("_25._tcp.mx.a.test", CNAME, &name("_25._tcp.mx.b.test"));
        let back = record("_25._tcp.mx.b.test", CNAME, &name("_25._tcp.mx.a.test"));
        vec![reply(request, ANSWER, &[round, back])]
    };
    let flood: Script = |request| {
        let mut wrong = reply(request, ANSWER, &[]);
        wrong[0] ^= 0x55;
        vec![wrong; 100]
    };
    let lies_about_counts: Script = |request| {
        let mut message = reply(request, ANSWER, &[]);
        message[7] = 0xff;
        vec![message]
    };
    let points_at_itself: Script = |request| {
        let mut message = reply(request, ANSWER, &[]);
        message[7] = 1;
        let at = u16::try_from(12 + question(request).len()).unwrap() | 0xc000;
        message.extend(at.to_be_bytes());
        message.extend([0, 52, 0, 1, 0, 0, 0, 1, 0, 0]);
        vec![message]
    };
    let cases: [(&str, Script, Script, &str); 10] = [
        ("silent", silent, silent, "no answer in time"),
        ("garbage", garbage, silent, "no answer in time"),
        ("echo", echo, silent, "no answer in time"),
        ("servfail", servfail, silent, "SERVFAIL"),
        ("refused", refused, silent, "refused"),
        ("cut, and TCP closes", cut, silent, "over TCP"),
        ("cut, and TCP cuts too", cut, cut, "another question"),
        ("aliases in a ring", loops, silent, "without an end"),
        ("a flood of wrong ones", flood, silent, "other questions"),
        (
            "counts that lie",
            lies_about_counts,
            silent,
            "no answer in time",
        ),
    ];
    for (what, udp, tcp, why) in cases {
        let script = DnsScript::start(udp, tcp).unwrap();
        let said = asked(script.address(), &tlsa("mx.a.test")).unwrap_err();
        assert!(said.contains(why), "{what}: {said}");
        assert!(
            said.contains(&script.address().to_string()),
            "{what}: {said}"
        );
    }
    let script = DnsScript::start(points_at_itself, silent).unwrap();
    assert!(asked(script.address(), &tlsa("mx.a.test")).is_err());
    let nobody: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let said = asked(nobody, &tlsa("mx.a.test")).unwrap_err();
    assert!(said.contains("nobody answers there"), "{said}");
}

#[test]
fn the_second_resolver_is_asked_when_the_first_fails_and_many_questions_share_one_deadline() {
    let fails = DnsScript::start(
        |request| vec![reply(request, ANSWER | 2, &[])],
        |_| Vec::new(),
    );
    let works = DnsScript::start(|request| vec![reply(request, ANSWER, &[])], |_| Vec::new());
    let (fails, works) = (fails.unwrap(), works.unwrap());
    let both = [fails.address(), works.address()].map(|at| resolvers(Named::At(at), b"").remove(0));
    let questions: Vec<Question> = (0..30).map(|n| tlsa(&format!("mx{n}.a.test"))).collect();
    let answers = ask(&both, &questions, PATIENCE);
    assert_eq!(answers.len(), 30);
    for ((question, answered), wanted) in answers.iter().zip(&questions) {
        assert_eq!(question, wanted);
        assert!(
            answered
                .as_ref()
                .is_ok_and(|answer| records(answer).is_empty())
        );
    }
    let silent = DnsScript::start(|_| Vec::new(), |_| Vec::new()).unwrap();
    let dead = resolvers(Named::At(silent.address()), b"");
    let answers = ask(&dead, &questions, Duration::from_millis(800));
    assert!(answers.iter().all(|(_, answered)| answered.is_err()));
    // Eight at a time, each sent twice: those after the deadline were not sent at all.
    assert!(silent.asked() <= 16, "{}", silent.asked());
}

#[test]
fn who_is_slow_is_asked_again_and_waited_for() {
    // What is asked at first, and once more, is lost.
    let asked = AtomicUsize::new(0);
    let slow = DnsScript::start(
        move |request| match asked.fetch_add(1, Ordering::Relaxed) {
            0 | 1 => Vec::new(),
            _ => vec![reply(request, ANSWER, &[])],
        },
        |_| Vec::new(),
    )
    .unwrap();
    let resolvers = resolvers(Named::At(slow.address()), b"");
    let answers = ask(&resolvers, &[tlsa("mx.a.test")], Duration::from_secs(30));
    assert!(answers[0].1.is_ok(), "{answers:?}");
}

#[test]
fn a_ring_of_aliases_is_told_where_the_resolver_only_fails() {
    let ring = DnsScript::start(
        |request| match question(request) {
            [.., 0, 5, 0, 1] => {
                let round = record("mx.a.test", CNAME, &name("mx.b.test"));
                let back = record("mx.b.test", CNAME, &name("mx.a.test"));
                vec![reply(request, ANSWER, &[round, back])]
            }
            _ => vec![reply(request, ANSWER | 2, &[])],
        },
        |_| Vec::new(),
    )
    .unwrap();
    for question in [addresses("mx.a.test"), Question::Mx("mx.b.test".to_owned())] {
        let said = asked(ring.address(), &question).unwrap_err();
        assert!(said.contains("loop of CNAME"), "{said}");
    }
    let said = asked(ring.address(), &addresses("mx.c.test")).unwrap_err();
    assert!(said.contains("SERVFAIL"), "{said}");
}

#[test]
fn a_name_that_is_none_is_not_asked_for() {
    let script = DnsScript::start(|_| Vec::new(), |_| Vec::new()).unwrap();
    let long = format!("{}.test", "a".repeat(64));
    assert!(asked(script.address(), &addresses(&long)).is_err());
    assert_eq!(script.asked(), 0);
}
