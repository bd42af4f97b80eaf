//! The part of the judgement that is about TLS itself.
//!
//! Owns: STARTTLS offered, required and completed; certificate, version and floor. Never: AUTH.

use super::{Case, Seen, is_for_now, offers, stage, turned_away};
use crate::report::{
    Answered, Ask, ClientCertificate, FloorTest, Handshake, HandshakeExpectation, KeyAlgorithm,
    Report, StageName, StageOutcome, TlsExpectation,
};
use crate::words;

const LOG: &str = "Postfix's log names the file or setting that smtpd could not use.";

/// Judges TLS; [`Seen::No`] when the dialogue ended before it could be judged whole.
pub(super) fn judge(case: &mut Case, report: &Report, wanted: &TlsExpectation) -> Seen {
    match wanted {
        TlsExpectation::Off => off(case, report),
        TlsExpectation::Wrapper { handshake } => completed(case, report, handshake),
        TlsExpectation::StartTls {
            required,
            handshake,
        } => {
            if !greeted(case, report) {
                return Seen::No;
            }
            if !offers(&report.ehlo_before, "STARTTLS") {
                case.missed(
                    "wire.starttls-not-offered",
                    "does not offer STARTTLS",
                    "A reload is missing, another server answers there, or a device on the way \
                     removes it.",
                );
                return Seen::No;
            }
            mail_before_tls(case, report, *required);
            completed(case, report, handshake)
        }
    }
}

fn greeted(case: &mut Case, report: &Report) -> bool {
    match stage(report, StageName::Ehlo) {
        Some(StageOutcome::Ok) => true,
        Some(StageOutcome::Refused(why)) if is_for_now(why) => {
            case.unseen(&turned_away(why));
            false
        }
        Some(StageOutcome::Refused(why)) => {
            case.missed(
                "wire.ehlo-refused",
                &format!("refuses EHLO ({why})"),
                "The server's restrictions reject this host; its log tells which one.",
            );
            false
        }
        _ => {
            case.unseen("did not answer EHLO in time");
            false
        }
    }
}

fn off(case: &mut Case, report: &Report) -> Seen {
    if !greeted(case, report) {
        return Seen::No;
    }
    if offers(&report.ehlo_before, "STARTTLS") {
        case.missed(
            "wire.starttls-still-offered",
            "still offers STARTTLS",
            "A reload is missing, or another server answers there.",
        );
    } else {
        case.proved("serves without TLS");
    }
    Seen::Yes
}

fn mail_before_tls(case: &mut Case, report: &Report, required: bool) {
    let Some(answer) = report.mail_before_tls.as_deref() else {
        if required {
            case.unseen("was not asked whether it refuses mail before STARTTLS");
        }
        return;
    };
    match (required, answer.as_bytes().first()) {
        (true, _) if answer.starts_with("530") => {
            case.proved("refuses mail before STARTTLS (530)");
        }
        (true, Some(b'2')) => case.missed(
            "wire.tls-not-required",
            "accepts mail in cleartext, though TLS is required",
            "A reload is missing, or another server answers there.",
        ),
        (true, _) => case.unseen(&format!("answered mail before STARTTLS with: {answer}")),
        (false, _) if answer.starts_with("530") => case.missed(
            "wire.tls-required",
            "refuses mail before STARTTLS, though TLS is optional",
            "A reload is missing, or another server answers there.",
        ),
        (false, _) => {}
    }
}

