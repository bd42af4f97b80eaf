//! What Postfix makes of certificate files that are configured already.
//!
//! Owns: reading them as Postfix does — strictly in order — and naming what makes it switch TLS
//! off (`load_pem_chain`, Postfix 3.4 to 3.11). Never: opens a file, puts anything right (that is
//! `Bundle`), judges the certificates themselves (that is `problems`).

use crate::pem::{self, Block, Form};
use crate::problem::{CertProblem, Gravity};
use crate::{CertError, Certificate, PrivateKey};

/// What Postfix would load from files, and what keeps it from doing so.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The chains it finds, leaf first, also those that a problem keeps from being used.
    pub chains: Vec<Vec<Certificate>>,
    /// What is wrong; any of [`Gravity::Error`] switches TLS off in every process that starts.
    pub problems: Vec<CertProblem>,
}

impl Loaded {
    /// Whether another certificate than the server's comes first.
    pub fn is_misordered(&self) -> bool {
        self.problems.iter().any(|one| one.code == WRONG_ORDER)
    }

    fn error(&mut self, error: &CertError) {
        self.problems.push(CertProblem::from(error));
    }

    fn push(&mut self, code: &'static str, message: impl Into<String>, remedy: &str) {
        let problem = CertProblem::new(code, Gravity::Error, message, remedy);
        self.problems.push(problem);
    }
}

/// Another certificate than the server's comes first.
const WRONG_ORDER: &str = "cert.wrong-order";

/// One file of `smtpd_tls_chain_files` or `smtp_tls_chain_files`: see [`chain_files_problems`].
pub fn chain_file_problems(bytes: &[u8]) -> Loaded {
    chain_files_problems(&[bytes])
}

/// The files of `smtpd_tls_chain_files` or `smtp_tls_chain_files`, which Postfix reads as one
/// stream: each key must be followed by its own certificate, and that by its intermediates.
pub fn chain_files_problems(files: &[&[u8]]) -> Loaded {
    let mut loaded = Loaded::default();
    let mut stream = Vec::new();
    for file in files {
        match strict_blocks(file) {
            Ok(blocks) => stream.extend(blocks),
            Err(error) => {
                loaded.error(&error);
                return loaded;
            }
        }
    }
    if stream.iter().any(Block::is_certificate) && !stream.iter().any(Block::is_key) {
        loaded.push(
            "cert.key-missing",
            "there is no private key beside the certificate; Postfix switches TLS off",
            KEY_FIRST,
        );
        return loaded;
    }
    let mut keys: Vec<Option<PrivateKey>> = Vec::new();
    for block in &stream {
        if !add_block(&mut loaded, &mut keys, block) {
            return loaded;
        }
    }
    if keys.is_empty() {
        loaded.error(&CertError::NoCertificate);
    }
    judge_chains(&mut loaded, &keys);
    loaded
}

/// A legacy pair (`smtpd_tls_cert_file`, `smtpd_tls_key_file` and their kin). The leaf is the
/// first certificate of the one file, the key the first of the other; give the same bytes twice
/// where both parameters name one file.
pub fn pair_problems(cert: &[u8], key: &[u8]) -> Loaded {
    let mut loaded = Loaded::default();
    let chain = strict_blocks(cert).and_then(|blocks| {
        let certificates = blocks.iter().filter(|block| block.is_certificate());
        certificates
            .map(|block| Certificate::parse(&block.der))
            .collect::<Result<Vec<_>, _>>()
    });
    let key = strict_blocks(key).and_then(|blocks| {
        let first = blocks.iter().find(|block| block.is_key());
        PrivateKey::as_postfix_reads(first.ok_or(CertError::KeyMissing)?)
    });
    match &chain {
        Err(error) => loaded.error(error),
        Ok(chain) if chain.is_empty() => loaded.error(&CertError::NoCertificate),
        Ok(chain) => loaded.chains.push(chain.clone()),
    }
    match &key {
        Err(error) => loaded.error(error),
        Ok(key) => judge_pair(&mut loaded, 0, key),
    }
    loaded
}

/// PEM only: a DER file is one that Postfix cannot read.
fn strict_blocks(bytes: &[u8]) -> Result<Vec<Block>, CertError> {
    match pem::form(bytes)? {
        Form::Pem(pem) => pem::blocks(pem),
        Form::Der(_) => Err(CertError::NotPem),
    }
}

const KEY_FIRST: &str =
    "Put the private key first, then its certificate, then the intermediates, in one file.";

/// Takes one object; `false` where Postfix stops reading. `keys` has an entry for each chain,
/// `None` for a key that cannot be used.
fn add_block(loaded: &mut Loaded, keys: &mut Vec<Option<PrivateKey>>, block: &Block) -> bool {
    if block.is_certificate() {
        match (Certificate::parse(&block.der), loaded.chains.last_mut()) {
            (Err(error), _) => loaded.error(&error),
            (Ok(_), None) => loaded.push(
                "cert.key-not-first",
                "a certificate stands before the first private key; Postfix switches TLS off",
                KEY_FIRST,
            ),
            (Ok(certificate), Some(chain)) => {
                chain.push(certificate);
                return true;
            }
        }
        return false;
    }
    if !block.is_key() {
        loaded.problems.push(CertProblem::new(
            "cert.unexpected-object",
            Gravity::Warning,
            format!(
                "a {} stands among keys and certificates; Postfix skips it",
                block.label
            ),
            "Take that block out of the file.",
        ));
        return true;
    }
    if loaded.chains.last().is_some_and(Vec::is_empty) {
        loaded.push(
            "cert.key-alone",
            "a private key is not followed by a certificate; Postfix switches TLS off",
            KEY_FIRST,
        );
        return false;
    }
    loaded.chains.push(Vec::new());
    keys.push(match PrivateKey::as_postfix_reads(block) {
        Ok(key) => Some(key),
        Err(error) => {
            loaded.error(&error);
            None
        }
    });
    true
}

fn judge_chains(loaded: &mut Loaded, keys: &[Option<PrivateKey>]) {
    for (i, key) in keys.iter().enumerate() {
        match key {
            _ if loaded.chains[i].is_empty() => loaded.error(&CertError::NoCertificate),
            Some(key) => judge_pair(loaded, i, key),
            None => {}
        }
    }
    loaded.chains.retain(|chain| !chain.is_empty());
    let kinds: Vec<_> = loaded
        .chains
        .iter()
        .filter_map(|chain| Some(std::mem::discriminant(&chain.first()?.key)))
        .collect();
    if (1..kinds.len()).any(|i| kinds[..i].contains(&kinds[i])) {
        loaded.push(
            "cert.two-of-a-kind",
            "two chains have keys of the same algorithm; Postfix takes one of each and switches TLS off",
            "Keep one chain for each algorithm.",
        );
    }
}

fn judge_pair(loaded: &mut Loaded, index: usize, key: &PrivateKey) {
    let Some(chain) = loaded.chains.get(index) else {
        return;
    };
    let Some(first) = chain.first().filter(|first| !key.matches(first)) else {
        return;
    };
    let error = CertError::KeyMismatch(first.subject.clone());
    if chain.iter().any(|certificate| key.matches(certificate)) {
        loaded.push(
            WRONG_ORDER,
            "the server's certificate does not come first; Postfix switches TLS off",
            "Put the certificate that belongs to the key first, then its intermediates.",
        );
    } else {
        loaded.error(&error);
    }
}

#[cfg(test)]
mod tests;
