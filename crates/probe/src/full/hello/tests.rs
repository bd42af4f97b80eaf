//! What OpenSSL makes of our ClientHello, and its bytes where no OpenSSL speaks the version.

use super::super::suites;
use super::*;
use openssl::ssl::{ClientHelloResponse, Ssl, SslContext, SslMethod, SslVersion};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};

fn hello(version: TlsVersion) -> Hello<'static> {
    Hello {
        version,
        random: [7; 32],
        suites: &[0xC030, 0x002F],
        groups: &[29, 23],
        signatures: &SIGNATURES,
        name: Some("mx.example"),
        shares: &[],
        resume: Resume::Nothing,
        finished: &[],
    }
}

/// A peer that has said these bytes and forgets what it hears.
struct Said(Vec<u8>);

impl Read for Said {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0.drain(..length);
        match length {
            0 => Err(ErrorKind::WouldBlock.into()),
            length => Ok(length),
        }
    }
}

impl Write for Said {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a server reads: the legacy version, the suites' bytes, the session, the compression methods.
type Read4 = (Option<SslVersion>, Vec<u8>, Vec<u8>, Vec<u8>);

fn read_by_openssl(bytes: Vec<u8>) -> Option<Read4> {
    let seen: Arc<Mutex<Option<Read4>>> = Arc::default();
    let mut context = SslContext::builder(SslMethod::tls_server()).unwrap();
    context.set_security_level(0);
    context.set_min_proto_version(None).unwrap();
    let kept = Arc::clone(&seen);
    context.set_client_hello_callback(move |ssl, _| {
        let of = |bytes: Option<&[u8]>| bytes.unwrap_or_default().to_vec();
        *kept.lock().unwrap() = Some((
            ssl.client_hello_legacy_version(),
            of(ssl.client_hello_ciphers()),
            of(ssl.client_hello_session_id()),
            of(ssl.client_hello_compression_methods()),
        ));
        Ok(ClientHelloResponse::SUCCESS)
    });
    let ssl = Ssl::new(&context.build()).unwrap();
    // It has no certificate, so it ends in an error, after the callback.
    let _ = ssl.accept(Said(bytes));
    seen.lock().unwrap().take()
}

#[test]
fn openssl_reads_every_version_that_it_speaks() {
    for (version, legacy, compression) in [
        (TlsVersion::Tls1_0, SslVersion::TLS1, vec![1, 0]),
        (TlsVersion::Tls1_1, SslVersion::TLS1_1, vec![1, 0]),
        (TlsVersion::Tls1_2, SslVersion::TLS1_2, vec![1, 0]),
        (TlsVersion::Tls1_3, SslVersion::TLS1_2, vec![0]),
    ] {
        let seen = read_by_openssl(hello(version).bytes());
        let suites = vec![0xC0, 0x30, 0x00, 0x2F];
        assert_eq!(
            seen,
            Some((Some(legacy), suites, vec![], compression)),
            "{version}"
        );
    }
}

#[test]
fn every_suite_at_once_is_read() {
    let all = suites::numbers(|_| true);
    let hello = Hello {
        suites: &all,
        ..hello(TlsVersion::Tls1_2)
    };
    let (_, suites, _, _) = read_by_openssl(hello.bytes()).unwrap();
    assert_eq!(suites.len(), all.len() * 2);
}

#[test]
fn sessions_and_tickets() {
    let session = [9; 32];
    for (resume, number) in [
        (Resume::Nothing, vec![]),
        (Resume::Session(&session), session.to_vec()),
        (Resume::Ticket(&[1; 200]), MADE_UP.to_vec()),
    ] {
        let hello = Hello {
            resume,
            ..hello(TlsVersion::Tls1_2)
        };
        let (_, _, seen, _) = read_by_openssl(hello.bytes()).unwrap();
        assert_eq!(seen, number);
        assert_eq!(hello.session(), number);
    }
    // A number too long for the field is cut, not spilled over.
    let long = [9; 70];
    let hello = Hello {
        resume: Resume::Session(&long),
        ..hello(TlsVersion::Tls1_2)
    };
    assert!(read_by_openssl(hello.bytes()).is_some());
}

#[test]
fn ssl_3_has_no_extensions() {
    let bytes = Hello {
        name: None,
        ..hello(TlsVersion::Ssl3)
    }
    .bytes();
    let mut wanted = vec![22, 3, 0, 0, 50, 1, 0, 0, 46, 3, 0];
    wanted.extend([7; 32]);
    wanted.extend([0, 0, 6, 0xC0, 0x30, 0x00, 0x2F, 0x00, 0xFF, 2, 1, 0]);
    assert_eq!(bytes, wanted);
}

#[test]
fn tls_1_3_offers_no_key_so_that_the_group_is_named() {
    let bytes = hello(TlsVersion::Tls1_3).bytes();
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
    assert!(has(&[0, 51, 0, 2, 0, 0]), "an empty key_share");
    assert!(
        has(&[0, 43, 0, 3, 2, 3, 4]),
        "supported_versions with TLS 1.3 alone"
    );
    assert!(has(&[0, 10, 0, 6, 0, 4, 0, 29, 0, 23]), "supported_groups");
    assert!(has(b"\0\x0amx.example"), "server_name");
}

#[test]
fn lists_that_fit_nowhere_make_no_broken_bytes() {
    let many = vec![1; 40_000];
    let hello = Hello {
        suites: &many,
        groups: &many,
        signatures: &many,
        ..hello(TlsVersion::Tls1_2)
    };
    let bytes = hello.bytes();
    let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
    assert_eq!(bytes.len(), length + 5);
}
