//! The wire, as the engine sees it.
//!
//! Owns: turning expectations into targets, and the door to `probe`. Never: judges; the planner
//! does. The door is a trait, so that the engine's own tests need no Postfix.

use crate::Letter;
use postseal_planner::dns::{Answered, Question};
use postseal_planner::full::Full;
use postseal_planner::report::{
    HandshakeExpectation, Report, ServiceExpectation, TlsExpectation, WireExpectation,
};
use postseal_probe::dns::{self, Named};
use postseal_probe::https::Get;
use postseal_probe::{Accepted, Budget, FullBudget, MailBeforeTls, News, SendError, Start, Target};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Looks at servers. Shared between threads: the live ports are looked at while a scratch
/// instance starts.
pub trait Wire: Sync {
    /// Probes every target, in parallel, each within `deadline`; reports in the targets' order.
    fn probe(&self, targets: &[Target], deadline: Duration) -> Vec<Report>;

    /// The same within a budget of connections; `told` hears, by the target's place, of each stage and of each that is done.
    fn probe_each(
        &self,
        targets: &[Target],
        budget: Budget,
        told: &(dyn Fn(usize, News<'_>) + Sync),
    ) -> Vec<Report> {
        let reports = self.probe(targets, budget.deadline);
        for (place, report) in reports.iter().enumerate() {
            told(place, News::Done(report));
        }
        reports
    }

    /// Whether it looks for somebody elsewhere, who shall see servers of mail alone.
    fn is_for_afar(&self) -> bool {
        false
    }

    /// Fetches one small file by HTTPS, from the first of the addresses that gives it.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn fetch(&self, _: &Get<'_>, _: Duration) -> Result<Vec<u8>, String> {
        Err("nothing is fetched".to_owned())
    }

    /// Asks one server for everything that its TLS can do; `None` by a wire that cannot.
    fn full(&self, _: &Target, _: FullBudget) -> Option<Full> {
        None
    }

    /// Delivers one message, on a connection of its own.
    ///
    /// # Errors
    /// Where the dialogue ended, and why.
    fn send(&self, _: &Target, _: &Letter, _: Duration) -> Result<Accepted, SendError> {
        let why = "nothing is sent".to_owned();
        Err(SendError::Lost {
            command: "connect",
            why,
        })
    }

    /// Asks DNS, all within `deadline`. `resolv_conf` is what the instance's machine says of its
    /// resolvers. A question that is missing from the answers was not asked: by a wire without DNS,
    /// none is.
    fn ask(&self, _: &[Question], _resolv_conf: &[u8], _: Duration) -> Vec<(Question, Answered)> {
        Vec::new()
    }
}

/// The real network.
#[derive(Clone, Copy, Debug, Default)]
pub struct Network {
    /// Whom to ask about names.
    pub resolver: Named,
    /// Whether it looks for somebody elsewhere.
    pub for_afar: bool,
}

impl Wire for Network {
    fn probe(&self, targets: &[Target], deadline: Duration) -> Vec<Report> {
        postseal_probe::probe_all(targets, deadline)
    }

    fn probe_each(
        &self,
        targets: &[Target],
        budget: Budget,
        told: &(dyn Fn(usize, News<'_>) + Sync),
    ) -> Vec<Report> {
        postseal_probe::probe_each(targets, budget, told)
    }

    fn is_for_afar(&self) -> bool {
        self.for_afar
    }

    fn fetch(&self, get: &Get<'_>, deadline: Duration) -> Result<Vec<u8>, String> {
        postseal_probe::https::fetch(get, deadline)
    }

    fn full(&self, target: &Target, budget: FullBudget) -> Option<Full> {
        Some(postseal_probe::full(target, budget))
    }

    fn send(
        &self,
        target: &Target,
        letter: &Letter,
        deadline: Duration,
    ) -> Result<Accepted, SendError> {
        let message = letter.message.as_bytes();
        postseal_probe::send(target, &letter.envelope(), message, deadline)
    }

    fn ask(
        &self,
        questions: &[Question],
        resolv_conf: &[u8],
        deadline: Duration,
    ) -> Vec<(Question, Answered)> {
        match dns::resolvers(self.resolver, resolv_conf).as_slice() {
            [] => Vec::new(),
            resolvers => dns::ask(resolvers, questions, deadline),
        }
    }
}

/// What to look at so that `expectations` can be judged on the live addresses.
pub(crate) fn live_targets(expectations: &[ServiceExpectation], ehlo_name: &str) -> Vec<Target> {
    expectations
        .iter()
        .flat_map(|expected| {
            expected
                .addresses
                .iter()
                .map(move |address| target(expected, *address, ehlo_name))
        })
        .collect()
}

/// The expectations as a scratch instance can show them: each service at its scratch address;
/// services that the scratch does not run are dropped.
pub(crate) fn moved(
    expectations: &[ServiceExpectation],
    endpoints: &BTreeMap<String, SocketAddr>,
) -> Vec<ServiceExpectation> {
    expectations
        .iter()
        .filter(|expected| expected.wire != WireExpectation::Closed)
        .filter_map(|expected| {
            let address = *endpoints.get(&expected.service)?;
            Some(ServiceExpectation {
                addresses: vec![address],
                ..expected.clone()
            })
        })
        .collect()
}

fn target(expected: &ServiceExpectation, address: SocketAddr, ehlo_name: &str) -> Target {
    let (tls, handshake) = match &expected.wire {
        WireExpectation::Closed => (Start::Clear, None),
        WireExpectation::Serving { tls, .. } => match tls {
            TlsExpectation::Off => (Start::Clear, None),
            TlsExpectation::StartTls { handshake, .. } => (Start::StartTls, Some(handshake)),
            TlsExpectation::Wrapper { handshake } => (Start::Implicit, Some(handshake)),
        },
    };
    let mail_before_tls = match &expected.wire {
        WireExpectation::Serving {
            tls: TlsExpectation::StartTls { .. },
            ..
        } => MailBeforeTls::Ask,
        _ => MailBeforeTls::Skip,
    };
    Target {
        ehlo_name: ehlo_name.to_owned(),
        mail_before_tls,
        floor: handshake.and_then(|wanted: &HandshakeExpectation| wanted.floor),
        asks: handshake.map_or_else(Vec::new, |wanted| {
            let presented = wanted.presented.iter();
            presented.map(|presented| presented.ask.clone()).collect()
        }),
        ..Target::new(expected.service.clone(), address, tls)
    }
}
