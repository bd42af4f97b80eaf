//! Why a client never starts TLS, whatever a server offers.
//!
//! Owns: that question, of a client that begins in clear (`smtp_helo` of Postfix 3.7: without EHLO
//! there is no STARTTLS, and a keyword that is discarded was not said). Never: looks at a server.

use super::Lack;
use super::client::{Client, Opening};
use crate::view::{Service, View};
use mailtls::Level;
use mailtls::policy::Policy;

/// The code.
pub(crate) const CODE: &str = "policy.starttls-overlooked";

/// Why; `None` where it may start TLS. A table by addresses of servers stands before the keywords, so
/// that what holds is another question.
pub(super) fn overlooks(view: &View<'_>, service: Option<&Service>, lmtp: bool) -> Option<String> {
    let (keywords, tables) = match lmtp {
        true => (
            "lmtp_discard_lhlo_keywords",
            "lmtp_discard_lhlo_keyword_address_maps",
        ),
        false => (
            "smtp_discard_ehlo_keywords",
            "smtp_discard_ehlo_keyword_address_maps",
        ),
    };
    if !lmtp && view.is_yes(service, "smtp_never_send_ehlo") {
        return Some("it never says EHLO (smtp_never_send_ehlo)".to_owned());
    }
    let words = view.list(service, keywords);
    let is_discarded = words
        .iter()
        .any(|word| word.eq_ignore_ascii_case("starttls"));
    (is_discarded && view.value(service, tables).is_empty())
        .then(|| format!("it overlooks STARTTLS ({keywords})"))
}

/// What holds back all mail that must not go in clear.
pub(crate) fn lack(policy: &Policy, client: &Client) -> Option<Lack> {
    let must = Level::never_cleartext(policy.level) && client.opening == Opening::StartTls;
    let why = client.overlooks.as_ref().filter(|_| must)?;
    Some(Lack::new(CODE, format!("the client starts no TLS: {why}")))
}
