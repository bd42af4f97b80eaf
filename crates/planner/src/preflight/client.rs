//! How a transport's smtp(8) or lmtp(8) goes about a delivery.
//!
//! Owns: its parameters as far as they decide what a policy comes to (postconf(5), Postfix 3.7).
//! Never: what a policy row says beside them.

use super::Lack;
use super::bind::Bind;
use super::disabled::{bare, disabled, filtered};
use super::limits::Ciphers;
use super::lookups::{Exchangers, Hosts, HostsFile, Lookups, NoDane};
use super::overlooked::overlooks;
use super::standard::HOSTS;
use crate::ciphers::definition;
use crate::compile::{SMTPS_OUT_NAME, range_syntax};
use crate::facts::Facts;
use crate::openssl::oldest_verified;
use crate::view::{Files, Service, View};
use mailtls::{Grade, Level, ProtocolList, TlsVersion};
use std::net::IpAddr;
use std::path::PathBuf;

/// A client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name in EHLO (`smtp_helo_name`).
    pub ehlo_name: String,
    /// This host's name (`myhostname`): a server that greets with it is taken for this host.
    pub own_name: String,
    /// Where mail goes that none of the servers takes (`smtp_fallback_relay`).
    pub fallback: Vec<String>,
    /// What it speaks.
    pub protocol: Protocol,
    /// How TLS begins (`smtp_tls_wrappermode`).
    pub opening: Opening,
    /// Why it starts no TLS, whatever a server offers.
    pub overlooks: Option<String>,
    /// Why it does no TLS at all.
    pub(crate) disabled: Option<Lack>,
    /// Why it has no certificate to show, where it is to have one.
    pub bare: Option<String>,
    /// What may hide from it what servers offer.
    pub filtered: Option<String>,
    /// How names are looked up (`smtp_dns_support_level`, `smtp_host_lookup`).
    pub lookups: Lookups,
    /// The port of a next hop that names none (`smtp_tcp_port`; lmtp(8): 24).
    pub port: u16,
    /// Addresses tried in one delivery (`smtp_mx_address_limit`); 0: all.
    pub address_limit: usize,
    /// Address families (`inet_protocols`).
    pub families: Families,
    /// Families in which this host has an address that leads anywhere.
    pub reaches: Families,
    /// This host's own addresses: mail for itself is not sent.
    pub own: Vec<IpAddr>,
    /// The addresses that it comes from.
    pub bind: Bind,
    /// Protocols at `may` and at mandatory levels; `None` where the list cannot be read.
    pub protocols: Protocols,
    /// What ciphers it may use.
    pub ciphers: Ciphers,
    /// The oldest version that OpenSSL takes where the server is to be verified: Postfix lowers its
    /// security level to 0 at the others only, and from OpenSSL 3.0 on level 1 rules out the
    /// signatures of TLS 1.1.
    pub oldest_verified: TlsVersion,
    /// What `dane` comes to where DNSSEC does not vouch for the exchanger
    /// (`smtp_tls_dane_insecure_mx_policy`).
    pub insecure_mx: Level,
    /// `smtp_tls_servername`.
    pub servername: String,
    /// `smtp_tls_fingerprint_digest`.
    pub digest: String,
    /// The names and fingerprints of policies without `match=`.
    pub matches: Matches,
    /// What it trusts.
    pub trust: TrustFiles,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// SMTP.
    Smtp,
    /// LMTP (RFC 2033): no mail exchanger is looked up.
    Lmtp,
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Opening {
    /// By STARTTLS.
    StartTls,
    /// With the first byte.
    Wrapper,
}

/// Address families that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Families {
    Both,
    V4,
    V6,
}

impl Families {
    pub(super) const fn has(self, address: &IpAddr) -> bool {
        match self {
            Self::Both => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }
}

/// Protocol lists of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocols {
    /// `smtp_tls_protocols`.
    pub may: Option<ProtocolList>,
    /// `smtp_tls_mandatory_protocols`.
    pub mandatory: Option<ProtocolList>,
}

/// What a certificate is compared with where a row does not say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches {
    /// `smtp_tls_verify_cert_match`.
    pub verify: Vec<String>,
    /// `smtp_tls_secure_cert_match`.
    pub secure: Vec<String>,
    /// `smtp_tls_fingerprint_cert_match`.
    pub fingerprint: Vec<String>,
}

