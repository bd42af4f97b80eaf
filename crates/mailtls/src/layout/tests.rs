//! Folders as each client leaves them, and folders that are none.

use super::*;

/// `name` or `name -> target`; every file has bytes.
fn folder(lines: &[&str]) -> Vec<Entry> {
    lines
        .iter()
        .map(|line| {
            let (name, target) = match line.split_once(" -> ") {
                Some((name, target)) => (name, Some(target.to_owned())),
                None => (*line, None),
            };
            Entry {
                name: name.to_owned(),
                size: 1000,
                target,
            }
        })
        .collect()
}

fn files(lines: &[&str]) -> (Client, String) {
    let layout = recognise(&folder(lines), None).unwrap();
    let chain = layout
        .chain
        .map(|chain| format!(" {chain}"))
        .unwrap_or_default();
    (
        layout.client,
        format!("{} {}{chain}", layout.cert, layout.key),
    )
}

fn error(lines: &[&str], domain: Option<&str>) -> LayoutError {
    recognise(&folder(lines), domain).unwrap_err()
}

const CERTBOT: &[&str] = &[
    "README",
    "cert.pem -> ../../archive/mx.example.org/cert3.pem",
    "chain.pem -> ../../archive/mx.example.org/chain3.pem",
    "fullchain.pem -> ../../archive/mx.example.org/fullchain3.pem",
    "privkey.pem -> ../../archive/mx.example.org/privkey3.pem",
];

const LEGO: &[&str] = &[
    "_.example.org.crt",
    "_.example.org.issuer.crt",
    "_.example.org.json",
    "_.example.org.key",
    "mx.example.org.crt",
    "mx.example.org.issuer.crt",
    "mx.example.org.json",
    "mx.example.org.key",
];

#[test]
fn each_client_is_recognised_by_its_names() {
    assert_eq!(
        files(CERTBOT),
        (Client::Certbot, "fullchain.pem privkey.pem".into())
    );
    let dehydrated = &[
        "cert-1700000000.csr",
        "cert-1700000000.pem",
        "cert.csr -> cert-1700000000.csr",
        "cert.pem -> cert-1700000000.pem",
        "chain-1700000000.pem",
        "chain.pem -> chain-1700000000.pem",
        "fullchain-1700000000.pem",
        "fullchain.pem -> fullchain-1700000000.pem",
        "privkey-1700000000.pem",
        "privkey.pem -> privkey-1700000000.pem",
    ];
    assert_eq!(
        files(dehydrated),
        (Client::Dehydrated, "fullchain.pem privkey.pem".into())
    );
    assert_eq!(
        files(&LEGO[4..]),
        (Client::Lego, "mx.example.org.crt mx.example.org.key".into())
    );
    let caddy = &[
        "mx.example.org.crt",
        "mx.example.org.json",
        "mx.example.org.key",
    ];
    assert_eq!(
        files(caddy),
        (
            Client::Caddy,
            "mx.example.org.crt mx.example.org.key".into()
        )
    );
    let acme_sh = &[
        "ca.cer",
        "fullchain.cer",
        "mx.example.org.cer",
        "mx.example.org.conf",
        "mx.example.org.csr",
        "mx.example.org.csr.conf",
        "mx.example.org.key",
    ];
    assert_eq!(
        files(acme_sh),
        (Client::AcmeSh, "fullchain.cer mx.example.org.key".into())
    );
}

#[test]
fn acme_sh_without_a_full_chain_takes_the_pieces() {
    assert_eq!(
        files(&["ca.cer", "m.example.cer", "m.example.key"]),
        (Client::AcmeSh, "m.example.cer m.example.key ca.cer".into())
    );
    assert_eq!(
        files(&["m.example.cer", "m.example.key"]),
        (Client::AcmeSh, "m.example.cer m.example.key".into())
    );
}

#[test]
fn of_several_certificates_the_domain_chooses() {
    let ambiguous = error(LEGO, None);
    assert_eq!(ambiguous.code(), "layout.ambiguous");
    assert_eq!(
        ambiguous.to_string(),
        "several certificates are in it: _.example.org.crt, mx.example.org.crt"
    );
    for (domain, cert) in [("mx.example.org", LEGO[4]), ("*.EXAMPLE.org", LEGO[0])] {
        assert_eq!(recognise(&folder(LEGO), Some(domain)).unwrap().cert, cert);
    }
    let other = error(LEGO, Some("example.org"));
    assert_eq!(other.code(), "layout.other-domain");
    assert!(other.to_string().contains("mx.example.org"), "{other}");
    assert!(recognise(&folder(CERTBOT), Some("mx.example.org")).is_ok());
}

#[test]
fn what_is_unknown_is_named_and_near_misses_are_unknown() {
    assert_eq!(
        error(&[], None).to_string(),
        "no certificate folder that is known here; in it: nothing"
    );
    let many: Vec<String> = (0..20).map(|i| format!("f{i:02}\n")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(
        error(&many, None),
        LayoutError::Unknown(
            "f00\\n, f01\\n, f02\\n, f03\\n, f04\\n, f05\\n, f06\\n, f07\\n and 12 more".into()
        )
    );
    for near in [
        &["fullchain.pem"][..],
        &["cert.pem", "privkey.pem"],
        &["mx.example.org.crt", "mx.example.org.key"],
        &["mx.example.org.crt", "other.key", "mx.example.org.json"],
        &["fullchain.cer", "ca.cer"],
        &["fullchain.pem.bak", "privkey.pem"],
    ] {
        assert_eq!(error(near, None).code(), "layout.unknown", "{near:?}");
    }
}

#[test]
fn an_archive_and_an_empty_file_are_told_apart_from_the_unknown() {
    let archive = &["cert1.pem", "chain1.pem", "fullchain1.pem", "privkey1.pem"];
    assert_eq!(error(archive, None).code(), "layout.archive");
    assert_eq!(
        error(&["fullchainx.pem", "privkey.pem"], None).code(),
        "layout.unknown"
    );
    let mut half = folder(CERTBOT);
    half[4].size = 0;
    let error = recognise(&half, None).unwrap_err();
    assert_eq!(error, LayoutError::Empty("privkey.pem".into()));
    assert!(error.remedy().len() > 20);
    // The file that is not read may be empty.
    let mut readme = folder(CERTBOT);
    readme[0].size = 0;
    assert!(recognise(&readme, None).is_ok());
}
