//! The words of `probe`: a line for each stage as it ends, and what it all comes to.
//!
//! Owns: the order of the lines: addresses are looked at side by side, and told one after the
//! other. Never: decides.

use super::row::{Row, word};
use crate::answer::printable;
use crate::config::{Global, Output, Talk};
use crate::progress::hand_on;
use postseal_engine::{Event, ProbeNews};
use postseal_planner::calendar;
use postseal_planner::preflight::{Lookup, RouteHost};
use postseal_planner::probed::{
    AddressProbed, CertificateSeen, DnsSeen, Judgement, ProbeTarget, Probed,
};
use postseal_planner::report::{StageName, StageOutcome};
use postseal_probe::StageSeen;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// Lines under way.
pub(super) struct Lines {
    form: Form,
    state: Mutex<State>,
}

/// How much is told while it happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Every stage, for people.
    Staged,
    /// Every stage, tab-separated.
    Separated,
    /// Every stage, for people who read it elsewhere: handed to the agent as it happens, and told in the answer.
    HandedOn,
    /// A counting line, on standard error.
    Counted,
    /// Nothing.
    Silent,
}

#[derive(Default)]
struct State {
    targets: Vec<ProbeTarget>,
    /// In the order in which they are told.
    slots: Vec<Slot>,
    /// The one that is being told.
    current: usize,
    /// How many were counted.
    counted: usize,
    /// All that was handed on.
    told: String,
}

/// What is to be told of one address.
struct Slot {
    place: usize,
    host: String,
    address: Option<SocketAddr>,
    lines: Vec<String>,
    done: bool,
}

impl Lines {
    pub(super) fn new(targets: &[ProbeTarget], global: &Global) -> Self {
        let single = targets.len() == 1 || global.talk == Talk::Verbose;
        let counts = std::io::stderr().is_terminal() && global.talk != Talk::Quiet;
        let form = match (global.output, single) {
            _ if global.behalf.is_some() => Form::HandedOn,
            (Output::Json, _) | (_, false) if counts => Form::Counted,
            (Output::Json, _) | (_, false) => Form::Silent,
            (Output::Text, true) if std::io::stdout().is_terminal() => Form::Staged,
            (Output::Text, true) => Form::Separated,
        };
        Self {
            form,
            state: Mutex::new(State {
                targets: targets.to_vec(),
                ..State::default()
            }),
        }
    }

    /// Takes what happened, and prints what is to be told now.
    pub(super) fn hear(&self, place: usize, news: ProbeNews<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (self.form, news) {
            (Form::Silent, _) => return,
            (Form::Counted, ProbeNews::Address(..)) => return state.count(),
            (Form::Counted, ProbeNews::Done(_)) => return state.clear(),
            (Form::Counted, _) => return,
            _ => {}
        }
        match news {
            ProbeNews::Dns(seen, hosts) => self.dns(&mut state, place, seen, hosts),
            ProbeNews::Stage(host, visit, seen) => {
                let line = self.stage(&state, place, host, visit.address, &seen);
                state.put(place, host, visit.address, line);
            }
            ProbeNews::Address(host, seen) => {
                for line in self.judged(&state, place, host, seen) {
                    state.put(place, host, seen.address, line);
                }
                state.end(|slot| slot.is(place, &host.name, seen.address));
            }
            ProbeNews::Done(probed) => {
                state.end(|slot| slot.place == place);
                if self.form == Form::Separated || state.lookup(place) == Some(Lookup::Mx) {
                    let line = self.policy(probed);
                    state.slots.push(Slot::whole(place, vec![line]));
                }
            }
        }
        let text = state.due();
        if self.form == Form::HandedOn {
            state.told.push_str(&text);
            drop(state);
            for words in text.lines().map(str::to_owned) {
                hand_on(&Event::Seen { words });
            }
            return;
        }
        drop(state);
        let mut stdout = std::io::stdout().lock();
        // Nobody reading must not stop the look.
        let _ = stdout.write_all(printable(&text).as_bytes());
        let _ = stdout.flush();
    }

