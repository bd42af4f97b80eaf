//! What can go wrong with a CA, and what to do about it.
//!
//! Owns: the errors, their codes and remedies. Never: carries a secret.

use crate::solver::printable;
use crate::{ChallengeKind, Halt, IssueError, SolverError};
use std::fmt;
use std::net::SocketAddr;
use thiserror::Error;

/// A CA's own words (RFC 7807, and RFC 8555, 6.7), shortened and printable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The type, without `urn:ietf:params:acme:error:`.
    pub kind: String,
    /// What the CA says about it.
    pub detail: String,
    /// The names that it concerns, with what is said about each.
    pub names: Vec<NamedProblem>,
}

/// What a CA says about one name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedProblem {
    /// The name.
    pub name: String,
    /// The type, without `urn:ietf:params:acme:error:`.
    pub kind: String,
    /// What the CA says about it.
    pub detail: String,
}

/// Why a CA gave no certificate.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "the fields are named for what they hold")]
pub enum AcmeError {
    /// No connection.
    #[error("the CA at {url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    /// The CA's own certificate is not trusted.
    #[error("the certificate of the CA's server at {url} is not trusted: {reason}")]
    Untrusted { url: String, reason: String },
    /// What answered does not speak ACME.
    #[error("{url} does not answer as an ACME server: {reason}")]
    BadAnswer { url: String, reason: String },
    /// Too many requests, or a busy server.
    #[error("the CA wants fewer requests: {problem}")]
    RateLimited {
        problem: Problem,
        /// When to try again, in seconds since 1970, where the CA said.
        retry_at: Option<i64>,
    },
    /// The CA looked and did not see the answer.
    #[error("{name} failed {challenge}: {problem}")]
    ChallengeFailed {
        name: String,
        challenge: ChallengeKind,
        problem: Problem,
        /// Where HTTP-01 was answered, if not on port 80 of every address.
        answered_at: Box<[SocketAddr]>,
    },
    /// The CA does not offer this kind of challenge for a name.
    #[error("the CA offers no {wanted} for {name}, only {offered}")]
    NotOffered {
        name: String,
        wanted: ChallengeKind,
        offered: String,
    },
    /// The answer could not be put in place.
    #[error("{name} could not be prepared for {challenge}")]
    Solver {
        name: String,
        challenge: ChallengeKind,
        source: SolverError,
    },
    /// The CA needs an external account binding.
    #[error("the CA needs an external account binding: {0}")]
    ExternalAccountRequired(Problem),
    /// The CA does not take the external account binding that was given.
    #[error("the CA refuses the external account binding: {0}")]
    ExternalAccountRefused(Problem),
    /// The CA does not know the account any more.
    #[error("the CA does not know the account: {0}")]
    AccountUnknown(Problem),
    /// Any other refusal.
    #[error("the CA refuses: {0}")]
    Refused(Problem),
    /// The kept account cannot be read.
    #[error("the kept account cannot be read")]
    Credentials,
    /// What came is not what was ordered.
    #[error("the CA answered with a wrong chain: {0}")]
    WrongChain(String),
    /// The directory, a root or the HMAC key as it was given.
    #[error("{what} cannot be used")]
    Unusable {
        what: String,
        /// What to give instead.
        give: &'static str,
    },
    /// The time was up.
    #[error("the time was up while {0}")]
    Deadline(&'static str),
    /// Somebody asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Key or request.
    #[error(transparent)]
    Issue(#[from] IssueError),
}

const OTHER_PAIR: &str = "see that --eab-kid and --eab-hmac-key-file are the two that the CA shows together, and that \
    they were not used or withdrawn before; many CAs make a new pair for each account";

impl AcmeError {
    pub(super) const CA_AS_SERVER: &str = "it is marked as a CA's own (CA:TRUE), and such a one is no server's, even where it is the root";

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "acme.unreachable",
            Self::Untrusted { .. } => "acme.untrusted-server",
            Self::BadAnswer { .. } => "acme.bad-answer",
            Self::RateLimited { .. } => "acme.rate-limited",
            Self::ChallengeFailed { .. } => "acme.challenge-failed",
            Self::NotOffered { .. } => "acme.challenge-not-offered",
            Self::Solver { source, .. } => source.code(),
            Self::ExternalAccountRequired(_) => "acme.eab-required",
            Self::ExternalAccountRefused(_) => "acme.eab-refused",
            Self::AccountUnknown(_) => "acme.account-unknown",
            Self::Refused(_) => "acme.refused",
            Self::Credentials => "acme.credentials",
            Self::WrongChain(_) => "acme.wrong-chain",
            Self::Unusable { .. } => "acme.unusable",
            Self::Deadline(_) => "acme.deadline",
            Self::Interrupted => "acme.interrupted",
            Self::Issue(_) => "acme.request",
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Unreachable { url, .. } => {
                format!("see that this host reaches {url} over HTTPS; nothing was changed")
            }
            Self::Untrusted { reason, .. } if reason == Self::CA_AS_SERVER => {
                "give the CA's server a certificate that its root has issued (CA:FALSE), and name that \
                 root"
                    .into()
            }
            Self::Untrusted { .. } => {
                "for a private CA, give the root of its server's certificate".into()
            }
            Self::BadAnswer { .. } => "give the URL of the CA's ACME directory".into(),
            Self::RateLimited {
                retry_at: Some(_), ..
            } => "wait until the time that the CA named; the certificate in use stays".into(),
            Self::RateLimited { retry_at: None, .. } => {
                "wait for some hours, the CA named no time; the certificate in use stays".into()
            }
            Self::ChallengeFailed {
                name,
                challenge,
                answered_at,
                problem,
            } => match problem.is_of_dns() {
                true => format!(
                    "see that every name server of {name} answers the whole world, CNAMEs and CAA \
                     included, and that DNSSEC is in order; the CA did not come so far as to connect"
                ),
                false => challenge_remedy(name, *challenge, answered_at),
            },
            Self::NotOffered { wanted, .. } => match wanted {
                ChallengeKind::Http01 => "a wildcard needs dns-01".into(),
                ChallengeKind::Dns01 => "an IP address needs http-01".into(),
            },
            Self::Solver { source, .. } => source.remedy(),
            Self::ExternalAccountRequired(_) => {
                "get a key id and an HMAC key from the CA and give them: --eab-kid ID \
                 --eab-hmac-key-file FILE"
                    .into()
            }
            Self::ExternalAccountRefused(_) => OTHER_PAIR.into(),
            Self::AccountUnknown(_) | Self::Credentials => {
                "register a new account with the CA".into()
            }
            Self::Refused(problem) => refusal_remedy(&problem.kind).into(),
            Self::WrongChain(_) => {
                "see that this host's clock is right (`timedatectl`), else report it to the CA; the certificate was \
                 not taken and the one in use stays"
                    .into()
            }
            Self::Unusable { give, .. } => format!("give {give}"),
            Self::Deadline(_) | Self::Interrupted => {
                "try again with more time; the certificate in use stays".into()
            }
            Self::Issue(_) => "see that the key can be read and the names are host names".into(),
        }
    }

