//! Looks into tables: what is known, what must be asked, and what was consulted.
//!
//! Owns: the order of keys for an address (`mail_addr_find.c`). Never: knows what a value means.

use super::patterns::{self, Rows, Worth};
use super::{Answer, Answers, Consulted, Question, Resolver};

/// In the words of an answer that Postfix does not give.
pub(crate) const SKIPPED: &str = "is of a row with a substitution, which trivial-rewrite(8) skips";

/// Why resolving stopped.
pub(crate) enum Stop {
    /// Something must be looked up.
    Ask(Question),
    /// A table could not be asked, so Postfix defers the mail.
    Failed(String),
}

/// The tables, as far as they have been asked.
pub(crate) struct Tables<'a> {
    answers: &'a Answers,
    consulted: Vec<Consulted>,
}

/// Which tables a key is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The whole string: all tables.
    Whole,
    /// A part of it: patterns have seen the whole and are left out.
    Part,
}

impl<'a> Tables<'a> {
    pub(crate) fn new(answers: &'a Answers) -> Self {
        Self {
            answers,
            consulted: Vec::new(),
        }
    }

    pub(crate) fn into_consulted(self) -> Vec<Consulted> {
        self.consulted
    }

    /// Asks what Postfix does not ask: it is not among what was consulted.
    pub(crate) fn aside<T>(&mut self, ask: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.consulted.len();
        let found = ask(self);
        self.consulted.truncate(before);
        found
    }

    /// The value of one key in one table. maps_find() takes an empty one for a fault of the table.
    pub(crate) fn lookup(
        &mut self,
        parameter: &str,
        table: &str,
        key: &str,
    ) -> Result<Option<String>, Stop> {
        match self.look_up(parameter, table, key)? {
            Some(value) if value.is_empty() => Err(Stop::Failed(format!(
                "{parameter}: {table} has an empty value for {key:?}"
            ))),
            found => Ok(found),
        }
    }

    /// Whether trivial-rewrite(8) finds what `postmap -q` just did. Where it does not, nothing was found.
    fn counts(&mut self, parameter: &str, table: &str, found: &str) -> Result<bool, Stop> {
        let mut text = String::new();
        for rows in patterns::sources(parameter, table) {
            match rows {
                Rows::Here(rows) => text += &rows,
                Rows::File(path) => text += &self.rows_in(parameter, path)?,
            }
        }
        let worth = match patterns::holds_tables(table) {
            true => patterns::worth_of_several(&text),
            false => patterns::worth(&text, found),
        };
        match worth {
            Worth::Same => Ok(true),
            Worth::Nothing => {
                if let Some(look) = self.consulted.last_mut() {
                    look.answer = Answer::NotFound;
                }
                Ok(false)
            }
            Worth::Unknown => Err(Stop::Failed(format!(
                "{parameter}: {table}: {found} {SKIPPED}; what another row gives is not known here"
            ))),
        }
    }

    /// The rows of a source of patterns; none where it is not there.
    fn rows_in(&self, parameter: &str, path: &str) -> Result<String, Stop> {
        let question = Question::File(path.to_owned());
        match self.answers.get(&question) {
            None => Err(Stop::Ask(question)),
            Some(Answer::Found(text)) => Ok(format!("{text}\n")),
            Some(Answer::NotFound) => Ok(String::new()),
            Some(Answer::Failed(why)) => Err(Stop::Failed(format!("{parameter}: {path}: {why}"))),
        }
    }

    /// Whether a table has a key, whatever its value.
    pub(super) fn has(&mut self, parameter: &str, table: &str, key: &str) -> Result<bool, Stop> {
        Ok(self.look_up(parameter, table, key)?.is_some())
    }

    fn look_up(&mut self, parameter: &str, table: &str, key: &str) -> Result<Option<String>, Stop> {
        let question = Question::Lookup {
            table: table.to_owned(),
            key: key.to_owned(),
        };
        self.ask(parameter, table, key, question)
    }

    /// The content of a file that a list names.
    pub(super) fn file(&mut self, parameter: &str, path: &str) -> Result<String, Stop> {
        let question = Question::File(path.to_owned());
        let found = self.ask(parameter, path, "", question)?;
        found.ok_or_else(|| Stop::Failed(format!("{parameter}: {path} is not there")))
    }

    /// Why smtp(8) cannot use a file of trust anchors; `None` where it can.
    pub(crate) fn unusable(&mut self, path: &str) -> Result<Option<String>, Stop> {
        let question = Question::Anchors(path.to_owned());
        match self.answers.get(&question) {
            None => Err(Stop::Ask(question)),
            Some(Answer::Found(_)) => Ok(None),
            Some(Answer::NotFound) => Ok(Some("it is not there".to_owned())),
            Some(Answer::Failed(why)) => Ok(Some(why.clone())),
        }
    }

