//! What DNS says to a host made of text.
//!
//! `dns a HOST [at OWNER] ADDRESS…`, `dns mx DOMAIN HOST…`
//! (`even`: of one preference), `dns tlsa HOST PORT WHAT…`; `insecure` anywhere
//! in the line means that DNSSEC does not vouch for it, `failed` that nothing was told. WHAT is the
//! name of a certificate (`3 1 1` of its key), `wrong`, `unusable`, or whole fields joined by `-`.

use super::{Host, pem};
use mailtls::tlsa::TlsaRecord;
use postseal_planner::dns::{Answer, Exchanger, Question, Records, Security, Ttl};

pub(crate) fn said(host: &mut Host, line: &str) {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let mut flag = |flag: &str| {
        let before = words.len();
        words.retain(|word| *word != flag);
        before > words.len()
    };
    let (insecure, failed) = (flag("insecure"), flag("failed"));
    let [kind, name, rest @ ..] = words.as_slice() else {
        panic!("dns KIND NAME …: {line}");
    };
    let name = (*name).to_owned();
    let mut owner = name.clone();
    let (question, records) = match (*kind, rest) {
        ("a", ["at", target, addresses @ ..]) => {
            owner = (*target).to_owned();
            (Question::Addresses(name), addressed(addresses))
        }
        ("a", addresses) => (Question::Addresses(name), addressed(addresses)),
        ("mx" | "even", hosts) => {
            let step = u16::from(*kind == "mx");
            // `none` is a null MX.
            let exchanger = |(preference, host): (u16, &&str)| Exchanger {
                preference: preference * step,
                host: host.replace("none", ""),
            };
            let hosts = (0..).zip(hosts).map(exchanger);
            (Question::Mx(name), Records::Mx(hosts.collect()))
        }
        ("tlsa", [port, records @ ..]) => {
            let port = port.parse().expect("a port");
            let records = records.iter().map(|word| record(word)).collect();
            (Question::Tlsa { base: name, port }, Records::Tlsa(records))
        }
        _ => panic!("no such line of DNS: {line}"),
    };
    let answer = Answer {
        records,
        owner,
        security: match insecure {
            true => Security::Insecure,
            false => Security::Secure,
        },
        ttl: Some(Ttl {
            seconds: 3600,
            of_zone: true,
        }),
    };
    let answered = match failed {
        true => Err("the resolver 127.0.0.1:53: no answer in time".to_owned()),
        false => Ok(answer),
    };
    host.facts.dns.insert(question, answered);
}

fn addressed(words: &[&str]) -> Records {
    let parse = |word: &&str| word.parse().expect("an address");
    Records::Addresses(words.iter().map(parse).collect())
}

fn record(word: &str) -> TlsaRecord {
    match word {
        "wrong" => format!("3 1 1 {}", "ab".repeat(32))
            .parse()
            .expect("a record"),
        "unusable" => format!("1 1 1 {}", "ab".repeat(32))
            .parse()
            .expect("a record"),
        fields if fields.contains('-') => fields.replace('-', " ").parse().expect("a record"),
        name => {
            let chain = mailtls::pem_certificates(&pem(name)).expect("a test certificate");
            TlsaRecord::for_certificate(&chain[0])
        }
    }
}
