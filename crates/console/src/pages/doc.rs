//! A document of the agent's, read without trust.
//!
//! Owns: that what is missing, of another kind or too long is an empty or a shortened cell, never an error. Never:
//! knows a document; each page does.

use serde_json::Value;

/// So many characters of one text are shown.
const TEXT: usize = 2_000;
/// So many characters of an answer or a diff are shown.
const LONG: usize = 100_000;
/// So many members of a list are shown.
const MEMBERS: usize = 1_000;

/// A document or a part of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doc(Value);

impl Doc {
    pub(crate) fn read(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_default())
    }

    /// A part of it.
    pub(crate) fn at(&self, key: &str) -> Self {
        Self(self.0.get(key).cloned().unwrap_or_default())
    }

    /// Whether there is something.
    pub(crate) fn is_there(&self) -> bool {
        !self.0.is_null()
    }

    /// A word or a number as text.
    pub(crate) fn text(&self, key: &str) -> String {
        written(self.0.get(key), TEXT)
    }

    /// The same, of many lines.
    pub(crate) fn long(&self, key: &str) -> String {
        written(self.0.get(key), LONG)
    }

    pub(crate) fn is_true(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// The members of a list; of one that is too long the first.
    pub(crate) fn list(&self, key: &str) -> Vec<Self> {
        let list = self.0.get(key).and_then(Value::as_array);
        let members = list.into_iter().flatten().take(MEMBERS);
        members.cloned().map(Self).collect()
    }

    /// The members of a list of words.
    pub(crate) fn words(&self, key: &str) -> Vec<String> {
        let list = self.0.get(key).and_then(Value::as_array);
        let members = list.into_iter().flatten().take(MEMBERS);
        members.map(|one| written(Some(one), TEXT)).collect()
    }

    /// The part where it is there, else the whole.
    pub(crate) fn inner(&self, key: &str) -> Self {
        match self.at(key) {
            part if part.is_there() => part,
            _ => self.clone(),
        }
    }
}

fn written(value: Option<&Value>, most: usize) -> String {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(yes)) => yes.to_string(),
        _ => return String::new(),
    };
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => format!("{}… ({} bytes in all)", &text[..end], text.len()),
    }
}
