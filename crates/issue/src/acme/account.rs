//! An account with a CA.
//!
//! Owns: registering, and coming back with what was kept. Never: keeps the account's key; it is
//! given to the caller, who seals it.

use super::error::AcmeError;
use super::http::Https;
use super::session::Session;
use crate::Bounds;
use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use hyper::Uri;
use instant_acme::{AccountCredentials, ExternalAccountKey, NewAccount};
use mailtls::pem_certificates;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;
use std::fmt;
use zeroize::Zeroizing;

/// A CA.
#[derive(Clone, Debug, Default)]
pub struct AcmeCa {
    /// The URL of its directory, `https://…`.
    pub directory: String,
    /// Roots to trust for its server beside the system's, as PEM: for private and test CAs.
    pub roots_pem: Option<Vec<u8>>,
}

/// An external account binding (RFC 8555, 7.3.4).
#[derive(Clone)]
pub struct ExternalAccount {
    /// The key id that the CA gave.
    pub key_id: String,
    /// The HMAC key that the CA gave, base64url.
    pub hmac_key: Zeroizing<String>,
}

impl fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExternalAccount({})", self.key_id)
    }
}

/// An account with a CA.
pub struct Account {
    pub(super) inner: instant_acme::Account,
    pub(super) session: Session,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({})", self.inner.id())
    }
}

/// A new account, with what must be kept of it.
#[derive(Debug)]
pub struct Registered {
    /// The account.
    pub account: Account,
    /// What restores it. It holds the account's private key: seal it.
    pub credentials: Secret,
}

/// Where kept credentials belong.
#[derive(Deserialize)]
struct Home {
    directory: String,
}

/// Bytes that are not printed and are wiped.
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Account {
    /// Registers a new account. The caller says by this that its operator agreed to the CA's
    /// terms. Contacts are `mailto:` URLs.
    pub fn register(
        ca: &AcmeCa,
        contacts: &[String],
        external: Option<&ExternalAccount>,
        bounds: &Bounds<'_>,
    ) -> Result<Registered, AcmeError> {
        let session = Session::new(&ca.directory)?;
        let external = external.map(external_key).transpose()?;
        let contact: Vec<_> = contacts.iter().map(String::as_str).collect();
        let new = NewAccount {
            contact: &contact,
            terms_of_service_agreed: true,
            only_return_existing: false,
        };
        let roots = roots(ca)?;
        let registered = session.step(bounds, "registering the account", async || {
            let builder = builder(&roots, &session)?;
            let url = ca.directory.clone();
            builder.create(&new, url, external.as_ref()).await
        });
        let (inner, credentials) = registered.map_err(|error| match external {
            Some(_) => error.of_binding(),
            None => error,
        })?;
        let bytes = serde_json::to_vec(&credentials).map_err(|_| AcmeError::Credentials)?;
        Ok(Registered {
            account: Self { inner, session },
            credentials: Secret(Zeroizing::new(bytes)),
        })
    }

    /// Comes back to an account with what was kept of it.
    pub fn restore(
        ca: &AcmeCa,
        credentials: &[u8],
        bounds: &Bounds<'_>,
    ) -> Result<Self, AcmeError> {
        // An account belongs to one CA; its key signs for no other.
        let home: Home = serde_json::from_slice(credentials).map_err(|_| AcmeError::Credentials)?;
        if home.directory != ca.directory {
            return Err(AcmeError::Credentials);
        }
        let session = Session::new(&ca.directory)?;
        let roots = roots(ca)?;
        let inner = session.step(bounds, "asking for the directory", async || {
            let kept: AccountCredentials = serde_json::from_slice(credentials)
                .map_err(|_| instant_acme::Error::KeyRejected)?;
            builder(&roots, &session)?.from_credentials(kept).await
        })?;
        Ok(Self { inner, session })
    }

    /// Exchanges the contacts that the CA knows for these (RFC 8555, 7.3.2), `mailto:` URLs.
    pub fn tell_contacts(&self, contacts: &[String], bounds: &Bounds<'_>) -> Result<(), AcmeError> {
        let contacts: Vec<_> = contacts.iter().map(String::as_str).collect();
        self.session
            .step(bounds, "telling the CA the contacts", async || {
                self.inner.update_contacts(&contacts).await
            })
    }

    /// The URL by which the CA knows the account.
    pub fn id(&self) -> &str {
        self.inner.id()
    }
}

fn builder(
    roots: &[CertificateDer<'static>],
    session: &Session,
) -> Result<instant_acme::AccountBuilder, instant_acme::Error> {
    let https = Https::new(roots, session.seen.clone())
        .map_err(|error| instant_acme::Error::Other(error.into()))?;
    Ok(instant_acme::Account::builder_with_http(Box::new(https)))
}

pub(super) fn roots(ca: &AcmeCa) -> Result<Vec<CertificateDer<'static>>, AcmeError> {
    if !ca.directory.starts_with("https://") || ca.directory.parse::<Uri>().is_err() {
        return Err(AcmeError::Unusable {
            what: format!("the directory {}", ca.directory),
            give: "the URL of the CA's ACME directory, which begins with https:// (--ca URL): ACME is \
                   spoken over HTTPS alone (RFC 8555, 6.1)",
        });
    }
    let Some(pem) = &ca.roots_pem else {
        return Ok(Vec::new());
    };
    let roots = pem_certificates(pem).map_err(|error| AcmeError::Unusable {
        what: format!("the root for the CA's server ({error})"),
        give: "it as PEM",
    })?;
    Ok(roots
        .into_iter()
        .map(|root| CertificateDer::from(root.der))
        .collect())
}

/// CAs print the key with and without padding.
fn external_key(external: &ExternalAccount) -> Result<ExternalAccountKey, AcmeError> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::URL_SAFE, config);
    let standard = general_purpose::STANDARD;
    let text = external.hmac_key.trim();
    if external.key_id.trim().is_empty() {
        return Err(AcmeError::Unusable {
            what: "the empty key id of an external account (--eab-kid)".into(),
            give: "the key id that the CA shows",
        });
    }
    let key = engine.decode(text).or_else(|_| standard.decode(text));
    let key = key.map(Zeroizing::new).unwrap_or_default();
    if key.is_empty() {
        return Err(AcmeError::Unusable {
            what: "the HMAC key of the external account (--eab-hmac-key-file)".into(),
            give: "a file with nothing but that key, in base64url as the CA shows it",
        });
    }
    Ok(ExternalAccountKey::new(external.key_id.clone(), &key))
}
