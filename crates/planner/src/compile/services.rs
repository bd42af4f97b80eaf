//! `-o` of services: those that follow main.cf, and those that keep loopback in clear.
//!
//! Owns: which services a setting reaches besides main.cf. Never: adds or removes a service
//! (`ports` does).

use super::edit::key_of;
use super::{Ground, Target, Targets, certificates, refuse};
use crate::Refusal;
use crate::view::{Service, View};
use mailtls::destination::literal_address;
use std::collections::BTreeMap;

/// For services that nothing is wanted of.
pub(super) static NO_TARGETS: BTreeMap<String, Target> = BTreeMap::new();

/// Which services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The SMTP servers of port 25, with the smtpd behind postscreen(8).
    Mx,
    /// All SMTP servers.
    Servers,
    /// The clients of default_transport and relay_transport.
    Clients,
}

/// Where a `-o` overrides a parameter that a setting decides, it gets the setting's value: in
/// place, so that giving it back gives the same bytes.
pub(super) fn follow(ground: &Ground<'_>, who: Who, name: &str, targets: &mut Targets) {
    let view = View::new(ground.main, ground.master, ground.facts);
    let value = match targets.main.get(name) {
        Some(Target::Value(value)) => value.clone(),
        _ => String::new(),
    };
    for service in view
        .services
        .iter()
        .filter(|service| is(&view, who, service))
    {
        let adopted = ground.intent.adopted.services.get(&service.id);
        // An override of ours is taken away, not followed.
        let own = service.overrides.get(name);
        let overridden = own.is_some_and(|value| !certificates::is_installed(value))
            || adopted.is_some_and(|adopted| adopted.contains_key(name));
        if overridden {
            targets.service(&service.id, name, Target::value(&value));
        }
    }
    if who == Who::Servers {
        // Services of mail clients that are commented out now may come back with their `-o`.
        let adopted = &ground.intent.adopted;
        for id in adopted.blocks.keys() {
            let own = adopted.services.get(id);
            if own.is_some_and(|own| own.contains_key(name)) {
                targets.service(id, name, Target::value(&value));
            }
        }
    }
}

/// Refuses a `-o` of a service that there is not, nor was when the instance was adopted: one that is
/// commented out now may come back.
pub(super) fn is_there(ground: &Ground<'_>, service: &str, name: &str) -> Result<(), Refusal> {
    let there = key_of(service).is_some_and(|key| ground.master.service(key).is_some());
    if there || ground.intent.adopted.services.contains_key(service) {
        return Ok(());
    }
    Err(refuse(
        "service.unknown",
        format!("master.cf has no service {service}."),
        format!("`postconf -M` lists the services; `postseal unset param.{service}/{name}`."),
    ))
}

/// The SMTP clients that were adopted with a value of their own for a parameter, and the value.
pub(super) fn clients_with(ground: &Ground<'_>, name: &str) -> Vec<(String, String)> {
    let view = View::new(ground.main, ground.master, ground.facts);
    let clients = view
        .services
        .iter()
        .filter(|service| service.is_smtp_client());
    let own = clients.filter_map(|client| {
        let adopted = ground.intent.adopted.services.get(&client.id)?;
        let value = adopted.get(name)?.trim();
        (!value.is_empty()).then(|| (client.id.clone(), value.to_owned()))
    });
    own.collect()
}

fn is(view: &View<'_>, who: Who, service: &Service) -> bool {
    let passed = service.kind == "pass" && service.command == "smtpd";
    match who {
        Who::Mx => passed || (service.is_smtp_server() && service.port() == Some(25)),
        Who::Servers => passed || service.is_smtp_server(),
        Who::Clients => is_default_client(view, service),
    }
}

fn is_default_client(view: &View<'_>, service: &Service) -> bool {
    service.is_smtp_client()
        && ["default_transport", "relay_transport"].iter().any(|name| {
            let value = view.value(None, name);
            value.split(':').next() == Some(&service.name)
        })
}

