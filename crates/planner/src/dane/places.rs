//! What senders are shown at each name and port of this host: now, and once what is wished is in
//! force.
//!
//! Owns: both pictures side by side, and the questions to DNS that they need. Never: says whether
//! that is good (`rules::dane` does).

use super::{
    Endpoint, MOST, Presented, asked_ports, names, presented, presented_unasked, tlsa_questions,
};
use crate::dns::Question;
use crate::facts::Facts;
use crate::intent::Intent;
use crate::make::compiled;
use crate::view::View;
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeSet;

/// The names and ports of this host, before and after what is wished.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// What is in force.
    pub in_force: &'a Intent,
    /// What is wished; the same where nothing is.
    pub wanted: &'a Intent,
    /// Names that take the place of those found.
    pub given: &'a [String],
    /// Names beside those found.
    pub also: &'a [String],
}

/// What servers present at a name and port.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The name and port.
    pub endpoint: Endpoint,
    /// As the files are.
    pub now: Presented,
    /// Once what is wished is in force; as now where that cannot be written.
    pub then: Presented,
    /// As the files are, to clients that ask for no name.
    pub unasked: Presented,
}

/// Both files, parsed.
struct Pair {
    main: MainCf,
    master: MasterCf,
}

impl Pair {
    fn of(main: &[u8], master: &[u8]) -> Self {
        Self {
            main: MainCf::parse(main),
            master: MasterCf::parse(master),
        }
    }

    fn view<'a>(&'a self, facts: &'a Facts) -> View<'a> {
        View::new(&self.main, &self.master, facts)
    }
}

/// The files of both moments, and the intents that they stand for.
struct Moments<'a> {
    now: Pair,
    then: Pair,
    wanted: &'a Intent,
}

impl<'a> Places<'a> {
    /// What is still to be asked; empty when all is known.
    pub fn questions(&self, facts: &Facts) -> Vec<Question> {
        let moments = self.moments(facts);
        let view = moments.then.view(facts);
        let names = self.names(&view);
        let mut wanted = tlsa_questions(&facts.dns, &names.hosts, &moments.ports(facts));
        wanted.splice(0..0, names.questions);
        wanted.retain(|question| !facts.dns.contains_key(question));
        wanted.truncate(MOST);
        wanted
    }

    /// What is presented, name after name, port after port: always at port 25, and at the ports of
    /// mail clients where TLS is offered.
    pub fn standings(&self, facts: &Facts) -> Vec<Standing> {
        let moments = self.moments(facts);
        let (now, then) = (moments.now.view(facts), moments.then.view(facts));
        let mut standings = Vec::new();
        for host in self.names(&then).hosts {
            for port in moments.ports(facts) {
                standings.push(Standing {
                    now: presented(&now, self.in_force, &host, port),
                    then: presented(&then, moments.wanted, &host, port),
                    unasked: presented_unasked(&now, self.in_force, &host, port),
                    endpoint: Endpoint {
                        host: host.clone(),
                        port,
                    },
                });
            }
        }
        standings
    }

    fn names(&self, view: &View<'_>) -> super::MxNames {
        let mut names = names::of(view, self.given);
        for name in self.also.iter().filter_map(|name| mailtls::host_name(name)) {
            if !names.hosts.contains(&name) {
                names.questions.push(Question::Addresses(name.clone()));
                names.hosts.push(name);
            }
        }
        names
    }

    fn moments(&self, facts: &Facts) -> Moments<'a> {
        let written = || Pair::of(&facts.main_cf.bytes, &facts.master_cf.bytes);
        let pending = self.wanted != self.in_force;
        let files = pending.then(|| compiled(self.wanted, self.in_force, facts));
        match files {
            Some(Ok(files)) => Moments {
                now: written(),
                then: Pair::of(&files.main, &files.master),
                wanted: self.wanted,
            },
            Some(Err(_)) | None => Moments {
                now: written(),
                then: written(),
                wanted: self.in_force,
            },
        }
    }
}

impl Moments<'_> {
    fn ports(&self, facts: &Facts) -> BTreeSet<u16> {
        let both = [&self.now, &self.then];
        both.into_iter()
            .flat_map(|pair| asked_ports(&pair.view(facts)))
            .collect()
    }
}
