//! TLS handshakes that show whatever the server has, and say why when there is none.
//!
//! Owns: what we offer, and reading a finished or failed handshake. Never: verifies a certificate
//! or refuses a weakness; an old version or a short key that a server speaks must be *seen*.
//! Everything is the system's OpenSSL, which is Postfix's too.

use crate::wire::{self, Wire};
use mailtls::{Fingerprint, TlsVersion};
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Public};
use openssl::ssl::{
    HandshakeError, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions, SslRef,
    SslVerifyMode, SslVersion,
};
use postseal_planner::report::{Handshake, KeyAlgorithm, Limits};
use std::io::ErrorKind;

/// Every cipher that the library has, those without a certificate last, so that a server that has
/// one and leaves the choice to us shows it.
const ALL_CIPHERS: &str = "ALL:+aNULL:@SECLEVEL=0";
/// Those with a certificate.
const CERTIFIED_CIPHERS: &str = "ALL:!aNULL:@SECLEVEL=0";

/// `SSL_OP_LEGACY_SERVER_CONNECT`: talk to servers without RFC 5746, as before OpenSSL 3.0.
const LEGACY_SERVER_CONNECT: SslOptions = SslOptions::from_bits_retain(0x4);

/// What to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offer<'l> {
    /// All that the library can speak.
    Everything,
    /// All that shows a certificate.
    Certified,
    /// All that shows a certificate with this kind of key.
    Signed(KeyAlgorithm),
    /// Everything, in versions older than this.
    Below(TlsVersion),
    /// What a client offers that is held to these.
    Within(&'l Limits),
}

/// Why a handshake did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandshakeFailure {
    /// The server said no: its alert (RFC 8446 §6).
    #[error("TLS alert: {0}")]
    Alert(String),
    /// The server sent what is not TLS, or left. Postfix leaves when it finds no usable cipher.
    #[error("{0}")]
    NoTls(String),
    /// The network, or the deadline.
    #[error("{0}")]
    Lost(String),
    /// Our library cannot do what was asked.
    #[error("{0}")]
    Ours(String),
}

/// A finished handshake.
pub(crate) struct Shaken {
    pub(crate) wire: Wire,
    pub(crate) handshake: Handshake,
}

/// Does the handshake as a client.
pub(crate) fn connect(
    wire: Wire,
    offer: Offer<'_>,
    sni: Option<&str>,
) -> Result<Shaken, HandshakeFailure> {
    let shaken = || {
        let ssl = client(offer, sni)?;
        wire.connect_tls(ssl).map_err(failure)
    };
    let stream = shaken().map_err(|failed| match (offer, failed) {
        // What our library cannot do within them the client's cannot either.
        (Offer::Within(_), HandshakeFailure::Ours(why)) => HandshakeFailure::NoTls(why),
        (_, failed) => failed,
    })?;
    let handshake = look(stream.ssl())?;
    Ok(Shaken {
        wire: Wire::Tls(stream),
        handshake,
    })
}

fn client(offer: Offer<'_>, sni: Option<&str>) -> Result<Ssl, HandshakeFailure> {
    let newest = match offer {
        Offer::Everything | Offer::Certified | Offer::Signed(_) | Offer::Within(_) => None,
        Offer::Below(floor) => Some(newest_below(floor)?),
    };
    let ciphers = match offer {
        Offer::Everything | Offer::Below(_) => ALL_CIPHERS,
        Offer::Within(limits) => &limits.ciphers,
        Offer::Certified | Offer::Signed(KeyAlgorithm::Ed25519) => CERTIFIED_CIPHERS,
        Offer::Signed(KeyAlgorithm::Rsa) => "aRSA:!aNULL:@SECLEVEL=0",
        Offer::Signed(KeyAlgorithm::Ecdsa) => "aECDSA:!aNULL:@SECLEVEL=0",
    };
    let signatures = match offer {
        Offer::Signed(algorithm) => Some(signatures(algorithm)),
        Offer::Everything | Offer::Certified | Offer::Below(_) | Offer::Within(_) => None,
    };
    let (security_level, barred) = match offer {
        Offer::Within(limits) => (limits.security_level, barred(&limits.versions)),
        _ => (0, SslOptions::empty()),
    };
    if sni.is_some_and(|name| name.contains('\0')) {
        return Err(HandshakeFailure::Ours("a server name with NUL".to_owned()));
    }
    let build = || {
        let mut context = unverifying()?;
        context.set_security_level(security_level);
        context.set_options(barred);
        context.set_min_proto_version(None)?;
        context.set_max_proto_version(newest)?;
        context.set_cipher_list(ciphers)?;
        if let Some(signatures) = signatures {
            context.set_sigalgs_list(signatures)?;
        }
        asking(context, sni)
    };
    build().map_err(|stack: ErrorStack| HandshakeFailure::Ours(reason(&stack)))
}