    /// The same, of an order whose HTTP-01 was answered at these addresses.
    #[must_use]
    pub fn at(mut self, addresses: &[SocketAddr]) -> Self {
        if let Self::ChallengeFailed { answered_at, .. } = &mut self {
            *answered_at = addresses.into();
        }
        self
    }

    /// When to try again, in seconds since 1970, where the CA said.
    pub fn retry_at(&self) -> Option<i64> {
        match self {
            Self::RateLimited { retry_at, .. } => *retry_at,
            _ => None,
        }
    }
}

fn challenge_remedy(name: &str, challenge: ChallengeKind, answered_at: &[SocketAddr]) -> String {
    let at: Vec<String> = answered_at.iter().map(SocketAddr::to_string).collect();
    match challenge {
        ChallengeKind::Http01 if !at.is_empty() => format!(
            "see that port 80 of {name} leads to {}, where it was answered, from everywhere, over \
             IPv4 and IPv6 alike",
            at.join(", ")
        ),
        ChallengeKind::Http01 => format!(
            "see that http://{name}/.well-known/acme-challenge/ is answered by this host on port 80 \
             from everywhere, over IPv4 and IPv6 alike"
        ),
        ChallengeKind::Dns01 => format!(
            "see that every name server of {name} shows the TXT record _acme-challenge.{name}"
        ),
    }
}

