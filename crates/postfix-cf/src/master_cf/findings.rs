//! What is remarkable in a master.cf. One pass.
//!
//! Owns: what the master and `postconf` refuse, and what a daemon does not see. Never: whether a
//! service makes sense.

use super::KINDS;
use super::service::{Assignment, OptionO, Parsed};
use super::token::{FIELDS, Token, text};
use crate::document::{Document, Placed};
use crate::expand::check_expansion;
use crate::finding::{Finding, FindingCode as Code, Findings};
use crate::line::trim;
use crate::remark::{self, Bytes, line_of, shown};
use std::collections::HashMap;

pub(super) fn findings(document: &Document) -> Vec<Finding> {
    let mut findings = remark::file(document);
    let bytes = Bytes::of(document);
    let mut first_lines = Vec::new();
    for placed in document.blocks() {
        first_lines.push(placed.line);
        let entry = Entry::of(placed);
        remark::bytes(&placed, bytes, &entry.subject, &mut findings);
        if !placed.starts {
            continue;
        }
        if placed.keyed {
            entry.judge(&mut findings);
        } else {
            findings.push(entry.too_few_fields());
        }
        if let Some(earlier) = placed.earlier {
            let line = first_lines[earlier];
            let text = format!(
                "{} is defined again at line {}, and that one wins",
                shown(&entry.subject),
                placed.line
            );
            let finding = Finding::new(Code::DuplicateService, line, &entry.subject, text);
            findings.push(finding.beside(placed.line));
        }
    }
    findings.in_order()
}

struct Entry<'a> {
    placed: Placed<'a>,
    parsed: Parsed<'a>,
    subject: Vec<u8>,
}

impl<'a> Entry<'a> {
    fn of(placed: Placed<'a>) -> Self {
        let parsed = Parsed::of(placed.body);
        let names: Vec<_> = parsed.tokens.iter().take(2).collect();
        let names: Vec<_> = names.iter().map(|t| t.text(placed.body)).collect();
        Self {
            subject: names.join(&b'/'),
            placed,
            parsed,
        }
    }

    fn finding(&self, code: Code, at: usize, text: String) -> Finding {
        let text = format!("{}: {text}", shown(&self.subject));
        Finding::new(code, line_of(&self.placed, at), &self.subject, text)
    }

    fn word(&self, index: usize) -> Vec<u8> {
        self.parsed.tokens[index]
            .text(self.placed.body)
            .into_owned()
    }

    fn too_few_fields(&self) -> Finding {
        let all = text(self.placed.body, 0..self.placed.body.len());
        let text = format!(
            "{} of {FIELDS} fields in \"{}\"",
            self.parsed.tokens.len(),
            shown(trim(&all))
        );
        self.finding(Code::FieldCount, 0, text)
    }

    fn judge(&self, findings: &mut Findings) {
        self.judge_fields(findings);
        self.judge_options(findings);
        self.judge_braces(findings);
        self.judge_arguments(findings);
    }

    fn judge_fields(&self, findings: &mut Findings) {
        let at = |i: usize| self.parsed.tokens[i].start;
        let kind = self.word(1);
        if !KINDS.contains(&&kind[..]) {
            let text = format!("\"{}\" is no service type", shown(&kind));
            findings.push(self.finding(Code::BadType, at(1), text));
        }
        for (i, field) in [(2, "private"), (3, "unpriv"), (4, "chroot")] {
            let word = self.word(i);
            if !matches!(&word[..], b"y" | b"n" | b"-") {
                let text = format!("{field} is \"{}\", not y, n or -", shown(&word));
                findings.push(self.finding(Code::BadField, at(i), text));
            } else if i == 2 && kind == b"inet" && word != b"n" {
                let text = "an inet service cannot be private (n is needed)";
                findings.push(self.finding(Code::BadField, at(i), text.into()));
            }
        }
        let (wakeup, limit) = (self.word(5), self.word(6));
        if !is_number(wakeup.strip_suffix(b"?").unwrap_or(&wakeup)) {
            let text = format!("wakeup is \"{}\", not a number of seconds", shown(&wakeup));
            findings.push(self.finding(Code::BadField, at(5), text));
        }
        if !is_number(&limit) {
            let text = format!("maxproc is \"{}\", not a number", shown(&limit));
            findings.push(self.finding(Code::BadField, at(6), text));
        }
    }

