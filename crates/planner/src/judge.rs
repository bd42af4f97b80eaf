//! The judgement: what the wire showed against what it must show.
//!
//! Owns: [`judge`], its sentences and its `wire.*` findings. Never: looks at a wire, and never
//! calls something good or bad that was not seen: that is *undetermined*. No answer in time is such
//! a case, at every stage and on every port: a busy machine gives none. What breaks off, refuses or shows
//! something else is a miss; so is silence where no process of the service is there (`dead`).

mod dead;
mod greet_wait;
mod handshake;
mod served;
mod too_old;
mod validity;

#[cfg(test)]
mod tests;

pub use dead::add_dead;
pub use greet_wait::{add_greet_wait, longest_greet_wait};
pub use served::{Around, Difference, add_causes, add_lost_files, add_strangers, differences};
pub use too_old::{add_too_old, is_too_old};
pub use validity::{add_validity, is_of_validity};

use crate::report::{
    AuthExpectation, Judgement, NO_ANSWER, Outcome, Report, ServiceExpectation, StageName,
    StageOutcome, TlsExpectation, Verdict, WireExpectation,
};
use crate::{Finding, Severity};
use std::net::{Ipv4Addr, SocketAddr};

/// Judges `reports` against `expectations`: one judgement for each service and address, in the
/// expectations' order. Reports that nobody asked for are ignored.
pub fn judge(expectations: &[ServiceExpectation], reports: &[Report]) -> Verdict {
    let mut judgements = Vec::new();
    for expected in expectations {
        for address in &expected.addresses {
            let report = reports
                .iter()
                .find(|seen| seen.service == expected.service && seen.address == *address);
            judgements.push(judge_one(expected, *address, report));
        }
        if expected.addresses.is_empty() {
            judgements.push(unaddressed(expected));
        }
    }
    Verdict { judgements }
}

fn judge_one(
    expected: &ServiceExpectation,
    address: SocketAddr,
    report: Option<&Report>,
) -> Judgement {
    let mut case = Case::new(&expected.service, address);
    match report {
        None => case.unseen("was not looked at"),
        Some(report) => match &expected.wire {
            WireExpectation::Closed => closed(&mut case, report),
            WireExpectation::Serving { tls, auth } => {
                if handshake::sent_away(report) || answers(&mut case, report) {
                    let under_tls = handshake::judge(&mut case, report, tls);
                    if under_tls == Seen::Yes {
                        judge_auth(&mut case, report, tls, *auth);
                    }
                }
            }
        },
    }
    case.close()
}

/// A service whose addresses could not be told from its files.
fn unaddressed(expected: &ServiceExpectation) -> Judgement {
    let mut case = Case::new(&expected.service, (Ipv4Addr::UNSPECIFIED, 0).into());
    case.place = format!("Service {}", expected.service);
    case.unseen("listens on a name or port that the files alone do not tell");
    case.close()
}

/// Whether something was seen, so that further judgement makes sense.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Yes,
    No,
}

/// A judgement in the making.
struct Case {
    service: String,
    address: SocketAddr,
    /// `Port 587 on 192.0.2.1`.
    place: String,
    sentences: Vec<String>,
    findings: Vec<Finding>,
    unseen: bool,
}

impl Case {
    fn new(service: &str, address: SocketAddr) -> Self {
        Self {
            service: service.to_owned(),
            address,
            place: format!("Port {} on {}", address.port(), address.ip()),
            sentences: Vec::new(),
            findings: Vec::new(),
            unseen: false,
        }
    }

    /// Something was proved.
    fn proved(&mut self, what: &str) {
        self.sentences.push(format!("{} {what}.", self.place));
    }

    /// Something could not be seen.
    fn unseen(&mut self, what: &str) {
        self.unseen = true;
        self.sentences.push(format!("{} {what}.", self.place));
    }

    /// Nothing came in time.
    fn silent(&mut self, what: &str) {
        self.unseen(&format!("{what} ({NO_ANSWER})"));
    }

    /// Something was seen to be otherwise.
    fn missed(&mut self, code: &'static str, what: &str, remedy: &str) {
        let sentence = format!("{} {what}.", self.place);
        self.sentences.push(sentence.clone());
        self.findings
            .push(Finding::new(code, Severity::Error, sentence, remedy).seen(self.service.clone()));
    }

    fn close(self) -> Judgement {
        let outcome = if !self.findings.is_empty() {
            Outcome::Fail
        } else if self.unseen {
            Outcome::Undetermined
        } else {
            Outcome::Pass
        };
        Judgement {
            service: self.service,
            address: self.address,
            outcome,
            sentences: self.sentences,
            findings: self.findings,
        }
    }
}