/// Where the trust anchors of a client lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustFiles {
    /// `smtp_tls_CAfile`, read before the jail is entered.
    pub file: Option<PathBuf>,
    /// `smtp_tls_CApath`, as it is seen from outside of the jail.
    pub folder: Option<PathBuf>,
    /// `smtp_tls_trust_anchor_file`: these in place of all others, where a row has no `tafile=`.
    pub anchors: Vec<String>,
    /// Whether the system's own count too (`tls_append_default_CA`).
    pub system: SystemAnchors,
    /// What the paths of `tafile=` begin with: the jail, or nothing.
    pub jail: PathBuf,
}

/// Whether the system's own trust anchors count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum SystemAnchors {
    Count,
    #[default]
    Ignored,
}

impl Client {
    /// That of a transport, as the files are. Of a transport that is not there, what main.cf says;
    /// `smtps-out` begins with TLS before it is made, too.
    pub fn of(facts: &Facts, transport: &str) -> Self {
        Self::in_view(&Files::of(facts).view(facts), transport)
    }

    /// The same in files that were read.
    pub(crate) fn in_view(view: &View<'_>, transport: &str) -> Self {
        let id = format!("{transport}/unix");
        let service = view.services.iter().find(|one| one.id == id);
        Reader {
            is_unmade: service.is_none() && transport == SMTPS_OUT_NAME,
            lmtp: service.is_some_and(|service| service.command == "lmtp"),
            service,
            view,
        }
        .client()
    }
}

struct Reader<'a> {
    view: &'a View<'a>,
    service: Option<&'a Service>,
    is_unmade: bool,
    lmtp: bool,
}

