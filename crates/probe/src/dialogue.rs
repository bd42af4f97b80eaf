//! The client's side of SMTP as a state machine without I/O.
//!
//! Owns: what is said when (banner, EHLO, MAIL before TLS, STARTTLS, EHLO again, AUTH), and what
//! the answers mean for the stages of a report. Never: reads a socket, a clock, or a certificate.
//! Its driver does what [`Dialogue::turn`] says and brings back what came of it, so every server
//! can be played in a test by bytes alone.

use crate::reply::{Reply, ReplyReader};
use crate::target::{Greeting, MailBeforeTls, Start, Target};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postseal_planner::report::{StageName, StageOutcome};
use zeroize::Zeroizing;

/// What the driver does next.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    /// Send these bytes.
    Send(Zeroizing<Vec<u8>>),
    /// Read, and bring what came by [`Dialogue::receive`].
    Receive,
    /// Do the TLS handshake, then [`Dialogue::under_tls`].
    Handshake,
    /// Everything asked for was done, or a stage failed.
    Done,
}

/// One stage that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub name: StageName,
    /// How.
    pub outcome: StageOutcome,
}

/// What the server said so far; the fields are those of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "said at `Report`")]
pub struct Said {
    pub banner: Option<String>,
    pub ehlo_before: Vec<String>,
    pub ehlo_after: Vec<String>,
    pub mail_before_tls: Option<String>,
    pub after_starttls: Option<String>,
    pub auth: Option<String>,
}

/// Whose turn it is, and about what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Banner,
    Ehlo,
    MailBeforeTls,
    Rset,
    StartTls,
    Handshake,
    EhloUnderTls,
    Auth,
    Done,
}

/// One dialogue with one server.
#[derive(Debug)]
pub struct Dialogue<'t> {
    target: &'t Target,
    state: State,
    layer: Layer,
    reader: ReplyReader,
    to_send: Option<Zeroizing<Vec<u8>>>,
    said: Said,
    ended: Vec<Ended>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Clear,
    Tls,
}

impl<'t> Dialogue<'t> {
    /// A dialogue that asks what `target` says, on a connection just made.
    pub fn new(target: &'t Target) -> Self {
        Self {
            target,
            state: match target.tls {
                Start::Implicit => State::Handshake,
                Start::StartTls | Start::Clear => State::Banner,
            },
            layer: Layer::Clear,
            reader: ReplyReader::default(),
            to_send: None,
            said: Said::default(),
            ended: Vec::new(),
        }
    }

    /// What to do now.
    pub fn turn(&mut self) -> Next {
        match (self.to_send.take(), self.state) {
            (Some(bytes), _) => Next::Send(bytes),
            (None, State::Handshake) => Next::Handshake,
            (None, State::Done) => Next::Done,
            (None, _) => Next::Receive,
        }
    }

