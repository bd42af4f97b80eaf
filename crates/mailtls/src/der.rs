//! DER (X.690), as far as the wrappings of certificates need it.
//!
//! Owns: walking tag, length, value. Never: recurses, copies, or reads what x509-parser reads.
//! Lengths must be definite, as they are in what OpenSSL, Windows and Java write.

use x509_parser::asn1_rs::Oid;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OID: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// One value: its tag, its content, and both together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Value<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// The values that stand one after the other in some bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The next value; `None` at the end and where the bytes are damaged.
    pub(crate) fn value(&mut self) -> Option<Value<'a>> {
        let &[tag, first, ref rest @ ..] = self.0 else {
            return None;
        };
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let digits = digits.iter().map(|byte| usize::from(*byte));
                (digits.fold(0, |sum, byte| sum << 8 | byte), rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some(Value {
            tag,
            content,
            whole,
        })
    }

    /// The content of the next value, where it has this tag; else nothing is taken.
    pub(crate) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let value = ahead.value().filter(|value| value.tag == tag)?;
        *self = ahead;
        Some(value.content)
    }

    /// The values within the next one, where it has this tag.
    pub(crate) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self::new)
    }

    /// The next value as a number that fits; `None` also where it is negative.
    pub(crate) fn number(&mut self) -> Option<u64> {
        let bytes = self.take(INTEGER)?;
        let bytes = match bytes {
            [] | [0x80..=0xff, ..] => return None,
            [0, rest @ ..] => rest,
            _ => bytes,
        };
        let fits = bytes.len() <= 8;
        fits.then(|| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        })
    }
}

/// An object identifier in dotted form, cut where it is absurdly long.
pub(crate) fn dotted(oid: &[u8]) -> String {
    Oid::new(oid[..oid.len().min(64)].into()).to_id_string()
}

#[cfg(test)]
mod tests;
