//! A private CA: a root, or an intermediate of one, for closed networks and tests.
//!
//! Owns: making a CA, reading it back from its certificate and key, issuing with it, and keeping
//! to its name constraints. Never: keeps its key anywhere; whoever made it seals it.

use crate::leaf::{common_name, dated, leaf_params};
use crate::{IssueError, Issued, Key, KeyType, LeafRequest, Validity};
use mailtls::{Certificate, PrivateKey, pem_certificates};
use rcgen::{
    BasicConstraints, CertificateParams, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use std::fmt;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// A private CA.
pub struct PrivateCa {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
    certificate_pem: String,
    /// From this CA upwards, without the root: what a server sends after its leaf.
    intermediates_pem: String,
    /// The domains it may issue for; empty for all.
    permitted: Vec<String>,
}

impl PrivateCa {
    /// A new root with a key of its own.
    pub fn new(name: &str, key_type: KeyType, validity: Validity) -> Result<Self, IssueError> {
        Self::constrained(name, key_type, validity, &[])
    }

    /// A new root that may issue only for these domains and what is below them (RFC 5280,
    /// 4.2.1.10), so that it harms nobody else should its key leak. An empty list is no limit.
    pub fn constrained(
        name: &str,
        key_type: KeyType,
        validity: Validity,
        domains: &[String],
    ) -> Result<Self, IssueError> {
        let key = Key::generate(key_type)?;
        let pem = root_params(name, validity, domains)?
            .self_signed(&key.0)?
            .pem();
        Self::read(&pem, key.to_pem().as_bytes())
    }

    /// This root again, for another span of time: with its key, its name and its domains, so that
    /// what either of the two issued is valid under both (RFC 5280, 6.1: only the name and the key of an
    /// anchor count). Refused for a CA that was not made by [`PrivateCa::constrained`].
    pub fn renewed(&self, validity: Validity) -> Result<Self, IssueError> {
        let own = &self.certificate;
        let name = own.common_name.as_deref().filter(|_| own.self_signed);
        let params = root_params(name.unwrap_or_default(), validity, &self.permitted)?;
        let pem = params.self_signed(self.issuer.key())?.pem();
        let next = Self::read(&pem, self.key_pem().as_bytes())?;
        let is_same = next.certificate.issued_by(own) && own.issued_by(&next.certificate);
        match is_same {
            true => Ok(next),
            false => Err(IssueError::NotMadeHere),
        }
    }

    /// A CA that exists: its certificate, followed where it is no root by those above it, and its
    /// key.
    pub fn read(certificates_pem: &str, key: &[u8]) -> Result<Self, IssueError> {
        let certificates = pem_certificates(certificates_pem.as_bytes())?;
        let (own, above) = certificates.split_first().ok_or(IssueError::NotACa)?;
        if !own.is_ca {
            return Err(IssueError::NotACa);
        }
        if !PrivateKey::parse(key)?.matches(own) {
            return Err(IssueError::OtherKey);
        }
        let mut intermediates_pem = String::new();
        for one in std::iter::once(own)
            .chain(above)
            .filter(|one| !one.self_signed)
        {
            intermediates_pem.push_str(&pem_of(one)?);
        }
        let certificate_pem = pem_of(own)?;
        Ok(Self {
            issuer: Issuer::from_ca_cert_pem(&certificate_pem, Key::read(key)?.0)?,
            permitted: own.permitted_domains()?,
            certificate: own.clone(),
            certificate_pem,
            intermediates_pem,
        })
    }

    /// A new CA below this one, with a key of its own.
    pub fn intermediate(
        &self,
        name: &str,
        key_type: KeyType,
        validity: Validity,
    ) -> Result<Self, IssueError> {
        let key = Key::generate(key_type)?;
        let certificate = ca_params(name, validity)?.signed_by(&key.0, &self.issuer)?;
        let chain = format!("{}{}", certificate.pem(), self.intermediates_pem);
        let mut below = Self::read(&chain, key.to_pem().as_bytes())?;
        below.permitted.clone_from(&self.permitted);
        Ok(below)
    }

    /// The CA's own certificate.
    pub fn certificate_pem(&self) -> String {
        self.certificate_pem.clone()
    }

    /// The CA's private key, PKCS#8, for the caller to seal.
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.issuer.key().serialize_pem())
    }

    /// How long the CA itself is valid; see [`Validity::within`].
    pub fn validity(&self) -> Validity {
        Validity {
            not_before: self.certificate.not_before,
            not_after: self.certificate.not_after,
        }
    }

    /// Issues a certificate for a new key, for TLS servers and clients.
    pub fn issue(&self, request: &LeafRequest) -> Result<Issued, IssueError> {
        let key = Key::generate(request.key_type)?;
        self.issue_for(&request.names, request.validity, &key)
    }

    /// Issues a certificate for a key that exists.
    pub fn issue_for(
        &self,
        names: &[String],
        validity: Validity,
        key: &Key,
    ) -> Result<Issued, IssueError> {
        if let Some(name) = self.forbidden(names) {
            return Err(IssueError::OutsideConstraints(name.clone()));
        }
        let certificate = leaf_params(names, validity, key)?.signed_by(&key.0, &self.issuer)?;
        Ok(Issued {
            cert_pem: certificate.pem(),
            key_pem: key.to_pem(),
            chain_pem: self.intermediates_pem.clone(),
        })
    }

    /// The first name that the constraints forbid.
    fn forbidden<'n>(&self, names: &'n [String]) -> Option<&'n String> {
        if self.permitted.is_empty() {
            return None;
        }
        let is_address = |name: &&String| name.parse::<IpAddr>().is_ok();
        // Constraints on DNS names say nothing of addresses (RFC 5280, 4.2.1.10), but OpenSSL
        // takes a common name for a DNS name where there is no other.
        if names.iter().all(|name| is_address(&name)) {
            return names.first();
        }
        let mut hosts = names.iter().filter(|name| !is_address(name));
        hosts.find(|name| !self.permitted.iter().any(|domain| is_below(name, domain)))
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(domain.trim_start_matches('.'))
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl fmt::Debug for PrivateCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateCa(…)")
    }
}

fn ca_params(name: &str, validity: Validity) -> Result<CertificateParams, IssueError> {
    let mut params = dated(CertificateParams::default(), validity)?;
    params.distinguished_name = common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // It does nothing but issue (RFC 5280 §4.2.1.3): no server can present it.
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn root_params(
    name: &str,
    validity: Validity,
    domains: &[String],
) -> Result<CertificateParams, IssueError> {
    let mut params = ca_params(name, validity)?;
    if !domains.is_empty() {
        let names = domains.iter().cloned().map(GeneralSubtree::DnsName);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: names.collect(),
            excluded_subtrees: Vec::new(),
        });
    }
    Ok(params)
}

fn pem_of(certificate: &Certificate) -> Result<String, IssueError> {
    let pem = certificate.to_pem()?;
    String::from_utf8(pem).map_err(|_| IssueError::NotACa)
}

#[cfg(test)]
mod tests;
