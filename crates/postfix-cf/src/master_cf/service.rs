//! One service: its fields, arguments and `-o` overrides.
//!
//! Owns: reading arguments as Postfix's option parser does: options end at the first argument that
//! is none, `-vo x=y` is `-v -o x=y`, text in `{ }` is one argument without its braces and its outer
//! blanks. Never: which command takes which argument.

use super::token::{FIELDS, Token, tokens};
use crate::line::trim;
use std::borrow::Cow;
use std::fmt;

/// What a service is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceKey<'a> {
    /// The first field.
    pub name: &'a str,
    /// The second field: `inet`, `unix`, `unix-dgram`, `fifo` or `pass`.
    pub kind: &'a str,
}

impl<'a> ServiceKey<'a> {
    /// A service's name and type.
    pub fn new(name: &'a str, kind: &'a str) -> Self {
        Self { name, kind }
    }

    pub(super) fn index(&self) -> Vec<u8> {
        format!("{}\n{}", self.name, self.kind).into_bytes()
    }
}

impl fmt::Display for ServiceKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.kind)
    }
}

/// A field that can be given a new value. Name and type are what a service is; they stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `y`, `n` or `-`.
    Private,
    /// `y`, `n` or `-`.
    Unprivileged,
    /// `y`, `n` or `-`.
    Chroot,
    /// Seconds, with `?` when the service must have been used, or `-`.
    Wakeup,
    /// A number or `-`.
    ProcessLimit,
    /// The program.
    Command,
}

impl Field {
    pub(super) fn index(self) -> usize {
        match self {
            Self::Private => 2,
            Self::Unprivileged => 3,
            Self::Chroot => 4,
            Self::Wakeup => 5,
            Self::ProcessLimit => 6,
            Self::Command => 7,
        }
    }
}

/// A service as Postfix sees it. Bytes that are not UTF-8 show as U+FFFD in names and fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The first field: a path below the queue folder, or `host:port`.
    pub name: String,
    /// The type: `inet`, `unix`, `unix-dgram`, `fifo` or `pass`.
    pub kind: String,
    /// Whether only mail processes may connect; `-` is yes.
    pub private: String,
    /// Whether it runs without root's rights; `-` is yes.
    pub unprivileged: String,
    /// Whether it runs in the queue folder; the default depends on `compatibility_level`.
    pub chroot: String,
    /// The wakeup timer.
    pub wakeup: String,
    /// The most processes.
    pub process_limit: String,
    /// The program.
    pub command: String,
    /// What follows the program, as `postconf -M` shows it: one `-o` and one `name=value` for each
    /// override, braces removed.
    pub arguments: Vec<Vec<u8>>,
    /// The `-o` overrides in order; the last one of a name wins.
    pub overrides: Vec<Override>,
    /// The line of the name, from 1.
    pub first_line: usize,
    /// The last line.
    pub last_line: usize,
}

/// One `-o`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The parameter.
    pub name: String,
    /// Its value before `$name` expansion.
    pub value: Vec<u8>,
    /// The line it starts on, from 1.
    pub line: usize,
    /// How it is written.
    pub form: OverrideForm,
}

/// How a `-o` is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverrideForm {
    /// `-o name=value`
    Plain,
    /// `-o { name = value }`
    Braces,
}

impl Service {
    /// What it is found by.
    pub fn key(&self) -> ServiceKey<'_> {
        ServiceKey::new(&self.name, &self.kind)
    }

    /// The value of the last `-o` of that parameter.
    pub fn get_override(&self, parameter: &str) -> Option<&[u8]> {
        let last = self.overrides.iter().rfind(|o| o.name == parameter)?;
        Some(&last.value)
    }

    pub(super) fn of(body: &[u8], line: usize) -> Option<Self> {
        let parsed = Parsed::of(body);
        if parsed.tokens.len() < FIELDS {
            return None;
        }
        let field = |i: usize| String::from_utf8_lossy(&parsed.tokens[i].text(body)).into_owned();
        let lines = |end: usize| memchr::memchr_iter(b'\n', &body[..end]).count();
        let overrides = parsed.assignments().map(|a| Override {
            name: String::from_utf8_lossy(&a.name).into_owned(),
            value: a.value,
            line: line + lines(a.option.start),
            form: a.form,
        });
        let end = body.strip_suffix(b"\n").unwrap_or(body).len();
        Some(Self {
            name: field(0),
            kind: field(1),
            private: field(2),
            unprivileged: field(3),
            chroot: field(4),
            wakeup: field(5),
            process_limit: field(6),
            command: field(7),
            arguments: parsed.arguments(),
            overrides: overrides.collect(),
            first_line: line,
            last_line: line + lines(end),
        })
    }
}

/// A `-o` and what it is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct OptionO {
    /// Where it starts: at its `-`, or at its `o` when other options share the word.
    pub(super) start: usize,
    /// What it is given; `None` at the end of the entry.
    pub(super) given: Option<Token>,
    /// Whether it is given in the same word.
    pub(super) joined: bool,
    /// The byte after it all.
    pub(super) end: usize,
}

