//! Sends mail: one message, many, or only as far as RCPT.
//!
//! Owns: MAIL, RCPT and DATA as a client. Never: keeps a message for a later try, chooses a
//! recipient, or takes anything but 250 after the final dot for "accepted".

use crate::dialogue::offers;
use crate::driver::Run;
use crate::reply::{Reply, ReplyReader};
use crate::target::{Start, Target};
use crate::tls::Offer;
use crate::wire::{self, Wire};
use postseal_planner::report::{Handshake, StageName, StageOutcome};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// From whom and to whom, without angle brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The sender; empty for the null sender.
    pub mail_from: String,
    /// The recipients.
    pub rcpt_to: Vec<String>,
}

/// The server took the message over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its answer to the final dot (`250 2.0.0 Ok: queued as 4F1B2C3D`).
    pub reply: String,
}

/// Why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The session did not come about.
    #[error("{stage:?}: {}", outcome_words(outcome))]
    Stage {
        /// Where it ended.
        stage: StageName,
        /// How.
        outcome: StageOutcome,
    },
    /// The server said no.
    #[error("{command} was answered {reply}")]
    Refused {
        /// The command it said no to.
        command: &'static str,
        /// Its answer.
        reply: Reply,
    },
    /// The connection or the deadline ended in the middle; whether the server has the message is
    /// not known if `command` is the final dot.
    #[error("{command}: {why}")]
    Lost {
        /// The command under way.
        command: &'static str,
        /// What happened.
        why: String,
    },
    /// An address that cannot be said in SMTP.
    #[error("not an address: {0:?}")]
    Address(String),
    /// Credentials for a connection without TLS.
    #[error("a password is never sent without TLS")]
    AuthInClear,
}

/// Sends one message on a connection of its own.
pub fn send(
    target: &Target,
    envelope: &Envelope,
    message: &[u8],
    deadline: Duration,
) -> Result<Accepted, SendError> {
    let mut session = Session::open(target, deadline)?;
    let accepted = session.send(envelope, message)?;
    session.quit();
    Ok(accepted)
}

/// Asks whether `stranger` may be written to, and returns the server's answer: to RCPT, or to
/// MAIL where it said no there already. No message is sent.
pub fn relay_test(
    target: &Target,
    sender: &str,
    stranger: &str,
    deadline: Duration,
) -> Result<String, SendError> {
    let mut session = Session::open(target, deadline)?;
    let answer = match session.envelope(sender, &[stranger], "") {
        Ok(reply) | Err(SendError::Refused { reply, .. }) => reply.to_string(),
        Err(error) => return Err(error),
    };
    session.quit();
    Ok(answer)
}

/// An open session, under TLS and authenticated as its target says.
#[derive(Debug)]
pub struct Session {
    wire: Wire,
    reader: ReplyReader,
    keywords: Vec<String>,
    handshake: Option<Handshake>,
    deadline: Duration,
}

impl Session {
    /// Connects, greets, starts TLS and authenticates. `deadline` is the time for that, and again
    /// for each message.
    pub fn open(target: &Target, deadline: Duration) -> Result<Self, SendError> {
        if target.tls == Start::Clear && target.credentials.is_some() {
            return Err(SendError::AuthInClear);
        }
        let run = Run::of(target, Offer::Everything, Instant::now() + deadline);
        for stage in run.stages {
            if stage.outcome != StageOutcome::Ok {
                return Err(SendError::Stage {
                    stage: stage.name,
                    outcome: stage.outcome,
                });
            }
        }
        let Some(wire) = run.wire else {
            return Err(lost("EHLO", "the server closed the connection".to_owned()));
        };
        Ok(Self {
            wire,
            reader: ReplyReader::default(),
            keywords: match target.tls {
                Start::Clear => run.said.ehlo_before,
                Start::StartTls | Start::Implicit => run.said.ehlo_after,
            },
            handshake: run.handshake,
            deadline,
        })
    }

    /// What the handshake showed, where there was one.
    pub fn handshake(&self) -> Option<&Handshake> {
        self.handshake.as_ref()
    }

    /// Sends one message. Bare LF and a missing last line end are put right (RFC 5321 §2.3.8),
    /// dots are doubled (§4.5.2); nothing else is changed. Can be called again, after an error of
    /// the kind [`SendError::Refused`] too.
    pub fn send(&mut self, envelope: &Envelope, message: &[u8]) -> Result<Accepted, SendError> {
        let message = with_crlf(message);
        let recipients: Vec<&str> = envelope.rcpt_to.iter().map(String::as_str).collect();
        let parameters = self.parameters(&message);
        let sent = self
            .envelope(&envelope.mail_from, &recipients, &parameters)
            .and_then(|_| self.data(&message));
        if let Err(SendError::Refused { .. }) = sent {
            self.command("RSET", b"RSET\r\n")?;
        }
        sent
    }