/// A client that verifies nobody, and takes whatever it is offered.
pub(crate) fn unverifying() -> Result<SslContextBuilder, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::tls_client())?;
    context.set_verify(SslVerifyMode::NONE);
    context.set_security_level(0);
    context.set_options(LEGACY_SERVER_CONNECT);
    Ok(context)
}

/// Its handshake, with a server name. One with NUL cannot be asked for.
pub(crate) fn asking(context: SslContextBuilder, name: Option<&str>) -> Result<Ssl, ErrorStack> {
    let mut ssl = Ssl::new(&context.build())?;
    if let Some(name) = name.filter(|name| !name.contains('\0')) {
        ssl.set_hostname(name)?;
    }
    Ok(ssl)
}

/// The signatures that a client takes which knows one kind of key (RFC 8446 §4.2.3); up to TLS
/// 1.2 the cipher says it too.
const fn signatures(algorithm: KeyAlgorithm) -> &'static str {
    match algorithm {
        KeyAlgorithm::Rsa => {
            "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:\
             RSA+SHA512:RSA+SHA1"
        }
        KeyAlgorithm::Ecdsa => "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ECDSA+SHA1",
        KeyAlgorithm::Ed25519 => "ed25519",
    }
}

/// All other versions, each switched off by itself, as Postfix does. Of a list with a gap OpenSSL
/// offers the part below the gap.
fn barred(versions: &[TlsVersion]) -> SslOptions {
    let switches = [
        (TlsVersion::Ssl3, SslOptions::NO_SSLV3),
        (TlsVersion::Tls1_0, SslOptions::NO_TLSV1),
        (TlsVersion::Tls1_1, SslOptions::NO_TLSV1_1),
        (TlsVersion::Tls1_2, SslOptions::NO_TLSV1_2),
        (TlsVersion::Tls1_3, SslOptions::NO_TLSV1_3),
    ];
    let off = switches
        .into_iter()
        .filter(|(version, _)| !versions.contains(version));
    off.fold(SslOptions::empty(), |all, (_, switch)| all | switch)
}

/// The newest version below the floor that the library may offer.
fn newest_below(floor: TlsVersion) -> Result<SslVersion, HandshakeFailure> {
    match floor {
        TlsVersion::Tls1_3 => Ok(SslVersion::TLS1_2),
        TlsVersion::Tls1_2 => Ok(SslVersion::TLS1_1),
        TlsVersion::Tls1_1 => Ok(SslVersion::TLS1),
        TlsVersion::Tls1_0 => Ok(SslVersion::SSL3),
        TlsVersion::Ssl3 | TlsVersion::Ssl2 => Err(HandshakeFailure::Ours(format!(
            "OpenSSL speaks nothing older than {floor}"
        ))),
    }
}

