//! Chance that comes again with the same seed (SplitMix64), and files that it damages.
//!
//! Owns: throws and damage. Never: the same with another seed.

/// A source of throws.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x2545_F491_4F6C_DD1D).wrapping_add(1))
    }

    /// A number from 0 up to, but without, `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        // What is left is below a usize.
        ((z ^ (z >> 31)) % end.max(1) as u64) as usize
    }

    /// One of some; there has to be one.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// Each with a chance of one in `n`.
    pub fn some<T: Clone>(&mut self, from: &[T], n: usize) -> Vec<T> {
        let mut some = Vec::new();
        for one in from {
            if self.below(n) == 0 {
                some.push(one.clone());
            }
        }
        some
    }

    /// A configuration file with a few cuts, copies, turned bytes and words that have no place there.
    #[must_use]
    pub fn damaged(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len() + 1);
            let to = (at + self.below(80)).min(bytes.len());
            match self.below(5) {
                0 => drop(bytes.drain(at..to)),
                1 => {
                    let piece = bytes[at..to].to_vec();
                    let there = self.below(bytes.len() + 1);
                    bytes.splice(there..there, piece);
                }
                2 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                _ => drop(bytes.splice(at..at, self.pick(WORDS).bytes())),
            }
        }
        bytes
    }
}

/// What damage brings in.
const WORDS: &[&str] = &[
    "smtpd_tls_security_level",
    "smtpd_tls_security_level = ",
    "smtp_tls_policy_maps",
    "smtp_tls_policy_maps = hash:/x, inline:{ {a = b} }\n",
    "smtpd_tls_exclude_ciphers",
    "tls_high_cipherlist",
    "tls_high_cipherlist=",
    "smtpd_tls_protocols",
    "encrypt",
    "dane-only",
    "hash:/etc/postfix/x",
    ">=TLSv1.2",
    "!SSLv2",
    "${",
    "$(",
    "$$",
    "${a?{b}:{c}}",
    "$smtpd_tls_cert_file",
    "{",
    "}",
    "=",
    "#",
    "\n",
    "\n ",
    "\r",
    "\0",
    "\u{fc}",
    "\u{feff}",
    "-o",
    " -o smtpd_tls_wrappermode=yes",
    " -o smtpd_tls_wrappermode=yes\n",
    "465 inet n - y - - smtpd\n",
    "smtp inet n - - - 1 postscreen\n",
    "99999999999999999999",
    "-",
    "[::]:465",
    "%s%n",
];
