//! What Postfix makes of certificate files that are configured already.
//!
//! Owns: reading them as Postfix does — strictly in order — and naming what makes it switch TLS
//! off (`load_pem_chain`, Postfix 3.4 to 3.11). Never: opens a file, puts anything right (that is
//! `Bundle`), judges the certificates themselves (that is `problems`).

use crate::pem::{self, Block, Form};
use crate::problem::{CertProblem, Gravity};
use crate::{CertError, Certificate, PrivateKey};
use std::collections::BTreeMap;

/// What Postfix would load from files, and what keeps it from doing so.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Loaded {
    /// The chains it finds, leaf first, also those that a problem keeps from being used.
    pub chains: Vec<Vec<Certificate>>,
    /// What is wrong; any of [`Gravity::Error`] switches TLS off in every process that starts.
    pub problems: Vec<CertProblem>,
    /// Of each problem, the file that it is about.
    files: Vec<usize>,
    /// Of each certificate of each chain, where it stands.
    places: Vec<Vec<Standing>>,
}

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The place of its file among those given, from 0.
    pub file: usize,
    /// Which of that file's certificates it is, from 1.
    pub number: usize,
}

impl Loaded {
    /// Whether another certificate than the server's comes first.
    pub fn is_misordered(&self) -> bool {
        self.problems.iter().any(|one| one.code == WRONG_ORDER)
    }

    /// What comes of files of which one, by its place among them, could not be read.
    pub fn unread(file: usize, error: &CertError) -> Self {
        let mut loaded = Self::default();
        loaded.add(file, CertProblem::from(error));
        loaded
    }

    /// The problems, each with the place of the file that it is about among those given. Of a pair, 0
    /// is the certificate's file and 1 the key's. What is wrong between a key and a certificate is
    /// about the key's file, as Postfix logs it.
    pub fn by_file(&self) -> impl Iterator<Item = (usize, &CertProblem)> {
        self.files.iter().copied().zip(&self.problems)
    }

    /// What is wrong, file by file, as if each had been given alone.
    pub fn apart(&self) -> BTreeMap<usize, Self> {
        let mut each: BTreeMap<usize, Self> = BTreeMap::new();
        for (file, problem) in self.by_file() {
            each.entry(file).or_default().add(0, problem.clone());
        }
        each
    }

    /// Where a certificate of a chain stands, both counted from 0.
    pub fn standing(&self, chain: usize, certificate: usize) -> Option<Standing> {
        self.places.get(chain)?.get(certificate).copied()
    }

    /// Takes the next certificate of the last chain; `None` where there is none yet.
    fn take(&mut self, file: usize, certificate: Certificate) -> Option<()> {
        let earlier = self.places.iter().flatten();
        let number = 1 + earlier.filter(|one| one.file == file).count();
        self.chains.last_mut()?.push(certificate);
        self.places.last_mut()?.push(Standing { file, number });
        Some(())
    }

    fn begin(&mut self) {
        self.chains.push(Vec::new());
        self.places.push(Vec::new());
    }

    fn add(&mut self, file: usize, problem: CertProblem) {
        self.files.push(file);
        self.problems.push(problem);
    }

    fn error(&mut self, file: usize, error: &CertError) {
        self.add(file, CertProblem::from(error));
    }