impl Reader<'_> {
    fn client(&self) -> Client {
        Client {
            ehlo_name: self.ehlo_name(),
            own_name: self.view.value(self.service, "myhostname"),
            fallback: self
                .view
                .list(self.service, &format!("{}_fallback_relay", self.prefix())),
            protocol: match self.lmtp {
                true => Protocol::Lmtp,
                false => Protocol::Smtp,
            },
            opening: match self.is_unmade || self.is_yes("tls_wrappermode") {
                true => Opening::Wrapper,
                false => Opening::StartTls,
            },
            overlooks: overlooks(self.view, self.service, self.lmtp),
            disabled: disabled(self.view, &self.trust(), self.prefix(), |name| {
                self.value(name)
            }),
            bare: bare(self.view, self.prefix(), &self.value("tls_chain_files")),
            filtered: filtered(self.view, self.service, self.lmtp),
            lookups: self.lookups(),
            port: match self.lmtp {
                true => 24,
                false => crate::view::port_of(&self.value("tcp_port")).unwrap_or(25),
            },
            address_limit: self.value("mx_address_limit").parse().unwrap_or(5),
            families: self.families(),
            reaches: reaches(&self.view.facts().addresses),
            own: crate::view::own(self.view),
            bind: Bind::of(|name| self.value(name)),
            protocols: Protocols {
                may: self.protocols("tls_protocols"),
                mandatory: self.protocols("tls_mandatory_protocols"),
            },
            ciphers: self.ciphers(),
            oldest_verified: oldest_verified(&self.view.facts().openssl),
            insecure_mx: self.insecure_mx(),
            servername: self.value("tls_servername"),
            digest: self.digest(),
            matches: Matches {
                verify: self.list("tls_verify_cert_match", "hostname"),
                secure: self.list("tls_secure_cert_match", self.secure_default()),
                fingerprint: self.fingerprints(),
            },
            trust: self.trust(),
        }
    }

    const fn prefix(&self) -> &'static str {
        if self.lmtp { "lmtp" } else { "smtp" }
    }

    /// `smtp_…`, or `lmtp_…` for lmtp(8).
    fn value(&self, name: &str) -> String {
        let name = format!("{}_{name}", self.prefix());
        self.view.value(self.service, &name)
    }

    fn is_yes(&self, name: &str) -> bool {
        self.value(name).eq_ignore_ascii_case("yes")
    }

    fn list(&self, name: &str, default: &str) -> Vec<String> {
        let value = self.value(name);
        let text = if value.is_empty() { default } else { &value };
        text.split([',', ' ', '\t', ':'])
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Colons are a part of them.
    fn fingerprints(&self) -> Vec<String> {
        let value = self.value("tls_fingerprint_cert_match");
        let words = value.split([',', ' ', '\t', '|']);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    const fn secure_default(&self) -> &'static str {
        if self.lmtp {
            "nexthop"
        } else {
            "nexthop, dot-nexthop"
        }
    }

    fn ehlo_name(&self) -> String {
        let helo = if self.lmtp { "lhlo_name" } else { "helo_name" };
        let said = Some(self.value(helo)).filter(|name| !name.is_empty());
        let own = || self.view.value(self.service, "myhostname");
        let name = Some(said.unwrap_or_else(own)).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| "localhost".to_owned())
    }

    fn lookups(&self) -> Lookups {
        let prefix = self.prefix();
        let own = self.value("dns_support_level");
        let is_disabled = match own.as_str() {
            "" => self.view.is_yes(self.service, "disable_dns_lookups"),
            level => level.eq_ignore_ascii_case("disabled"),
        };
        let (exchangers, hosts) = match is_disabled {
            true => (Exchangers::Ignored, Hosts::System),
            false => (Exchangers::Asked, Hosts::of(&self.value("host_lookup"))),
        };
        Lookups {
            exchangers,
            hosts,
            no_dane: NoDane::of(prefix, |name| Some(self.view.value(self.service, name))),
            file: within(&self.jail(), HOSTS),
            listed: HostsFile::default(),
        }
    }

    fn jail(&self) -> PathBuf {
        match self.service.is_some_and(|one| self.view.is_jailed(one)) {
            true => PathBuf::from(self.view.value(None, "queue_directory")),
            false => PathBuf::new(),
        }
    }

    fn families(&self) -> Families {
        let said = self.view.list(None, "inet_protocols");
        let has = |name: &str| said.iter().any(|word| word == name || word == "all");
        match (has("ipv4"), has("ipv6")) {
            (true, false) => Families::V4,
            (false, true) => Families::V6,
            _ => Families::Both,
        }
    }

    fn protocols(&self, name: &str) -> Option<ProtocolList> {
        let ranges = range_syntax(self.view.facts().version);
        ProtocolList::parse(&self.value(name), ranges).ok()
    }

    fn ciphers(&self) -> Ciphers {
        let version = self.view.facts().version;
        let list = |grade| self.view.value(self.service, definition(version, grade));
        Ciphers {
            may: self.value("tls_ciphers"),
            mandatory: self.value("tls_mandatory_ciphers"),
            exclude: self.value("tls_exclude_ciphers"),
            mandatory_exclude: self.value("tls_mandatory_exclude_ciphers"),
            lists: Grade::ALL.map(list),
        }
    }

    fn digest(&self) -> String {
        let said = self.value("tls_fingerprint_digest");
        if said.is_empty() || said.contains('$') {
            "sha256".to_owned()
        } else {
            said
        }
    }

    /// By default `dane` only where that is the level for all destinations.
    fn insecure_mx(&self) -> Level {
        let by_default = match self.value("tls_security_level").as_str() {
            "dane" => Level::Dane,
            _ => Level::May,
        };
        let said = self.value("tls_dane_insecure_mx_policy").parse();
        said.unwrap_or(by_default)
    }

    fn trust(&self) -> TrustFiles {
        let jail = self.jail();
        let path = |name: &str| Some(self.value(name)).filter(|path| !path.is_empty());
        let system = self.view.is_yes(self.service, "tls_append_default_CA");
        let anchors = format!("{}_tls_trust_anchor_file", self.prefix());
        TrustFiles {
            file: path("tls_CAfile").map(PathBuf::from),
            folder: path("tls_CApath").map(|path| within(&jail, &path)),
            anchors: self.view.list(self.service, &anchors),
            system: match system {
                true => SystemAnchors::Count,
                false => SystemAnchors::Ignored,
            },
            jail,
        }
    }
}

/// Where nothing is known, both.
fn reaches(addresses: &[IpAddr]) -> Families {
    let leads = |address: &&IpAddr| match address {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local(),
    };
    let leading = addresses.iter().filter(leads);
    let (v4, v6): (Vec<&IpAddr>, Vec<&IpAddr>) = leading.partition(|address| address.is_ipv4());
    match (v4.is_empty(), v6.is_empty()) {
        (false, true) => Families::V4,
        (true, false) => Families::V6,
        _ => Families::Both,
    }
}

/// A path as a process in the jail means it.
pub(super) fn within(jail: &std::path::Path, path: &str) -> PathBuf {
    match jail.as_os_str().is_empty() {
        true => PathBuf::from(path),
        false => jail.join(path.trim_start_matches('/')),
    }
}
