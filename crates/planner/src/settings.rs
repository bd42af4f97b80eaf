//! The words of `postseal set`: which keys there are, what values they take, what they mean.
//!
//! Owns: [`KEYS`] and the parsing of `KEY=VALUE` into wishes; everything that can be judged of
//! a wish alone is judged here, at once. Never: looks at a host; what needs the whole is judged
//! by `plan`.

mod param;
mod table;
mod values;

#[cfg(test)]
mod tests;

pub(crate) use param::alias;
pub use table::{KEYS, KeyDoc};

use crate::intent::{Key, Wish};
use crate::{Finding, PostfixVersion, Refusal, Severity};

/// Parses `KEY=VALUE`. `mode` gives two wishes, every other key one. Refused at once: unknown
/// keys, bad values, and parameters that `version` does not know or that are obsolete.
pub fn parse(key: &str, value: &str, version: PostfixVersion) -> Result<Vec<Wish>, Refusal> {
    check_text(key, value)?;
    if key == "mode" {
        let inbound = values::parse(&Key::Inbound, value);
        let outbound = values::parse(&Key::Outbound, value);
        let (Ok(inbound), Ok(outbound)) = (inbound, outbound) else {
            return Err(bad_value(key, value, table::doc("mode").values));
        };
        return Ok(vec![
            Wish::Set(Key::Inbound, inbound),
            Wish::Set(Key::Outbound, outbound),
        ]);
    }
    match parse_key(key)? {
        Key::Param(name) => param::parse(&name, value, version).map(|wish| vec![wish]),
        Key::Override { service, name } => {
            param::parse_override(&service, &name, value, version).map(|wish| vec![wish])
        }
        known => values::parse(&known, value).map(|setting| vec![Wish::Set(known, setting)]),
    }
}

/// Parses a key to be given back. `mode` gives two wishes.
pub fn parse_unset(key: &str) -> Result<Vec<Wish>, Refusal> {
    if key == "mode" {
        return Ok(vec![Wish::Unset(Key::Inbound), Wish::Unset(Key::Outbound)]);
    }
    let key = match parse_key(key)? {
        Key::Param(name) => param::alias(&name).unwrap_or(Key::Param(name)),
        known => known,
    };
    Ok(vec![Wish::Unset(key)])
}

fn parse_key(text: &str) -> Result<Key, Refusal> {
    Key::try_from(text.to_owned()).map_err(|_| {
        let hint = if crate::catalog::find(text).is_some() {
            format!("A parameter is set as `param.{text}=VALUE`.")
        } else {
            "`postseal set` alone lists all keys, their values and what they mean.".to_owned()
        };
        refuse(
            "setting.unknown-key",
            format!("There is no key {text:?}."),
            hint,
        )
    })
}

/// No value may become a second line or another parameter.
fn check_text(key: &str, value: &str) -> Result<(), Refusal> {
    if key.chars().chain(value.chars()).any(char::is_control) {
        return Err(refuse(
            "setting.control-character",
            format!("The value of {key:?} holds a line break or another control character."),
            "Give the value on one line, without tabs.",
        ));
    }
    Ok(())
}

fn bad_value(key: &str, value: &str, allowed: &str) -> Refusal {
    refuse(
        "setting.bad-value",
        format!("{key} cannot be {value:?}."),
        format!("Allowed is: {allowed}."),
    )
}

fn refuse(code: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Refusal {
    Finding::new(code, Severity::Error, message, remedy).into()
}