    fn push(&mut self, file: usize, code: &'static str, message: impl Into<String>, remedy: &str) {
        let problem = CertProblem::new(code, Gravity::Error, message, remedy);
        self.add(file, problem);
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
    for (file, bytes) in files.iter().enumerate() {
        match strict_blocks(bytes) {
            Ok(blocks) => stream.extend(blocks.into_iter().map(|block| (file, block))),
            Err(error) => return Loaded::unread(file, &error),
        }
    }
    let has = |is: fn(&Block) -> bool| stream.iter().any(|(_, block)| is(block));
    if has(Block::is_certificate) && !has(Block::is_key) {
        loaded.push(
            0,
            "cert.key-missing",
            "there is no private key beside the certificate; Postfix switches TLS off",
            KEY_FIRST,
        );
        return loaded;
    }
    let mut keys = Vec::new();
    for (file, block) in &stream {
        if !add_block(&mut loaded, &mut keys, (*file, block)) {
            return loaded;
        }
    }
    if keys.is_empty() {
        loaded.error(0, &CertError::NoCertificate);
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
        Err(error) => loaded.error(CERT, error),
        Ok(chain) if chain.is_empty() => loaded.error(CERT, &CertError::NoCertificate),
        Ok(chain) => {
            loaded.begin();
            for certificate in chain {
                loaded.take(CERT, certificate.clone());
            }
        }
    }
    match &key {
        Err(error) => loaded.error(KEY, error),
        Ok(key) => judge_pair(&mut loaded, 0, key, [CERT, KEY]),
    }
    loaded
}

/// The two files of a pair.
const CERT: usize = 0;
const KEY: usize = 1;

/// A key of a stream, where it can be used, with the place of its file.
type Key = (usize, Option<PrivateKey>);

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
fn add_block(loaded: &mut Loaded, keys: &mut Vec<Key>, (file, block): (usize, &Block)) -> bool {
    if block.is_certificate() {
        let certificate = match Certificate::parse(&block.der) {
            Ok(certificate) => certificate,
            Err(error) => {
                loaded.error(file, &error);
                return false;
            }
        };
        let taken = loaded.take(file, certificate);
        if taken.is_none() {
            loaded.push(
                file,
                "cert.key-not-first",
                "a certificate stands before the first private key; Postfix switches TLS off",
                KEY_FIRST,
            );
        }
        return taken.is_some();
    }
    if !block.is_key() {
        let problem = CertProblem::new(
            "cert.unexpected-object",
            Gravity::Warning,
            format!(
                "a {} stands among keys and certificates; Postfix skips it",
                block.label
            ),
            "Take that block out of the file.",
        );
        loaded.add(file, problem);
        return true;
    }
    if loaded.chains.last().is_some_and(Vec::is_empty) {
        loaded.push(
            keys.last().map_or(file, |(file, _)| *file),
            "cert.key-alone",
            "a private key is not followed by a certificate; Postfix switches TLS off",
            KEY_FIRST,
        );
        return false;
    }
    loaded.begin();
    let key = PrivateKey::as_postfix_reads(block);
    if let Err(error) = &key {
        loaded.error(file, error);
    }
    keys.push((file, key.ok()));
    true
}

fn judge_chains(loaded: &mut Loaded, keys: &[Key]) {
    let mut kinds = Vec::new();
    let mut second = None;
    for (i, (file, key)) in keys.iter().enumerate() {
        let Some(leaf) = loaded.chains[i].first() else {
            loaded.error(*file, &CertError::NoCertificate);
            continue;
        };
        let kind = std::mem::discriminant(&leaf.key);
        if kinds.contains(&kind) {
            second = second.or(Some(*file));
        }
        kinds.push(kind);
        if let Some(key) = key {
            judge_pair(loaded, i, key, [*file; 2]);
        }
    }
    loaded.chains.retain(|chain| !chain.is_empty());
    loaded.places.retain(|places| !places.is_empty());
    if let Some(file) = second {
        loaded.push(
            file,
            "cert.two-of-a-kind",
            "two chains have keys of the same algorithm; Postfix takes one of each and switches TLS off",
            "Keep one chain for each algorithm.",
        );
    }
}

/// Whether a key belongs to the first certificate of a chain. `files`: the certificate's, and the key's.
fn judge_pair(loaded: &mut Loaded, index: usize, key: &PrivateKey, [cert, of_key]: [usize; 2]) {
    let Some(chain) = loaded.chains.get(index) else {
        return;
    };
    let Some(first) = chain.first().filter(|first| !key.matches(first)) else {
        return;
    };
    let error = CertError::KeyMismatch(first.subject.clone());
    if chain.iter().any(|certificate| key.matches(certificate)) {
        loaded.push(
            cert,
            WRONG_ORDER,
            "the server's certificate does not come first; Postfix switches TLS off",
            "Put the certificate that belongs to the key first, then its intermediates.",
        );
    } else {
        loaded.error(of_key, &error);
    }
}

#[cfg(test)]
mod tests;
