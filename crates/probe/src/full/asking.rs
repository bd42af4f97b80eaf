//! Connections to one server, one question each, within a budget.
//!
//! Owns: the budget, the deadline, and what a server's refusal to talk means: that nothing more is
//! known, never that it speaks no TLS. Never: knows what is asked.

use super::FullBudget;
use super::answer::{Flight, FlightError, FlightReader, Progress};
use crate::dialogue::{Dialogue, Next, Said};
use crate::target::{MailBeforeTls, Start, Target};
use crate::wire::{self, Wire};
use postseal_planner::full::stripped_by;
use postseal_planner::report::{StageName, StageOutcome};
use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a server that is busy is left alone, once.
const PAUSE: Duration = Duration::from_secs(1);
/// So many connections without an answer are enough.
const SILENT: u32 = 3;
/// How the dialogue says that there is no STARTTLS.
pub(super) const NOT_OFFERED: &str = "STARTTLS is not offered";
/// The alert to a client that comes back with an older version (RFC 7507 §3).
pub(super) const FELL_BACK: &str = "inappropriate_fallback";

/// The answer to one ClientHello.
#[derive(Debug)]
pub(super) enum Answer {
    /// The server's flight.
    Flight(Flight),
    /// It says no, in these words.
    Refused(String),
    /// Nothing is known.
    Unknown(String),
}

/// Why a connection did not come as far as TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The server will not talk now (421, 454), says no before STARTTLS could be said, or nothing listens.
    Busy(String),
    /// It says no to STARTTLS.
    Refused(String),
    /// The network or the deadline.
    Lost(String),
}

impl Kept {
    pub(super) fn words(self) -> String {
        match self {
            Self::Busy(words) | Self::Refused(words) | Self::Lost(words) => words,
        }
    }
}

/// Asks one server.
pub(super) struct Asker {
    target: Target,
    until: Instant,
    each: Duration,
    allowed: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    used: u32,
    silent: u32,
    said: Option<Said>,
    stopped: Option<String>,
}

