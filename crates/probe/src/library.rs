//! What the system's OpenSSL says of itself.
//!
//! Owns: its version, and the expansion of cipher expressions (`tls_high_cipherlist` and the
//! like), so that a list that matches nothing is found before Postfix drops every handshake over
//! it. Never: judges a cipher.

use crate::tls::reason;
use mailtls::TlsVersion;
use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslVersion};
use std::io::{self, ErrorKind, Read, Write};

/// The library in use, as it names itself (`OpenSSL 3.0.17 1 Jul 2025`).
pub fn openssl_version() -> String {
    openssl::version::version().to_owned()
}

/// The suites up to TLS 1.2 that `expression` selects, by OpenSSL's names, in order. TLS 1.3
/// suites are not chosen by such expressions. An error is OpenSSL's own (`no cipher match`).
pub fn cipher_list(expression: &str) -> Result<Vec<String>, String> {
    if expression.contains('\0') {
        return Err("a cipher expression with NUL".to_owned());
    }
    names(expression).map_err(|stack| reason(&stack))
}

/// The suites of one version that a program may use which is given `expression`, at OpenSSL's
/// security level `level` where the expression has none of its own (`@SECLEVEL`). Those of TLS 1.3
/// are OpenSSL's own, or its configuration's (`Ciphersuites`). Empty where the level rules the
/// version out. An error is OpenSSL's own.
pub fn suites(expression: &str, version: TlsVersion, level: u32) -> Result<Vec<String>, String> {
    if expression.contains('\0') {
        return Err("a cipher expression with NUL".to_owned());
    }
    let number = match version {
        TlsVersion::Tls1_0 => SslVersion::TLS1,
        TlsVersion::Tls1_1 => SslVersion::TLS1_1,
        TlsVersion::Tls1_2 => SslVersion::TLS1_2,
        TlsVersion::Tls1_3 => SslVersion::TLS1_3,
        older => return Err(format!("OpenSSL speaks no {older}")),
    };
    let offered = || -> Result<Vec<String>, ErrorStack> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        // In this order: a level in the list wins, as with Postfix.
        context.set_security_level(level);
        context.set_cipher_list(expression)?;
        context.set_min_proto_version(Some(number))?;
        context.set_max_proto_version(Some(number))?;
        offer(&context.build())
    };
    offered().map_err(|stack| reason(&stack))
}

fn names(expression: &str) -> Result<Vec<String>, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_cipher_list(expression)?;
    context.set_security_level(0);
    context.set_min_proto_version(None)?;
    context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
    offer(&context.build())
}

/// The bindings cannot ask a context for its ciphers, but they can name those of a ClientHello:
/// so one is made, sent nowhere, and read.
fn offer(context: &SslContext) -> Result<Vec<String>, ErrorStack> {
    let mut hello = Hello::default();
    // It cannot succeed: nobody answers.
    let _ = Ssl::new(context)?.connect(&mut hello);
    let suites = hello.suites().unwrap_or_default();
    let lists = Ssl::new(context)?.bytes_to_cipher_list(suites, false)?;
    let names = lists.suites.iter().map(|cipher| cipher.name().to_owned());
    Ok(names.collect())
}

/// Keeps what is written; has nothing to read.
#[derive(Default)]
struct Hello(Vec<u8>);

impl Hello {
    /// The cipher suites of a ClientHello in one record (RFC 5246 §7.4.1.2).
    fn suites(&self) -> Option<&[u8]> {
        // Record header 5, handshake header 4, version 2, random 32.
        let session = self.0.get(43..)?;
        let (length, rest) = session.split_first()?;
        let rest = rest.get(usize::from(*length)..)?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)))
    }
}

impl Read for &mut Hello {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Write for &mut Hello {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
