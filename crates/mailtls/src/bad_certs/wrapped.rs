//! Keys in every form, and files under a password.

use super::*;
use openssl::pkcs12::Pkcs12Builder;

const PASSWORD: (&str, &[u8]) = ("password", b"correct horse");

pub(super) fn cases(chain: &Chain) -> Vec<Case> {
    let mut cases = keys(chain);
    cases.extend(pkcs12(chain));
    cases.extend(pkcs7(chain));
    cases
}

fn keys(chain: &Chain) -> Vec<Case> {
    let leaf = &chain.leaf;
    let pem = fullchain(leaf, chain);
    let with =
        |name, expected, key: &[u8]| case(name, expected, &[("cert.pem", &pem), ("key.pem", key)]);
    let aes = Cipher::aes_128_cbc;
    let encrypted = leaf
        .key
        .private_key_to_pem_pkcs8_passphrase(aes(), PASSWORD.1)
        .unwrap();
    let ec = leaf.key.ec_key().unwrap();
    let traditional = ec.private_key_to_pem_passphrase(aes(), PASSWORD.1).unwrap();
    let sec1 = ec.private_key_to_pem().unwrap();
    let parameters =
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let dsa = PKey::from_dsa(Dsa::generate(1024).unwrap()).unwrap();
    let label = String::from_utf8(leaf.key_pem())
        .unwrap()
        .replace("PRIVATE", "RSA PRIVATE");
    let ssh = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n";
    let mut rsa = Recipe::leaf(HOST).by(&chain.middle);
    rsa.key = rsa_key(2048);
    let rsa = rsa.make();
    let pkcs1 = rsa.key.rsa().unwrap().private_key_to_der().unwrap();
    vec![
        with("encrypted-key", "cert.key-encrypted", &encrypted),
        with(
            "encrypted-traditional-key",
            "cert.key-encrypted",
            &traditional,
        ),
        case(
            "encrypted-key-with-password",
            "ok",
            &[("cert.pem", &pem), ("key.pem", &encrypted), PASSWORD],
        ),
        case(
            "encrypted-key-wrong-password",
            "cert.password-wrong",
            &[
                ("cert.pem", &pem),
                ("key.pem", &encrypted),
                ("password", b"x"),
            ],
        ),
        with("openssh-key", "cert.key-unusable", ssh),
        with(
            "putty-key",
            "cert.key-unusable",
            b"PuTTY-User-Key-File-3: ecdsa-sha2-nistp256\nEncryption: none\n",
        ),
        with(
            "dsa-key",
            "cert.key-unusable",
            &dsa.private_key_to_pem_pkcs8().unwrap(),
        ),
        with("wrong-label", "cert.damaged", label.as_bytes()),
        with(
            "ec-parameters-first",
            "ok",
            &[parameters.to_vec(), sec1.clone()].concat(),
        ),
        with("sec1-key", "ok", &sec1),
        case(
            "pkcs1-der-key",
            "ok",
            &[("cert.pem", &fullchain(&rsa, chain)), ("key.der", &pkcs1)],
        ),
    ]
}

fn file(chain: &Chain, change: impl FnOnce(&mut Pkcs12Builder)) -> Vec<u8> {
    let mut others = Stack::new().unwrap();
    others.push(chain.middle.x509.clone()).unwrap();
    let mut builder = Pkcs12::builder();
    builder.cert(&chain.leaf.x509).ca(others);
    change(&mut builder);
    let password = std::str::from_utf8(PASSWORD.1).unwrap();
    builder.build2(password).unwrap().to_der().unwrap()
}

