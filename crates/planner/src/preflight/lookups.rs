//! How a client looks names up, and whether it does DANE by that.
//!
//! Owns: what `smtp_dns_support_level`, `smtp_host_lookup` and their kin come to together
//! (`smtp_addr.c`, and `dane_init` of `smtp_tls_policy.c`; measured on 3.7.11), and hosts(5). Never:
//! asks or reads.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

/// How names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookups {
    /// Whether mail exchangers are asked for (`smtp_dns_support_level = disabled`: they are not).
    pub exchangers: Exchangers,
    /// Where the addresses of hosts come from (`smtp_host_lookup`).
    pub hosts: Hosts,
    /// Why this client does no DANE; `None` where it does.
    pub no_dane: Option<NoDane>,
    /// The file that the system looks a host up in first, as it is seen from outside of the jail.
    pub file: PathBuf,
    /// What stands in that file; nothing where it was not read.
    pub listed: HostsFile,
}

/// Whether mail exchangers are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchangers {
    /// In DNS.
    Asked,
    /// Not at all: a domain is taken for a host.
    Ignored,
}

/// Where the addresses of hosts come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// From DNS.
    Dns,
    /// From DNS; of those that it does not have, from the system (`dns, native`, in any order).
    DnsThenSystem,
    /// From the system alone: the hosts file, and what else nsswitch.conf names.
    System,
}

/// What keeps a client from DANE: `dane` acts as `may` then, and `dane-only` holds all mail back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoDane {
    /// `smtp_dns_support_level` is not `dnssec`.
    Support,
    /// `smtp_host_lookup` has no `dns`.
    NativeHosts,
    /// `ignore_mx_lookup_error = yes`.
    MxErrors,
    /// `smtp_dns_resolver_options` completes names.
    Completion,
}

impl NoDane {
    /// The first that holds, by the values of a client's parameters; one whose value is not known
    /// keeps nobody from anything. `prefix` is `smtp` or `lmtp`.
    pub(crate) fn of(prefix: &str, value: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let own = |name: &str| value(&format!("{prefix}_{name}"));
        let has = |list: &str, words: &[&str]| words_of(list).any(|word| words.contains(&word));
        let support = own("dns_support_level");
        if support.is_some_and(|level| !level.eq_ignore_ascii_case("dnssec")) {
            return Some(Self::Support);
        }
        let hosts = own("host_lookup").filter(|hosts| !hosts.is_empty());
        if hosts.is_some_and(|hosts| !has(&hosts, &["dns"])) {
            return Some(Self::NativeHosts);
        }
        let ignores = value("ignore_mx_lookup_error");
        if prefix == "smtp" && ignores.is_some_and(|value| value.eq_ignore_ascii_case("yes")) {
            return Some(Self::MxErrors);
        }
        let options = own("dns_resolver_options").unwrap_or_default();
        has(&options, &["res_defnames", "res_dnsrch"]).then_some(Self::Completion)
    }

    /// The parameter that is in the way.
    pub(crate) const fn parameter(self) -> &'static str {
        match self {
            Self::Support => "smtp_dns_support_level",
            Self::NativeHosts => "smtp_host_lookup",
            Self::MxErrors => "ignore_mx_lookup_error",
            Self::Completion => "smtp_dns_resolver_options",
        }
    }

    /// What DANE needs instead, after “dane needs”.
    pub(crate) const fn needs(self) -> &'static str {
        match self {
            Self::Support => "smtp_dns_support_level = dnssec",
            Self::NativeHosts => "smtp_host_lookup = dns",
            Self::MxErrors => "ignore_mx_lookup_error = no",
            Self::Completion => "smtp_dns_resolver_options without res_defnames and res_dnsrch",
        }
    }

    /// What to do about it.
    pub(crate) fn remedy(self) -> String {
        match self {
            Self::Support => {
                "Set smtp_dns_support_level = dnssec, with a validating resolver on this host."
                    .to_owned()
            }
            other => format!(
                "Take {} out of main.cf and master.cf, where DANE shall count: by default it does \
                 not stand in the way.",
                other.parameter()
            ),
        }
    }
}

impl Hosts {
    /// Of `smtp_host_lookup`. smtp(8) takes the words in any order.
    pub(super) fn of(value: &str) -> Self {
        let has = |wanted: &str| words_of(value).any(|word| word == wanted);
        match (has("dns"), has("native")) {
            (_, false) => Self::Dns,
            (true, true) => Self::DnsThenSystem,
            (false, true) => Self::System,
        }
    }
}

fn words_of(list: &str) -> impl Iterator<Item = &str> {
    list.split([',', ' ', '\t', '\r', '\n'])
}

/// The addresses of names in a hosts file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostsFile(BTreeMap<String, Vec<IpAddr>>);

impl HostsFile {
    /// Reads hosts(5); what is no address is passed over.
    pub fn parse(text: &[u8]) -> Self {
        let mut found: BTreeMap<String, Vec<IpAddr>> = BTreeMap::new();
        for line in String::from_utf8_lossy(text).lines() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split_ascii_whitespace();
            let Some(address) = words.next().and_then(|word| word.parse().ok()) else {
                continue;
            };
            for name in words {
                let addresses = found.entry(name.to_ascii_lowercase()).or_default();
                if !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
        }
        Self(found)
    }

    /// What stands there of one name.
    #[must_use]
    pub fn only(&self, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let found = self.0.get(&name).cloned();
        Self(found.map(|found| (name, found)).into_iter().collect())
    }

    /// The addresses of a name.
    pub(super) fn addresses(&self, name: &str) -> Option<&[IpAddr]> {
        let found = self.0.get(&name.to_ascii_lowercase());
        found.map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