impl Asker {
    pub(super) fn new(target: &Target, budget: FullBudget) -> Self {
        Self {
            target: Target {
                mail_before_tls: MailBeforeTls::Skip,
                credentials: None,
                floor: None,
                asks: Vec::new(),
                limits: None,
                ..target.clone()
            },
            until: Instant::now() + budget.deadline,
            each: budget.each,
            allowed: budget.connections,
            state: Mutex::default(),
        }
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Connections so far.
    pub(super) fn used(&self) -> u32 {
        self.state().used
    }

    /// Why nothing more is asked, if so.
    pub(super) fn stopped(&self) -> Option<String> {
        self.state().stopped.clone()
    }

    /// What the server said before TLS, at the first connection that came so far.
    pub(super) fn said(&self) -> Option<Said> {
        self.state().said.clone()
    }

    /// Nothing more is asked.
    pub(super) fn stop(&self, why: &str) {
        self.state().stopped.get_or_insert_with(|| why.to_owned());
    }

    /// Sends one ClientHello, and reads what comes.
    pub(super) fn ask(&self, hello: &[u8]) -> Answer {
        let mut wire = match self.open(b"") {
            Ok(wire) => wire,
            Err(Kept::Refused(words)) => return Answer::Refused(words),
            Err(kept) => return Answer::Unknown(kept.words()),
        };
        let answer = read(&mut wire, hello);
        if let Answer::Unknown(why) = &answer {
            self.was_silent(why);
        }
        answer
    }

    /// A connection on which a ClientHello is the next that is said. `after` is sent in one piece
    /// with STARTTLS. A server that is busy is asked once more, after a pause.
    pub(super) fn open(&self, after: &[u8]) -> Result<Wire, Kept> {
        match self.open_once(after) {
            Err(Kept::Busy(_)) if Instant::now() + PAUSE < self.until => {
                thread::sleep(PAUSE);
                let again = self.open_once(after);
                if let Err(Kept::Busy(words)) = &again {
                    self.stop(&format!("the server refuses to talk: {words}"));
                }
                again
            }
            opened => opened,
        }
    }

    fn open_once(&self, after: &[u8]) -> Result<Wire, Kept> {
        self.count().map_err(Kept::Lost)?;
        let (opened, said) = greeted(&self.target, after, self.one_until());
        match &opened {
            Ok(_) | Err(Kept::Refused(_)) => {
                self.state().said.get_or_insert(said);
            }
            Err(Kept::Lost(why)) => self.was_silent(why),
            Err(Kept::Busy(_)) => {}
        }
        opened
    }

    /// A connection to a server whose EHLO did not name STARTTLS, after its answer.
    pub(super) fn unoffered(&self) -> Result<Wire, Kept> {
        self.count().map_err(Kept::Lost)?;
        let until = self.one_until();
        let clear = Target {
            tls: Start::Clear,
            ..self.target.clone()
        };
        let lost = |error: io::Error| Kept::Lost(wire::words(&error));
        let mut wire = Wire::connect(clear.address, clear.from, until).map_err(lost)?;
        let mut dialogue = Dialogue::new(&clear);
        talk(&mut wire, &mut dialogue, b"").map_err(lost)?;
        Ok(wire)
    }

    /// The end of a connection that begins now.
    fn one_until(&self) -> Instant {
        self.until.min(Instant::now() + self.each)
    }

    /// One connection more, if there may be one.
    fn count(&self) -> Result<(), String> {
        let mut state = self.state();
        if let Some(why) = &state.stopped {
            return Err(why.clone());
        }
        if Instant::now() >= self.until {
            let why = "the time for this look was over".to_owned();
            return Err(state.stopped.insert(why).clone());
        }
        if state.used >= self.allowed {
            let why = format!("the budget of {} connections was used up", self.allowed);
            return Err(state.stopped.insert(why).clone());
        }
        state.used += 1;
        Ok(())
    }

    fn was_silent(&self, why: &str) {
        let silent = {
            let mut state = self.state();
            state.silent += 1;
            state.silent
        };
        if silent >= SILENT {
            self.stop(&format!(
                "{SILENT} connections were without an answer: {why}"
            ));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says all that comes before TLS.
fn greeted(target: &Target, after: &[u8], until: Instant) -> (Result<Wire, Kept>, Said) {
    let lost = |error: io::Error| match error.kind() {
        ErrorKind::ConnectionRefused => Kept::Busy("nothing listens".to_owned()),
        _ => Kept::Lost(wire::words(&error)),
    };
    let mut wire = match Wire::connect(target.address, target.from, until) {
        Ok(wire) => wire,
        Err(error) => return (Err(lost(error)), Said::default()),
    };
    let mut dialogue = Dialogue::new(target);
    let greeted = match talk(&mut wire, &mut dialogue, after) {
        Ok(Next::Handshake) => Ok(wire),
        Ok(_) => Err(kept(&dialogue)),
        Err(error) => Err(lost(error)),
    };
    (greeted, dialogue.into_said())
}

/// Has a dialogue up to its handshake, or its end.
fn talk(wire: &mut Wire, dialogue: &mut Dialogue<'_>, after: &[u8]) -> io::Result<Next> {
    let mut buffer = [0; 4096];
    loop {
        match dialogue.turn() {
            Next::Send(bytes) if *bytes == b"STARTTLS\r\n" => {
                wire.send(&[&bytes, after].concat())?
            }
            Next::Send(bytes) => wire.send(&bytes)?,
            Next::Receive => match wire.receive(&mut buffer)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                length => dialogue.receive(buffer.get(..length).unwrap_or_default()),
            },
            end => return Ok(end),
        }
    }
}

/// Why a dialogue ended before its handshake. 4xx is “not now” (RFC 5321 §4.2.1). Who refuses a greeting or EHLO said
/// nothing of its TLS, unless something on the way is seen to have garbled EHLO.
fn kept(dialogue: &Dialogue<'_>) -> Kept {
    let Some(last) = dialogue.stages().last() else {
        return Kept::Lost("no handshake was reached".to_owned());
    };
    match &last.outcome {
        StageOutcome::Refused(words) if words.starts_with('4') => Kept::Busy(words.clone()),
        StageOutcome::Refused(words) => {
            let said = dialogue.said();
            let by = stripped_by(said.banner.as_deref(), &said.ehlo_before, Some(words));
            match last.name == StageName::StartTls || by.is_some() {
                true => Kept::Refused(words.clone()),
                false => Kept::Busy(words.clone()),
            }
        }
        StageOutcome::Unknown(words) => Kept::Lost(words.clone()),
        StageOutcome::Closed | StageOutcome::Ok => {
            Kept::Lost("no handshake was reached".to_owned())
        }
    }
}

fn read(wire: &mut Wire, hello: &[u8]) -> Answer {
    let mut reader = FlightReader::default();
    let mut buffer = [0; 16 * 1024];
    let mut came = wire.send(hello).map(|()| 0);
    let ended = loop {
        came = came.and_then(|_| wire.receive(&mut buffer));
        let bytes = match &came {
            Ok(0) => break Answer::Refused(LEFT.to_owned()),
            Ok(length) => buffer.get(..*length).unwrap_or_default(),
            Err(error) => break of_error(error),
        };
        let clear = reader.is_empty() && bytes.starts_with(b"4");
        match reader.receive(bytes) {
            Ok(Progress::More) => {}
            Ok(Progress::Done) => break Answer::Refused(String::new()),
            Ok(Progress::Alert(code)) => {
                break Answer::Refused(format!("TLS alert: {}", alert(code)));
            }
            // A server for TLS from the first byte that is busy says so in clear.
            Err(FlightError::NotTls) if clear => {
                let words: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
                let clean = words.replace(|c: char| c.is_control(), " ");
                break Answer::Unknown(format!("the server refuses to talk: {}", clean.trim()));
            }
            Err(error) => break Answer::Refused(error.to_string()),
        }
    };
    reader.into_flight().map_or(ended, Answer::Flight)
}

const LEFT: &str = "the server closed the connection in the handshake";

fn of_error(error: &io::Error) -> Answer {
    match error.kind() {
        // A server that leaves without reading all of our hello closes or resets, as chance has it.
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
            Answer::Refused(LEFT.to_owned())
        }
        _ => Answer::Unknown(wire::words(error)),
    }
}

/// An alert's name (RFC 8446 §6, RFC 5246 §7.2).
fn alert(code: u8) -> String {
    let name = match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        47 => "illegal_parameter",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => FELL_BACK,
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        other => return format!("number {other}"),
    };
    name.to_owned()
}
