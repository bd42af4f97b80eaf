//! Whether something on the way takes STARTTLS out of what a server says.
//!
//! Owns: what that looks like. Never: asks; takes a server that just has no TLS for one that is
//! tampered with.

use crate::report::{Report, StageName, StageOutcome};

/// What made it look so in one dialogue; `None` where STARTTLS is offered, and its answer comes as it
/// was said.
pub fn stripped(report: &Report) -> Option<String> {
    let refused = report
        .stages
        .iter()
        .find_map(|stage| match (stage.name, &stage.outcome) {
            (StageName::Ehlo | StageName::StartTls, StageOutcome::Refused(words)) => {
                Some(words.as_str())
            }
            _ => None,
        });
    stripped_by(report.banner.as_deref(), &report.ehlo_before, refused)
}

/// The same by the banner, the keywords of EHLO, and the answer that refused EHLO or STARTTLS.
pub fn stripped_by(banner: Option<&str>, ehlo: &[String], refused: Option<&str>) -> Option<String> {
    // The server says what came to it: a command that was ours is not any more.
    if let Some(words) = refused.filter(|words| words.contains(MASK)) {
        return Some(format!("the server was given another command: {words}"));
    }
    let keyword = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    // Masks of other words take nothing away from TLS (ASA: `allow-tls` with `mask-banner`).
    if ehlo
        .iter()
        .any(|line| keyword(line).eq_ignore_ascii_case("STARTTLS"))
    {
        return None;
    }
    // PIX and ASA put X in the place of a keyword (`XXXXXXXA`), and asterisks over the banner
    // (“fixup protocol smtp”, “inspect esmtp”).
    let masked = |line: &&String| {
        let word = keyword(line);
        let all_but_one = word.get(..word.len().saturating_sub(1));
        all_but_one.is_some_and(|most| most.len() >= 3 && most.bytes().all(|byte| byte == b'X'))
    };
    if let Some(line) = ehlo.iter().find(masked) {
        return Some(format!("EHLO shows {line} in the place of a keyword"));
    }
    banner
        .is_some_and(|banner| banner.contains("****"))
        .then(|| "the banner is made of asterisks".to_owned())
}

/// What stands where a command was.
const MASK: &str = "XXXX";
