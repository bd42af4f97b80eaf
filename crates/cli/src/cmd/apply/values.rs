//! Values of the options of a change.
//!
//! Owns: reading an acceptance and a time. Never: decides what they are good for.

use postseal_engine::Acceptance;
use std::time::Duration;

/// `CODE=HOST`.
pub(super) fn acceptance(text: &str) -> Result<Acceptance, String> {
    let (code, answer) = text.split_once('=').ok_or("expected CODE=HOST")?;
    Ok(Acceptance {
        code: code.to_owned(),
        answer: answer.to_owned(),
    })
}

/// Times as Postfix writes them: a number with s, m, h or d; at most a week.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let split = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number
        .parse()
        .map_err(|_| "expected a time such as 5m or 90s".to_owned())?;
    let factor = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err("expected s, m, h or d after the number".to_owned()),
    };
    let seconds = number.saturating_mul(factor);
    if (1..=7 * 86400).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err("expected between one second and a week".to_owned())
    }
}