    /// All that was handed on.
    pub(super) fn told(self) -> String {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).told
    }

    fn dns(&self, state: &mut State, place: usize, seen: &DnsSeen, hosts: &[RouteHost]) {
        let target = state.target(place).to_owned();
        let row = Row {
            target: &target,
            host: "",
            address: None,
            stage: "dns",
            word: word(Some(seen.outcome)),
            micros: Some(seen.micros),
            words: &seen.words,
        };
        let mut first = match self.form {
            Form::Separated => vec![row.separated()],
            _ if matches!(state.lookup(place), Some(Lookup::Literal(_))) => Vec::new(),
            _ => vec![format!("{target}\n"), row.aligned()],
        };
        for host in hosts {
            if let Err(why) = &host.addresses {
                first.push(format!("{}: {why}\n", host.name));
            }
        }
        state.slots.push(Slot::whole(place, first));
        for host in hosts {
            for address in host.addresses.iter().flatten() {
                let head = match self.form {
                    Form::Separated => Vec::new(),
                    _ => vec![head(host, *address)],
                };
                state.slots.push(Slot {
                    place,
                    host: host.name.clone(),
                    address: Some(*address),
                    lines: head,
                    done: false,
                });
            }
        }
    }

    fn stage(
        &self,
        state: &State,
        place: usize,
        host: &RouteHost,
        address: SocketAddr,
        seen: &StageSeen<'_>,
    ) -> String {
        let (word, why) = match &seen.stage.outcome {
            StageOutcome::Ok => ("ok", seen.words),
            StageOutcome::Refused(words) => ("refused", words.as_str()),
            StageOutcome::Closed => ("closed", "nothing listens there"),
            StageOutcome::Unknown(words) => ("undetermined", words.as_str()),
        };
        let row = Row {
            target: state.target(place),
            host: &host.name,
            address: Some(address),
            stage: stage_name(seen.stage.name),
            word,
            micros: Some(seen.stage.micros),
            words: why,
        };
        self.row(&row)
    }

    fn judged(
        &self,
        state: &State,
        place: usize,
        host: &RouteHost,
        seen: &AddressProbed,
    ) -> Vec<String> {
        let certificate = seen.certificate.as_ref();
        let certificate = certificate.map(|one| (&one.judged, certificate_words(one)));
        let dane = Some((&seen.dane, seen.dane.words.clone()));
        let rows = [("certificate", certificate), ("dane", dane)];
        let rows = rows.into_iter().filter_map(|(stage, told)| {
            let (judgement, words): (&Judgement, String) = told?;
            Some(self.row(&Row {
                target: state.target(place),
                host: &host.name,
                address: Some(seen.address),
                stage,
                word: word(judgement.outcome),
                micros: None,
                words: &words,
            }))
        });
        rows.collect()
    }

    /// The domain's MTA-STS.
    fn policy(&self, probed: &Probed) -> String {
        let seen = &probed.mta_sts;
        let mode = seen.mode.iter().map(|mode| format!("mode {mode}; "));
        let words = format!("{}{}", mode.collect::<String>(), seen.judged.words);
        let row = self.row(&Row {
            target: &probed.target,
            host: "",
            address: None,
            stage: "mta-sts",
            word: word(seen.judged.outcome),
            micros: seen.micros,
            words: &words,
        });
        match self.form {
            Form::Separated => row,
            _ => format!("{}\n{row}", probed.target),
        }
    }

    fn row(&self, row: &Row<'_>) -> String {
        match self.form {
            Form::Separated => row.separated(),
            _ => row.aligned(),
        }
    }
}

impl State {
    fn target(&self, place: usize) -> &str {
        self.targets.get(place).map_or("", |one| &one.text)
    }

    /// Whether names are looked up, and whether exchangers are.
    fn lookup(&self, place: usize) -> Option<Lookup> {
        self.targets.get(place).map(|one| one.hop.lookup)
    }

    /// A counting line. Nobody reading it must not stop the work.
    fn count(&mut self) {
        self.counted += 1;
        let servers = match self.counted {
            1 => "1 server".to_owned(),
            many => format!("{many} servers"),
        };
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "\rpostseal: {servers} looked at");
        let _ = stderr.flush();
    }

    /// The end of it.
    fn clear(&mut self) {
        if std::mem::take(&mut self.counted) > 0 {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }

    fn put(&mut self, place: usize, host: &RouteHost, address: SocketAddr, line: String) {
        let mut slots = self.slots.iter_mut();
        if let Some(slot) = slots.find(|slot| slot.is(place, &host.name, address)) {
            slot.lines.push(line);
        }
    }

    fn end(&mut self, meant: impl Fn(&Slot) -> bool) {
        for slot in self.slots.iter_mut().filter(|slot| meant(slot)) {
            slot.done = true;
        }
    }

    /// What can be told now: all up to the first address that is still under way, and of that one
    /// what is known.
    fn due(&mut self) -> String {
        let mut text = String::new();
        while let Some(slot) = self.slots.get_mut(self.current) {
            text.extend(slot.lines.drain(..));
            if !slot.done {
                break;
            }
            self.current += 1;
        }
        text
    }
}

impl Slot {
    /// What is told of a whole target.
    fn whole(place: usize, lines: Vec<String>) -> Self {
        Self {
            place,
            host: String::new(),
            address: None,
            lines,
            done: true,
        }
    }

    fn is(&self, place: usize, host: &str, address: SocketAddr) -> bool {
        self.place == place && self.host == host && self.address == Some(address)
    }
}

fn head(host: &RouteHost, address: SocketAddr) -> String {
    let preference = host.preference.map(|one| format!(" (MX {one})"));
    let preference = preference.unwrap_or_default();
    match address.ip().to_string() == host.name {
        true => format!("{address}{preference}\n"),
        false => format!("{} {address}{preference}\n", host.name),
    }
}

pub(super) const fn stage_name(name: StageName) -> &'static str {
    match name {
        StageName::Connect => "tcp",
        StageName::Banner => "banner",
        StageName::Ehlo => "ehlo",
        StageName::MailBeforeTls => "mail",
        StageName::StartTls => "starttls",
        StageName::Handshake => "handshake",
        StageName::EhloUnderTls => "ehlo again",
        StageName::Auth => "auth",
        StageName::Floor => "floor",
    }
}

fn certificate_words(seen: &CertificateSeen) -> String {
    let mut words = seen.judged.words.clone();
    let named = match seen.names.as_slice() {
        [] => seen.subject.clone(),
        [first] => first.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    // Writing to a String cannot fail.
    let _ = write!(
        words,
        "; for {named}, {}, by {}, until {}",
        seen.key,
        seen.issuer,
        calendar::day(seen.not_after)
    );
    words
}