    /// Takes what the server sent.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.reader.receive(bytes);
        while self.to_send.is_none() && !matches!(self.state, State::Handshake | State::Done) {
            match self.reader.next_reply() {
                Ok(Some(reply)) => self.take(&reply),
                Ok(None) => break,
                Err(error) => self.fail(StageOutcome::Refused(error.to_string())),
            }
        }
    }

    /// The handshake succeeded: the server's words from now on are under TLS, and what it said
    /// before must be forgotten (RFC 3207 §4.2).
    pub fn under_tls(&mut self) {
        self.layer = Layer::Tls;
        self.ended(StageOutcome::Ok);
        match self.target.tls {
            Start::Implicit => self.state = State::Banner,
            Start::StartTls | Start::Clear => self.say_ehlo(),
        }
    }

    /// The stage under way failed; the dialogue is over.
    pub fn fail(&mut self, outcome: StageOutcome) {
        self.ended(outcome);
        self.state = State::Done;
        self.to_send = None;
    }

    /// The stages that ended, in order.
    pub fn stages(&self) -> &[Ended] {
        &self.ended
    }

    /// What the server said so far.
    pub const fn said(&self) -> &Said {
        &self.said
    }

    /// What the server said.
    pub fn into_said(self) -> Said {
        self.said
    }

    fn take(&mut self, reply: &Reply) {
        match self.state {
            State::Banner => self.banner(reply),
            State::Ehlo | State::EhloUnderTls => self.ehlo(reply),
            State::MailBeforeTls => self.mail_before_tls(reply),
            State::Rset => self.mail_was_asked(),
            State::StartTls => self.start_tls(reply),
            State::Auth => self.auth(reply),
            State::Handshake | State::Done => {}
        }
    }

    fn banner(&mut self, reply: &Reply) {
        if reply.code != 220 {
            return self.refused(reply);
        }
        self.said.banner = Some(reply.to_string());
        self.ended(StageOutcome::Ok);
        self.say_ehlo();
    }

    fn say_ehlo(&mut self) {
        self.state = match self.layer {
            Layer::Clear => State::Ehlo,
            Layer::Tls => State::EhloUnderTls,
        };
        let name = &self.target.ehlo_name;
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            // A name that could become a second command is never sent.
            let words = format!("{name:?} cannot be said in EHLO; nothing was sent");
            return self.fail(StageOutcome::Unknown(words));
        }
        let word = match self.target.greeting {
            Greeting::Ehlo => "EHLO ",
            Greeting::Lhlo => "LHLO ",
        };
        self.say(&[word, name]);
    }

    fn ehlo(&mut self, reply: &Reply) {
        if reply.code != 250 {
            return self.refused(reply);
        }
        let keywords: Vec<String> = reply.lines.iter().skip(1).cloned().collect();
        self.ended(StageOutcome::Ok);
        match self.layer {
            Layer::Tls => {
                self.said.ehlo_after = keywords;
                self.say_auth();
            }
            Layer::Clear => {
                self.said.ehlo_before = keywords;
                self.say_mail_before_tls();
            }
        }
    }

    fn say_mail_before_tls(&mut self) {
        match self.target.mail_before_tls {
            MailBeforeTls::Skip => self.say_start_tls(),
            MailBeforeTls::Ask => {
                self.state = State::MailBeforeTls;
                self.say(&["MAIL FROM:<>"]);
            }
        }
    }

    fn mail_before_tls(&mut self, reply: &Reply) {
        self.said.mail_before_tls = Some(reply.to_string());
        if reply.code == 421 {
            self.refused(reply);
        } else if reply.is_positive() {
            self.state = State::Rset;
            self.say(&["RSET"]);
        } else {
            self.mail_was_asked();
        }
    }

    fn mail_was_asked(&mut self) {
        self.ended(StageOutcome::Ok);
        self.say_start_tls();
    }

    fn say_start_tls(&mut self) {
        if self.target.tls != Start::StartTls {
            self.state = State::Done;
            return;
        }
        self.state = State::StartTls;
        if offers(&self.said.ehlo_before, "STARTTLS") {
            self.say(&["STARTTLS"]);
        } else {
            self.fail(StageOutcome::Refused("STARTTLS is not offered".to_owned()));
        }
    }

    fn start_tls(&mut self, reply: &Reply) {
        if reply.code != 220 {
            return self.refused(reply);
        }
        // Whoever put it there hoped that it would be taken for words under TLS. smtp(8) forgets it, too.
        self.said.after_starttls = self.reader.take_leftover();
        self.ended(StageOutcome::Ok);
        self.state = State::Handshake;
    }

    fn say_auth(&mut self) {
        let Some(credentials) = &self.target.credentials else {
            self.state = State::Done;
            return;
        };
        self.state = State::Auth;
        if !offers_auth_plain(&self.said.ehlo_after) {
            let words = "AUTH PLAIN is not offered under TLS".to_owned();
            return self.fail(StageOutcome::Refused(words));
        }
        let secret = Zeroizing::new(format!(
            "\0{}\0{}",
            credentials.user,
            credentials.password.as_str()
        ));
        let response = Zeroizing::new(STANDARD.encode(secret.as_bytes()));
        self.say(&["AUTH PLAIN ", &response]);
    }

    fn auth(&mut self, reply: &Reply) {
        self.said.auth = Some(reply.to_string());
        if reply.code != 235 {
            return self.refused(reply);
        }
        self.ended(StageOutcome::Ok);
        self.state = State::Done;
    }

    fn refused(&mut self, reply: &Reply) {
        self.fail(StageOutcome::Refused(reply.to_string()));
    }

    /// Notes the end of the stage under way; does nothing when no stage is.
    fn ended(&mut self, outcome: StageOutcome) {
        let name = match self.state {
            State::Banner => StageName::Banner,
            State::Ehlo => StageName::Ehlo,
            State::MailBeforeTls | State::Rset => StageName::MailBeforeTls,
            State::StartTls => StageName::StartTls,
            State::Handshake => StageName::Handshake,
            State::EhloUnderTls => StageName::EhloUnderTls,
            State::Auth => StageName::Auth,
            State::Done => return,
        };
        self.ended.push(Ended { name, outcome });
    }

    fn say(&mut self, words: &[&str]) {
        // The exact size at once: a growing vector would leave a password behind in freed memory.
        let length = words.iter().map(|word| word.len()).sum::<usize>() + 2;
        let mut line = Zeroizing::new(Vec::with_capacity(length));
        for word in words {
            line.extend_from_slice(word.as_bytes());
        }
        line.extend_from_slice(b"\r\n");
        self.to_send = Some(line);
    }
}

/// Whether a keyword is among EHLO's lines.
pub(crate) fn offers(ehlo: &[String], keyword: &str) -> bool {
    ehlo.iter()
        .filter_map(|line| line.split(' ').next())
        .any(|word| word.eq_ignore_ascii_case(keyword))
}

fn offers_auth_plain(ehlo: &[String]) -> bool {
    // `AUTH=PLAIN` is the form of before RFC 2554 (`broken_sasl_auth_clients`).
    ehlo.iter().any(|line| {
        let mut words = line.split([' ', '=']);
        words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("AUTH"))
            && words.any(|word| word.eq_ignore_ascii_case("PLAIN"))
    })
}

#[cfg(test)]
mod tests;
