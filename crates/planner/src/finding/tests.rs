//! What a finding repeats of its input: whole while it is short, and bounded, since the input is
//! anybody's.

use super::{Finding, MESSAGE, Severity};

#[test]
fn what_is_repeated_of_the_input_is_bounded() {
    let long = "é".repeat(MESSAGE);
    let finding = Finding::new("a.b", Severity::Info, long.clone(), "").seen(long);
    for text in [&finding.message, &finding.evidence[0].text] {
        assert!(text.ends_with("é…") && text.len() <= MESSAGE + '…'.len_utf8());
    }
}

#[test]
fn what_is_short_enough_stays_whole() {
    let text = "x".repeat(MESSAGE);
    let finding = Finding::new("a.b", Severity::Info, text.clone(), "").at("/f", 1, text.clone());
    assert_eq!(finding.message, text);
    assert_eq!(finding.evidence[0].text, text);
}
