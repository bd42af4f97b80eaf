//! Certificates that can be read and should not be used, and their near misses.

use super::*;

/// A leaf of the intermediate with one change, with its key.
fn leaf(
    chain: &Chain,
    name: &'static str,
    expected: &'static str,
    change: impl FnOnce(&mut Recipe<'_>),
) -> Case {
    let mut recipe = Recipe::leaf(HOST).by(&chain.middle);
    change(&mut recipe);
    let leaf = recipe.make();
    let files: &[(_, &[u8])] = &[
        ("cert.pem", &fullchain(&leaf, chain)),
        ("key.pem", &leaf.key_pem()),
    ];
    case(name, expected, files)
}

pub(super) fn cases(chain: &Chain) -> Vec<Case> {
    [
        dates(chain),
        keys(chain),
        uses(chain),
        names(chain),
        issuers(chain),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn dates(chain: &Chain) -> Vec<Case> {
    let dated = |name, expected, from, to| {
        leaf(chain, name, expected, |recipe| {
            (recipe.not_before, recipe.not_after) = (from, to)
        })
    };
    vec![
        dated("expired", "cert.expired", NOW - 90 * DAY, NOW - DAY),
        dated("expires-this-second", "cert.expiring", NOW - 90 * DAY, NOW),
        dated("a-third-left", "ok", NOW - 60 * DAY, NOW + 30 * DAY),
        dated(
            "less-than-a-third-left",
            "cert.expiring",
            NOW - 60 * DAY,
            NOW + 30 * DAY - 60,
        ),
        dated(
            "not-yet-valid",
            "cert.not-yet-valid",
            NOW + 1,
            NOW + 90 * DAY,
        ),
        dated("year-1950", "cert.expired", -631_152_000, -600_000_000),
        dated(
            "year-9999",
            "cert.issuer-ends-sooner",
            NOW - DAY,
            253_402_300_799,
        ),
        dated(
            "dates-reversed",
            "cert.expired",
            NOW + 9 * DAY,
            NOW - 9 * DAY,
        ),
    ]
}

fn keys(chain: &Chain) -> Vec<Case> {
    let keyed = |name, expected, key| leaf(chain, name, expected, |recipe| recipe.key = key);
    // There is no ECDSA with MD5.
    let mut middle = Recipe::ca("Middle RSA").by(&chain.root);
    middle.key = rsa_key(2048);
    let middle = middle.make();
    let signed = |name, expected, digest| {
        let mut recipe = Recipe::leaf(HOST).by(&middle);
        recipe.digest = Some(digest);
        let pem = [recipe.make().pem(), middle.pem()].concat();
        case(name, expected, &[("cert.pem", &pem)])
    };
    let exponent = |e: u32| {
        let e = BigNum::from_u32(e).unwrap();
        PKey::from_rsa(Rsa::generate_with_e(2048, &e).unwrap()).unwrap()
    };
    let modulus = rsa_key(2048).rsa().unwrap().n().to_owned().unwrap();
    let broken = Rsa::from_public_components(modulus, BigNum::from_u32(1).unwrap()).unwrap();
    let broken = PKey::from_rsa(broken).unwrap();
    let mut one = Recipe::leaf(HOST).by(&chain.middle);
    one.public = Some(broken);
    vec![
        keyed("rsa-1024", "cert.weak-key", rsa_key(1024)),
        keyed("rsa-2048", "ok", rsa_key(2048)),
        keyed("exponent-3", "cert.small-exponent", exponent(3)),
        case(
            "exponent-1",
            "cert.weak-key",
            &[("cert.pem", &fullchain(&one.make(), chain))],
        ),
        keyed("p-224", "cert.bad-curve", curve_key(Nid::SECP224R1)),
        keyed("secp256k1", "cert.bad-curve", curve_key(Nid::SECP256K1)),
        keyed(
            "brainpool",
            "cert.rare-curve",
            curve_key(Nid::BRAINPOOL_P256R1),
        ),
        keyed("p-384", "ok", curve_key(Nid::SECP384R1)),
        signed("md5", "cert.weak-signature", MessageDigest::md5()),
        signed("sha1", "cert.weak-signature", MessageDigest::sha1()),
    ]
}

fn uses(chain: &Chain) -> Vec<Case> {
    let number = |n: u32| Some(BigNum::from_u32(n).unwrap());
    let key_usage = |bits: u8| vec![("2.5.29.15", vec![3, 2, 0, bits])];
    vec![
        leaf(chain, "only-for-clients", "cert.no-server-auth", |recipe| {
            recipe.usages = vec!["clientAuth"]
        }),
        // OpenSSL wants serverAuth itself.
        leaf(chain, "for-any-use", "cert.untrusted", |recipe| {
            recipe.usages = vec!["anyExtendedKeyUsage"]
        }),
        leaf(
            chain,
            "may-not-sign",
            "cert.no-digital-signature",
            |recipe| recipe.extensions = key_usage(0x20),
        ),
        leaf(chain, "may-sign", "ok", |recipe| {
            recipe.extensions = key_usage(0x80)
        }),
        leaf(chain, "ca-as-leaf", "cert.ca-as-leaf", |recipe| {
            recipe.is_ca = true
        }),
        leaf(chain, "must-staple", "cert.must-staple", |recipe| {
            recipe.extensions = vec![("1.3.6.1.5.5.7.1.24", vec![0x30, 3, 2, 1, 5])];
        }),
        leaf(chain, "other-tls-feature", "ok", |recipe| {
            recipe.extensions = vec![("1.3.6.1.5.5.7.1.24", vec![0x30, 3, 2, 1, 17])];
        }),
        leaf(chain, "negative-serial", "cert.bad-serial", |recipe| {
            let mut serial = BigNum::from_u32(5).unwrap();
            serial.set_negative(true);
            recipe.serial = Some(serial);
        }),
        leaf(chain, "serial-0", "cert.bad-serial", |recipe| {
            recipe.serial = number(0)
        }),
        leaf(chain, "serial-1", "ok", |recipe| recipe.serial = number(1)),
        leaf(chain, "huge-serial", "cert.bad-serial", |recipe| {
            recipe.serial = Some(BigNum::from_slice(&[0x77; 1000]).unwrap());
        }),
    ]
}

fn names(chain: &Chain) -> Vec<Case> {
    let named = |name, expected, dns: &[&str]| {
        let dns = dns.iter().map(|name| (*name).to_owned()).collect();
        leaf(chain, name, expected, |recipe| recipe.dns = dns)
    };
    vec![
        named("other-name", "cert.name-mismatch", &["mx.example.net"]),
        named("no-alternative-name", "cert.no-alternative-name", &[]),
        named("wildcard", "ok", &["*.example.com"]),
        named(
            "wildcard-of-the-name",
            "cert.name-mismatch",
            &["*.mx.example.com"],
        ),
        named(
            "wildcard-of-the-parent",
            "cert.name-mismatch",
            &["*.x.example.com"],
        ),
        named(
            "partial-wildcard",
            "cert.name-mismatch cert.bad-wildcard",
            &["m*.example.com"],
        ),
        named(
            "inner-wildcard",
            "cert.name-mismatch cert.bad-wildcard",
            &["mx.*.com"],
        ),
        named(
            "wildcard-of-com",
            "cert.name-mismatch cert.bad-wildcard",
            &["*.com"],
        ),
        case(
            "u-label",
            "cert.name-not-ascii",
            &[(
                "cert.pem",
                &damage::named("bücher.example".as_bytes(), chain),
            )],
        ),
        named("a-label", "ok", &["xn--bcher-kva.example", HOST]),
    ]
}

fn issuers(chain: &Chain) -> Vec<Case> {
    let (leaf, root, middle) = (&chain.leaf, &chain.root, &chain.middle);
    let (pem, key) = (fullchain(leaf, chain), leaf.key_pem());
    let other = Recipe::leaf("other.example.com").by(middle).make();
    let both = [leaf.pem(), other.pem(), middle.pem()].concat();
    let by_leaf = Recipe::leaf(HOST).by(leaf).make();
    let by_leaf = [by_leaf.pem(), pem.clone()].concat();
    let a = Recipe::ca("A").make();
    let b = Recipe::ca("B").by(&a).make();
    let mut a_by_b = Recipe::ca("A").by(&b);
    a_by_b.key = a.key.clone();
    let of_a = Recipe::leaf(HOST).by(&a).make();
    let circle = [of_a.pem(), a_by_b.make().pem(), b.pem()].concat();
    let namesake = Recipe::leaf(HOST).make();
    let self_issued = Recipe::leaf(HOST).by(&namesake).make();
    let false_middle = Recipe::ca("Middle").by(root).make();
    let mut old = Recipe::ca("Old").by(root);
    old.not_after = NOW - DAY;
    let old = old.make();
    let of_old = Recipe::leaf(HOST).by(&old).make();
    let alone = Recipe::leaf(HOST).make();
    vec![
        case(
            "root-only",
            "cert.ca-as-leaf cert.name-mismatch cert.no-alternative-name",
            &[("cert.pem", &root.pem())],
        ),
        case(
            "intermediate-only",
            "cert.no-leaf",
            &[("cert.pem", &middle.pem())],
        ),
        case(
            "cas-with-key",
            "cert.no-leaf",
            &[
                ("cert.pem", &[middle.pem(), root.pem()].concat()),
                ("key.pem", &key),
            ],
        ),
        case(
            "self-signed",
            "cert.self-signed",
            &[("cert.pem", &alone.pem()), ("key.pem", &alone.key_pem())],
        ),
        case(
            "self-issued",
            "cert.chain-incomplete",
            &[("cert.pem", &self_issued.pem())],
        ),
        case(
            "circle-of-issuers",
            "cert.issuer-unknown",
            &[("cert.pem", &circle)],
        ),
        case(
            "intermediate-missing",
            "cert.chain-incomplete",
            &[("cert.pem", &leaf.pem()), ("key.pem", &key)],
        ),
        case(
            "root-in-place-of-intermediate",
            "cert.chain-broken",
            &[
                ("cert.pem", &[leaf.pem(), root.pem()].concat()),
                ("key.pem", &key),
            ],
        ),
        case(
            "false-intermediate",
            "cert.chain-broken",
            &[
                ("cert.pem", &[leaf.pem(), false_middle.pem()].concat()),
                ("key.pem", &key),
            ],
        ),
        case(
            "expired-intermediate",
            "cert.issuer-expired",
            &[("cert.pem", &[of_old.pem(), old.pem()].concat())],
        ),
        case(
            "reversed-with-root",
            "ok",
            &[(
                "cert.pem",
                &[root.pem(), middle.pem(), leaf.pem(), key.clone()].concat(),
            )],
        ),
        case(
            "issued-by-a-leaf",
            "cert.untrusted",
            &[("cert.pem", &by_leaf)],
        ),
        case("two-leaves", "cert.two-leaves", &[("cert.pem", &both)]),
        case(
            "two-leaves-with-key",
            "ok",
            &[("cert.pem", &both), ("key.pem", &key)],
        ),
        case(
            "key-of-another",
            "cert.key-mismatch",
            &[
                ("cert.pem", &pem),
                ("key.pem", &ec_key().private_key_to_pem_pkcs8().unwrap()),
            ],
        ),
        case(
            "key-of-another-curve",
            "cert.key-mismatch",
            &[
                ("cert.pem", &pem),
                (
                    "key.pem",
                    &curve_key(Nid::SECP384R1)
                        .private_key_to_pem_pkcs8()
                        .unwrap(),
                ),
            ],
        ),
        case(
            "two-keys",
            "cert.two-keys",
            &[
                ("cert.pem", &pem),
                ("key.pem", &[key.clone(), other.key_pem()].concat()),
            ],
        ),
        case(
            "key-twice",
            "ok",
            &[
                ("cert.pem", &pem),
                ("key.pem", &[key.clone(), key].concat()),
            ],
        ),
    ]
}
