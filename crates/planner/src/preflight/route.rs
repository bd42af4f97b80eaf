//! Where mail for a next hop goes, for those who look at every server of it.
//!
//! Owns: the hosts and addresses as data, and the look that shows most at each. Never: judges.

use super::level::server_name;
use super::way::{self, Way};
use super::{Visit, Wanted, whole};
use crate::dane::Published;
use crate::dns::{Answers, Security};
use mailtls::Level;
use mailtls::policy::Policy;
use std::net::SocketAddr;

/// Where mail goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To these hosts, the preferred first.
    To(Vec<RouteHost>),
    /// Nowhere: the domain says that it takes no mail (RFC 7505).
    NullMx,
    /// Nowhere: it has neither exchanger nor address.
    Nothing,
    /// It could not be found out.
    Unknown(String),
}

/// A host that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteHost {
    /// Its name, or its address.
    pub name: String,
    /// Of the MX record, where there is one.
    pub preference: Option<u16>,
    /// Whether DNSSEC vouches for it being a host of this next hop.
    pub named: Security,
    /// Its addresses with the port, or why they are not known.
    pub addresses: Result<Vec<SocketAddr>, String>,
    /// Its TLSA records, where senders would ask for them.
    pub tlsa: Published,
    /// The names that DANE-TA asks for (RFC 7672 §3.2.2): that of the records first.
    pub names: Vec<String>,
}

impl Wanted {
    /// Where mail goes, by these answers.
    pub fn route(&self, answers: &Answers) -> Route {
        let port = self.hop.port;
        let hosts = match way::way(&self.hop, &self.client, answers) {
            Way::To(hosts) => hosts,
            Way::NullMx => return Route::NullMx,
            Way::Nothing | Way::Itself => return Route::Nothing,
            Way::Unknown(why) => return Route::Unknown(why),
        };
        let host = |host: way::Host| RouteHost {
            names: [Some(host.base), host.domain]
                .into_iter()
                .flatten()
                .collect(),
            name: host.name,
            preference: host.preference,
            named: host.named,
            addresses: host.addresses.map(|all| {
                let all = all.into_iter();
                all.map(|address| SocketAddr::new(address, port)).collect()
            }),
            tlsa: host.tlsa,
        };
        Route::To(hosts.into_iter().map(host).collect())
    }

    /// The look that shows what senders see: it asks for the name that DANE asks for, where the host
    /// has records.
    pub fn visit(&self, host: &RouteHost, address: SocketAddr) -> Visit {
        let own = server_name(
            &Policy::of(Level::Encrypt),
            &self.client,
            &self.hop,
            &host.name,
        );
        let by_records = match &host.tlsa {
            Published::Vouched(found) if !found.records.is_empty() => host.names.first().cloned(),
            _ => None,
        };
        Visit {
            address,
            protocol: self.client.protocol,
            opening: self.client.opening,
            from: self.client.bind.to(address.ip()),
            sni: by_records.or(own),
            limits: None,
        }
    }

    /// The addresses that are looked at; of very many only the first.
    pub fn spots(&self, answers: &Answers) -> Vec<SocketAddr> {
        let Way::To(hosts) = way::way(&self.hop, &self.client, answers) else {
            return Vec::new();
        };
        let spots = whole::reachable(&hosts, &self.client).into_iter();
        spots
            .map(|spot| SocketAddr::new(spot.address, self.hop.port))
            .collect()
    }
}
