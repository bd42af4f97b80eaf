//! Looks at servers: the dialogue over real sockets.
//!
//! Owns: bringing bytes between a [`Dialogue`] and a connection, timing the stages, the test of
//! the protocol floor. Never: decides what is right.

use crate::dialogue::{Dialogue, Next, Said};
use crate::target::{MailBeforeTls, Target};
use crate::tls::{self, HandshakeFailure, Offer};
use crate::wire::{self, Wire};
use mailtls::TlsVersion;
use postseal_planner::report::{
    Answered, Ask, Asked, FloorTest, Handshake, Report, Stage, StageName, StageOutcome,
};
use std::io::ErrorKind;
use std::time::{Duration, Instant};

/// A stage that has just ended, and what it showed.
#[derive(Clone, Copy, Debug)]
pub struct StageSeen<'s> {
    /// The stage.
    pub stage: &'s Stage,
    /// What the server said in it, if it went well: the banner, the keywords of EHLO, the version and
    /// cipher of the handshake; printable.
    pub words: &'s str,
}

/// Looks at one target. Returns within `deadline`, whatever the server does.
pub fn probe(target: &Target, deadline: Duration) -> Report {
    probe_told(target, deadline, &mut |_| {})
}

/// The same; `told` hears of each stage of the first connection as it ends.
pub fn probe_told(
    target: &Target,
    deadline: Duration,
    told: &mut dyn FnMut(StageSeen<'_>),
) -> Report {
    let until = Instant::now() + deadline;
    let limits = target.limits.as_ref();
    let offer = limits.map_or(Offer::Everything, Offer::Within);
    let mut run = Run::told(target, offer, until, told);
    if let Some(wire) = run.wire.take() {
        wire.quit(until);
    }
    run.handshake = run
        .handshake
        .map(|seen| with_certificate(target, seen, until));
    let mut report = run.into_report(target);
    // A server may say no after the handshake (it wants a client's certificate); its floor can be
    // seen all the same. One that did not answer is not asked again.
    let lost = report
        .stages
        .iter()
        .any(|stage| matches!(stage.outcome, StageOutcome::Unknown(_)));
    if let (Some(floor), Some(_), false) = (target.floor, &report.handshake, lost) {
        let began = Instant::now();
        let test = below(target, floor, until);
        let outcome = match &test {
            FloorTest::Refused(_) | FloorTest::Accepted(_) => StageOutcome::Ok,
            FloorTest::Undetermined(why) => StageOutcome::Unknown(why.clone()),
        };
        report.stages.push(stage(StageName::Floor, outcome, began));
        report.below_floor = Some(test);
    }
    if report.handshake.is_some() && !lost {
        report.asked = target
            .asks
            .iter()
            .map(|ask| asked(target, ask, until))
            .collect();
    }
    report
}

/// A second look, only as far as the handshake.
fn shake_again(target: &Target, offer: Offer<'_>, until: Instant) -> Run {
    let plain = Target {
        mail_before_tls: MailBeforeTls::Skip,
        credentials: None,
        floor: None,
        asks: Vec::new(),
        ..target.clone()
    };
    let mut run = Run::of(&plain, offer, until);
    if let Some(wire) = run.wire.take() {
        wire.quit(until);
    }
    run
}

/// The certificate of a server that has one, yet chose a cipher without: what
/// `tls_preempt_cipherlist = yes` does below TLS 1.3. Of a handshake that is held to limits it is asked
/// what they come to: another one would show a version that they do not allow.
fn with_certificate(target: &Target, seen: Handshake, until: Instant) -> Handshake {
    if !seen.chain.is_empty() || target.limits.is_some() {
        return seen;
    }
    shake_again(target, Offer::Certified, until)
        .handshake
        .unwrap_or(seen)
}

/// What a client is shown that asks in this way.
fn asked(target: &Target, ask: &Ask, until: Instant) -> Asked {
    let target = Target {
        sni: ask.name.clone(),
        ..target.clone()
    };
    let offer = ask.algorithm.map_or(Offer::Certified, Offer::Signed);
    let run = shake_again(&target, offer, until);
    let chain = run.handshake.as_ref().map(|seen| &seen.chain);
    let leaf = chain.and_then(|chain| chain.first().cloned());
    let answer = match (run.handshake, run.failure) {
        (Some(seen), _) => Answered::Shown(seen.fingerprint),
        (None, Some(HandshakeFailure::Alert(words) | HandshakeFailure::NoTls(words))) => {
            Answered::Refused(words)
        }
        (None, Some(failure)) => Answered::Unknown(failure.to_string()),
        (None, None) => Answered::Unknown(not_reached(run.stages.last())),
    };
    Asked {
        ask: ask.clone(),
        answer,
        leaf,
    }
}

/// Why a dialogue ended before its handshake.
fn not_reached(last: Option<&Stage>) -> String {
    match last.map(|stage| &stage.outcome) {
        Some(StageOutcome::Refused(words) | StageOutcome::Unknown(words)) => words.clone(),
        Some(StageOutcome::Closed) => "nothing listens any more".to_owned(),
        Some(StageOutcome::Ok) | None => "no handshake was reached".to_owned(),
    }
}

/// The test of the floor: a handshake with only older versions.
fn below(target: &Target, floor: TlsVersion, until: Instant) -> FloorTest {
    let run = shake_again(target, Offer::Below(floor), until);
    match (run.handshake, run.failure, run.stages.last()) {
        (Some(handshake), _, _) => FloorTest::Accepted(handshake.version),
        (None, Some(HandshakeFailure::Alert(alert)), _) => FloorTest::Refused(alert),
        (None, Some(failure), _) => FloorTest::Undetermined(failure.to_string()),
        (None, None, last) => FloorTest::Undetermined(not_reached(last)),
    }
}

/// A dialogue driven to its end; the connection stays open where nothing broke it.
pub(crate) struct Run {
    pub(crate) said: Said,
    pub(crate) stages: Vec<Stage>,
    pub(crate) handshake: Option<Handshake>,
    pub(crate) wire: Option<Wire>,
    failure: Option<HandshakeFailure>,
}

impl Run {
    /// Connects and has the dialogue that `target` asks for.
    pub(crate) fn of(target: &Target, offer: Offer<'_>, until: Instant) -> Self {
        Self::told(target, offer, until, &mut |_| {})
    }

    fn told(
        target: &Target,
        offer: Offer<'_>,
        until: Instant,
        told: &mut dyn FnMut(StageSeen<'_>),
    ) -> Self {
        let mut run = Self {
            said: Said::default(),
            stages: Vec::new(),
            handshake: None,
            wire: None,
            failure: None,
        };
        let began = Instant::now();
        let outcome = match Wire::connect(target.address, target.from, until) {
            Ok(wire) => {
                run.wire = Some(wire);
                StageOutcome::Ok
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => StageOutcome::Closed,
            Err(error) => StageOutcome::Unknown(wire::words(&error)),
        };
        let connected = stage(StageName::Connect, outcome, began);
        told(StageSeen {
            stage: &connected,
            words: "",
        });
        run.stages.push(connected);
        if run.wire.is_some() {
            run.converse(target, offer, told);
        }
        run
    }

    fn converse(&mut self, target: &Target, offer: Offer, told: &mut dyn FnMut(StageSeen<'_>)) {
        let mut dialogue = Dialogue::new(target);
        let mut began = Instant::now();
        loop {
            match dialogue.turn() {
                Next::Send(bytes) => self.send(&mut dialogue, &bytes),
                Next::Receive => self.receive(&mut dialogue),
                Next::Handshake => self.shake(&mut dialogue, target, offer),
                Next::Done => break,
            }
            for ended in dialogue.stages().iter().skip(self.stages.len() - 1) {
                let stage = stage(ended.name, ended.outcome.clone(), began);
                told(StageSeen {
                    stage: &stage,
                    words: &words(&stage, dialogue.said(), self.handshake.as_ref()),
                });
                self.stages.push(stage);
                began = Instant::now();
            }
        }
        self.said = dialogue.into_said();
    }

    fn send(&mut self, dialogue: &mut Dialogue<'_>, bytes: &[u8]) {
        if let Some(wire) = &mut self.wire
            && let Err(error) = wire.send(bytes)
        {
            self.lost(dialogue, wire::words(&error));
        }
    }

    fn receive(&mut self, dialogue: &mut Dialogue<'_>) {
        let mut buffer = [0; 16 * 1024];
        let Some(wire) = &mut self.wire else { return };
        match wire.receive(&mut buffer) {
            Ok(0) => self.lost(dialogue, "the server closed the connection".to_owned()),
            Ok(length) => dialogue.receive(&buffer[..length]),
            Err(error) => self.lost(dialogue, wire::words(&error)),
        }
    }

    fn shake(&mut self, dialogue: &mut Dialogue<'_>, target: &Target, offer: Offer) {
        let Some(wire) = self.wire.take() else { return };
        match tls::connect(wire, offer, target.sni.as_deref()) {
            Ok(shaken) => {
                self.wire = Some(shaken.wire);
                self.handshake = Some(shaken.handshake);
                dialogue.under_tls();
            }
            Err(failure) => {
                dialogue.fail(match &failure {
                    HandshakeFailure::Alert(_) | HandshakeFailure::NoTls(_) => {
                        StageOutcome::Refused(failure.to_string())
                    }
                    HandshakeFailure::Lost(words) | HandshakeFailure::Ours(words) => {
                        StageOutcome::Unknown(words.clone())
                    }
                });
                self.failure = Some(failure);
            }
        }
    }

    fn lost(&mut self, dialogue: &mut Dialogue<'_>, why: String) {
        self.wire = None;
        dialogue.fail(StageOutcome::Unknown(why));
    }

    fn into_report(self, target: &Target) -> Report {
        Report {
            stages: self.stages,
            banner: self.said.banner,
            ehlo_before: self.said.ehlo_before,
            ehlo_after: self.said.ehlo_after,
            mail_before_tls: self.said.mail_before_tls,
            after_starttls: self.said.after_starttls,
            handshake: self.handshake,
            auth: self.said.auth,
            ..Report::unseen(target.service.clone(), target.address)
        }
    }
}

/// What a stage that went well showed.
fn words(stage: &Stage, said: &Said, seen: Option<&Handshake>) -> String {
    let said = match (stage.name, &stage.outcome) {
        (StageName::Banner, StageOutcome::Ok) => said.banner.clone(),
        (StageName::Ehlo, StageOutcome::Ok) => Some(said.ehlo_before.join(", ")),
        (StageName::EhloUnderTls, StageOutcome::Ok) => Some(said.ehlo_after.join(", ")),
        (StageName::MailBeforeTls, StageOutcome::Ok) => said.mail_before_tls.clone(),
        (StageName::StartTls, StageOutcome::Ok) => {
            let more = said.after_starttls.as_ref();
            more.map(|more| format!("and more before the handshake: {more}"))
        }
        (StageName::Auth, StageOutcome::Ok) => said.auth.clone(),
        (StageName::Handshake, StageOutcome::Ok) => seen.map(|seen| {
            let group = seen.group.iter().map(|group| format!(", {group}"));
            format!(
                "{}, {}{}",
                seen.version,
                seen.cipher,
                group.collect::<String>()
            )
        }),
        _ => None,
    };
    said.unwrap_or_default()
}

fn stage(name: StageName, outcome: StageOutcome, began: Instant) -> Stage {
    Stage {
        name,
        outcome,
        micros: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
    }
}
