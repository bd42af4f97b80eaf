//! Flights of the system's OpenSSL, in every version and with every message, read back; and the
//! same bytes cut, changed, and made up.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "test support: a panic is the message"
)]

mod common;
mod exercise;

use common::{certificate, rsa_certificate};
use mailtls::TlsVersion;
use openssl::ssl::{Ssl, SslContextBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use postseal_issue::Issued;
use postseal_probe::full::answer::{Flight, FlightReader, Progress};
use postseal_probe::full::hello::{Hello, Resume, SIGNATURES};
use proptest::prelude::*;
use std::io::{self, ErrorKind, Read, Write};

/// A socket of which one side has said its ClientHello, and keeps what it hears.
struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Read for &mut Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.input[..length]);
        self.input.drain(..length);
        match length {
            0 => Err(ErrorKind::WouldBlock.into()),
            length => Ok(length),
        }
    }
}

impl Write for &mut Pipe {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What OpenSSL answers to our ClientHello.
fn answer(issued: &Issued, asks: bool, hello: &Hello<'_>) -> Vec<u8> {
    let mut context = SslContextBuilder::new(SslMethod::tls_server()).unwrap();
    context.set_security_level(0);
    context
        .set_min_proto_version(Some(SslVersion::TLS1))
        .unwrap();
    context.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    let leaf = X509::from_pem(issued.cert_pem.as_bytes()).unwrap();
    context.set_certificate(&leaf).unwrap();
    let key = openssl::pkey::PKey::private_key_from_pem(issued.key_pem.as_bytes()).unwrap();
    context.set_private_key(&key).unwrap();
    if asks {
        context.add_client_ca(&leaf).unwrap();
        context.set_verify(SslVerifyMode::PEER);
    }
    let mut pipe = Pipe {
        input: hello.bytes(),
        output: Vec::new(),
    };
    // It waits for what never comes.
    let _ = Ssl::new(&context.build()).unwrap().accept(&mut pipe);
    pipe.output
}

fn hello(version: TlsVersion, suites: &'static [u16]) -> Hello<'static> {
    Hello {
        version,
        random: [1; 32],
        suites,
        groups: &[29, 23],
        signatures: &SIGNATURES,
        name: Some("mx.example"),
        shares: &[],
        resume: Resume::Nothing,
        finished: &[],
    }
}

/// One of each kind.
fn seeds() -> Vec<Vec<u8>> {
    let (rsa, ecdsa) = (rsa_certificate("mx.example"), certificate("mx.example"));
    vec![
        answer(&rsa, true, &hello(TlsVersion::Tls1_2, &[0xC030])),
        answer(&rsa, false, &hello(TlsVersion::Tls1_1, &[0xC013])),
        answer(&rsa, true, &hello(TlsVersion::Tls1_0, &[0x002F])),
        answer(&ecdsa, false, &hello(TlsVersion::Tls1_2, &[0xC02C])),
        answer(&ecdsa, false, &hello(TlsVersion::Tls1_3, &[0x1302])),
        answer(&ecdsa, false, &hello(TlsVersion::Tls1_2, &[0x009D])),
    ]
}

fn read(bytes: &[u8]) -> (Progress, Option<Flight>) {
    let mut reader = FlightReader::default();
    let progress = reader.receive(bytes).unwrap();
    (progress, reader.into_flight())
}

#[test]
fn openssl_is_read() {
    let seeds = seeds();
    let seen: Vec<_> = seeds.iter().map(|bytes| read(bytes)).collect();
    let flight = |place: usize| seen[place].1.as_ref().expect("a flight");
    for (place, version, suite, group) in [
        (0, 0x0303, 0xC030, Some(29)),
        (1, 0x0302, 0xC013, Some(29)),
        (2, 0x0301, 0x002F, None),
        (3, 0x0303, 0xC02C, Some(29)),
        (4, 0x0304, 0x1302, Some(29)),
    ] {
        assert_eq!(seen[place].0, Progress::Done);
        let flight = flight(place);
        assert_eq!(
            (flight.version, flight.suite, flight.group),
            (version, suite, group)
        );
        assert_eq!(flight.chain.len(), usize::from(version < 0x0304));
        assert_eq!(
            flight.asks.as_ref().map(Vec::len),
            [0, 2].contains(&place).then_some(1)
        );
        assert_eq!(flight.compression, 0);
    }
    assert!(flight(0).answers(23) && flight(0).answers(0xFF01));
    // No RSA key for an RSA suite: handshake_failure.
    assert_eq!(seen[5], (Progress::Alert(40), None));
}

#[test]
fn no_flight_makes_anything_panic_whole_cut_or_changed() {
    for (number, bytes) in seeds().into_iter().enumerate() {
        // Seeds for the fuzzer, where somebody wants them.
        if let Some(folder) = std::env::var_os("FLIGHT_SEEDS") {
            std::fs::write(
                std::path::Path::new(&folder).join(number.to_string()),
                &bytes,
            )
            .unwrap();
        }
        exercise::exercise(&bytes);
        for at in 0..bytes.len() {
            exercise::exercise(&bytes[..at]);
            let mut changed = bytes.clone();
            changed[at] = changed[at].wrapping_add(0x7F);
            exercise::exercise(&changed);
        }
    }
}

proptest! {
    #[test]
    fn made_up_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        exercise::exercise(&bytes);
    }

    #[test]
    fn made_up_messages(kind in 20_u8..24, message in 0_u8..24, bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        let content = [&[message, length[1], length[2], length[3]], bytes.as_slice()].concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let record = [&[kind, 3, 3, length[0], length[1]], content.as_slice()].concat();
        exercise::exercise(&record);
    }
}
