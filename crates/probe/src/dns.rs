//! Questions to a resolver: which records there are, and whether DNSSEC vouches for them.
//!
//! Owns: which resolver is asked and whether its word on DNSSEC (AD) counts, a bounded number of
//! questions at once, one deadline for all. Never: validates a signature itself, judges an answer.
//!
//! `resolvers` reads who is to be asked; `exchange` holds the bytes on the wire; `reading` makes an
//! answer of a message.

mod exchange;
mod reading;
mod resolvers;

pub use resolvers::{Named, NoResolver, Resolver, resolvers};

use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::{Name, RecordType};
use postseal_planner::dns::{Answer, Answered, Question, Records, Security};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Questions under way at the same time: a few, and more where there are many, so that one that
/// is not answered holds up none of the others.
const PARALLEL: usize = 8;
const PARALLEL_OF_MANY: usize = 32;
const MANY: usize = 64;
/// The longest wait for one answer of one resolver.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Asks every question, each of one resolver after the other until one answers, all within
/// `deadline`. Answers come in the questions' order.
pub fn ask(
    resolvers: &[Resolver],
    questions: &[Question],
    deadline: Duration,
) -> Vec<(Question, Answered)> {
    let until = Instant::now() + deadline;
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(questions.len()));
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(question) = questions.get(place) else {
                return;
            };
            let answered = answer(resolvers, question, until);
            let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
            done.push((place, answered));
        }
    };
    let parallel = match questions.len() {
        MANY.. => PARALLEL_OF_MANY,
        few => PARALLEL.min(few),
    };
    thread::scope(|scope| {
        for _ in 1..parallel {
            // Where no thread is to be had, those that run do the work; this one always does.
            let _ = thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    let answers = done.into_iter().map(|(_, answered)| answered);
    questions.iter().cloned().zip(answers).collect()
}

fn answer(resolvers: &[Resolver], question: &Question, until: Instant) -> Answered {
    let one = |kind| record(resolvers, question, kind, until);
    match question {
        Question::Mx(_) => one(RecordType::MX),
        Question::Tlsa { .. } => one(RecordType::TLSA),
        Question::Txt(_) => one(RecordType::TXT),
        Question::Addresses(_) => both(one(RecordType::A), one(RecordType::AAAA)),
    }
}

/// Both families: an answer where there is one, as secure as the less secure.
fn both(v4: Answered, v6: Answered) -> Answered {
    let (v4, v6) = match (v4, v6) {
        (Ok(v4), Ok(v6)) => (v4, v6),
        (Ok(one), Err(_)) | (Err(_), Ok(one)) => {
            return Ok(Answer {
                security: Security::Insecure,
                ..one
            });
        }
        (Err(why), Err(_)) => return Err(why),
    };
    let of = |answer: &Answer| match &answer.records {
        Records::Addresses(addresses) => addresses.clone(),
        Records::Mx(_) | Records::Tlsa(_) | Records::Txt(_) => Vec::new(),
    };
    Ok(Answer {
        records: Records::Addresses([of(&v4), of(&v6)].concat()),
        security: match v4.owner == v6.owner {
            true => least(&v4, &v6),
            false => Security::Insecure,
        },
        ttl: v4.ttl.into_iter().chain(v6.ttl).min(),
        owner: v4.owner,
    })
}

/// Insecure where either is.
fn least(v4: &Answer, v6: &Answer) -> Security {
    match (v4.security, v6.security) {
        (Security::Secure, Security::Secure) => Security::Secure,
        _ => Security::Insecure,
    }
}

fn record(
    resolvers: &[Resolver],
    question: &Question,
    kind: RecordType,
    until: Instant,
) -> Answered {
    let name = question.name();
    let fqdn = Name::from_ascii(format!("{name}."))
        .map_err(|error| format!("{name:?} is no name for DNS: {error}"))?;
    if fqdn.is_root() {
        return Err("no name is given".to_owned());
    }
    let message = message(&fqdn, kind);
    let mut last = "no resolver is known".to_owned();
    for resolver in resolvers {
        let now = Instant::now();
        if now >= until {
            return Err(format!("no answer in time; {last}"));
        }
        let asked = exchange::exchange(resolver.address, &message, until.min(now + PATIENCE));
        let read = asked.and_then(|answer| reading::read(&answer, &fqdn, kind, resolver.trust));
        match read {
            Ok(answer) => return Ok(answer),
            Err(why) => last = format!("the resolver {}: {why}", resolver.address),
        }
    }
    Err(last)
}

/// A question with DO and AD set: tell whether DNSSEC vouches for it (RFC 6840 §5.7).
fn message(name: &Name, kind: RecordType) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.metadata.authentic_data = true;
    let mut edns = Edns::new();
    edns.set_max_payload(exchange::PAYLOAD);
    edns.set_dnssec_ok(true);
    message.set_edns(edns);
    message.add_query(Query::query(name.clone(), kind));
    message
}
