//! Certificate parameters that bindings leave as an administrator wrote them.
//!
//! Owns: which they may be, that the adopted value stands there, and which binding ends it. Never:
//! decides when one is left alone (`take_over` does).

use super::edit::key_of;
use super::{Ground, Target, Targets, certificates, sni};
use crate::intent::{Exempt, Place};
use crate::owned::MAIN_CF;
use crate::view::{port_of, split_name};

/// Whether a parameter is one that a binding to all servers decides at a service, too.
pub(crate) fn can_be(parameter: &str) -> bool {
    parameter == sni::PARAMETER || certificates::server_parameters().any(|name| name == parameter)
}

/// Whether a parameter says which certificates are presented, by servers or by the client.
pub(crate) fn is_of_certificates(parameter: &str) -> bool {
    parameter == sni::PARAMETER || certificates::file_parameters().any(|name| name == parameter)
}

/// Whether a binding in this place, said anew, decides the parameter again.
pub(crate) fn is_decided_by(place: &Place, exempt: &Exempt) -> bool {
    let names = exempt.parameter == sni::PARAMETER;
    match place {
        Place::Server => !names,
        Place::Sni(_) => names,
        Place::Port(port) => !names && on_port(&exempt.place) == Some(*port),
        Place::Client(_) => false,
    }
}

pub(super) fn on_port(service: &str) -> Option<u16> {
    port_of(split_name(key_of(service)?.name).port)
}

/// The adopted values, in the place of what bindings would make there.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) {
    let adopted = &ground.intent.adopted;
    let target = |value: Option<&String>| value.map_or(Target::Absent, Target::value);
    for Exempt { place, parameter } in &ground.intent.exempt {
        if place == MAIN_CF {
            if targets.main.contains_key(parameter) {
                targets.main(parameter, target(adopted.main.get(parameter)));
            }
            continue;
        }
        let own = adopted.services.get(place);
        let own = target(own.and_then(|own| own.get(parameter)));
        let decided = targets.services.get_mut(place);
        if let Some(decided) = decided.and_then(|decided| decided.get_mut(parameter)) {
            *decided = own;
        }
    }
}