    fn judge_options(&self, findings: &mut Findings) {
        let mut seen: HashMap<Vec<u8>, OptionO> = HashMap::new();
        let mut good = self.parsed.assignments().peekable();
        for option in &self.parsed.options {
            let Some(this) = good.next_if(|a| a.option.start == option.start) else {
                findings.push(self.bad_option(option));
                continue;
            };
            if let Err(error) = check_expansion(&this.value) {
                let text = format!("-o {}: {error}", shown(&this.name));
                findings.push(self.finding(Code::BadExpansion, option.start, text));
            }
            if let Some(earlier) = seen.insert(this.name.clone(), *option) {
                findings.push(self.repeated(&this, &earlier));
            }
        }
    }

    fn repeated(&self, this: &Assignment, earlier: &OptionO) -> Finding {
        let line = line_of(&self.placed, this.option.start);
        let name = shown(&this.name);
        let text = format!("-o {name} is given again at line {line}, and that one wins");
        self.finding(Code::RepeatedOverride, earlier.start, text)
            .beside(line)
    }

    fn bad_option(&self, option: &OptionO) -> Finding {
        let given = option.given.map(|given| given.text(self.placed.body));
        let text = match given {
            None => "-o is given nothing".into(),
            Some(given) => format!(
                "-o is given \"{}\", not name=value without blanks",
                shown(&given)
            ),
        };
        self.finding(Code::BadOverride, option.start, text)
    }

    fn judge_braces(&self, findings: &mut Findings) {
        let body = self.placed.body;
        let joined = self.parsed.options.iter().filter(|o| o.joined);
        let joined = joined.filter_map(|o| o.given);
        let words = self.parsed.tokens[FIELDS..].iter().copied();
        for word in words.chain(joined).filter(|w| body[w.start] == b'{') {
            if is_enclosed(&word.text(body)) {
                continue;
            }
            let text = format!(
                "\"{}\" does not end with its \"}}\"",
                shown(&word.text(body))
            );
            findings.push(self.finding(Code::UnbalancedArgument, word.start, text));
        }
    }

    /// `pipe` and `spawn` take arguments; to any other program they end the options.
    fn judge_arguments(&self, findings: &mut Findings) {
        let command = self.word(7);
        let program = command.rsplit(|&b| b == b'/').next().unwrap_or_default();
        let Some(stray) = self.parsed.tokens.get(self.parsed.first_argument) else {
            return;
        };
        if matches!(program, b"pipe" | b"spawn") || self.follows_bad_option(stray) {
            return;
        }
        let text = format!(
            "\"{}\" is no option: {} sees neither it nor what follows",
            shown(&stray.text(self.placed.body)),
            shown(program)
        );
        findings.push(self.finding(Code::StrayArgument, stray.start, text));
    }

    /// `-o n = v` was told already.
    fn follows_bad_option(&self, stray: &Token) -> bool {
        let options = self.parsed.options.len();
        stray.text(self.placed.body).starts_with(b"=")
            && self.parsed.assignments().count() < options
    }
}

fn is_number(word: &[u8]) -> bool {
    word == b"-" || (!word.is_empty() && word.iter().all(u8::is_ascii_digit))
}

/// Whether the brace that a word starts with is closed by its last byte.
fn is_enclosed(word: &[u8]) -> bool {
    let mut level = 0usize;
    let close = word.iter().position(|byte| {
        match byte {
            b'{' => level += 1,
            b'}' => level -= 1,
            _ => (),
        }
        level == 0
    });
    close == Some(word.len() - 1)
}

#[cfg(test)]
mod tests;
