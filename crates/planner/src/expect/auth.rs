//! When a server offers AUTH.
//!
//! Owns: `smtpd_sasl_auth_enable`, `smtpd_tls_auth_only` and what hides AUTH. Never: knows
//! whether anybody can log in.

use crate::report::AuthExpectation;
use crate::view::{Service, View};

/// What the configuration promises about AUTH. Not judged where it depends on who asks
/// (`smtpd_sasl_exceptions_networks`, keyword maps) or on which mechanisms a plug-in offers
/// without TLS.
pub(super) fn expected(view: &View<'_>, service: &Service) -> AuthExpectation {
    let at = Some(service);
    if !view.is_yes(at, "smtpd_sasl_auth_enable") {
        return AuthExpectation::Never;
    }
    let depends = [
        "smtpd_sasl_exceptions_networks",
        "smtpd_discard_ehlo_keyword_address_maps",
    ];
    if depends.iter().any(|name| !view.value(at, name).is_empty()) {
        return AuthExpectation::Any;
    }
    let discarded = view.list(at, "smtpd_discard_ehlo_keywords");
    if discarded
        .iter()
        .any(|word| word.eq_ignore_ascii_case("auth"))
    {
        return AuthExpectation::Never;
    }
    let only = view.is_yes(at, "smtpd_tls_auth_only");
    match (view.offers_tls(service), view.demands_tls(service) || only) {
        (false, true) => AuthExpectation::Never,
        (true, true) => AuthExpectation::OnlyUnderTls,
        (_, false) if forbids_plaintext(view, service) => AuthExpectation::Any,
        (_, false) => AuthExpectation::Always,
    }
}

fn forbids_plaintext(view: &View<'_>, service: &Service) -> bool {
    view.list(Some(service), "smtpd_sasl_security_options")
        .iter()
        .any(|option| option.eq_ignore_ascii_case("noplaintext"))
}
