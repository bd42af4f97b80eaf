//! What is remarkable in a main.cf. One pass, so that a large file costs what reading it costs.

use super::{Malformed, Parts, join};
use crate::document::{Document, Placed, content};
use crate::expand::check_expansion;
use crate::finding::{Finding, FindingCode as Code, Findings};
use crate::line::{indent, is_space, lines, trim};
use crate::remark::{self, Bytes, line_of, shown};
use memchr::{memchr, memchr_iter};

pub(super) fn findings(document: &Document) -> Vec<Finding> {
    let mut findings = remark::file(document);
    let bytes = Bytes::of(document);
    let mut first_lines = Vec::new();
    for placed in document.blocks() {
        first_lines.push(placed.line);
        let parts = Parts::of(placed.body);
        let name = parts.map_or(0, |parts| parts.name);
        remark::bytes(&placed, bytes, &placed.body[..name], &mut findings);
        match parts {
            _ if !placed.starts => (),
            Err(why) => findings.push(malformed(&placed, why)),
            Ok(parts) => {
                if let Some(loser) = overridden(document, &placed, parts, &first_lines) {
                    findings.push(loser);
                }
                Value { placed, parts }.judge(&mut findings);
            }
        }
    }
    findings.in_order()
}

fn malformed(placed: &Placed<'_>, why: Malformed) -> Finding {
    let line = join(placed.body, 0);
    let text = shown(trim(&line));
    match why {
        Malformed::Name => {
            let said = format!("no name before \"=\": \"{text}\"");
            Finding::new(Code::MissingName, placed.line, text.as_bytes(), said)
        }
        Malformed::Equals => {
            let said = format!("no \"=\" after the name: \"{text}\"");
            Finding::new(Code::MissingEquals, placed.line, text.as_bytes(), said)
        }
    }
}

/// The finding stands at the entry that loses; Postfix's own warning names the one that wins.
fn overridden(
    document: &Document,
    placed: &Placed<'_>,
    parts: Parts,
    first_lines: &[usize],
) -> Option<Finding> {
    let earlier = placed.earlier?;
    let (text, body) = document.block(earlier);
    let body = &text[..body];
    let equal = Parts::of(body).is_ok_and(|p| p.value(body) == parts.value(placed.body));
    let name = &placed.body[..parts.name];
    let (code, what) = match equal {
        true => (Code::Repeated, "is set to the same value again"),
        false => (Code::Overridden, "is overridden"),
    };
    let text = format!("{} {what} at line {}", shown(name), placed.line);
    Some(Finding::new(code, first_lines[earlier], name, text).beside(placed.line))
}

/// An entry whose value is looked at.
struct Value<'a> {
    placed: Placed<'a>,
    parts: Parts,
}

impl Value<'_> {
    fn judge(&self, findings: &mut Findings) {
        let value = self.parts.value(self.placed.body);
        if let Err(error) = check_expansion(&value) {
            findings.push(self.finding(Code::BadExpansion, 0, error.to_string()));
        } else if memchr_iter(b'{', &value).count() != memchr_iter(b'}', &value).count() {
            let text = "the numbers of \"{\" and \"}\" differ";
            findings.push(self.finding(Code::UnbalancedBraces, 0, text.into()));
        }
        if memchr(b'\r', &value).is_some() {
            let text = "a carriage return inside the value, where a line ends with CR LF";
            findings.push(self.finding(Code::CarriageReturn, 0, text.into()));
        }
        if let Some(at) = self.inline_comment() {
            let text = "\"#\" after text does not start a comment: it is part of the value";
            findings.push(self.finding(Code::InlineComment, at, text.into()));
        }
        if let Some(at) = self.split() {
            let text = "goes on after a comment or a blank line, which do not end it";
            findings.push(self.finding(Code::SplitContinuation, at, text.into()));
        }
    }

    fn finding(&self, code: Code, at: usize, text: String) -> Finding {
        let name = &self.placed.body[..self.parts.name];
        let text = format!("{}: {text}", shown(name));
        Finding::new(code, line_of(&self.placed, at), name, text)
    }

    fn inline_comment(&self) -> Option<usize> {
        content(self.placed.body).find_map(|line| {
            let from = (self.parts.equals + 1).max(line.at);
            let end = line.end();
            if from >= end {
                return None;
            }
            let text = &self.placed.body[from..end];
            let found = memchr_iter(b'#', text).find(|&at| at == 0 || is_space(text[at - 1]));
            found.map(|at| from + at)
        })
    }

    /// The first line that follows a comment or a blank line inside the entry.
    fn split(&self) -> Option<usize> {
        let mut interrupted = false;
        for line in lines(self.placed.body) {
            if line.is_content() && interrupted {
                return Some(line.at + indent(line.text()));
            }
            interrupted |= !line.is_content();
        }
        None
    }
}

#[cfg(test)]
mod tests;
