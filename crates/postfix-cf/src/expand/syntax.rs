//! The syntax of `$` expressions: text in, borrowed pieces out, nothing looked up.

use crate::ExpandError;
use std::cmp::Ordering;

/// A run of text, or what stands between the braces of an expression.
#[derive(Debug)]
pub(super) enum Piece<'a> {
    Text(&'a [u8]),
    Expression(&'a [u8]),
}

/// The pieces of a value. Ends after an error.
pub(super) fn pieces(value: &[u8]) -> impl Iterator<Item = Result<Piece<'_>, ExpandError>> {
    let mut rest = value;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = match next(rest) {
            Ok((piece, after)) => (Ok(piece), after),
            Err(error) => (Err(error), &rest[..0]),
        };
        rest = after;
        Some(piece)
    })
}

type Next<'a> = (Piece<'a>, &'a [u8]);

fn next(text: &[u8]) -> Result<Next<'_>, ExpandError> {
    let Some(after) = text.strip_prefix(b"$") else {
        let end = memchr::memchr(b'$', text).unwrap_or(text.len());
        return Ok((Piece::Text(&text[..end]), &text[end..]));
    };
    match after.first() {
        Some(b'$') => Ok((Piece::Text(&after[..1]), &after[1..])),
        Some(b'{') => enclosed(text, b'{', b'}'),
        Some(b'(') => enclosed(text, b'(', b')'),
        _ => {
            let end = after
                .iter()
                .position(|&b| !is_name(b))
                .unwrap_or(after.len());
            expression(text, &after[..end], &after[end..])
        }
    }
}

fn enclosed(text: &[u8], open: u8, close: u8) -> Result<Next<'_>, ExpandError> {
    let end = matching(&text[1..], open, close).ok_or_else(|| unbalanced(text))?;
    expression(text, &text[2..=end], &text[end + 2..])
}

fn expression<'a>(
    text: &'a [u8],
    inner: &'a [u8],
    after: &'a [u8],
) -> Result<Next<'a>, ExpandError> {
    if inner.is_empty() {
        return Err(ExpandError::EmptyName(shown(text)));
    }
    Ok((Piece::Expression(inner), after))
}

/// Where the bracket that `text` starts with is closed.
fn matching(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut level = 0usize;
    for at in memchr::memchr2_iter(open, close, text) {
        if text[at] == open {
            level += 1;
        } else {
            level -= 1;
        }
        if level == 0 {
            return Some(at);
        }
    }
    None
}

/// What stands between `${` and `}`.
#[derive(Debug)]
pub(super) struct Expression<'a> {
    pub(super) condition: Condition<'a>,
    pub(super) if_true: Option<&'a [u8]>,
    pub(super) if_false: Option<&'a [u8]>,
}

#[derive(Debug)]
pub(super) enum Condition<'a> {
    Name(&'a str),
    Comparison(&'a [u8], Operator, &'a [u8]),
}

impl<'a> Expression<'a> {
    pub(super) fn parse(inner: &'a [u8]) -> Result<Self, ExpandError> {
        let text = skip_blanks(inner);
        let (condition, rest) = if text.starts_with(b"{") {
            comparison(text)?
        } else {
            name(inner, text)?
        };
        let mut expression = Self {
            condition,
            if_true: None,
            if_false: None,
        };
        expression.branches(rest)?;
        Ok(expression)
    }

    /// Whether it has neither `?` nor `:`, and so stands for the value itself.
    pub(super) fn is_bare(&self) -> bool {
        self.if_true.is_none() && self.if_false.is_none()
    }

    fn branches(&mut self, rest: &'a [u8]) -> Result<(), ExpandError> {
        let mut rest = rest;
        if let Some(text) = rest.strip_prefix(b"?") {
            let (text, after) = operand(text)?;
            self.if_true = Some(text);
            if !after.is_empty() && after[0] != b':' {
                return Err(expected("\":\"", after));
            }
            rest = after;
        }
        if let Some(text) = rest.strip_prefix(b":") {
            let (text, after) = operand(text)?;
            self.if_false = Some(text);
            rest = after;
        }
        match rest {
            [] => Ok(()),
            _ if self.is_bare() => Err(expected("\"?\" or \":\"", rest)),
            _ => Err(expected("\"}\"", rest)),
        }
    }
}

