//! Certificates with more names than a handshake has room for, and their near miss. Nobody but
//! themselves vouches for them, so that the folders depend on no other.

use super::*;

fn of_names(name: &'static str, expected: &'static str, names: u32) -> Case {
    let mut recipe = Recipe::leaf(HOST);
    let own = std::iter::once(HOST.to_owned());
    recipe.dns = own
        .chain((1..names).map(|n| format!("h{n}.example.com")))
        .collect();
    let leaf = recipe.make();
    let files: &[(_, &[u8])] = &[("cert.pem", &leaf.pem()), ("key.pem", &leaf.key_pem())];
    case(name, expected, files)
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        of_names(
            "ten-thousand-names",
            "cert.too-long cert.self-signed",
            10_000,
        ),
        of_names("two-thousand-names", "cert.self-signed", 2_000),
    ]
}
