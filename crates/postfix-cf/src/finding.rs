//! What is remarkable in a file, with the line it stands on.
//!
//! Owns: facts about the text that hold for any parameter. Never: whether a value is sensible.

use std::collections::BTreeMap;
use std::fmt;

/// So many findings of a kind are made; nobody reads more, and a file of tiny lines would fill the
/// memory with them.
const OF_A_KIND: usize = 100;

/// How Postfix takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Legal and without effect on Postfix, but not what it looks like.
    Info,
    /// Postfix goes on, with a warning or with less than was written.
    Warning,
    /// Postfix refuses the file, or the processes of a service die.
    Fatal,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum FindingCode {
    /// A logical line without `=`.
    MissingEquals,
    /// A logical line that starts with `=`.
    MissingName,
    /// Indented text before the first logical line; Postfix drops it.
    IndentedFirstLine,
    /// A later entry of the same name, with another value, wins.
    Overridden,
    /// The same name and the same value once more.
    Repeated,
    /// `$` syntax that Postfix cannot read.
    BadExpansion,
    /// `{` and `}` do not match.
    UnbalancedBraces,
    /// A NUL byte; Postfix does not see what follows it in the logical line.
    NulByte,
    /// A byte order mark, which becomes part of the first name.
    ByteOrderMark,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// ` #` in a value, which does not start a comment.
    InlineComment,
    /// A carriage return inside a value.
    CarriageReturn,
    /// A line goes on after a comment or a blank line.
    SplitContinuation,
    /// No newline at the end; `postconf -e` before 3.7.15 joins the next entry to the last line.
    NoFinalNewline,
    /// Fewer than eight fields.
    FieldCount,
    /// A type that Postfix does not know.
    BadType,
    /// A field with a value that it cannot have.
    BadField,
    /// An earlier service of that name and type; the last one wins.
    DuplicateService,
    /// `-o` without `name=value`.
    BadOverride,
    /// An argument that starts with `{` and does not end with its `}`.
    UnbalancedArgument,
    /// The same `-o` name once more; the last one wins.
    RepeatedOverride,
    /// An argument that ends the options; the service does not see what follows.
    StrayArgument,
}

impl FindingCode {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingEquals => "missing-equals",
            Self::MissingName => "missing-name",
            Self::IndentedFirstLine => "indented-first-line",
            Self::Overridden => "overridden",
            Self::Repeated => "repeated",
            Self::BadExpansion => "bad-expansion",
            Self::UnbalancedBraces => "unbalanced-braces",
            Self::NulByte => "nul-byte",
            Self::ByteOrderMark => "byte-order-mark",
            Self::NotUtf8 => "not-utf8",
            Self::InlineComment => "inline-comment",
            Self::CarriageReturn => "carriage-return",
            Self::SplitContinuation => "split-continuation",
            Self::NoFinalNewline => "no-final-newline",
            Self::FieldCount => "field-count",
            Self::BadType => "bad-type",
            Self::BadField => "bad-field",
            Self::DuplicateService => "duplicate-service",
            Self::BadOverride => "bad-override",
            Self::UnbalancedArgument => "unbalanced-argument",
            Self::RepeatedOverride => "repeated-override",
            Self::StrayArgument => "stray-argument",
        }
    }

    /// How Postfix takes it.
    pub fn severity(self) -> Severity {
        match self {
            Self::MissingEquals
            | Self::MissingName
            | Self::BadExpansion
            | Self::FieldCount
            | Self::BadType
            | Self::BadField
            | Self::BadOverride
            | Self::UnbalancedArgument => Severity::Fatal,
            Self::IndentedFirstLine
            | Self::Overridden
            | Self::UnbalancedBraces
            | Self::NulByte
            | Self::ByteOrderMark
            | Self::CarriageReturn
            | Self::DuplicateService
            | Self::RepeatedOverride
            | Self::StrayArgument => Severity::Warning,
            Self::Repeated
            | Self::NotUtf8
            | Self::InlineComment
            | Self::SplitContinuation
            | Self::NoFinalNewline => Severity::Info,
        }
    }
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: FindingCode,
    /// The line it stands on, from 1.
    pub line: usize,
    /// A second line that belongs to it: of two entries, the one that wins.
    pub other_line: Option<usize>,
    /// The parameter or the `name/type` of the service, when there is one; else how the line begins.
    pub subject: String,
    /// A sentence for an administrator.
    pub text: String,
    /// How many more of its kind there are, which are left out; 0 but for the last of a kind.
    pub more: usize,
}

/// Findings as they come, a limited number of each kind.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
    of_a_kind: BTreeMap<FindingCode, usize>,
}

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        let count = self.of_a_kind.entry(finding.code).or_default();
        *count += 1;
        if *count <= OF_A_KIND {
            self.found.push(finding);
        }
    }

    /// By line.
    pub(crate) fn in_order(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.line);
        for finding in self.found.iter_mut().rev() {
            let count = self.of_a_kind.remove(&finding.code);
            finding.more = count.unwrap_or_default().saturating_sub(OF_A_KIND);
        }
        self.found
    }
}

impl Finding {
    /// How Postfix takes it.
    pub fn severity(&self) -> Severity {
        self.code.severity()
    }

    pub(crate) fn new(code: FindingCode, line: usize, subject: &[u8], text: String) -> Self {
        Self {
            code,
            line,
            other_line: None,
            subject: String::from_utf8_lossy(subject).into_owned(),
            text,
            more: 0,
        }
    }

    pub(crate) fn beside(mut self, line: usize) -> Self {
        self.other_line = Some(line);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.text)
    }
}
