//! The source of a policy table: rows → rules.
//!
//! Owns: which row is a rule, with the comments above it as its words, and why another is none; which
//! marked words are of no rule.
//! Never: holds more than a row, or asks whether the table was compiled since.
//!
//! A map knows nothing of owners, days and scopes. What `policy export` writes of them are comments
//! with a mark; all other comments right above a row are its note.

use super::words::{LONGEST_NOTE, about_error, is_seen};
use super::{About, Given, Rule, RuleError, RuleId};
use mailtls::destination::Scope;
use mailtls::policy::Dialect;
use postfix_cf::table::{Content, Row};

/// What stands before a word about a rule in a comment.
const MARK: &str = "#postseal: ";
/// What nobody writes who does not mean such a word.
const MARKED: &str = "#postseal:";
/// So many words that are of no rule are told.
const TOLD: usize = 20;
/// A row that belongs to another manager is told, and never read.
const MANAGED: &str = "managed";
/// More letters of a line are not told.
const LONGEST_TOLD: usize = 200;
const NO_ROW: &str = "no row stands right below it";
const NO_WORD: &str = "it is no word about rules, and becomes a note";

/// Reads rows, one after the other.
#[derive(Debug)]
pub struct RowReader {
    dialect: Dialect,
    scopes: Scopes,
    above: Above,
    unread: Vec<Unread>,
}

/// A marked word that no rule has got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Line number.
    pub line: usize,
    /// The line.
    pub text: String,
    /// Why.
    pub why: &'static str,
}

/// Whether a row may stand for names that have a row of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// A row is for its key: what Postfix finds.
    OfKeys,
    /// The comment above it may say more: both rows of a rule for a domain and all below it say so.
    AsMarked,
}

/// A row that is a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRow {
    /// Line number of its first line.
    pub line: usize,
    /// The key as it is written.
    pub key: String,
    /// The right-hand side as it is written.
    pub value: String,
    /// The rule.
    pub rule: Rule,
    /// What is said about it.
    pub given: Given,
    /// How many lines it has.
    pub lines: usize,
}

/// A row that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// Line number of its first line.
    pub line: usize,
    /// The key as it is written; empty where there is none.
    pub key: String,
    /// The stable code.
    pub code: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl RowReader {
    /// Rows as the installed version reads them.
    pub fn new(dialect: Dialect, scopes: Scopes) -> Self {
        Self {
            dialect,
            scopes,
            above: Above::default(),
            unread: Vec::new(),
        }
    }

    /// The marked words that were of no rule, the first of them, when all rows were read.
    pub fn finish(mut self) -> Vec<Unread> {
        for (line, text) in std::mem::take(&mut self.above.marks) {
            self.lost(line, &text, NO_ROW);
        }
        self.unread
    }

    fn lost(&mut self, line: usize, text: &str, why: &'static str) {
        let managed = text
            .strip_prefix(MARK)
            .and_then(|word| word.split(' ').next());
        if managed != Some(MANAGED) && self.unread.len() < TOLD {
            let text = text.chars().take(LONGEST_TOLD).collect();
            self.unread.push(Unread { line, text, why });
        }
    }

    /// The comments below this row, which are said of the next one. Marked words between are lost.
    fn take_comments(&mut self, row: &Row<'_>) -> Above {
        let text = String::from_utf8_lossy(row.text);
        let mut above = Above::read(&text);
        if text.contains(MARKED) {
            let lines: Vec<(usize, &str)> = (row.line..).zip(text.lines()).collect();
            let (between, below) = lines.split_at(lines.len() - above.lines);
            let marked = |(_, text): &&(usize, &str)| text.starts_with(MARKED);
            for (line, text) in between.iter().filter(marked) {
                self.lost(*line, text, NO_ROW);
            }
            for (line, text) in below.iter().filter(marked) {
                match text.strip_prefix(MARK).is_some_and(is_word) {
                    true => above.marks.push((*line, (*text).to_owned())),
                    false => self.lost(*line, text, NO_WORD),
                }
            }
        }
        std::mem::replace(&mut self.above, above)
    }

    /// The next row; nothing where there are only comments.
    pub fn read(&mut self, row: &Row<'_>) -> Option<Result<SourceRow, BadRow>> {
        let above = self.take_comments(row);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let bad = |key: String, code, why: String| {
            Some(Err(BadRow {
                line: row.line,
                key,
                code,
                why,
            }))
        };
        match &row.content {
            Content::Nothing => None,
            Content::Pair { key, value } => {
                let (key, value) = (text(key), text(value));
                if let Some(line) = trapped(row) {
                    let why = format!(
                        "line {line} begins with a blank and goes on this one, as if it were no \
                         row of its own"
                    );
                    return bad(key, "policy.joined-row", why);
                }
                let given = above.given;
                match self.rule(&key, &value, above) {
                    Ok(rule) => Some(Ok(SourceRow {
                        line: row.line,
                        key,
                        value,
                        rule,
                        given,
                        lines: 1 + row.joined.len(),
                    })),
                    Err(error) => bad(key, error.code(), error.to_string()),
                }
            }
            Content::NoValue(key) => bad(
                text(key),
                "policy.no-policy",
                "it has no policy, and postmap(1) leaves it out".to_owned(),
            ),
            Content::Unbalanced | Content::Indented => bad(
                String::new(),
                "policy.bad-file",
                "postmap(1) leaves this line out".to_owned(),
            ),
        }
    }

    fn rule(&self, key: &str, value: &str, above: Above) -> Result<Rule, RuleError> {
        let scope = above.scope.filter(|_| self.scopes == Scopes::AsMarked);
        let scope = scope.as_deref().map(scope_of).transpose()?;
        let key = match scope {
            Some(_) => key.trim_start_matches('.'),
            None => key,
        };
        let follow = above.follow.filter(|_| self.scopes == Scopes::AsMarked);
        let rule = Rule::new(key, scope, value, self.dialect)?.with(above.about)?;
        Ok(match follows(follow.as_deref())? {
            true => rule.following(),
            false => rule,
        })
    }
}

