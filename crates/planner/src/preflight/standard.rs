//! The client by which a server is looked at where no particular one is asked about: smtp(8) as
//! Postfix has it by default, with DANE switched on and the system's CAs trusted.
//!
//! Owns: those values, and the same way of looking for a client of this host. Never: reads anything;
//! what stands in the hosts file is handed in.

use super::bind::Bind;
use super::client::{
    Client, Families, Matches, Opening, Protocol, Protocols, SystemAnchors, TrustFiles,
};
use super::limits::Ciphers;
use super::lookups::{Exchangers, Hosts, HostsFile, Lookups};
use mailtls::{Level, ProtocolList, RangeSyntax, TlsVersion};
use std::path::PathBuf;

/// What looks at a server, before it is known which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looker {
    /// Our name in EHLO.
    pub ehlo_name: String,
    /// How TLS begins.
    pub opening: Opening,
    /// What stands in the hosts file of the host that is looked at.
    pub listed: HostsFile,
    /// Whom it trusts.
    pub trust: TrustFiles,
    /// The server name to ask for where DANE asks for none; empty: none, `hostname`: that of the
    /// server (`smtp_tls_servername`).
    pub servername: String,
    /// As [`Client::oldest_verified`].
    pub oldest_verified: TlsVersion,
}

impl TrustFiles {
    /// The CAs of this file, or those of the system.
    pub fn of(file: Option<PathBuf>) -> Self {
        Self {
            system: match file {
                Some(_) => SystemAnchors::Ignored,
                None => SystemAnchors::Count,
            },
            file,
            ..Self::default()
        }
    }
}

/// Where systems keep hosts(5).
pub const HOSTS: &str = "/etc/hosts";

impl Client {
    /// smtp(8) by its defaults, with DANE and the system's CAs.
    pub fn standard(looker: &Looker) -> Self {
        let newer = ProtocolList::parse(">=TLSv1", RangeSyntax::Allowed).ok();
        let medium = super::limits::MEDIUM.to_owned();
        Self {
            ehlo_name: looker.ehlo_name.clone(),
            own_name: String::new(),
            fallback: Vec::new(),
            protocol: Protocol::Smtp,
            opening: looker.opening,
            overlooks: None,
            disabled: None,
            bare: None,
            filtered: None,
            lookups: lookups(looker),
            port: 25,
            address_limit: 0,
            families: Families::Both,
            reaches: Families::Both,
            own: Vec::new(),
            bind: Bind::default(),
            protocols: Protocols {
                may: newer,
                mandatory: newer,
            },
            ciphers: Ciphers {
                may: "medium".to_owned(),
                mandatory: "medium".to_owned(),
                exclude: String::new(),
                mandatory_exclude: String::new(),
                lists: std::array::from_fn(|_| medium.clone()),
            },
            oldest_verified: looker.oldest_verified,
            insecure_mx: Level::Dane,
            servername: looker.servername.clone(),
            digest: "sha256".to_owned(),
            matches: Matches {
                verify: vec!["hostname".to_owned()],
                secure: vec!["nexthop".to_owned(), "dot-nexthop".to_owned()],
                fingerprint: Vec::new(),
            },
            trust: looker.trust.clone(),
        }
    }

    /// A client of this host that looks at every server and address, even at its own.
    #[must_use]
    pub fn looking(self, looker: &Looker) -> Self {
        Self {
            own_name: String::new(),
            opening: looker.opening,
            lookups: Lookups {
                no_dane: self.lookups.no_dane,
                ..lookups(looker)
            },
            address_limit: 0,
            families: Families::Both,
            reaches: Families::Both,
            own: Vec::new(),
            ..self
        }
    }
}

fn lookups(looker: &Looker) -> Lookups {
    Lookups {
        exchangers: Exchangers::Asked,
        hosts: match looker.listed == HostsFile::default() {
            true => Hosts::Dns,
            false => Hosts::DnsThenSystem,
        },
        no_dane: None,
        file: PathBuf::from(HOSTS),
        listed: looker.listed.clone(),
    }
}