fn name<'a>(inner: &[u8], text: &'a [u8]) -> Result<(Condition<'a>, &'a [u8]), ExpandError> {
    let bad = || ExpandError::BadName(shown(inner));
    let end = text.iter().position(|&b| !is_name(b)).unwrap_or(text.len());
    let rest = skip_blanks(&text[end..]);
    if rest.first().is_some_and(|b| !matches!(b, b'?' | b':')) {
        return Err(bad());
    }
    let name = std::str::from_utf8(&text[..end]).map_err(|_| bad())?;
    Ok((Condition::Name(name), rest))
}

fn comparison(text: &[u8]) -> Result<(Condition<'_>, &[u8]), ExpandError> {
    let (left, rest) = payload(text)?;
    let (operator, rest) = Operator::parse(rest)?;
    let rest = skip_blanks(rest);
    if !rest.starts_with(b"{") {
        return Err(expected("\"{expression}\"", rest));
    }
    let (right, rest) = payload(rest)?;
    Ok((Condition::Comparison(left, operator, right), rest))
}

/// Text after `?` or `:`: `{text}` with blanks around it, or else all that is left.
fn operand(text: &[u8]) -> Result<(&[u8], &[u8]), ExpandError> {
    let braced = skip_blanks(text);
    if braced.starts_with(b"{") {
        return payload(braced);
    }
    Ok((text, &text[..0]))
}

/// What is inside the braces that `text` starts with, and what follows the blanks after them.
fn payload(text: &[u8]) -> Result<(&[u8], &[u8]), ExpandError> {
    let end = matching(text, b'{', b'}').ok_or_else(|| unbalanced(text))?;
    Ok((&text[1..end], skip_blanks(&text[end + 1..])))
}

/// What a comparison compares, and when it holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operator {
    less: bool,
    equal: bool,
    greater: bool,
    pub(super) operand: Operand,
}

/// What the operands of a comparison are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Text,
    /// Compatibility levels: the operator has the suffix `level` (Postfix 3.6).
    Level,
}

impl Operator {
    fn parse(text: &[u8]) -> Result<(Self, &[u8]), ExpandError> {
        let symbols = |b: &u8| b"<>!=?+-*/~&|%".contains(b);
        let end = text.iter().position(|b| !symbols(b)).unwrap_or(text.len());
        let (symbol, rest) = text.split_at(end);
        let (less, equal, greater) = match symbol {
            b"==" => (false, true, false),
            b"!=" => (true, false, true),
            b"<" => (true, false, false),
            b"<=" => (true, true, false),
            b">=" => (false, true, true),
            b">" => (false, false, true),
            _ => return Err(expected("a comparison", text)),
        };
        let end = rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let operand = match &rest[..end] {
            b"" => Operand::Text,
            b"level" => Operand::Level,
            _ => return Err(expected("\"level\"", rest)),
        };
        let operator = Self {
            less,
            equal,
            greater,
            operand,
        };
        Ok((operator, &rest[end..]))
    }

    pub(super) fn holds(self, order: Ordering) -> bool {
        match order {
            Ordering::Less => self.less,
            Ordering::Equal => self.equal,
            Ordering::Greater => self.greater,
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip_blanks(text: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n');
    let start = text.iter().position(|b| !blank(b)).unwrap_or(text.len());
    &text[start..]
}

/// The start of a text, for a message.
pub(super) fn shown(text: &[u8]) -> String {
    let start = &text[..text.len().min(60)];
    String::from_utf8_lossy(start).into_owned()
}

fn unbalanced(text: &[u8]) -> ExpandError {
    ExpandError::Unbalanced(shown(text))
}

fn expected(expected: &'static str, at: &[u8]) -> ExpandError {
    let at = shown(at);
    ExpandError::Expected { expected, at }
}