fn completed(case: &mut Case, report: &Report, wanted: &HandshakeExpectation) -> Seen {
    let starttls = stage(report, StageName::StartTls);
    if starttls.is_some_and(StageOutcome::is_silence) {
        case.silent("offers STARTTLS and has not started it");
        return Seen::No;
    }
    if let Some(StageOutcome::Refused(why) | StageOutcome::Unknown(why)) = starttls {
        if is_for_now(why) {
            case.unseen(&turned_away(why));
            return Seen::No;
        }
        case.missed(
            "wire.starttls-broken",
            &format!("offers STARTTLS but cannot start it ({why})"),
            LOG,
        );
        return Seen::No;
    }
    if let Some(more) = &report.after_starttls {
        case.missed(
            "wire.slipped-in",
            &format!("says more before the handshake than its answer to STARTTLS ({more})"),
            "Postfix does not: another server answers there, or a device on the way puts it in.",
        );
    }
    let Some(seen) = &report.handshake else {
        return incomplete(case, report, wanted);
    };
    certificate(case, seen, wanted);
    presented(case, report, wanted);
    floor(case, report, wanted);
    if wanted.client_certificate == ClientCertificate::Required {
        return without_certificate(case, report);
    }
    if sent_away(report) {
        case.missed(
            "wire.client-certificate-required",
            "sends clients without a certificate away, though none is required",
            "A reload is missing, or another server answers there.",
        );
        return Seen::No;
    }
    match stage(report, StageName::EhloUnderTls) {
        Some(StageOutcome::Ok) => Seen::Yes,
        Some(StageOutcome::Refused(why) | StageOutcome::Unknown(why)) => {
            case.unseen(&format!("did not answer EHLO under TLS: {why}"));
            Seen::No
        }
        _ => {
            case.unseen("was not asked EHLO under TLS");
            Seen::No
        }
    }
}

/// A look has no certificate to show.
fn without_certificate(case: &mut Case, report: &Report) -> Seen {
    if sent_away(report) {
        case.proved("sends clients without a certificate away (421)");
        return Seen::No;
    }
    match stage(report, StageName::EhloUnderTls) {
        Some(StageOutcome::Ok) => case.missed(
            "wire.client-certificate-not-required",
            "serves clients without a certificate, though one is required",
            "A reload is missing, or another server answers there.",
        ),
        Some(StageOutcome::Refused(why) | StageOutcome::Unknown(why)) => {
            case.unseen(&format!("did not answer EHLO under TLS: {why}"));
        }
        _ => case.unseen("was not asked EHLO under TLS"),
    }
    Seen::No
}

/// Whether smtpd(8) said that it wants to see the client's certificate: after STARTTLS in place of
/// an answer to EHLO, with implicit TLS in place of its greeting.
pub(super) fn sent_away(report: &Report) -> bool {
    [StageName::Banner, StageName::EhloUnderTls]
        .iter()
        .any(|name| match stage(report, *name) {
            Some(StageOutcome::Refused(words)) => {
                words.starts_with("421") && words.contains("No client certificate")
            }
            _ => false,
        })
}

fn incomplete(case: &mut Case, report: &Report, wanted: &HandshakeExpectation) -> Seen {
    match stage(report, StageName::Handshake) {
        Some(StageOutcome::Refused(why) | StageOutcome::Unknown(why)) if wanted.anonymous => {
            case.unseen(&format!(
                "could not be looked at: no anonymous cipher in common ({why})"
            ));
        }
        Some(silence) if silence.is_silence() => {
            case.silent("has not completed the TLS handshake");
        }
        Some(StageOutcome::Refused(why) | StageOutcome::Unknown(why)) => case.missed(
            "wire.handshake-failed",
            &format!("does not complete the TLS handshake ({why})"),
            LOG,
        ),
        _ => case.unseen("was not asked for a TLS handshake"),
    }
    Seen::No
}

fn certificate(case: &mut Case, seen: &Handshake, wanted: &HandshakeExpectation) {
    let version = words::version(seen.version);
    let shown = words::shown_certificate(seen);
    match (wanted.anonymous, seen.fingerprint) {
        (true, None) => case.proved(&format!("speaks {version} without any certificate")),
        (true, Some(_)) => case.missed(
            "wire.certificate-shown",
            &format!("shows {shown}, though none is configured"),
            "A reload is missing, or another server answers there.",
        ),
        (false, None) => case.missed(
            "wire.no-certificate",
            "speaks TLS without any certificate",
            "`postseal cert bind NAME` gives it one.",
        ),
        (false, Some(leaf)) => {
            if wanted.certificates.is_empty() || wanted.certificates.contains(&leaf) {
                case.proved(&format!("speaks {version} and shows {shown}"));
            } else {
                case.missed(
                    "wire.wrong-certificate",
                    &format!("shows another certificate than configured: {shown}"),
                    "A process from before the change still answers (wait or reload), or another \
                     server listens there.",
                );
            }
        }
    }
}