    /// Says goodbye.
    pub fn quit(self) {
        self.wire.quit(Instant::now() + self.deadline);
    }

    /// MAIL and RCPT; the answer to the last RCPT.
    fn envelope(&mut self, from: &str, to: &[&str], parameters: &str) -> Result<Reply, SendError> {
        for address in to.iter().chain([&from]) {
            check(address)?;
        }
        self.wire.set_deadline(Instant::now() + self.deadline);
        let mut reply = self.positive(
            "MAIL FROM",
            format!("MAIL FROM:<{from}>{parameters}\r\n").as_bytes(),
        )?;
        for address in to {
            reply = self.positive("RCPT TO", format!("RCPT TO:<{address}>\r\n").as_bytes())?;
        }
        Ok(reply)
    }

    fn data(&mut self, message: &[u8]) -> Result<Accepted, SendError> {
        let reply = self.command("DATA", b"DATA\r\n")?;
        if reply.code != 354 {
            return Err(SendError::Refused {
                command: "DATA",
                reply,
            });
        }
        let reply = self.positive(FINAL_DOT, &with_dots(message))?;
        Ok(Accepted {
            reply: reply.to_string(),
        })
    }

    /// SIZE (RFC 1870) and BODY (RFC 6152), where they are understood.
    fn parameters(&self, message: &[u8]) -> String {
        let mut parameters = String::new();
        if offers(&self.keywords, "SIZE") {
            parameters.push_str(&format!(" SIZE={}", message.len()));
        }
        if !message.is_ascii() && offers(&self.keywords, "8BITMIME") {
            parameters.push_str(" BODY=8BITMIME");
        }
        parameters
    }

    fn positive(&mut self, command: &'static str, bytes: &[u8]) -> Result<Reply, SendError> {
        let reply = self.command(command, bytes)?;
        if reply.is_positive() {
            Ok(reply)
        } else {
            Err(SendError::Refused { command, reply })
        }
    }

    fn command(&mut self, command: &'static str, bytes: &[u8]) -> Result<Reply, SendError> {
        let broken = |error| lost(command, wire::words(&error));
        self.wire.send(bytes).map_err(broken)?;
        let mut buffer = [0; 4096];
        loop {
            let reply = self.reader.next_reply();
            if let Some(reply) = reply.map_err(|error| lost(command, error.to_string()))? {
                return Ok(reply);
            }
            match self.wire.receive(&mut buffer).map_err(broken)? {
                0 => return Err(lost(command, "the server closed the connection".to_owned())),
                length => self.reader.receive(&buffer[..length]),
            }
        }
    }
}

/// The command name in [`SendError::Lost`] when the message was sent but not answered.
pub const FINAL_DOT: &str = "the final dot";

fn lost(command: &'static str, why: String) -> SendError {
    SendError::Lost { command, why }
}

fn outcome_words(outcome: &StageOutcome) -> &str {
    match outcome {
        StageOutcome::Ok => "done",
        StageOutcome::Refused(words) | StageOutcome::Unknown(words) => words,
        StageOutcome::Closed => "nothing listens there",
    }
}

/// Refuses what could end a path or a line.
fn check(address: &str) -> Result<(), SendError> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    if address.bytes().all(plain) {
        Ok(())
    } else {
        Err(SendError::Address(address.to_owned()))
    }
}

/// Every line ended by CR LF, the last one too.
fn with_crlf(message: &[u8]) -> Cow<'_, [u8]> {
    let bare = |at: usize| message[at] == b'\n' && (at == 0 || message[at - 1] != b'\r');
    if message.ends_with(b"\r\n") && !(0..message.len()).any(bare) {
        return Cow::Borrowed(message);
    }
    let mut whole = Vec::with_capacity(message.len() + message.len() / 32 + 2);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        whole.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        whole.extend_from_slice(b"\r\n");
    }
    Cow::Owned(whole)
}

/// The message as DATA carries it: dots doubled, and the final one.
fn with_dots(message: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            whole.push(b'.');
        }
        whole.extend_from_slice(line);
    }
    whole.extend_from_slice(b".\r\n");
    whole
}

#[cfg(test)]
mod tests;
