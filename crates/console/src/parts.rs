//! Forms that carry files (RFC 7578).
//!
//! Owns: their fields as text and as bytes. Never: keeps one, copies what need not be copied, or says what is in it.
//!
//! A reader of our own, because those that there are take a stream and copy it into buffers of theirs, which nobody wipes. It
//! is as strict as browsers are regular: what stands before the first boundary, lines that end without CR, and a name
//! that is no quoted string are refused, none is guessed.

use crate::problem::Problem;
use axum::body::Bytes;
use axum::http::HeaderValue;
use memchr::memmem::find;
use zeroize::Zeroizing;

/// No form has more fields.
const FIELDS: usize = 100;
/// What stands between two lines of a field's head, and what ends the head.
const LINE: &[u8] = b"\r\n";
const HEAD: &[u8] = b"\r\n\r\n";

/// The fields of such a form, in its order. They are parts of the body's own memory, which is wiped (`held`).
pub(crate) struct Parts(Vec<(String, Bytes)>);

impl Parts {
    /// Whether a form of this type carries files.
    pub(crate) fn is_one(kind: &HeaderValue) -> bool {
        kind.as_bytes().starts_with(b"multipart/form-data")
    }

    /// Reads one whole; the door has bounded it.
    pub(crate) fn read(kind: &HeaderValue, body: &Bytes) -> Result<Self, Problem> {
        let bad = || Problem::malformed("it is no form with files");
        let delimiter = [b"--", boundary(kind).ok_or_else(bad)?].concat();
        let between = [LINE, &delimiter].concat();
        let begins = body.starts_with(&delimiter);
        let mut rest = begins
            .then(|| body.slice(delimiter.len()..))
            .ok_or_else(bad)?;
        let mut fields = Vec::new();
        while !rest.starts_with(b"--") {
            // Blanks may stand behind a boundary (RFC 2046 §5.1.1).
            let end = find(&rest, LINE).ok_or_else(bad)?;
            let is_blank = rest[..end].iter().all(|byte| b" \t".contains(byte));
            // The line's end stays: a field without a head begins with the head's end.
            rest = rest.slice(end..);
            let head = find(&rest, HEAD).filter(|_| is_blank).ok_or_else(bad)?;
            let name = name(&rest[..head]).ok_or_else(bad)?;
            rest = rest.slice(head + HEAD.len()..);
            let end = find(&rest, &between).ok_or_else(bad)?;
            fields.push((name, rest.slice(..end)));
            rest = rest.slice(end + between.len()..);
            if fields.len() > FIELDS {
                return Err(bad());
            }
        }
        Ok(Self(fields))
    }

    /// What a field holds; none where it is empty or not there.
    pub(crate) fn bytes(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut fields = self.0.iter();
        let found = fields.find(|(known, bytes)| known == name && !bytes.is_empty());
        found.map(|(_, bytes)| Zeroizing::new(bytes.to_vec()))
    }

    /// The same as text, without the blanks around it.
    pub(crate) fn text(&self, name: &str) -> Option<Zeroizing<String>> {
        let bytes = self.bytes(name)?;
        let text = std::str::from_utf8(&bytes).ok()?.trim();
        (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
    }

    /// A file, or else what was pasted in its place.
    pub(crate) fn file_or_pasted(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let pasted = || {
            let text = self.text(&format!("{name}_text"))?;
            Some(Zeroizing::new(text.as_bytes().to_vec()))
        };
        self.bytes(name).or_else(pasted)
    }
}

/// What stands between fields: 1 to 70 characters (RFC 2046 §5.1.1), in quotation marks or not.
fn boundary(kind: &HeaderValue) -> Option<&[u8]> {
    let kind = kind.to_str().ok()?;
    let mut said = kind.split(';').skip(1).map(str::trim);
    let boundary = said.find_map(|one| {
        let (key, value) = one.split_once('=')?;
        key.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let bare = boundary.trim_matches('"');
    (1..=70).contains(&bare.len()).then_some(bare.as_bytes())
}

/// The field's name, as its head says it: browsers write `name="…"`, with quotation marks in it as `%22`.
fn name(head: &[u8]) -> Option<String> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.split("\r\n");
    let said = lines.find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim()
            .eq_ignore_ascii_case("content-disposition")
            .then_some(value)
    })?;
    let (_, after) = said.split_once(" name=\"")?;
    Some(after.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests;
