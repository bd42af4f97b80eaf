//! What several tasks have in common.
//!
//! Owns: their shapes. Never: judges a word; `judge` and the commands do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A finding that is accepted, by its code and the host's name, typed by somebody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Acceptance {
    /// The finding's code.
    pub code: String,
    /// The host's name (`myhostname`).
    pub host: String,
}

/// What is wished together with `KEY=VALUE`s, and how. Where there is any of it, all is stored only where a plan
/// can be made of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Beside {
    /// Keys to be given back.
    pub unset: Vec<String>,
    /// Certificates of the store to be bound, everywhere.
    pub bind: Vec<String>,
    /// Certificates that are bound and shall be no longer.
    pub unbind: Vec<String>,
    /// Stored only where a plan can be made of it, though it is keys alone.
    pub whole: bool,
    /// Only what the plan would be.
    pub check: bool,
}

impl Beside {
    /// Whether nothing is wished in here.
    pub fn wishes_nothing(&self) -> bool {
        self.unset.is_empty() && self.bind.is_empty() && self.unbind.is_empty()
    }
}

/// What a rule says beside its destination and level.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleWords {
    /// `match`
    #[serde(rename = "match")]
    pub names: Option<String>,
    /// `protocols`
    pub protocols: Option<String>,
    /// `ciphers`
    pub ciphers: Option<String>,
    /// `exclude`
    pub exclude: Option<String>,
    /// `servername`
    pub servername: Option<String>,
    /// `connection_reuse`
    pub connection_reuse: Option<bool>,
    /// `enable_rpk`
    pub enable_rpk: Option<bool>,
    /// `domain`, `subdomains` or `both`
    pub scope: Option<String>,
    /// For people.
    pub note: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The day on which somebody looks at it again, `YYYY-MM-DD`.
    pub until: Option<String>,
}

impl RuleWords {
    /// What becomes part of the policy's text.
    pub(super) fn of_policy(&self) -> [Option<&String>; 5] {
        [
            self.names.as_ref(),
            self.protocols.as_ref(),
            self.ciphers.as_ref(),
            self.exclude.as_ref(),
            self.servername.as_ref(),
        ]
    }
}

/// Which rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RuleFilter {
    /// With these words in them.
    pub search: Option<String>,
    /// Of this level.
    pub level: Option<String>,
    /// Of this owner.
    pub owner: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// To be looked at again by this day.
    pub due: Option<String>,
    /// Wished and not in force.
    pub pending: bool,
}

/// How servers are held against a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Checks {
    /// Why a rule is taken though its servers bar it.
    pub force_reason: Option<String>,
    /// Its servers are not looked at.
    pub no_preflight: bool,
}

/// A destination that needs authentication.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialWords {
    /// Where its mail goes, as Postfix writes it.
    pub next_hop: Option<String>,
    /// The level of its rule.
    pub level: Option<String>,
    /// The names that its servers may prove.
    #[serde(rename = "match")]
    pub names: Option<String>,
    /// For people.
    pub note: Option<String>,
    /// Whether credentials go there.
    pub requires_auth: Option<bool>,
    /// Whether it expects TLS from the first byte.
    pub smtps: Option<bool>,
    /// How its servers are held against it.
    pub checks: Checks,
}

/// Rules as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The lines.
    pub text: String,
    /// In which form.
    pub format: Format,
    /// What can be taken, though something cannot.
    #[serde(default)]
    pub partial: bool,
    /// Only what would come of it.
    #[serde(default)]
    pub check: bool,
    /// Only while the rules are at this revision.
    pub revision: Option<i64>,
}

/// Rules that are to be gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Removal {
    /// Domains, `.parents` or next hops.
    #[serde(default)]
    pub destinations: Vec<String>,
    /// More of them, one a line.
    pub from: Option<String>,
    /// Only while the rules are at this revision.
    pub revision: Option<i64>,
    /// Only while the one rule that is named is that with this digest.
    pub was: Option<String>,
}

/// The form of rules as text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// The source of a Postfix map.
    #[default]
    Map,
    /// A head and a line a rule (RFC 4180).
    Csv,
    /// `{"schema": 1, "rules": […]}`
    Json,
    /// The rules of the declarative file.
    Toml,
}

impl Format {
    /// As the command line writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Map => "map",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Toml => "toml",
        }
    }
}

/// A kind of key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyKind {
    #[default]
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    #[serde(rename = "rsa-4096")]
    Rsa4096,
    Ed25519,
}

impl KeyKind {
    /// As the command line writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::Ed25519 => "ed25519",
        }
    }
}

/// The key of a certificate that is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewKey {
    /// Its kind.
    pub kind: KeyKind,
    /// The key of the certificate of that name is taken again.
    pub reuse: bool,
    /// It takes the place of the certificate of that name.
    pub renew: bool,
}

/// How a certificate is ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Order {
    /// The CA's staging service: nobody trusts what it issues.
    pub staging: bool,
    /// Its terms are agreed to.
    pub agree_terms: bool,
    /// Whom it may write to.
    pub contacts: Vec<String>,
    /// It takes the place of the certificate of that name.
    pub renew: bool,
}

/// Where a certificate is presented.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Places {
    /// On these ports.
    pub services: Vec<u16>,
    /// To clients that ask for these names.
    pub sni: Vec<String>,
    /// By the SMTP client.
    pub client: bool,
    /// By the client of this transport.
    pub transport: Option<String>,
}
