//! What has no level: who chooses, what is refused, how the look went.
//!
//! Owns: which facts those are, and how each is told to people (a sentence) and to programs (rows). Never: grades.

use mailtls::TlsVersion;
use postseal_planner::full::{ClientAsked, Evidence, Full, Order, Seen, VersionSeen};

/// A fact without a level.
pub(super) enum Fact<'f> {
    /// It starts no TLS.
    NoTls,
    /// These versions are refused.
    Refused(Vec<&'static str>),
    /// Who chooses the suite.
    Chooses(TlsVersion, Order),
    /// The suites of a version are those of another, where that was not seen of each.
    Alike(TlsVersion, TlsVersion),
    /// Whether a client's certificate is asked for.
    ClientCertificate(&'f ClientAsked),
    /// Why the look ended early.
    Stopped(&'f str),
    /// Those made, and those allowed.
    Connections(u32, u32),
}

/// A row for programs.
#[derive(Default)]
pub(super) struct Row {
    pub(super) fact: &'static str,
    pub(super) value: String,
    pub(super) versions: String,
    pub(super) undetermined: Option<String>,
}

/// Those of the server.
pub(super) fn of_server(full: &Full) -> Vec<Fact<'_>> {
    if full.no_tls.is_some() {
        return vec![Fact::NoTls];
    }
    let refused = full.versions.iter().filter(|one| one.seen == Seen::No);
    let mut all = vec![Fact::Refused(
        refused.map(|one| one.version.name()).collect(),
    )];
    let chooses = |one: &VersionSeen| Some(Fact::Chooses(one.version, one.order?));
    all.extend(full.versions.iter().filter_map(chooses));
    all.extend(full.versions.iter().filter_map(alike));
    all.push(Fact::ClientCertificate(&full.client_certificate));
    all
}

pub(super) fn stopped(full: &Full) -> Option<Fact<'_>> {
    full.stopped.as_deref().map(Fact::Stopped)
}

pub(super) const fn connections(full: &Full) -> Fact<'_> {
    Fact::Connections(full.connections, full.budget)
}

fn alike<'f>(one: &'f VersionSeen) -> Option<Fact<'f>> {
    one.suites.iter().find_map(|suite| match suite.evidence {
        Evidence::Alike(other) => Some(Fact::Alike(one.version, other)),
        Evidence::Chosen => None,
    })
}

impl Fact<'_> {
    /// For people; nothing where there is nothing to say.
    pub(super) fn sentence(&self) -> Option<String> {
        Some(match self {
            Self::NoTls => "it starts no TLS, so there is nothing to enumerate".to_owned(),
            Self::Refused(versions) if versions.is_empty() => return None,
            Self::Refused(versions) => format!("refused: {}", versions.join(", ")),
            Self::Chooses(version, Order::Server) => {
                format!("{version}: the server chooses, in the order above")
            }
            Self::Chooses(version, Order::Client) => format!("{version}: the client chooses"),
            Self::Alike(version, other) => format!("{version}: {}", as_in(*other)),
            Self::ClientCertificate(ClientAsked::NotAsked) => return None,
            Self::ClientCertificate(ClientAsked::Undetermined(why)) => {
                format!("undetermined: whether a client certificate is asked for: {why}")
            }
            Self::ClientCertificate(asked) => {
                format!("a client certificate is {}", asked_for(asked))
            }
            Self::Stopped(why) => format!("the look ended early: {why}"),
            Self::Connections(made, allowed) => format!("connections: {made} of {allowed}"),
        })
    }

    /// For programs.
    pub(super) fn rows(&self) -> Vec<Row> {
        let of_version = |fact, version: &TlsVersion, value: &str| Row {
            versions: version.name().to_owned(),
            ..row(fact, value)
        };
        let undetermined = |fact, value, why: &str| Row {
            undetermined: Some(why.to_owned()),
            ..row(fact, value)
        };
        vec![match self {
            Self::NoTls => return Vec::new(),
            Self::Refused(versions) => {
                let each = versions.iter();
                return each.map(|name| row("refused version", *name)).collect();
            }
            Self::Chooses(version, Order::Server) => {
                of_version("who chooses", version, "the server")
            }
            Self::Chooses(version, Order::Client) => {
                of_version("who chooses", version, "the client")
            }
            Self::Alike(version, other) => of_version("suites", version, &as_in(*other)),
            Self::ClientCertificate(ClientAsked::Undetermined(why)) => {
                undetermined("client certificate", "", why)
            }
            Self::ClientCertificate(asked) => row("client certificate", asked_for(asked)),
            Self::Stopped(why) => undetermined("look", "ended early", why),
            Self::Connections(made, allowed) => row("connections", format!("{made} of {allowed}")),
        }]
    }
}

fn row(fact: &'static str, value: impl Into<String>) -> Row {
    Row {
        fact,
        value: value.into(),
        ..Row::default()
    }
}

fn as_in(other: TlsVersion) -> String {
    format!("as in {other}: it took the first and the last of its suites, and refused all others")
}

/// Whether and of whom.
fn asked_for(asked: &ClientAsked) -> String {
    match asked {
        ClientAsked::NotAsked => "not asked for".to_owned(),
        ClientAsked::Asked(names) if names.is_empty() => "asked for, of any authority".to_owned(),
        ClientAsked::Asked(names) => format!("asked for, of {}", names.join("; ")),
        ClientAsked::AskedUnderKeys => "asked for; TLS 1.3 hides of which authorities".to_owned(),
        ClientAsked::Undetermined(why) => why.clone(),
    }
}
