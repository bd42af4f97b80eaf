//! What profiles have together that leave few suites of TLS 1.2.
//!
//! Owns: their rows. Never: says which suites, or why; each profile does. Exclusions choose them where
//! TLS is demanded and on port 25; where outgoing mail may go in clear, nothing is excluded.

use super::row::Value::{Floor, Text};
use super::row::{Row, row};
use mailtls::TlsVersion::Tls1_2;

const GRADE: &str = "The strong suites, from which the exclusions take more.";
const WIDE: &str = "The exclusions choose the suites; the grade takes none away beside them.";

/// What one of them says, and why.
pub(super) struct Narrow {
    /// What is excluded.
    pub(super) exclusions: &'static str,
    /// Why TLS 1.2.
    pub(super) floor: &'static str,
    /// Why the exclusions, on port 25.
    pub(super) on_25: &'static str,
    /// The same where TLS is demanded.
    pub(super) demanded: &'static str,
    /// Why TLS 1.2 for mail that may go in clear.
    pub(super) optional_floor: &'static str,
    /// Why nothing is excluded there.
    pub(super) optional: &'static str,
}

impl Narrow {
    pub(super) const fn inbound(&self) -> [Row; 3] {
        [
            row("smtpd_tls_protocols", Floor(Tls1_2), self.floor),
            row("smtpd_tls_ciphers", Text("medium"), WIDE),
            row(
                "smtpd_tls_exclude_ciphers",
                Text(self.exclusions),
                self.on_25,
            ),
        ]
    }

    pub(super) const fn submission(&self) -> [Row; 3] {
        [
            row("smtpd_tls_mandatory_protocols", Floor(Tls1_2), self.floor),
            row("smtpd_tls_mandatory_ciphers", Text("high"), GRADE),
            row(
                "smtpd_tls_mandatory_exclude_ciphers",
                Text(self.exclusions),
                self.demanded,
            ),
        ]
    }

    pub(super) const fn outbound(&self) -> [Row; 5] {
        [
            row("smtp_tls_protocols", Floor(Tls1_2), self.optional_floor),
            row("smtp_tls_ciphers", Text("medium"), self.optional),
            row("smtp_tls_mandatory_protocols", Floor(Tls1_2), self.floor),
            row("smtp_tls_mandatory_ciphers", Text("high"), GRADE),
            row(
                "smtp_tls_mandatory_exclude_ciphers",
                Text(self.exclusions),
                self.demanded,
            ),
        ]
    }
}
