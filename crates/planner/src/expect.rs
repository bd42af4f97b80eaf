//! What a pair of files promises on the wire.
//!
//! Owns: [`expect`], for any pair of main.cf and master.cf: as planned, as they are, or the state
//! between two renames. Never: looks whether the promise can be kept — a certificate that is
//! missing on disk is still promised, so that a look at the wire fails honestly.
//!
//! Looked at are SMTP servers on inet sockets (smtpd, postscreen). Not those behind a proxy
//! protocol: without its header they answer nobody (`unproved` names them).

mod auth;
mod certificates;
mod chains;

#[cfg(test)]
mod tests;

pub(crate) use certificates::{Configured, Pair, asked, configured, content, form_of, of_client};
pub(crate) use chains::{chains, keys, own_tables, row, unasked};

use crate::compile::range_syntax;
use crate::facts::Facts;
use crate::intent::Intent;
use crate::report::{
    ClientCertificate, HandshakeExpectation, ServiceExpectation, TlsExpectation, WireExpectation,
};
use crate::view::{Service, View};
use mailtls::{ProtocolList, TlsVersion};
use postfix_cf::{MainCf, MasterCf};

/// What each SMTP server of these files must show. `intent` tells of bound certificates whose
/// files are not there yet.
pub fn expect(
    main: &MainCf,
    master: &MasterCf,
    facts: &Facts,
    intent: &Intent,
) -> Vec<ServiceExpectation> {
    let view = View::new(main, master, facts);
    of_view(&view, facts, intent)
}

pub(crate) fn of_view(view: &View<'_>, facts: &Facts, intent: &Intent) -> Vec<ServiceExpectation> {
    view.servers()
        .filter(|service| !behind_proxy(view, service))
        .map(|service| {
            let speaker = speaker(view, service);
            ServiceExpectation {
                service: service.id.clone(),
                addresses: view.addresses(service),
                wire: WireExpectation::Serving {
                    tls: tls(view, speaker, facts, intent),
                    auth: auth::expected(view, speaker),
                },
            }
        })
        .collect()
}

/// Whether a server wants a PROXY header before it says anything.
pub(crate) fn behind_proxy(view: &View<'_>, service: &Service) -> bool {
    !view
        .value(Some(service), proxy_protocol(service))
        .is_empty()
}

/// The parameter that makes a server want one.
pub(crate) fn proxy_protocol(service: &Service) -> &'static str {
    match service.command.as_str() {
        "postscreen" => "postscreen_upstream_proxy_protocol",
        _ => "smtpd_upstream_proxy_protocol",
    }
}

/// Who really talks: postscreen(8) hands clients of `mynetworks` — and a look from this host is
/// one — to the smtpd that is its `pass` service.
pub(crate) fn speaker<'v>(view: &'v View<'_>, service: &'v Service) -> &'v Service {
    if service.command != "postscreen" {
        return service;
    }
    view.services
        .iter()
        .find(|other| other.kind == "pass" && other.command == "smtpd")
        .unwrap_or(service)
}

fn tls(view: &View<'_>, service: &Service, facts: &Facts, intent: &Intent) -> TlsExpectation {
    let wrapper = view.is_yes(Some(service), "smtpd_tls_wrappermode");
    let level = view.server_level(service);
    let hidden = view
        .list(Some(service), "smtpd_discard_ehlo_keywords")
        .iter()
        .any(|word| word.eq_ignore_ascii_case("starttls"));
    if !wrapper && (level == "none" || hidden) {
        return TlsExpectation::Off;
    }
    let required = wrapper || level != "may";
    let handshake = HandshakeExpectation {
        floor: floor(view, service, facts, required),
        client_certificate: client_certificate(view, service, required),
        ..certificates::expected(view, service, facts, intent)
    };
    if wrapper {
        TlsExpectation::Wrapper { handshake }
    } else {
        TlsExpectation::StartTls {
            required,
            handshake,
        }
    }
}

/// smtpd(8) insists on a client's certificate only where it insists on TLS.
fn client_certificate(view: &View<'_>, service: &Service, required: bool) -> ClientCertificate {
    if required && view.is_yes(Some(service), "smtpd_tls_req_ccert") {
        ClientCertificate::Required
    } else {
        ClientCertificate::Optional
    }
}

/// The oldest version that the configuration allows, where there is something older that a
/// library of today can still try.
fn floor(view: &View<'_>, service: &Service, facts: &Facts, required: bool) -> Option<TlsVersion> {
    let name = if required {
        "smtpd_tls_mandatory_protocols"
    } else {
        "smtpd_tls_protocols"
    };
    let text = view.value(Some(service), name);
    let list = ProtocolList::parse(&text, range_syntax(facts.version)).ok()?;
    list.floor().filter(|floor| *floor > TlsVersion::Tls1_0)
}
