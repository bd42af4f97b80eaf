//! `$name` expansion.
//!
//! Owns: the syntax of `$name`, `${name}`, `$(name)`, `$$`, `${name?x}`, `${name:x}`,
//! `${name?{x}:{y}}` and `${{a} == {b} ? {x} : {y}}`, and what it yields. Never: knows a default;
//! the caller's lookup does.
//!
//! Observed with `postconf -x` of Postfix 3.7.11. Blanks around names and operands are as there
//! (from 3.6 on; an older Postfix refuses them). An undefined name is empty. Work, depth and output
//! are bounded, because names can refer to each other: Postfix ends at 100 levels, but a hundred
//! levels of `$b$b` would not end.

mod level;
mod syntax;

use crate::ExpandError;
use std::borrow::Cow;
use syntax::{Condition, Expression, Operand, Operator, Piece};

/// The deepest nesting of names and expressions, as in Postfix.
const MAX_DEPTH: usize = 100;
/// The longest result, in bytes.
const MAX_OUTPUT: usize = 1 << 20;
/// The most work for one value, in bytes read or written; values that are only tested count too.
const MAX_WORK: usize = 16 << 20;
/// What looking at one expression costs, so that empty ones end as well.
const STEP: usize = 128;

/// Expands every `$` expression in `value`, and those in what `lookup` yields.
///
/// ```
/// use postfix_cf::{MainCf, expand};
/// let main = MainCf::parse(b"a = $b.example\nb = ${c?{x}:{y}}\n");
/// let value = expand(b"host $a", &|name| main.get(name))?;
/// assert_eq!(value, b"host y.example");
/// # Ok::<(), postfix_cf::ExpandError>(())
/// ```
///
/// # Errors
/// Where Postfix ends with `macro processing error`, and where a limit is reached.
pub fn expand<'a>(
    value: &[u8],
    lookup: &dyn Fn(&str) -> Option<Cow<'a, [u8]>>,
) -> Result<Vec<u8>, ExpandError> {
    let mut expander = Expander { lookup, work: 0 };
    let mut out = Vec::new();
    expander.value(value, 0, &mut out)?;
    Ok(out)
}

/// Whether Postfix can read all `$` expressions in `value`, in branches that are not taken too.
///
/// # Errors
/// What it cannot read.
pub fn check_expansion(value: &[u8]) -> Result<(), ExpandError> {
    scan(value, 0, &mut |_| ())
}

/// The names that `value` refers to, each once, in order, in all branches. What follows a syntax
/// error is not seen.
pub fn references(value: &[u8]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    // What comes before an error was seen; the error itself is `check_expansion`'s to tell.
    let _ = scan(value, 0, &mut |name| {
        if seen.insert(name.to_owned()) {
            names.push(name.to_owned());
        }
    });
    names
}

struct Expander<'l, 'a> {
    lookup: &'l dyn Fn(&str) -> Option<Cow<'a, [u8]>>,
    work: usize,
}

impl Expander<'_, '_> {
    fn value(&mut self, value: &[u8], depth: usize, out: &mut Vec<u8>) -> Result<(), ExpandError> {
        self.spend(value.len())?;
        for piece in syntax::pieces(value) {
            match piece? {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Expression(inner) => {
                    self.spend(STEP)?;
                    check_depth(inner, depth)?;
                    self.expression(inner, depth + 1, out)?;
                }
            }
            if out.len() > MAX_OUTPUT {
                return Err(ExpandError::TooLarge { limit: MAX_OUTPUT });
            }
        }
        Ok(())
    }

    fn spend(&mut self, cost: usize) -> Result<(), ExpandError> {
        self.work += cost;
        if self.work > MAX_WORK {
            return Err(ExpandError::TooLarge { limit: MAX_WORK });
        }
        Ok(())
    }

    fn expression(
        &mut self,
        inner: &[u8],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), ExpandError> {
        let expression = Expression::parse(inner)?;
        let holds = match &expression.condition {
            Condition::Name(name) => {
                let value = (self.lookup)(name).unwrap_or_default();
                if expression.is_bare() {
                    return self.value(&value, depth, out);
                }
                self.spend(value.len())?;
                !value.is_empty()
            }
            Condition::Comparison(left, operator, right) => {
                let holds = self.compare(left, *operator, right, depth)?;
                if expression.is_bare() && holds {
                    out.extend_from_slice(b"true");
                }
                holds
            }
        };
        let branch = if holds {
            expression.if_true
        } else {
            expression.if_false
        };
        self.value(branch.unwrap_or_default(), depth, out)
    }

    fn compare(
        &mut self,
        left: &[u8],
        operator: Operator,
        right: &[u8],
        depth: usize,
    ) -> Result<bool, ExpandError> {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        self.value(left, depth, &mut a)?;
        self.value(right, depth, &mut b)?;
        let order = match operator.operand {
            Operand::Text => a.cmp(&b),
            Operand::Level => level::parse(&a)?.cmp(&level::parse(&b)?),
        };
        Ok(operator.holds(order))
    }
}

fn check_depth(inner: &[u8], depth: usize) -> Result<(), ExpandError> {
    if depth > MAX_DEPTH {
        return Err(ExpandError::TooDeep(syntax::shown(inner)));
    }
    Ok(())
}

/// Calls `name` for each name in `value`, and reads all branches.
fn scan(value: &[u8], depth: usize, name: &mut dyn FnMut(&str)) -> Result<(), ExpandError> {
    for piece in syntax::pieces(value) {
        let Piece::Expression(inner) = piece? else {
            continue;
        };
        check_depth(inner, depth)?;
        let expression = Expression::parse(inner)?;
        match expression.condition {
            Condition::Name("") => (),
            Condition::Name(this) => name(this),
            Condition::Comparison(left, _, right) => {
                scan(left, depth + 1, name)?;
                scan(right, depth + 1, name)?;
            }
        }
        for branch in [expression.if_true, expression.if_false]
            .into_iter()
            .flatten()
        {
            scan(branch, depth + 1, name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
