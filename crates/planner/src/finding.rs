//! Findings: what was noticed, with evidence and a remedy; and refusals made of them.
//!
//! Owns: the shape of a finding. Never: prints one (faces do), or stops anything (a plan or an
//! approval does). A finding is not an error: it is an answer.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// How bad a finding is. Ordered: `Info < Warning < Error < Fatal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works, but not as well as it should or not for long.
    Warning,
    /// Something does not work, or not as the setting promises.
    Error,
    /// Mail stops, or a service dies.
    Fatal,
}

/// Where something was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Evidence {
    /// The file, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<PathBuf>,
    /// The line in that file, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<usize>,
    /// What was seen there: a line, a value, a log line, a server's answer.
    pub text: String,
}

/// One thing noticed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Finding {
    /// Stable code, `family.what` in lower case (`cert.key-mismatch`).
    pub code: Cow<'static, str>,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence: what is wrong and what follows from it.
    pub message: String,
    /// Where it was seen; empty where it has no place.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// One sentence: what to do about it.
    pub remedy: String,
    /// The wishes that mend it, where there are such.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<Box<Fix>>,
}

/// The remedy of a finding as wishes: nothing else is needed to mend it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fix {
    /// `KEY=VALUE`, as `postseal set` takes them.
    pub set: Vec<String>,
    /// Who takes it.
    pub taken: Taken,
    /// What follows from it, where that is more than what the finding says; a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
}

/// Whether a fix is taken without being asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Taken {
    /// By `lint --fix`: it means the same as what is written, or mends what does not work, and
    /// turns nobody away.
    ByItself,
    /// By `lint --fix --with CODE`: it changes what is promised, or who is served.
    ByName,
}

/// A message is no longer than this, whatever input it repeats; in bytes.
const MESSAGE: usize = 2000;

/// The text, cut between characters where it is too long.
fn bounded(mut text: String) -> String {
    if text.len() > MESSAGE {
        text.truncate(text.floor_char_boundary(MESSAGE));
        text.push('…');
    }
    text
}

impl Finding {
    /// A finding without evidence.
    pub fn new(
        code: &'static str,
        severity: Severity,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code: Cow::Borrowed(code),
            severity,
            message: bounded(message.into()),
            evidence: Vec::new(),
            remedy: remedy.into(),
            fix: None,
        }
    }

    /// With the wishes that mend it, where there are such.
    #[must_use]
    pub fn mended_by(mut self, fix: Option<Fix>) -> Self {
        self.fix = fix.map(Box::new);
        self
    }

    /// Adds evidence at a line of a file.
    #[must_use]
    pub fn at(mut self, file: impl Into<PathBuf>, line: usize, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            file: Some(file.into()),
            line: Some(line),
            text: bounded(text.into()),
        });
        self
    }

    /// Adds evidence at a line of a file that whoever read it names.
    #[must_use]
    pub fn at_line(mut self, line: usize, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            file: None,
            line: Some(line),
            text: bounded(text.into()),
        });
        self
    }

    /// Names the file of what was seen at a line without one.
    #[must_use]
    pub fn in_file(mut self, file: &Path) -> Self {
        let lines = self.evidence.iter_mut().filter(|one| one.line.is_some());
        for one in lines {
            one.file.get_or_insert_with(|| file.to_owned());
        }
        self
    }

    /// Adds evidence that has no file.
    #[must_use]
    pub fn seen(mut self, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence {
            file: None,
            line: None,
            text: bounded(text.into()),
        });
        self
    }
}

/// Why no plan is made: at least one finding that forbids it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The findings, the deciding one first. Never empty.
    pub findings: Vec<Finding>,
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Self {
        Self {
            findings: vec![finding],
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.findings.first() {
            Some(first) => f.write_str(&first.message),
            None => f.write_str("refused"),
        }
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests;
