//! PEM (RFC 7468 and the older form with headers) and what else certificate files hold.
//!
//! Owns: cutting bytes into labelled objects, and telling the other formats that people have at
//! hand. Never: asks for a pass phrase, as OpenSSL's own reader would. Objects are wiped when
//! dropped, since any may be a key.

use crate::CertError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::x509::X509Req;
use zeroize::Zeroizing;

/// The largest input read, in bytes.
pub(crate) const MAX_INPUT: usize = 1 << 20;
const MAX_BLOCKS: usize = 4096;
const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// One object of a PEM file.
pub(crate) struct Block {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`, ….
    pub(crate) label: String,
    /// Whether its headers say that it is encrypted (`Proc-Type: 4,ENCRYPTED`).
    pub(crate) encrypted: bool,
    /// How (`DEK-Info`), where its headers say so.
    pub(crate) cipher: Option<String>,
    /// Its content.
    pub(crate) der: Zeroizing<Vec<u8>>,
}

impl Block {
    pub(crate) fn is_certificate(&self) -> bool {
        matches!(self.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE")
    }

    pub(crate) fn is_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }
}

/// What a file is, by its first bytes.
pub(crate) enum Form<'a> {
    Pem(&'a [u8]),
    Der(&'a [u8]),
}

/// Tells PEM from DER, and both from what is neither.
pub(crate) fn form(bytes: &[u8]) -> Result<Form<'_>, CertError> {
    if bytes.len() > MAX_INPUT {
        return Err(CertError::TooLarge(bytes.len() as u64));
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || looks_utf16(bytes) {
        return Err(CertError::Utf16);
    }
    // A byte-order mark does no harm here, because what is written later is written anew.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(CertError::Empty);
    }
    if lines(bytes).any(|line| line.starts_with(BEGIN)) {
        return Ok(Form::Pem(bytes));
    }
    match bytes {
        [0x30, ..] => Ok(Form::Der(bytes)),
        [b'P', b'u', b'T', b'T', b'Y', b'-', ..] => Err(CertError::KeyUnusable(
            "it is in the format of PuTTY".to_owned(),
        )),
        _ => Err(CertError::NotPem),
    }
}

fn looks_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"-\0-\0") || bytes.starts_with(b"\0-\0-")
}

/// The objects of a PEM file in order; text between them is skipped, as OpenSSL does.
pub(crate) fn blocks(bytes: &[u8]) -> Result<Vec<Block>, CertError> {
    let mut blocks = Vec::new();
    let mut lines = lines(bytes);
    while let Some(line) = lines.next() {
        let Some(label) = between(line, BEGIN) else {
            continue;
        };
        if blocks.len() == MAX_BLOCKS {
            return Err(CertError::TooMany(MAX_BLOCKS));
        }
        blocks.push(block(label, &mut lines)?);
    }
    Ok(blocks)
}

fn block<'a>(label: &str, lines: &mut impl Iterator<Item = &'a [u8]>) -> Result<Block, CertError> {
    let mut body = Zeroizing::new(Vec::new());
    let mut encrypted = false;
    let mut cipher = None;
    for line in lines {
        if line.starts_with(BEGIN) {
            break;
        }
        if line.starts_with(END) {
            if between(line, END) != Some(label) {
                break;
            }
            return Ok(Block {
                label: label.to_owned(),
                encrypted,
                cipher,
                der: decode(&body, label)?,
            });
        }
        if line.contains(&b':') {
            encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            if let Some(how) = line.strip_prefix(b"DEK-Info:") {
                cipher = Some(String::from_utf8_lossy(how.trim_ascii()).into_owned());
            }
        } else if !line.starts_with(b"DEK-Info") {
            body.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace()));
        }
    }
    Err(CertError::Truncated(format!("a {label}")))
}

fn decode(base64: &[u8], label: &str) -> Result<Zeroizing<Vec<u8>>, CertError> {
    // Decoded in place of a growing buffer, so that no piece of a key is left behind unwiped.
    let mut der = Zeroizing::new(vec![0; base64.len() / 4 * 3 + 3]);
    let damaged = || CertError::Damaged(format!("the base64 of a {label}"));
    let length = STANDARD
        .decode_slice(base64, &mut der)
        .map_err(|_| damaged())?;
    if length == 0 {
        return Err(damaged());
    }
    der.truncate(length);
    Ok(der)
}

/// Lines without trailing blanks; LF and CRLF alike.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
}

fn between<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a str> {
    let label = line.strip_prefix(start)?.strip_suffix(DASHES)?;
    std::str::from_utf8(label)
        .ok()
        .filter(|label| label.len() <= 64 && label.bytes().all(|b| (0x20..0x7f).contains(&b)))
}

/// What DER other than a certificate or a plain key announces itself as.
pub(crate) fn der_mistake(der: &[u8]) -> CertError {
    const PKCS7_OID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
    // PBES2 and the older schemes of PKCS#5, and those of PKCS#12.
    const PKCS5_OID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05";
    const PKCS12_OID: &[u8] = b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c";
    if der.get(1) == Some(&0x80) {
        return CertError::OpenLength;
    }
    let Some((content, declared)) = der_content(der) else {
        return CertError::Truncated("a DER object".into());
    };
    if declared > content.len() {
        return CertError::Truncated("a DER object".into());
    }
    if content.starts_with(b"\x02\x01\x03") {
        return CertError::Pkcs12;
    }
    if content.starts_with(PKCS7_OID) {
        return CertError::Pkcs7;
    }
    let inner = content
        .starts_with(b"\x30")
        .then(|| der_content(content))
        .flatten();
    match inner {
        Some((oid, _)) if oid.starts_with(PKCS5_OID) || oid.starts_with(PKCS12_OID) => {
            CertError::KeyEncrypted
        }
        _ if X509Req::from_der(der).is_ok() => CertError::IsRequest,
        _ => CertError::Damaged("the DER object".into()),
    }
}

/// What follows a DER header, and how many bytes the header announces.
fn der_content(der: &[u8]) -> Option<(&[u8], usize)> {
    let (&first, rest) = der.get(1..)?.split_first()?;
    if first < 0x80 {
        return Some((rest, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    let length = rest.get(..count).filter(|_| (1..=4).contains(&count))?;
    let declared = length
        .iter()
        .fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    Some((&rest[count..], declared))
}

#[cfg(test)]
mod tests;