    /// Why a file that root reads holds no certificate; `None` where it does.
    pub(crate) fn without_certificates(&mut self, path: &str) -> Result<Option<String>, Stop> {
        let question = Question::File(path.to_owned());
        let holds = |text: &str| {
            let mut lines = text.lines();
            lines.any(|line| line.starts_with("-----BEGIN ") && line.contains("CERTIFICATE-----"))
        };
        match self.answers.get(&question) {
            None => Err(Stop::Ask(question)),
            Some(Answer::Found(text)) if holds(text) => Ok(None),
            Some(Answer::Found(_)) => Ok(Some("there is no certificate in it".to_owned())),
            Some(Answer::NotFound) => Ok(Some("it is not there".to_owned())),
            Some(Answer::Failed(why)) => Ok(Some(why.clone())),
        }
    }

    /// Whether OpenSSL finds ciphers by a list.
    pub(crate) fn selects(&mut self, list: &str) -> Result<bool, Stop> {
        let question = Question::Ciphers(list.to_owned());
        match self.answers.get(&question) {
            None => Err(Stop::Ask(question)),
            Some(answer) => Ok(*answer != Answer::NotFound),
        }
    }

    fn ask(
        &mut self,
        parameter: &str,
        table: &str,
        key: &str,
        question: Question,
    ) -> Result<Option<String>, Stop> {
        let Some(answer) = self.answers.get(&question) else {
            return Err(Stop::Ask(question));
        };
        self.consulted.push(Consulted {
            parameter: parameter.to_owned(),
            table: table.to_owned(),
            key: key.to_owned(),
            answer: answer.clone(),
        });
        match answer {
            Answer::Found(value) => Ok(Some(value.clone())),
            Answer::NotFound => Ok(None),
            Answer::Failed(why) => Err(Stop::Failed(format!("{parameter}: {table}: {why}"))),
        }
    }
}

/// Whether a table has keys, so that parts of an address are looked up in it too; others match
/// patterns. Of several in one (`dict_union.c`, `dict_pipe.c`) the first decides.
pub(super) fn is_fixed(table: &str) -> bool {
    let table = table.strip_prefix("proxy:").unwrap_or(table);
    let (kind, rest) = table.split_once(':').unwrap_or((table, ""));
    if matches!(kind, "unionmap" | "pipemap") {
        let inner = rest.trim().trim_start_matches('{').trim_end_matches('}');
        return postfix_cf::elements(inner).next().is_none_or(is_fixed);
    }
    !matches!(kind, "regexp" | "pcre" | "cidr" | "tcp" | "randmap")
}

impl Resolver<'_> {
    /// The first value for `key` in the tables of a parameter.
    pub(super) fn find(
        &mut self,
        parameter: &str,
        key: &str,
        which: Key,
    ) -> Result<Option<String>, Stop> {
        for table in self.list(parameter).iter() {
            if which == Key::Part && !is_fixed(table) {
                continue;
            }
            if let Some(value) = self.tables.lookup(parameter, table, key)?
                && self.tables.counts(parameter, table, &value)?
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// An address in the tables of a parameter: whole, without its extension, its local part
    /// where the domain is this machine's, `@domain`.
    pub(super) fn by_address(
        &mut self,
        parameter: &str,
        address: &str,
    ) -> Result<Option<String>, Stop> {
        if self.list(parameter).is_empty() {
            return Ok(None);
        }
        if let Some(found) = self.find(parameter, address, Key::Whole)? {
            return Ok(Some(found));
        }
        let Some((local, domain)) = address.rsplit_once('@') else {
            return Ok(None);
        };
        let bare = self.without_extension(local);
        let is_own = self.is_local(domain)? || domain.eq_ignore_ascii_case(&self.value("myorigin"));
        let mut keys = Vec::new();
        keys.extend(bare.as_ref().map(|bare| format!("{bare}@{domain}")));
        if is_own {
            keys.push(local.to_owned());
            keys.extend(bare.clone());
        }
        keys.push(format!("@{domain}"));
        for key in keys {
            if let Some(found) = self.find(parameter, &key, Key::Part)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// `user` of `user+box`; `None` where there is no extension (`split_addr.c`).
    pub(super) fn without_extension(&self, local: &str) -> Option<String> {
        let delimiters = self.value("recipient_delimiter");
        let reserved = ["postmaster", "mailer-daemon", "double-bounce"];
        if reserved.iter().any(|name| local.eq_ignore_ascii_case(name)) {
            return None;
        }
        let owner = delimiters.contains('-')
            && (local.to_ascii_lowercase().starts_with("owner-")
                || local.to_ascii_lowercase().ends_with("-request"));
        let at = local
            .char_indices()
            .find(|(_, letter)| delimiters.contains(*letter) && !(owner && *letter == '-'))?
            .0;
        (at > 0).then(|| local.get(..at).map(str::to_owned))?
    }
}