/// A `-o` that is well formed.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) option: OptionO,
    pub(super) given: Token,
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) form: OverrideForm,
}

impl Assignment {
    pub(super) fn is(&self, parameter: &str) -> bool {
        self.name == parameter.as_bytes()
    }
}

/// An entry's words, sorted into what they are.
#[derive(Debug)]
pub(super) struct Parsed<'a> {
    pub(super) body: &'a [u8],
    pub(super) tokens: Vec<Token>,
    pub(super) options: Vec<OptionO>,
    /// The first word that is neither a field nor an option.
    pub(super) first_argument: usize,
}

impl<'a> Parsed<'a> {
    pub(super) fn of(body: &'a [u8]) -> Self {
        let tokens = tokens(body, usize::MAX);
        let mut options = Vec::new();
        let mut at = FIELDS;
        while let Some(token) = tokens.get(at) {
            let word = &body[token.start..token.end];
            if !word.starts_with(b"-") || word == b"-" || word == b"--" {
                break;
            }
            at += 1;
            let first_line = word.split(|&b| b == b'\n').next().unwrap_or(word);
            let Some(letter) = memchr::memchr(b'o', first_line) else {
                continue;
            };
            let start = token.start + if letter == 1 { 0 } else { letter };
            let rest = Token {
                start: token.start + letter + 1,
                end: token.end,
            };
            let joined = rest.start < rest.end;
            let given = if joined {
                Some(rest)
            } else {
                tokens.get(at).copied()
            };
            at += usize::from(!joined && given.is_some());
            let end = given.map_or(token.end, |given| given.end);
            options.push(OptionO {
                start,
                given,
                joined,
                end,
            });
        }
        Self {
            body,
            first_argument: at.min(tokens.len()),
            tokens,
            options,
        }
    }

    /// The options that Postfix can read.
    pub(super) fn assignments(&self) -> impl DoubleEndedIterator<Item = Assignment> + '_ {
        self.options.iter().filter_map(|option| {
            let given = option.given?;
            let text = given.text(self.body);
            let form = match text.first() {
                Some(b'{') => OverrideForm::Braces,
                _ => OverrideForm::Plain,
            };
            let inner = unbrace(text);
            let equals = memchr::memchr(b'=', &inner)?;
            let name = trim(&inner[..equals]).to_vec();
            let value = trim(&inner[equals + 1..]).to_vec();
            let readable = !name.is_empty() && !name.iter().any(|&b| crate::line::is_space(b));
            readable.then_some(Assignment {
                option: *option,
                given,
                name,
                value,
                form,
            })
        })
    }

    /// All that a change of one `-o` must leave as it is: the fields, the other `-o`, and what
    /// follows the options.
    pub(super) fn rest(&self, parameter: &str) -> Vec<Vec<u8>> {
        let fields = &self.tokens[..FIELDS.min(self.tokens.len())];
        let words = fields.iter().chain(&self.tokens[self.first_argument..]);
        let words = words.map(|word| word.text(self.body).into_owned());
        let others = self.assignments().filter(|a| !a.is(parameter));
        words
            .chain(others.flat_map(|a| [a.name, a.value]))
            .collect()
    }

    fn arguments(&self) -> Vec<Vec<u8>> {
        let mut arguments = Vec::new();
        let mut options = self.options.iter().peekable();
        let mut at = FIELDS;
        while let Some(token) = self.tokens.get(at) {
            at += 1;
            let option = options.next_if(|o| o.start < token.end && at <= self.first_argument);
            let Some(option) = option else {
                arguments.push(unbrace(token.text(self.body)).into_owned());
                continue;
            };
            if option.start > token.start {
                arguments.push(self.body[token.start..option.start].to_vec());
            }
            arguments.push(b"-o".to_vec());
            if let Some(given) = option.given {
                arguments.push(normalized(&given.text(self.body)));
                at += usize::from(!option.joined);
            }
        }
        arguments
    }
}

/// `name=value` for `{ name = value }`, anything else as it is.
fn normalized(given: &[u8]) -> Vec<u8> {
    if given.first() != Some(&b'{') {
        return given.to_vec();
    }
    let inner = unbrace(Cow::Borrowed(given));
    match memchr::memchr(b'=', &inner) {
        Some(equals) => [trim(&inner[..equals]), trim(&inner[equals + 1..])].join(&b'='),
        None => inner.into_owned(),
    }
}

/// Text in braces without them and without its outer blanks. What follows the closing brace is
/// dropped, and a missing one is taken as standing at the end, as `postconf` does.
pub(super) fn unbrace(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if text.first() != Some(&b'{') {
        return text;
    }
    let mut level = 0usize;
    let close = text.iter().position(|&b| {
        match b {
            b'{' => level += 1,
            b'}' => level -= 1,
            _ => (),
        }
        level == 0
    });
    let inner = |text: &[u8]| trim(&text[1..close.unwrap_or(text.len())]).to_vec();
    Cow::Owned(inner(&text))
}