/// How a stage ended; `None` where it was not reached or not asked for.
fn stage(report: &Report, name: StageName) -> Option<&StageOutcome> {
    report
        .stages
        .iter()
        .find(|stage| stage.name == name)
        .map(|stage| &stage.outcome)
}

fn closed(case: &mut Case, report: &Report) {
    match stage(report, StageName::Connect) {
        Some(StageOutcome::Closed) => case.proved("is closed"),
        Some(StageOutcome::Ok) => case.missed(
            "wire.still-open",
            "still answers, though its service is switched off",
            "Another program or another Postfix instance listens there; `ss -ltnp` names it.",
        ),
        Some(StageOutcome::Unknown(why) | StageOutcome::Refused(why)) => {
            case.unseen(&format!("could not be looked at: {why}"));
        }
        None => case.unseen("was not looked at"),
    }
}

/// Whether an SMTP server (or, for implicit TLS, anything) answers.
fn answers(case: &mut Case, report: &Report) -> bool {
    match stage(report, StageName::Connect) {
        Some(StageOutcome::Ok) => {}
        Some(StageOutcome::Closed) => {
            case.missed(
                "wire.closed",
                "is closed: nothing listens there",
                "`postfix status` tells whether Postfix runs, its log why the port is not open. A \
                 change of inet_interfaces or inet_protocols needs `postfix stop` and `postfix \
                 start`; a reload does not apply it.",
            );
            return false;
        }
        Some(StageOutcome::Refused(why) | StageOutcome::Unknown(why)) => {
            case.unseen(&format!("could not be reached: {why}"));
            return false;
        }
        None => {
            case.unseen("was not looked at");
            return false;
        }
    }
    match stage(report, StageName::Banner) {
        Some(StageOutcome::Refused(words)) if is_for_now(words) => {
            case.unseen(&turned_away(words));
            false
        }
        Some(silence) if silence.is_silence() => {
            case.silent("accepts connections and has not greeted");
            false
        }
        Some(StageOutcome::Unknown(why) | StageOutcome::Refused(why)) => {
            case.missed(
                dead::CODE,
                &format!("accepts connections but gives no greeting ({why})"),
                dead::REMEDY,
            );
            false
        }
        _ => true,
    }
}

/// Whether an answer is about how often or how much clients ask, not about what is set up.
fn is_for_now(words: &str) -> bool {
    words.starts_with("421") || words.contains("too many new TLS sessions")
}

/// Why a server that has enough of its clients could not be looked at.
fn turned_away(words: &str) -> String {
    let limits = match words.contains("too many") {
        true => "; smtpd_client_connection_rate_limit and its like count this host too",
        false => "",
    };
    format!("could not be looked at: it turns clients away for now ({words}){limits}")
}

fn judge_auth(case: &mut Case, report: &Report, tls: &TlsExpectation, wanted: AuthExpectation) {
    let wrapper = matches!(tls, TlsExpectation::Wrapper { .. });
    let before = !wrapper && offers(&report.ehlo_before, "AUTH");
    let after = offers(&report.ehlo_after, "AUTH");
    let in_clear = *tls == TlsExpectation::Off;
    match wanted {
        AuthExpectation::Any => {}
        AuthExpectation::Never if before || after => case.missed(
            "wire.auth-offered",
            "offers AUTH, though the configuration does not",
            "Another server answers there, or a reload is missing.",
        ),
        AuthExpectation::Never => {}
        AuthExpectation::OnlyUnderTls if before => case.missed(
            "wire.auth-in-clear",
            "offers AUTH in cleartext: passwords can be read on the way",
            "`postseal set auth-only=yes`.",
        ),
        AuthExpectation::OnlyUnderTls => offered(case, after, "offers AUTH, only under TLS"),
        AuthExpectation::Always if in_clear => offered(case, before, "offers AUTH"),
        AuthExpectation::Always if wrapper => offered(case, after, "offers AUTH"),
        AuthExpectation::Always => offered(case, before && after, "offers AUTH"),
    }
}

fn offered(case: &mut Case, is: bool, what: &str) {
    if is {
        case.proved(what);
    } else {
        case.missed(
            "wire.auth-missing",
            "does not offer AUTH, so mail clients cannot log in",
            "Look at the SASL settings (smtpd_sasl_type, smtpd_sasl_path) and at Postfix's log.",
        );
    }
}

/// Whether an EHLO answer has `keyword`, also in the form `AUTH=LOGIN` for old clients.
fn offers(ehlo: &[String], keyword: &str) -> bool {
    ehlo.iter().any(|line| {
        let word = line.split([' ', '=']).next().unwrap_or_default();
        word.eq_ignore_ascii_case(keyword)
    })
}
