//! The fields of a document, and what is wrong with them.
//!
//! Owns: from TOML's values to words, with the line of what is another kind of value. Never: which
//! keys there are.

use crate::cmd::document::lines::Lines;
use postseal_planner::{Finding, Severity};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A document being read.
pub(super) struct Reader<'t> {
    pub(super) lines: Lines<'t>,
    /// What is wrong with it.
    pub(super) wrong: Vec<Finding>,
}

impl Reader<'_> {
    /// Notes what is wrong where something stands.
    pub(super) fn note<T>(&mut self, at: &Spanned<T>, what: &str, why: &str) {
        self.wrong.push(wrong(self.lines.of(at), what, why));
    }

    pub(super) fn table<'d, 'i>(
        &mut self,
        value: &'d Spanned<DeValue<'i>>,
        what: &str,
    ) -> Option<&'d DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.note(value, what, &format!("{what} is a table of TOML"));
        }
        table
    }

    /// The values of an array; none where it is no array.
    pub(super) fn array<'d, 'i>(
        &mut self,
        value: &'d Spanned<DeValue<'i>>,
        what: &str,
    ) -> &'d [Spanned<DeValue<'i>>] {
        match value.get_ref() {
            DeValue::Array(array) => array,
            _ => {
                self.note(value, what, &format!("{what} is an array: [[{what}]]"));
                &[]
            }
        }
    }

    pub(super) fn text(&mut self, value: &Spanned<DeValue<'_>>, what: &str) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.note(value, what, &format!("{what} is a text: {what} = \"…\""));
        }
        text.map(str::to_owned)
    }

    pub(super) fn flag(&mut self, value: &Spanned<DeValue<'_>>, what: &str) -> bool {
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.note(value, what, &format!("{what} is true or false"));
        }
        flag.unwrap_or_default()
    }
}

/// A number of 32 bits.
pub(super) fn integer(value: &Spanned<DeValue<'_>>) -> Option<u32> {
    let number = value.get_ref().as_integer()?;
    u32::from_str_radix(number.as_str(), number.radix()).ok()
}

pub(super) fn wrong(line: usize, what: &str, why: &str) -> Finding {
    Finding::new(
        "document.bad-file",
        Severity::Error,
        format!("The file is no declarative file: {why}."),
        "`postseal export` shows the form.",
    )
    .at_line(line, what)
}
