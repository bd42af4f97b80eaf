//! Plans and refusals as text, for golden files.

use postseal_planner::plan::{Cf, Plan, Step};
use postseal_planner::report::{Presented, ServiceExpectation, TlsExpectation, WireExpectation};
use postseal_planner::{Refusal, Severity};
use std::fmt::Write as _;

/// Everything of a result that an administrator would notice.
pub(crate) fn of(result: &Result<Plan, Refusal>) -> String {
    match result {
        Ok(plan) if plan.is_empty() => "nothing to do\n".to_owned(),
        Ok(plan) => whole(plan),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: &Refusal) -> String {
    let mut text = String::new();
    for finding in &refusal.findings {
        let _ = writeln!(
            text,
            "refused {}\n  {}\n  → {}",
            finding.code, finding.message, finding.remedy
        );
        for evidence in &finding.evidence {
            let _ = writeln!(text, "  seen: {}", evidence.text);
        }
    }
    text
}

fn whole(plan: &Plan) -> String {
    let mut text = String::new();
    for edit in &plan.edits {
        text.push_str(&edit.diff);
    }
    text.push_str("steps\n");
    for step in &plan.steps {
        let _ = writeln!(
            text,
            "  {}",
            match step {
                Step::InstallChain { path, .. } => format!("install {}", path.display()),
                Step::InstallSniMap(map) => format!(
                    "install {}:{}\n    {}",
                    map.table,
                    map.path.display(),
                    map.source.trim_end().replace('\n', "\n    ")
                ),
                Step::InstallPolicyMap(map) =>
                    format!("install {} ({} rows)", map.name(), map.policies.rows),
                Step::Publish { file: Cf::Main } => "publish main.cf".to_owned(),
                Step::Publish { file: Cf::Master } => "publish master.cf".to_owned(),
                Step::Reload => "reload".to_owned(),
                Step::Restart => "restart".to_owned(),
                Step::Await => "await".to_owned(),
            }
        );
    }
    text.push_str("expected\n");
    plan.expectations
        .iter()
        .for_each(|service| expected(service, &mut text));
    for confirmation in &plan.confirmations {
        let _ = writeln!(
            text,
            "confirm {}={}",
            confirmation.code, confirmation.answer
        );
    }
    for noticed in plan
        .findings
        .iter()
        .filter(|noticed| noticed.finding.severity > Severity::Info)
    {
        let before = if noticed.was_so_before {
            " (was so before)"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "{:?} {}{before}",
            noticed.finding.severity, noticed.finding.code
        );
    }
    text.push_str("said\n");
    for sentence in &plan.sentences {
        let _ = writeln!(text, "  {sentence}");
    }
    text
}

/// What a plan expects of the wire, a line a service.
pub(crate) fn expectations(plan: &Plan) -> Vec<String> {
    let lines = plan.expectations.iter().map(|service| {
        let mut line = String::new();
        expected(service, &mut line);
        line.trim().to_owned()
    });
    lines.collect()
}

fn presented(presented: &Presented) -> String {
    let name = presented.ask.name.as_deref().unwrap_or("-");
    let kind = presented.ask.algorithm;
    let kind = kind.map_or_else(String::new, |kind| format!("/{kind:?}"));
    let leaves: Vec<String> = presented.certificates.iter().map(|c| c.prefix(4)).collect();
    format!(" {name}{kind}={}", leaves.join("+"))
}

fn expected(service: &ServiceExpectation, text: &mut String) {
    let addresses: Vec<String> = service.addresses.iter().map(ToString::to_string).collect();
    let wire = match &service.wire {
        WireExpectation::Closed => "closed".to_owned(),
        WireExpectation::Serving { tls, auth } => {
            let (start, handshake) = match tls {
                TlsExpectation::Off => ("clear", None),
                TlsExpectation::StartTls {
                    required: false,
                    handshake,
                } => ("starttls", Some(handshake)),
                TlsExpectation::StartTls {
                    required: true,
                    handshake,
                } => ("starttls required", Some(handshake)),
                TlsExpectation::Wrapper { handshake } => ("wrapper", Some(handshake)),
            };
            let handshake = handshake.map_or_else(String::new, |handshake| {
                let certificate = match handshake.certificates.len() {
                    0 if handshake.anonymous => "anonymous".to_owned(),
                    0 => "any certificate".to_owned(),
                    _ => handshake
                        .certificates
                        .iter()
                        .map(|c| c.prefix(4))
                        .collect::<Vec<_>>()
                        .join("+"),
                };
                let floor = handshake
                    .floor
                    .map_or("none".to_owned(), |floor| floor.to_string());
                let presented: String = handshake.presented.iter().map(presented).collect();
                format!(", {certificate}{presented}, floor {floor}")
            });
            format!("{start}{handshake}, auth {auth:?}")
        }
    };
    let _ = writeln!(
        text,
        "  {} at {}: {wire}",
        service.service,
        addresses.join(" ")
    );
}