/// A line that goes on an earlier one because it begins with a blank, and looks like a row of its
/// own: it begins with a destination. What goes on a policy are attributes, which have a `=`, or a
/// level.
fn trapped(row: &Row<'_>) -> Option<usize> {
    if row.joined.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(row.text);
    let mut lines = text.lines().zip(row.line..);
    let own = |line: &str| {
        let word = line.split_whitespace().next().unwrap_or_default();
        (word.contains('.') || word.starts_with('[')) && RuleId::parse(word).is_ok()
    };
    let found = lines.find(|(line, number)| row.joined.contains(number) && own(line));
    found.map(|(_, number)| number)
}

/// A scope by its word.
///
/// # Errors
/// It is none.
pub fn scope_of(word: &str) -> Result<Scope, RuleError> {
    Scope::of(word).ok_or_else(|| {
        let why = format!("{word:?} is none of domain, subdomains, both");
        about_error("the scope", &why)
    })
}

/// What the comments above a row say.
#[derive(Debug, Default)]
struct Above {
    about: About,
    given: Given,
    scope: Option<String>,
    follow: Option<String>,
    /// How many lines they are.
    lines: usize,
    /// Those that are marked words, with their numbers.
    marks: Vec<(usize, String)>,
}

impl Above {
    /// The comment lines at the end of a row's text, with nothing after them.
    fn read(text: &str) -> Self {
        let comments = text.lines().rev().map_while(|line| line.strip_prefix('#'));
        let mut lines: Vec<&str> = comments.collect();
        lines.reverse();
        let mut above = Self {
            given: Given::SCOPE,
            lines: lines.len(),
            ..Self::default()
        };
        let mut words = Vec::new();
        for line in lines {
            let marked = line.strip_prefix(&MARK[1..]);
            if !marked.is_some_and(|word| above.take(word)) {
                words.extend(Some(line.trim()).filter(|line| !line.is_empty()));
            }
        }
        if !words.is_empty() {
            above.about.note = Some(note(&words.join(" ")));
            above.given = above.given.and(Given::NOTE);
        }
        above
    }

    /// Takes a marked word; whether it is one.
    fn take(&mut self, marked: &str) -> bool {
        let (name, value) = marked.split_once(' ').unwrap_or((marked, ""));
        let text = || Some(value.to_owned());
        let given = match name {
            "scope" => {
                self.scope = text();
                Given::SCOPE
            }
            "owner" => {
                self.about.owner = text();
                Given::OWNER
            }
            "tags" => {
                self.about.tags = value.split_whitespace().map(str::to_owned).collect();
                Given::TAGS
            }
            "until" => {
                self.about.until = text();
                Given::UNTIL
            }
            "reason" => {
                self.about.reason = text();
                Given::REASON
            }
            "follow" => {
                self.follow = text();
                Given::NONE
            }
            MANAGED => Given::NONE,
            _ => return false,
        };
        self.given = self.given.and(given);
        true
    }
}

/// Whether a marked line begins with a word that is known.
fn is_word(marked: &str) -> bool {
    Above::default().take(marked)
}

/// A note of comments, cut where it is longer than one can be.
fn note(words: &str) -> String {
    let plain = |c: char| if is_seen(c) { c } else { ' ' };
    let mut note: String = words.chars().map(plain).collect();
    if note.len() > LONGEST_NOTE {
        let most = LONGEST_NOTE - '…'.len_utf8();
        note.truncate(note.floor_char_boundary(most));
        note.push('…');
    }
    note
}

/// Whether a rule is for recipients, and follows their mail, by its word.
///
/// # Errors
/// It is neither `yes` nor `no`.
pub fn follows(word: Option<&str>) -> Result<bool, RuleError> {
    match word {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(other) => {
            let why = format!("{other:?} is neither yes nor no");
            Err(about_error("follow", &why))
        }
    }
}

/// Adds the rows of a rule to a map as a person reads it, with its words as comments. Read back
/// they are the same rule.
pub fn annotated(rule: &Rule, out: &mut String) {
    for key in rule.keys() {
        if !rule.id.manager.is_empty() {
            let words = [MARK, MANAGED, " ", &key, " ", &rule.policy, " by "];
            out.extend(words);
            out.extend([rule.id.manager.as_str(), "\n"]);
            continue;
        }
        let about = &rule.about;
        if let Some(note) = &about.note {
            out.extend(["# ", note, "\n"]);
        }
        let mut marked = |name: &str, value: &str| out.extend([MARK, name, " ", value, "\n"]);
        if rule.scope() == Scope::Both {
            marked("scope", Scope::Both.name());
        }
        if about.follow.is_some() {
            marked("follow", "yes");
        }
        if !about.tags.is_empty() {
            marked("tags", &about.tags.join(" "));
        }
        for (name, word) in [
            ("owner", &about.owner),
            ("until", &about.until),
            ("reason", &about.reason),
        ] {
            if let Some(word) = word {
                marked(name, word);
            }
        }
        out.extend([key.as_str(), " ", &rule.policy, "\n"]);
    }
}

#[cfg(test)]
mod tests;
