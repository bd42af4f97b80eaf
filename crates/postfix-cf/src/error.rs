//! What can be refused: an edit, an expansion. Parsing is never refused.

/// Why an edit was not made. The value is unchanged then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A newline, carriage return or NUL in a value: it could become a second line.
    #[error("the value holds a line break or a NUL byte")]
    ControlByte,
    /// Not a name: empty, or with whitespace, `=`, `#` first, or a NUL byte in it.
    #[error("that is not a parameter name")]
    BadName,
    /// Not one logical line of the named parameter.
    #[error("the text is not one whole entry of that parameter")]
    NotOneEntry,
    /// Not a run of complete master.cf services.
    #[error("the text is not a complete master.cf service")]
    NotAService,
    /// master.cf has no such service.
    #[error("there is no such service")]
    NoSuchService,
    /// There is no commented-out service with that number.
    #[error("there is no such commented-out service")]
    NoSuchTemplate,
    /// Lines of another service follow below the commented-out one and would change owner.
    #[error("the commented-out service stands inside another service")]
    InsideService,
    /// A field value that master.cf cannot hold in one field.
    #[error("the value is not one word")]
    NotOneWord,
    /// A `-o` value with blanks, which needs `-o { name = value }` (Postfix 3.0).
    #[error("the value holds blanks, which need the form `-o {{ name = value }}`")]
    NeedsBraces,
    /// Braces that do not match would swallow what follows them.
    #[error("the value holds unbalanced braces")]
    Unbalanced,
    /// The entry is broken (a NUL byte, a missing brace), and Postfix would not see the edit.
    #[error("the entry is malformed, and the edit would have no effect")]
    MalformedEntry,
    /// What is left of the line starts with `#` and would be taken for a comment.
    #[error("the rest of the line would become a comment")]
    WouldBecomeComment,
}

/// Why a value could not be expanded. Postfix ends with `macro processing error` at these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpandError {
    /// `${` or `$(` without its end, or `{` inside an expression without one.
    #[error("unbalanced braces at \"{0}\"")]
    Unbalanced(String),
    /// A `$` with no name after it.
    #[error("empty name after \"$\" in \"{0}\"")]
    EmptyName(String),
    /// A name with a byte that is not a letter, a digit or `_`.
    #[error("bad name \"{0}\"")]
    BadName(String),
    /// An expression that cannot be read.
    #[error("{expected} expected at \"{at}\"")]
    Expected {
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        at: String,
    },
    /// A word that is not a compatibility level, compared with `<=level` and the like.
    #[error("\"{0}\" is not a compatibility level")]
    BadLevel(String),
    /// Names that refer to each other without end.
    #[error("names are nested too deeply at \"{0}\"")]
    TooDeep(String),
    /// More output or more work than any real value needs.
    #[error("the expansion grows beyond {limit}")]
    TooLarge {
        /// The limit that was reached.
        limit: usize,
    },
}