/// What clients saw that asked for a name, or took one kind of key only.
fn presented(case: &mut Case, report: &Report, wanted: &HandshakeExpectation) {
    let mut proved: Vec<String> = Vec::new();
    let mut of_own_table: Vec<String> = Vec::new();
    for wanted in &wanted.presented {
        let who = clients(&wanted.ask);
        let answer = report.asked.iter().find(|seen| seen.ask == wanted.ask);
        match answer.map(|seen| &seen.answer) {
            Some(Answered::Shown(Some(_))) if wanted.certificates.is_empty() => {
                of_own_table.push(who);
            }
            Some(Answered::Shown(Some(leaf))) if wanted.certificates.contains(leaf) => {
                proved.push(who);
            }
            Some(Answered::Shown(Some(leaf))) => case.missed(
                "wire.wrong-certificate",
                &format!(
                    "shows another certificate than bound to clients that {who}: the one with \
                     SHA-256 fingerprint {}…",
                    leaf.prefix(8)
                ),
                "A process from before the change still answers (wait or reload), another server \
                 listens there, or the map of names was compiled by somebody else: delete the \
                 postseal.d/sni-… files and run `postseal apply`.",
            ),
            Some(Answered::Shown(None)) => case.missed(
                "wire.no-certificate",
                &format!("speaks TLS without any certificate to clients that {who}"),
                LOG,
            ),
            Some(Answered::Refused(why)) => case.missed(
                "wire.handshake-failed",
                &format!("does not complete the TLS handshake of clients that {who} ({why})"),
                LOG,
            ),
            Some(Answered::Unknown(why)) => {
                case.unseen(&format!("was not seen by a client that would {who}: {why}"));
            }
            None => case.unseen(&format!("was not looked at as clients do that {who}")),
        }
    }
    if !proved.is_empty() {
        case.proved(&format!(
            "shows the certificate bound for them to clients that {}",
            words::list(&proved)
        ));
    }
    if !of_own_table.is_empty() {
        case.proved(&format!(
            "completes the handshake of clients that {}",
            words::some(&of_own_table)
        ));
    }
}

/// What marks these clients: `ask for mail.example.org`, `take only RSA`.
pub(super) fn clients(ask: &Ask) -> String {
    let kind = ask.algorithm.map(|algorithm| match algorithm {
        KeyAlgorithm::Rsa => "RSA",
        KeyAlgorithm::Ecdsa => "ECDSA",
        KeyAlgorithm::Ed25519 => "Ed25519",
    });
    match (&ask.name, kind) {
        (Some(name), None) => words::asked(name),
        (Some(name), Some(kind)) => format!("{} and take only {kind}", words::asked(name)),
        (None, Some(kind)) => format!("take only {kind}"),
        (None, None) => "ask for no name".to_owned(),
    }
}

fn floor(case: &mut Case, report: &Report, wanted: &HandshakeExpectation) {
    let Some(floor) = wanted.floor else { return };
    let name = words::version(floor);
    match &report.below_floor {
        Some(FloorTest::Refused(_)) => case.proved(&format!("refuses TLS older than {name}")),
        Some(FloorTest::Accepted(version)) => case.missed(
            "wire.floor-not-held",
            &format!(
                "accepts {}, though {name} is the least",
                words::version(*version)
            ),
            "A reload is missing, or another server answers there.",
        ),
        Some(FloorTest::Undetermined(why)) => case.unseen(&format!(
            "could not be tested for TLS older than {name}: {why}"
        )),
        None => case.unseen(&format!("was not tested for TLS older than {name}")),
    }
}
