//! TSIG keys as name servers keep them in files.
//!
//! Owns: the one statement `key NAME { algorithm …; secret …; };` of named.conf(5), which BIND's
//! tsig-keygen(8) and nsupdate(1) share; and knsupdate's line `[hmac:]name:secret`. Never: puts
//! anything of the file into an error.

use super::{TsigAlgorithm, TsigKey};
use crate::SolverError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// Larger files hold no key.
const MAX_FILE: usize = 64 * 1024;

pub(super) fn read(text: &str) -> Result<TsigKey, SolverError> {
    if text.len() > MAX_FILE {
        return Err(unusable("it is too long"));
    }
    let words = words(text);
    let words: Vec<&str> = words.iter().map(|word| word.as_str()).collect();
    if let [line] = words[..] {
        return one_line(line);
    }
    let start = words.iter().position(|word| *word == "key");
    let start = start.ok_or_else(|| unusable("it holds no `key NAME { … };`"))?;
    let (name, rest) = match words.get(start + 1..) {
        Some([name, "{", rest @ ..]) => (*name, rest),
        _ => return Err(unusable("`key` is not followed by a name and `{`")),
    };
    let end = rest.iter().position(|word| *word == "}");
    let body = rest.get(..end.ok_or_else(|| unusable("its `}` is missing"))?);
    let body = body.unwrap_or_default();
    let value = |wanted: &str| {
        let mut pairs = body.windows(2);
        let found = pairs.find(|pair| pair[0].eq_ignore_ascii_case(wanted));
        found.map(|pair| pair[1])
    };
    made(
        name,
        value("algorithm").ok_or_else(|| unusable("it names no algorithm"))?,
        value("secret").ok_or_else(|| unusable("it holds no secret"))?,
    )
}

/// `[hmac:]name:secret`, as `knsupdate -y` and `-k` take it.
fn one_line(line: &str) -> Result<TsigKey, SolverError> {
    let parts: Vec<&str> = line.splitn(3, ':').collect();
    match parts[..] {
        [algorithm, name, secret] => made(name, algorithm, secret),
        [name, secret] => made(name, "hmac-sha256", secret),
        _ => Err(unusable("it holds no `key NAME { … };`")),
    }
}

fn made(name: &str, algorithm: &str, secret: &str) -> Result<TsigKey, SolverError> {
    let algorithm = match algorithm
        .trim_end_matches('.')
        .to_ascii_lowercase()
        .as_str()
    {
        "hmac-sha256" => TsigAlgorithm::HmacSha256,
        "hmac-sha384" => TsigAlgorithm::HmacSha384,
        "hmac-sha512" => TsigAlgorithm::HmacSha512,
        _ => {
            return Err(unusable(
                "its algorithm is none of hmac-sha256, hmac-sha384, hmac-sha512",
            ));
        }
    };
    let secret = STANDARD.decode(secret).map(Zeroizing::new);
    let secret = secret.map_err(|_| unusable("its secret is no base64"))?;
    if secret.is_empty() || name.is_empty() {
        return Err(unusable("its name or its secret is empty"));
    }
    Ok(TsigKey {
        name: name.trim_end_matches('.').to_owned(),
        algorithm,
        secret,
    })
}

/// Words and brackets, without quotes, semicolons and the three kinds of comments.
fn words(text: &str) -> Vec<Zeroizing<String>> {
    let mut words = vec![Zeroizing::new(String::new())];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let comment = ["#", "//"].iter().any(|mark| rest.starts_with(mark));
        let skipped = match c {
            _ if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            _ if comment && words.last().is_none_or(|word| word.is_empty()) => {
                rest.find('\n').unwrap_or(rest.len())
            }
            '"' | ';' => 1,
            '{' | '}' => {
                words.push(Zeroizing::new(c.to_string()));
                words.push(Zeroizing::default());
                1
            }
            c if c.is_whitespace() => {
                words.push(Zeroizing::default());
                c.len_utf8()
            }
            c => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
                c.len_utf8()
            }
        };
        rest = rest.get(skipped..).unwrap_or_default();
        if matches!(c, ';' | '"') {
            words.push(Zeroizing::default());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn unusable(why: &str) -> SolverError {
    SolverError::KeyFile(why.to_owned())
}

#[cfg(test)]
mod tests;