/// Whether a level demands TLS.
pub(crate) fn is_mandatory(level: &str) -> bool {
    !matches!(level, "" | "none" | "may" | "dane")
}

/// The SMTP servers on loopback that take mail back from content filters: neither port 25 nor
/// for mail clients.
pub(crate) fn filter_listeners<'v>(view: &'v View<'_>) -> Vec<&'v Service> {
    view.servers()
        .filter(|service| !matches!(service.port(), None | Some(25)))
        .filter(|service| view.on_loopback(service) && !view.for_mail_clients(service))
        .collect()
}

/// A client that hands mail to a content filter on loopback.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FilterClient {
    /// The service (`smtp-amavis/unix`).
    pub(crate) service: String,
    /// As configured (`smtp-amavis:[127.0.0.1]:10024`).
    pub(crate) route: String,
    /// Whether this client delivers other mail too, so that its `-o` cannot be changed.
    pub(crate) shared: Shared,
}

/// Whether a client delivers other mail too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shared {
    /// Only to the filter.
    No,
    /// It is the default or relay transport.
    Yes,
}

/// The clients that `content_filter` (main.cf or `-o`) sends to loopback.
pub(crate) fn filter_clients(view: &View<'_>) -> Vec<FilterClient> {
    let overridden = view
        .services
        .iter()
        .map(|s| view.value(Some(s), "content_filter"));
    let mut routes: Vec<String> = overridden.collect();
    routes.push(view.value(None, "content_filter"));
    routes.sort();
    routes.dedup();
    let mut clients = Vec::new();
    for route in routes {
        let Some((transport, next_hop)) = route.split_once(':') else {
            continue;
        };
        let client = view
            .services
            .iter()
            .find(|service| service.is_smtp_client() && service.name == transport);
        if let Some(service) = client.filter(|_| is_loopback(next_hop)) {
            clients.push(FilterClient {
                service: service.id.clone(),
                shared: if is_default_client(view, service) {
                    Shared::Yes
                } else {
                    Shared::No
                },
                route,
            });
        }
    }
    clients
}

/// Whether a next hop (`[127.0.0.1]:10024`, `localhost:10024`) is on loopback.
pub(crate) fn is_loopback(next_hop: &str) -> bool {
    let host = match next_hop
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, _)) => host,
        None => next_hop.rsplit_once(':').map_or(next_hop, |(host, _)| host),
    };
    host.eq_ignore_ascii_case("localhost")
        || literal_address(host).is_some_and(|address| address.is_loopback())
}

/// `loopback-cleartext=yes`: where main.cf makes TLS mandatory, the filters' listeners and their
/// own clients get a `-o` that keeps them in clear.
pub(super) fn loopback(ground: &Ground<'_>, targets: &mut Targets) {
    let view = View::new(ground.main, ground.master, ground.facts);
    let wanted = |name: &str| match targets.main.get(name) {
        Some(Target::Value(level)) => is_mandatory(level),
        Some(Target::Absent) => false,
        // It goes back to what was adopted, whatever stands there now.
        None => match ground.intent.adopted.main.get(name) {
            Some(level) if level.contains('$') => is_mandatory(&view.value(None, name)),
            Some(level) => is_mandatory(level.trim()),
            None => false,
        },
    };
    let (inbound, outbound) = ("smtpd_tls_security_level", "smtp_tls_security_level");
    let mut keep: Vec<(String, &str)> = Vec::new();
    if wanted(inbound) {
        let listeners = filter_listeners(&view);
        keep.extend(listeners.into_iter().map(|s| (s.id.clone(), inbound)));
    }
    if wanted(outbound) {
        let clients = filter_clients(&view).into_iter();
        let own = clients.filter(|client| client.shared == Shared::No);
        keep.extend(own.map(|client| (client.service, outbound)));
    }
    for (service, name) in keep {
        let adopted = ground.intent.adopted.services.get(&service);
        let own = adopted.and_then(|adopted| adopted.get(name));
        if own.is_none_or(|level| is_mandatory(level)) {
            targets.service(&service, name, Target::value("none"));
        }
    }
}