fn refusal_remedy(kind: &str) -> &'static str {
    match kind {
        "rejectedIdentifier" => "this CA does not issue for a name: take it out, or use another CA",
        "caa" => "allow this CA in the CAA record of the domain",
        "badCSR" | "badPublicKey" => "choose another key type or another key",
        "invalidContact" | "unsupportedContact" => "give a contact like mailto:admin@example.com",
        "userActionRequired" => {
            "do what the CA asks for at the page that it names, mostly to agree to new terms, and try again"
        }
        "unauthorized" => "register the account again, or ask the CA why it may not order",
        _ => "read what the CA says; the certificate in use stays",
    }
}

impl Problem {
    /// Whether the CA could not look a name up (RFC 8555 §6.7, `dns`).
    fn is_of_dns(&self) -> bool {
        let of_dns = |kind: &str| kind == "dns";
        of_dns(&self.kind) || self.names.iter().any(|named| of_dns(&named.kind))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.detail.is_empty() {
            true => "no reason given",
            false => &self.detail,
        })?;
        if !self.kind.is_empty() {
            write!(f, " ({})", self.kind)?;
        }
        for named in &self.names {
            write!(f, "; {}: {} ({})", named.name, named.detail, named.kind)?;
        }
        Ok(())
    }
}

impl From<instant_acme::Problem> for Problem {
    fn from(problem: instant_acme::Problem) -> Self {
        let names = problem.subproblems.into_iter().take(10);
        Self {
            kind: kind(problem.r#type),
            detail: printable(&problem.detail.unwrap_or_default()),
            names: names
                .map(|one| NamedProblem {
                    name: one.identifier.map_or_else(String::new, |identifier| {
                        printable(&identifier.authorized(false).to_string())
                    }),
                    kind: kind(one.r#type),
                    detail: printable(&one.detail.unwrap_or_default()),
                })
                .collect(),
        }
    }
}

impl AcmeError {
    /// A problem document, by its type.
    pub(super) fn of_problem(problem: instant_acme::Problem, retry_at: Option<i64>) -> Self {
        let busy = matches!(problem.status, Some(429 | 503));
        let problem = Problem::from(problem);
        match problem.kind.as_str() {
            "rateLimited" => Self::RateLimited { problem, retry_at },
            "externalAccountRequired" => Self::ExternalAccountRequired(problem),
            "accountDoesNotExist" => Self::AccountUnknown(problem),
            _ if busy => Self::RateLimited { problem, retry_at },
            _ => Self::Refused(problem),
        }
    }

    /// The same of a new account that was to be bound to an external one.
    pub(super) fn of_binding(self) -> Self {
        match self {
            Self::Refused(problem)
                if ["unauthorized", "malformed"].contains(&problem.kind.as_str()) =>
            {
                Self::ExternalAccountRefused(problem)
            }
            other => other,
        }
    }

    pub(super) fn of_halt(halt: Halt, doing: &'static str) -> Self {
        match halt {
            Halt::Deadline => Self::Deadline(doing),
            Halt::Interrupted => Self::Interrupted,
        }
    }
}

fn kind(problem_type: Option<String>) -> String {
    let full = problem_type.unwrap_or_default();
    let short = full.strip_prefix("urn:ietf:params:acme:error:");
    printable(short.unwrap_or(&full))
}

#[cfg(test)]
mod tests;
