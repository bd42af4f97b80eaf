//! The words of `probe`: a line for each stage as it ends, and what it all comes to.
//!
//! Owns: the order of the lines: addresses are looked at side by side, and told one after the
//! other. Never: decides.

use crate::answer::{findings_text, printable};
use crate::config::{Global, Output, Talk};
use postseal_engine::ProbeNews;
use postseal_planner::calendar;
use postseal_planner::preflight::{Obstacle, RouteHost};
use postseal_planner::probed::{
    AddressProbed, CertificateSeen, DnsSeen, Judgement, LevelSeen, ProbeTarget, Probed,
};
use postseal_planner::report::{Outcome, StageName, StageOutcome};
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
    /// Nothing.
    Silent,
}

#[derive(Default)]
struct State {
    targets: Vec<String>,
    /// In the order in which they are told.
    slots: Vec<Slot>,
    /// The one that is being told.
    current: usize,
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
        let form = match (global.output, single) {
            (Output::Json, _) | (_, false) => Form::Silent,
            (Output::Text, true) if std::io::stdout().is_terminal() => Form::Staged,
            (Output::Text, true) => Form::Separated,
        };
        let targets = targets.iter().map(|one| one.text.clone()).collect();
        Self {
            form,
            state: Mutex::new(State {
                targets,
                ..State::default()
            }),
        }
    }

    /// Takes what happened, and prints what is to be told now.
    pub(super) fn hear(&self, place: usize, news: ProbeNews<'_>) {
        if self.form == Form::Silent {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
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
                let line = self.policy(probed);
                state.slots.push(Slot::whole(place, vec![line]));
            }
        }
        let text = state.due();
        drop(state);
        let mut stdout = std::io::stdout().lock();
        // Nobody reading must not stop the look.
        let _ = stdout.write_all(printable(&text).as_bytes());
        let _ = stdout.flush();
    }

    fn dns(&self, state: &mut State, place: usize, seen: &DnsSeen, hosts: &[RouteHost]) {
        let target = state.targets.get(place).cloned().unwrap_or_default();
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
            target: state.targets.get(place).map_or("", String::as_str),
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
                target: state.targets.get(place).map_or("", String::as_str),
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
            micros: None,
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

/// One line.
struct Row<'r> {
    target: &'r str,
    host: &'r str,
    address: Option<SocketAddr>,
    stage: &'r str,
    word: &'r str,
    micros: Option<u64>,
    words: &'r str,
}

impl Row<'_> {
    fn aligned(&self) -> String {
        let time = self.micros.map(milliseconds).unwrap_or_default();
        let line = format!(
            "  {:<14}{:<13}{time:>9}  {}",
            self.stage, self.word, self.words
        );
        format!("{}\n", line.trim_end())
    }

    /// Target, host, address, stage, outcome, milliseconds, words.
    fn separated(&self) -> String {
        let address = self.address.map(|one| one.to_string()).unwrap_or_default();
        let time = self.micros.map(|micros| format!("{}", micros / 1000));
        let cells = [
            self.target,
            self.host,
            &address,
            self.stage,
            self.word,
            &time.unwrap_or_default(),
            self.words,
        ];
        let cells: Vec<String> = cells
            .iter()
            .map(|cell| cell.replace(['\t', '\n', '\r'], " "))
            .collect();
        format!("{}\n", cells.join("\t"))
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

fn milliseconds(micros: u64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

const fn stage_name(name: StageName) -> &'static str {
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

const fn word(outcome: Option<Outcome>) -> &'static str {
    match outcome {
        Some(Outcome::Pass) => "ok",
        Some(Outcome::Fail) => "no",
        Some(Outcome::Undetermined) => "undetermined",
        None => "-",
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

/// What it all comes to.
pub(super) fn summary(probed: &[Probed]) -> String {
    match (probed, std::io::stdout().is_terminal()) {
        ([one], true) => whole(one),
        ([one], false) => one
            .levels
            .iter()
            .map(|level| level_row(one, level))
            .collect(),
        (many, true) => many
            .iter()
            .map(|one| brief(one) + &findings_text(&one.findings))
            .collect(),
        (many, false) => many.iter().map(line).collect(),
    }
}

fn whole(one: &Probed) -> String {
    let mut text = String::new();
    if !one.hosts.is_empty() {
        text.push_str("levels\n");
    }
    for level in one.levels.iter().filter(|_| !one.hosts.is_empty()) {
        let here = level.here.as_ref();
        let here = here.map(|why| format!("; not from here: {why}"));
        let _ = writeln!(
            text,
            "  {:<14}{:<13}{}{}",
            level.level,
            word(Some(level.outcome)),
            level.why,
            here.unwrap_or_default()
        );
    }
    if let Some(policy) = &one.strongest.policy {
        let _ = writeln!(text, "strongest policy that works: {policy}");
        text.push_str(&obstacles(&one.strongest.stronger));
    }
    text + &findings_text(&one.findings)
}

/// Why nothing stronger, a line for each reason.
fn obstacles(all: &[Obstacle]) -> String {
    let mut text = String::new();
    for same in all.chunk_by(|one, next| one.why == next.why) {
        let policies: Vec<&str> = same.iter().map(|one| one.policy.as_str()).collect();
        let why = same.first().map_or("", |one| one.why.as_str());
        let _ = writeln!(text, "  not {}: {why}", policies.join(", "));
    }
    text
}

fn level_row(one: &Probed, level: &LevelSeen) -> String {
    let why = level.here.as_ref().map_or_else(
        || level.why.clone(),
        |here| format!("{}; not from here: {here}", level.why),
    );
    Row {
        target: &one.target,
        host: "",
        address: None,
        stage: &level.level,
        word: word(Some(level.outcome)),
        micros: None,
        words: &why,
    }
    .separated()
}

fn brief(one: &Probed) -> String {
    let policy = one.strongest.policy.as_deref().unwrap_or("-");
    format!(
        "{}: {}: {}, strongest policy: {policy}\n",
        one.target,
        word(Some(one.outcome)),
        one.dns.words
    )
}

/// Piped, one of many: target, outcome, the strongest policy, codes.
fn line(one: &Probed) -> String {
    let codes: Vec<&str> = one.findings.iter().map(|finding| &*finding.code).collect();
    let policy = one.strongest.policy.as_deref().unwrap_or_default();
    format!(
        "{}\t{}\t{policy}\t{}\n",
        one.target,
        word(Some(one.outcome)),
        codes.join(" ")
    )
}