/// What a finished handshake shows.
fn look(ssl: &SslRef) -> Result<Handshake, HandshakeFailure> {
    let version = version(ssl).map_err(HandshakeFailure::Ours)?;
    let cipher = ssl
        .current_cipher()
        .map_or("unknown", |cipher| cipher.name());
    let chain: Vec<Vec<u8>> = match ssl.peer_cert_chain() {
        Some(chain) => chain
            .iter()
            .map(|certificate| certificate.to_der())
            .collect(),
        None => Ok(Vec::new()),
    }
    .map_err(|stack: ErrorStack| HandshakeFailure::Ours(reason(&stack)))?;
    Ok(Handshake {
        version,
        cipher: cipher.to_owned(),
        group: ssl.peer_tmp_key().ok().and_then(|key| group(&key)),
        fingerprint: chain.first().map(|leaf| Fingerprint::of(leaf)),
        chain,
    })
}

/// The version under which two sides speak.
pub(crate) fn version(ssl: &SslRef) -> Result<TlsVersion, String> {
    ssl.version_str().parse()
}

/// The key exchange group by OpenSSL's name, as in `tls_eecdh_auto_curves`.
fn group(key: &PKey<Public>) -> Option<String> {
    match key.id() {
        Id::X25519 => Some("X25519".to_owned()),
        Id::X448 => Some("X448".to_owned()),
        Id::EC => {
            let curve = key.ec_key().ok()?.group().curve_name()?;
            Some(curve.short_name().ok()?.to_owned())
        }
        Id::DH => Some(format!("DH {} bits", key.bits())),
        // A group younger than these bindings (X25519MLKEM768) has a key that they cannot name.
        _ => None,
    }
}

/// Reads a failed handshake.
pub(crate) fn failure<S>(error: HandshakeError<S>) -> HandshakeFailure {
    let error = match error {
        HandshakeError::SetupFailure(stack) => return HandshakeFailure::Ours(reason(&stack)),
        HandshakeError::Failure(stream) | HandshakeError::WouldBlock(stream) => stream.into_error(),
    };
    if let Some(io) = error.io_error() {
        return match io.kind() {
            // A server that leaves without reading our hello closes or resets, as chance has it.
            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => left(),
            _ => HandshakeFailure::Lost(wire::words(io)),
        };
    }
    match error.ssl_error() {
        Some(stack) => of_stack(stack),
        None => left(),
    }
}

fn left() -> HandshakeFailure {
    HandshakeFailure::NoTls("the server closed the connection in the handshake".to_owned())
}

/// Reason codes of libssl (sslerr.h); those from 1000 on are alerts that came in.
fn of_stack(stack: &ErrorStack) -> HandshakeFailure {
    const NO_PROTOCOLS_AVAILABLE: i32 = 191;
    const WRONG_VERSION_NUMBER: i32 = 267;
    const UNEXPECTED_EOF: i32 = 294;
    const ALERTS: i32 = 1000;
    let code = stack
        .errors()
        .first()
        .map_or(0, |error| error.reason_code());
    match code {
        NO_PROTOCOLS_AVAILABLE => HandshakeFailure::Ours(reason(stack)),
        UNEXPECTED_EOF => left(),
        // What a record of TLS does not begin with.
        WRONG_VERSION_NUMBER => HandshakeFailure::NoTls(format!(
            "what came does not look like TLS ({})",
            reason(stack)
        )),
        ALERTS.. => HandshakeFailure::Alert(reason(stack)),
        _ => HandshakeFailure::NoTls(reason(stack)),
    }
}

/// What ended a connection after its handshake: TLS 1.3 says only then that it wants a certificate.
pub(crate) fn ended(stack: &ErrorStack) -> String {
    match of_stack(stack) {
        alert @ HandshakeFailure::Alert(_) => alert.to_string(),
        _ => reason(stack),
    }
}

/// The first reason of an error stack.
pub(crate) fn reason(stack: &ErrorStack) -> String {
    stack
        .errors()
        .first()
        .and_then(|error| error.reason())
        .unwrap_or("OpenSSL gave no reason")
        .to_owned()
}

#[cfg(test)]
mod tests;
