//! The policies of MTA-STS that domains announce (RFC 8461).
//!
//! Owns: asking for the records of all domains at once, and fetching what they lead to. Never: judges;
//! trusts a policy that it could not verify the server of.

use super::{Journey, ProbeOptions, Prober};
use crate::Wire;
use crate::dns::resolv_conf;
use crate::preflight::Trust;
use mailtls::Anchors;
use postseal_planner::dns::{Answers, Question, Records};
use postseal_planner::probed::{self, Fetched, ProbeTarget};
use postseal_probe::https::Get;
use std::collections::BTreeSet;

impl Prober<'_> {
    /// The policies of MTA-STS: the records of all domains at once, then what they lead to, a few at
    /// the same time.
    pub(super) fn fetch(
        &self,
        paths: &mut [Journey<'_>],
        answers: &mut Answers,
        options: &ProbeOptions,
    ) {
        const AT_ONCE: usize = 8;
        let clock = self.clock;
        let began = clock.monotonic();
        let targets: Vec<&ProbeTarget> = paths.iter().map(|path| path.target).collect();
        let records = targets.iter().filter_map(|one| probed::sts_record(one));
        self.ask(records.collect(), answers, options);
        let has: Vec<bool> = targets
            .iter()
            .map(|one| probed::has_sts(one, answers))
            .collect();
        let with = targets.iter().zip(&has).filter(|(_, has)| **has);
        let located = with.map(|(one, _)| Question::Addresses(probed::sts_host(one)));
        self.ask(located.collect(), answers, options);
        // All domains are asked about at once, so that part is the same for each.
        let asked = clock.monotonic() - began;
        for path in paths.iter_mut() {
            path.sts = probed::sts_record(path.target).map(|_| asked);
        }
        let mut open: Vec<&mut Journey<'_>> = paths
            .iter_mut()
            .zip(has)
            .filter_map(|(path, has)| has.then_some(path))
            .collect();
        let cas = self.cas(options);
        let (wire, cas) = (self.wire, cas.as_ref());
        for some in open.chunks_mut(AT_ONCE) {
            std::thread::scope(|scope| {
                for path in some {
                    let answers = &*answers;
                    let fetch = || {
                        let began = clock.monotonic();
                        path.fetched = fetch_one(wire, (path.target, cas), answers, options);
                        path.sts = Some(asked + (clock.monotonic() - began));
                    };
                    // Where no thread is to be had it was not fetched.
                    let _ = std::thread::Builder::new().spawn_scoped(scope, fetch);
                }
            });
        }
    }

    /// Those that count in place of the system's.
    fn cas(&self, options: &ProbeOptions) -> Option<Anchors> {
        let mut trust = Trust::default();
        let file = BTreeSet::from([options.cas.clone()?]);
        trust.read(&file, self.read);
        trust.of(&file).into_iter().next().cloned()
    }

    fn ask(&self, questions: Vec<Question>, answers: &mut Answers, options: &ProbeOptions) {
        if questions.is_empty() {
            return;
        }
        let said = self
            .wire
            .ask(&questions, &resolv_conf(self.read), options.dns);
        answers.extend(said);
    }
}

fn fetch_one(
    wire: &dyn Wire,
    (target, cas): (&ProbeTarget, Option<&Anchors>),
    answers: &Answers,
    options: &ProbeOptions,
) -> Fetched {
    let host = probed::sts_host(target);
    let addresses = match answers.get(&Question::Addresses(host.clone()))? {
        Ok(answer) => match &answer.records {
            Records::Addresses(all) => all.as_slice(),
            _ => &[],
        },
        Err(why) => return Some(Err(format!("{host}: {why}"))),
    };
    let get = Get {
        host: &host,
        addresses,
        path: probed::STS_PATH,
        cas,
    };
    let fetched = wire.fetch(&get, options.budget.deadline);
    Some(fetched.map_err(|why| format!("https://{host}{}: {why}", probed::STS_PATH)))
}
