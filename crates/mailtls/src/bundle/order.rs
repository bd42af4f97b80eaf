//! Which certificate is the leaf, and who issued whom.

use super::{Bundle, Note, Objects};
use crate::{CertError, Certificate, PrivateKey};

/// Puts certificates into the order leaf → issuer → issuer, and says what was left out.
pub(super) fn sort(
    found: Objects<'_>,
    key: Option<PrivateKey>,
    from_cert: usize,
) -> Result<Bundle, CertError> {
    let mut notes = found.notes;
    let mut pool = Vec::new();
    let mut first_file = 0;
    for (i, certificate) in found.certificates.into_iter().enumerate() {
        if pool.contains(&certificate) {
            notes.push(Note::Duplicate(certificate.subject));
            continue;
        }
        pool.push(certificate);
        first_file += usize::from(i < from_cert);
    }
    if pool.is_empty() {
        return Err(CertError::NoCertificate);
    }
    let leaf = match &key {
        Some(key) => leaf_of_key(&pool, key)?,
        None => leaf_by_place(&pool, first_file)?,
    };
    let path = path_from(leaf, &pool);
    let out_of_order = path.windows(2).any(|pair| pair[0] > pair[1]);
    if out_of_order || path.first().is_some_and(|first| *first != 0) {
        notes.push(Note::Reordered);
    }
    build(pool, &path, key, notes)
}

/// The certificate of the key; where there are several, the one that was issued last.
fn leaf_of_key(pool: &[Certificate], key: &PrivateKey) -> Result<usize, CertError> {
    let ours = pool.iter().enumerate().filter(|(_, c)| key.matches(c));
    let newest = ours.max_by_key(|(_, certificate)| certificate.not_before);
    match (newest, pool) {
        (Some((i, _)), _) => Ok(i),
        // Alone, and of its own making, it is meant as the server's.
        (None, [lone]) if lone.self_signed => Err(CertError::KeyMismatch(lone.subject.clone())),
        (None, _) if is_only_cas(pool) => Err(CertError::NoLeaf),
        (None, _) => Err(CertError::KeyMismatch(pool[0].subject.clone())),
    }
}

/// The certificate that issued no other and is no CA; those of the certificate file first.
fn leaf_by_place(pool: &[Certificate], first_file: usize) -> Result<usize, CertError> {
    let (own, rest) = pool.split_at(first_file);
    if let [lone] = own
        && rest.is_empty()
        && (lone.self_signed || !lone.is_ca)
    {
        return Ok(0);
    }
    let candidates = |range: std::ops::Range<usize>| {
        range.filter(|&i| !pool[i].is_ca && !pool.iter().any(|c| c.issued_by(&pool[i])))
    };
    let mut found = candidates(0..first_file).peekable();
    let mut leaves: Vec<usize> = match found.peek() {
        Some(_) => found.collect(),
        None => candidates(first_file..pool.len()).collect(),
    };
    match (leaves.pop(), leaves.pop()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => Err(CertError::TwoLeaves(
            pool[other].subject.clone(),
            pool[one].subject.clone(),
        )),
        (None, _) => Err(CertError::NoLeaf),
    }
}

fn is_only_cas(pool: &[Certificate]) -> bool {
    pool.iter().all(|certificate| certificate.is_ca)
}

/// Indices from the leaf upwards. An issuer that is not self-signed comes before one that is, so
/// that a cross-signed intermediate is kept.
fn path_from(leaf: usize, pool: &[Certificate]) -> Vec<usize> {
    let mut path = vec![leaf];
    let mut last = leaf;
    while !pool[last].self_signed {
        let issuers = (0..pool.len()).filter(|i| !path.contains(i));
        let issuer = issuers
            .filter(|&i| pool[last].issued_by(&pool[i]))
            .min_by_key(|&i| pool[i].self_signed);
        let Some(issuer) = issuer else { break };
        path.push(issuer);
        last = issuer;
    }
    path
}

fn build(
    pool: Vec<Certificate>,
    path: &[usize],
    key: Option<PrivateKey>,
    mut notes: Vec<Note>,
) -> Result<Bundle, CertError> {
    let mut slots: Vec<_> = pool.into_iter().map(Some).collect();
    let mut chain: Vec<Certificate> = path.iter().filter_map(|&i| slots[i].take()).collect();
    let rest: Vec<Certificate> = slots.into_iter().flatten().collect();
    let leaf = chain.first().ok_or(CertError::NoCertificate)?;
    let is_leaf_alone = chain.len() == 1 && !leaf.self_signed;
    if is_leaf_alone && rest.iter().any(|other| other.is_ca) {
        return Err(CertError::ChainBroken {
            subject: leaf.subject.clone(),
            issuer: leaf.issuer.clone(),
        });
    }
    for other in rest {
        notes.push(match &key {
            Some(key) if key.matches(&other) => Note::Older(other.subject),
            _ => Note::Unrelated(other.subject),
        });
    }
    let root = match chain.len() {
        2.. => chain.pop_if(|last| last.self_signed),
        _ => None,
    };
    notes.extend(root.iter().map(|root| Note::Root(root.subject.clone())));
    Ok(Bundle {
        chain,
        key,
        root,
        notes,
    })
}
