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

use crate::parallel::{Job, together};
use exchange::Trouble;
use hickory_proto::op::{Edns, Message, Query};
use hickory_proto::rr::{Name, RecordType};
use postseal_planner::dns::{Answer, Answered, Question, Records, Security};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// Questions under way at the same time: a few, and more where there are many, so that one that
/// is not answered holds up none of the others.
const PARALLEL: usize = 8;
const PARALLEL_OF_MANY: usize = 32;
const MANY: usize = 64;
/// The longest wait for one answer of one resolver. Who did not answer is asked again after all others,
/// and waited for longer, as the system's own resolver does (resolv.conf(5), `timeout`).
const PATIENCE: [Duration; 3] = [
    Duration::from_millis(1500),
    Duration::from_secs(5),
    Duration::from_secs(10),
];

/// Asks every question, each of one resolver after the other until one answers, all within
/// `deadline`. Answers come in the questions' order.
pub fn ask(
    resolvers: &[Resolver],
    questions: &[Question],
    deadline: Duration,
) -> Vec<(Question, Answered)> {
    let until = Instant::now() + deadline;
    let mut said: Vec<Said> = vec![Said::unasked(); questions.len()];
    for patience in PATIENCE {
        let open = said.iter().enumerate();
        let open = open.filter(|(_, one)| one.more == More::Late);
        let open: Vec<usize> = open.map(|(place, _)| place).collect();
        if open.is_empty() || Instant::now() >= until {
            break;
        }
        let round = Round {
            resolvers,
            patience,
            until,
        };
        for (place, news) in round.ask(questions, &open) {
            if let Some(said) = said.get_mut(place) {
                said.take(news);
            }
        }
    }
    let answers = said.into_iter().map(|one| one.answered);
    questions.iter().cloned().zip(answers).collect()
}

/// What came of a question.
#[derive(Clone, Debug)]
struct Said {
    answered: Answered,
    more: More,
}

/// Whether asking again may tell more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    /// Somebody was silent.
    Late,
    /// No.
    Settled,
}

impl Said {
    fn unasked() -> Self {
        Self {
            answered: Err("no answer in time".to_owned()),
            more: More::Late,
        }
    }

    /// Of several tries; what is known is not forgotten.
    fn take(&mut self, news: Self) {
        self.more = news.more;
        if news.answered.is_ok() || self.answered.is_err() {
            self.answered = news.answered;
        }
    }
}

/// One try for the questions that are open.
struct Round<'a> {
    resolvers: &'a [Resolver],
    patience: Duration,
    until: Instant,
}

impl Round<'_> {
    fn ask(&self, questions: &[Question], open: &[usize]) -> Vec<(usize, Said)> {
        let job = |place: &usize| -> Option<Job<'_, (usize, Said)>> {
            let (place, question) = (*place, questions.get(*place)?);
            Some(Box::new(move || (place, self.answer(question))))
        };
        let parallel = match open.len() {
            MANY.. => PARALLEL_OF_MANY,
            _ => PARALLEL,
        };
        together(open.iter().filter_map(job).collect(), parallel)
    }

    fn answer(&self, question: &Question) -> Said {
        let one = |kind| self.record(&question.name(), kind);
        match question {
            Question::Mx(_) => one(RecordType::MX),
            Question::Tlsa { .. } => one(RecordType::TLSA),
            Question::Txt(_) => one(RecordType::TXT),
            Question::Addresses(_) => {
                let (v4, v6) = (one(RecordType::A), one(RecordType::AAAA));
                Said {
                    more: if v4.more == More::Late {
                        v4.more
                    } else {
                        v6.more
                    },
                    answered: both(v4.answered, v6.answered),
                }
            }
        }
    }

    fn record(&self, name: &str, kind: RecordType) -> Said {
        let failed = |why: String, more| Said {
            answered: Err(why),
            more,
        };
        let fqdn = match Name::from_ascii(format!("{name}.")) {
            Ok(fqdn) if fqdn.is_root() => {
                return failed("no name is given".to_owned(), More::Settled);
            }
            Ok(fqdn) => fqdn,
            Err(error) => {
                let why = format!("{name:?} is no name for DNS: {error}");
                return failed(why, More::Settled);
            }
        };
        let mut last = "no resolver is known".to_owned();
        let mut more = More::Settled;
        for resolver in self.resolvers {
            match self.one(resolver, &fqdn, kind) {
                Ok(answer) => {
                    return Said {
                        answered: Ok(answer),
                        more: More::Settled,
                    };
                }
                Err(trouble) => {
                    last = format!("the resolver {}: {}", resolver.address, trouble.words());
                    if trouble.is_silence() {
                        more = More::Late;
                    }
                }
            }
        }
        failed(last, more)
    }

    /// What one resolver says. One that fails for an alias without an end does not say so: it tells where
    /// each of the aliases leads.
    fn one(&self, resolver: &Resolver, name: &Name, kind: RecordType) -> Result<Answer, Trouble> {
        let answer = self.exchange(resolver, name, kind)?;
        let read = reading::read(&answer, name, kind, resolver.trust);
        match reading::is_failure(&answer) {
            true if self.is_ring(resolver, name) => Err(Trouble::Other(reading::endless(name))),
            _ => read.map_err(Trouble::Other),
        }
    }

    fn is_ring(&self, resolver: &Resolver, name: &Name) -> bool {
        let mut seen = vec![name.clone()];
        for _ in 0..reading::MOST_ALIASES {
            let at = seen.last().unwrap_or(name).clone();
            let answer = self.exchange(resolver, &at, RecordType::CNAME);
            let Some(next) = answer.ok().and_then(|one| reading::alias(&one, &at)) else {
                return false;
            };
            if seen.contains(&next) {
                return true;
            }
            seen.push(next);
        }
        true
    }

    fn exchange(
        &self,
        resolver: &Resolver,
        name: &Name,
        kind: RecordType,
    ) -> Result<Message, Trouble> {
        let now = Instant::now();
        if now >= self.until {
            return Err(Trouble::Wire(ErrorKind::TimedOut.into()));
        }
        let until = self.until.min(now + self.patience);
        exchange::exchange(resolver.address, &message(name, kind), until)
    }
}

/// Both families: an answer where there is an address, as secure as the less secure.
fn both(v4: Answered, v6: Answered) -> Answered {
    let (v4, v6) = match (v4, v6) {
        (Ok(v4), Ok(v6)) => (v4, v6),
        (Ok(one), Err(why)) | (Err(why), Ok(one)) => {
            // That the other family has none says nothing of this one.
            let is_none = matches!(&one.records, Records::Addresses(all) if all.is_empty());
            return match is_none {
                true => Err(why),
                false => Ok(Answer {
                    security: Security::Insecure,
                    ..one
                }),
            };
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
        ttl: v4.ttl.max(v6.ttl),
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
