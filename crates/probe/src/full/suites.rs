//! Cipher suites and key exchange groups by number.
//!
//! Owns: their names, and which of them can be asked for in which version. Never: says which are
//! good (the planner does).

use std::sync::LazyLock;

/// A suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    pub(crate) id: u16,
    /// IANA's name.
    pub(crate) name: &'static str,
}

/// How a suite makes its keys; the message ServerKeyExchange differs by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    /// TLS 1.3: the suite does not say.
    Free,
    /// With elliptic curves, ephemeral.
    Curve,
    /// With a finite field, ephemeral.
    Field,
    /// With the certificate's key, or a secret that both know.
    Other,
}

static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let (id, name) = line.split_once(' ')?;
        let id = u16::from_str_radix(id, 16).ok()?;
        Some(Suite { id, name })
    };
    include_str!("suites.txt")
        .lines()
        .filter_map(line)
        .collect()
});

impl Suite {
    /// All, weak ones first: where a look ends early, what it has not seen is not what matters most.
    pub(crate) fn all() -> &'static [Suite] {
        &SUITES
    }

    pub(crate) fn of(id: u16) -> Option<Self> {
        SUITES.iter().copied().find(|suite| suite.id == id)
    }

    /// For TLS 1.3 (RFC 8446 §B.4): such a name has no key exchange.
    pub(crate) fn is_1_3(self) -> bool {
        self.exchange() == Exchange::Free
    }

    /// Defined for versions before TLS 1.2 (RFC 5246 §A.5, RFC 5289 §3): MD5 or SHA-1.
    pub(crate) fn is_older(self) -> bool {
        (self.name.ends_with("_SHA") || self.name.ends_with("_MD5")) && !self.is_1_3()
    }

    pub(crate) fn exchange(self) -> Exchange {
        match self.name.split_once("_WITH_").map(|(way, _)| way) {
            None => Exchange::Free,
            Some("TLS_GOSTR341112_256") if self.id >= 0xC103 => Exchange::Free,
            Some("TLS_ECDHE_RSA" | "TLS_ECDHE_ECDSA" | "TLS_ECDH_anon") => Exchange::Curve,
            Some(way) if way.starts_with("TLS_DHE_RSA") || way.starts_with("TLS_DHE_DSS") => {
                Exchange::Field
            }
            Some(way) if way.starts_with("TLS_DH_anon") => Exchange::Field,
            Some(_) => Exchange::Other,
        }
    }

    /// How much is wrong with it: what is offered first to a server that lets clients choose.
    fn weakness(self) -> u8 {
        let weak = [
            "NULL", "EXPORT", "anon", "RC4", "RC2", "DES_", "MD5", "IDEA", "SEED",
        ];
        let old = ["TLS_RSA_", "_SHA", "CBC"];
        let has = |words: &[&str]| words.iter().any(|word| self.name.contains(word));
        match (has(&weak), has(&old[..1]), has(&old[1..])) {
            (true, _, _) => 0,
            (_, true, _) => 1,
            (_, _, true) => 2,
            _ => 3,
        }
    }
}

/// The numbers of all suites that `wanted` says yes to, the weak ones first.
pub(crate) fn numbers(wanted: impl Fn(Suite) -> bool) -> Vec<u16> {
    let mut suites: Vec<Suite> = Suite::all().to_vec();
    suites.retain(|suite| wanted(*suite));
    suites.sort_by_key(|suite| suite.weakness());
    suites.into_iter().map(|suite| suite.id).collect()
}

/// Key exchange groups: number and OpenSSL's name (IANA's “TLS Supported Groups”).
#[rustfmt::skip]
const GROUPS: [(u16, &str); 43] = [
    (0x11EC, "X25519MLKEM768"), (0x11EB, "SecP256r1MLKEM768"), (0x11ED, "SecP384r1MLKEM1024"),
    (0x0200, "MLKEM512"), (0x0201, "MLKEM768"), (0x0202, "MLKEM1024"),
    (0x6399, "X25519Kyber768Draft00"), (0x639A, "SecP256r1Kyber768Draft00"),
    (29, "X25519"), (30, "X448"), (23, "prime256v1"), (24, "secp384r1"), (25, "secp521r1"),
    (31, "brainpoolP256r1tls13"), (32, "brainpoolP384r1tls13"), (33, "brainpoolP512r1tls13"),
    (26, "brainpoolP256r1"), (27, "brainpoolP384r1"), (28, "brainpoolP512r1"), (41, "SM2"),
    (0x100, "ffdhe2048"), (0x101, "ffdhe3072"), (0x102, "ffdhe4096"), (0x103, "ffdhe6144"), (0x104, "ffdhe8192"),
    (22, "secp256k1"), (21, "secp224r1"), (20, "secp224k1"), (19, "prime192v1"), (18, "secp192k1"),
    (17, "secp160r2"), (16, "secp160r1"), (15, "secp160k1"), (14, "sect571r1"), (13, "sect571k1"),
    (12, "sect409r1"), (11, "sect409k1"), (10, "sect283r1"), (9, "sect283k1"), (8, "sect239k1"),
    (7, "sect233r1"), (6, "sect233k1"), (3, "sect163r2"),
];

/// The groups of TLS 1.3: no plain ones of before (RFC 8446 §4.2.7).
pub(crate) fn groups_1_3() -> Vec<u16> {
    let new = |group: &u16| matches!(*group, 0x11EB..=0x11ED | 0x200..=0x202 | 0x6399 | 0x639A | 23..=25 | 29..=33 | 41 | 0x100..=0x104);
    every_group().into_iter().filter(new).collect()
}

/// The curves of up to TLS 1.2 (RFC 8422 §5.1.1).
pub(crate) fn curves() -> Vec<u16> {
    let curve = |group: &u16| *group < 31;
    every_group().into_iter().filter(curve).collect()
}

fn every_group() -> Vec<u16> {
    GROUPS.iter().map(|(id, _)| *id).collect()
}

/// A group's name, or its number.
pub(crate) fn group_name(id: u16) -> String {
    let known = GROUPS.iter().find(|(number, _)| *number == id);
    known.map_or_else(
        || format!("group 0x{id:04X}"),
        |(_, name)| (*name).to_owned(),
    )
}

#[cfg(test)]
mod tests;
