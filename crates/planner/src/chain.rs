//! An error with everything below it.
//!
//! Owns: how a chain of errors becomes one sentence. Never: says what to do about it.

/// An error with its sources, each after a colon; one that already ends in what its source says is not said twice.
pub fn whole_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(below) = source {
        let below_text = below.to_string();
        if !text.ends_with(&below_text) {
            text.push_str(": ");
            text.push_str(&below_text);
        }
        source = below.source();
    }
    text
}