fn pkcs12(chain: &Chain) -> Vec<Case> {
    let key = &chain.leaf.key;
    let good = file(chain, |builder| {
        builder.pkey(key);
    });
    let no_key = file(chain, |_| ());
    let old = Nid::PBE_WITHSHA1AND3_KEY_TRIPLEDES_CBC;
    let old = file(chain, |builder| {
        builder
            .pkey(key)
            .key_algorithm(old)
            .cert_algorithm(old)
            .mac_md(MessageDigest::sha1());
    });
    let cut = good[..good.len() / 2].to_vec();
    let one = |name, expected, file: &[u8]| case(name, expected, &[("cert.p12", file), PASSWORD]);
    vec![
        one("pkcs12", "ok", &good),
        one("pkcs12-triple-des", "ok", &old),
        case(
            "pkcs12-wrong-password",
            "cert.password-wrong",
            &[("cert.p12", &good), ("password", b"Correct Horse")],
        ),
        case(
            "pkcs12-without-password",
            "cert.password-missing",
            &[("cert.p12", &good)],
        ),
        one("pkcs12-without-key", "cert.pkcs12-no-key", &no_key),
        case(
            "pkcs12-key-beside-it",
            "ok",
            &[
                ("cert.p12", &no_key),
                ("key.pem", &chain.leaf.key_pem()),
                PASSWORD,
            ],
        ),
        one("pkcs12-two-keys", "cert.two-keys", &two_keys(chain)),
        one("pkcs12-rc2", "cert.legacy-cipher", &sealed(RC2_40)),
        one(
            "pkcs12-unknown-cipher",
            "cert.unknown-cipher",
            &sealed(&[0x2a, 0x03, 0x04]),
        ),
        one("pkcs12-costly", "cert.password-costly", &costly()),
        one("pkcs12-cut", "cert.truncated", &cut),
    ]
}

const RC2_40: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x06];
const TRIPLE_DES: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01, 0x03];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
const ENCRYPTED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06];
const BAG: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x0a, 0x01];
const X509: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x16, 0x01];

fn typed(oid: &[u8], value: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(6, &[oid]), &der(0xa0, &[value])])
}

/// A file around safes, without a seal.
fn pfx(safes: &[u8]) -> Vec<u8> {
    let info = typed(DATA, &der(4, &[&der(0x30, &[safes])]));
    der(0x30, &[&[2, 1, 3], &info])
}

fn two_keys(chain: &Chain) -> Vec<u8> {
    let bag = |kind: u8, value: &[u8]| typed(&[BAG, &[kind]].concat(), value);
    let key = |key: &PKey<_>| bag(1, &key.private_key_to_pkcs8().unwrap());
    let certificate = bag(3, &typed(X509, &der(4, &[&chain.leaf.der()])));
    let bags = [certificate, key(&chain.leaf.key), key(&ec_key())].concat();
    pfx(&typed(DATA, &der(4, &[&der(0x30, &[&bags])])))
}

/// Octets under a cipher of RFC 7292, with 2048 iterations.
fn encrypted(cipher: &[u8], iterations: &[u8]) -> Vec<u8> {
    let parameters = der(0x30, &[&der(4, &[b"saltsalt"]), &der(2, &[iterations])]);
    let algorithm = der(0x30, &[&der(6, &[cipher]), &parameters]);
    let content = der(
        0x30,
        &[&der(6, &[DATA]), &algorithm, &der(0x80, &[&[7; 64]])],
    );
    pfx(&typed(ENCRYPTED_DATA, &der(0x30, &[&[2, 1, 0], &content])))
}

fn sealed(cipher: &[u8]) -> Vec<u8> {
    encrypted(cipher, &[8, 0])
}

fn costly() -> Vec<u8> {
    encrypted(TRIPLE_DES, &[0x7f, 0xff, 0xff, 0xff])
}

fn pkcs7(chain: &Chain) -> Vec<Case> {
    let mut more = Stack::new().unwrap();
    more.push(chain.middle.x509.clone()).unwrap();
    let (leaf, key) = (&chain.leaf.x509, &chain.leaf.key);
    let pkcs7 = Pkcs7::sign(leaf, key, &more, b"", Pkcs7Flags::DETACHED).unwrap();
    let key = chain.leaf.key_pem();
    vec![
        case(
            "pkcs7-der",
            "ok",
            &[("cert.p7b", &pkcs7.to_der().unwrap()), ("key.pem", &key)],
        ),
        case(
            "pkcs7-pem",
            "ok",
            &[("cert.p7b", &pkcs7.to_pem().unwrap()), ("key.pem", &key)],
        ),
        case(
            "pkcs7-without-certificates",
            "cert.damaged",
            &[("cert.p7b", &typed(DATA, &[4, 0]))],
        ),
    ]
}
