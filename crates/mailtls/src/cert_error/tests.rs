//! No mistake without a code of its own and a remedy.

use super::*;
use std::collections::BTreeSet;

fn all() -> Vec<CertError> {
    let text = || "x".to_owned();
    vec![
        CertError::Missing,
        CertError::IsDirectory,
        CertError::Unreadable(text()),
        CertError::TooLarge(1),
        CertError::Empty,
        CertError::Utf16,
        CertError::NotPem,
        CertError::Pkcs12,
        CertError::Pkcs7,
        CertError::OpenLength,
        CertError::PasswordMissing,
        CertError::PasswordWrong,
        CertError::PasswordCostly(1),
        CertError::LegacyCipher("RC2"),
        CertError::UnknownCipher(text()),
        CertError::Pkcs12NoKey,
        CertError::IsRequest,
        CertError::Truncated(text()),
        CertError::Damaged(text()),
        CertError::TooMany(1),
        CertError::NotACa(text()),
        CertError::TooManyCas(1),
        CertError::NoCertificate,
        CertError::NoLeaf,
        CertError::TwoLeaves(text(), text()),
        CertError::KeyMissing,
        CertError::KeyEncrypted,
        CertError::KeyUnusable(text()),
        CertError::TwoKeys,
        CertError::KeyMismatch(text()),
        CertError::ChainBroken {
            subject: text(),
            issuer: text(),
        },
        CertError::NulInName(text()),
    ]
}

#[test]
fn every_mistake_has_a_code_of_its_own_a_sentence_and_a_remedy() {
    let errors = all();
    let codes: BTreeSet<_> = errors.iter().map(CertError::code).collect();
    assert_eq!(codes.len(), errors.len());
    for error in errors {
        let rest = error.code().strip_prefix("cert.").unwrap();
        assert!(
            rest.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
        assert!(error.remedy().len() > 20, "{error:?}");
        assert!(error.to_string().len() > 10, "{error:?}");
    }
}
