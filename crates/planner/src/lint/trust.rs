//! Whom the server trusts by certificate, and what it costs to ask.
//!
//! Owns: client certificates: who is asked, by which CA, and what they open. Never: whether a CA
//! file can be read (`certificate`), the client's own trust (`outbound`).

use super::context::{Context, Reach, ServerTls, Service, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Info, Warning};

/// The rules.
#[rustfmt::skip]
pub(super) const RULES: &[Rule] = &[
    CA_UNUSED, ALL_CAS_RELAY, NOBODY_MATCHES, DEMANDED_ON_25, ALL_CAS_NAMED, WEAK_DIGEST,
];

#[rustfmt::skip]
const CA_UNUSED: Rule = rule("trust.ca-without-client-certificates", Info, "CA of clients that are asked for no certificate",
    "The server asks no client for a certificate, so this CA vouches for nobody; postconf(5) wants it empty then.",
    "Delete the line. Where it held the server's own intermediates, put those into the certificate's file.");
#[rustfmt::skip]
const ALL_CAS_RELAY: Rule = rule("trust.public-cas-relay", Error, "every certificate of a public CA may relay",
    "permit_tls_all_clientcerts lets through whoever has a certificate of a trusted CA, and all public CAs are trusted: anybody can get one.",
    "Use permit_tls_clientcerts with relay_clientcerts, or trust one's own CA alone in smtpd_tls_CAfile.");
#[rustfmt::skip]
const NOBODY_MATCHES: Rule = rule("trust.client-certificates-untrusted", Warning, "client certificates wanted and no CA trusted",
    "permit_tls_all_clientcerts asks for a trusted certificate, and no CA is trusted: it never lets anybody through.",
    "Set smtpd_tls_CAfile to the CA of the clients.");
#[rustfmt::skip]
const DEMANDED_ON_25: Rule = rule("trust.certificate-demanded-on-public-25", Warning, "client certificate demanded on public port 25",
    "Other mail servers have none: they are turned away (421 4.7.1, No client certificate presented).",
    "Set smtpd_tls_ask_ccert = yes in its place, or demand it on a service of its own with -o.");
#[rustfmt::skip]
const ALL_CAS_NAMED: Rule = rule("trust.all-cas-named-to-clients", Warning, "all public CAs named to each client",
    "A server that asks for certificates sends the names in smtpd_tls_CAfile along: those of all public CAs are some 15 kB in each handshake, which some clients cannot take.",
    "Keep in smtpd_tls_CAfile only the CA of the clients; or use smtpd_tls_CApath, which is not sent.");
#[rustfmt::skip]
const WEAK_DIGEST: Rule = rule("trust.weak-fingerprint-digest", Warning, "relay rights by a broken digest",
    "relay_clientcerts lets clients relay by fingerprint, and certificates with the same MD5 or SHA-1 fingerprint can be made.",
    "Set smtpd_tls_fingerprint_digest = sha256 and record the fingerprints anew.");

const CAS: [&str; 2] = ["smtpd_tls_CAfile", "smtpd_tls_CApath"];
/// Where systems keep all public CAs.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
];
const RESTRICTIONS: [&str; 3] = [
    "smtpd_client_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_relay_restrictions",
];

/// Looks at every server that speaks TLS.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let speaks = |s: &Option<&Service<'_>>| {
        !matches!(context.server_tls(*s), ServerTls::Off | ServerTls::Unknown)
    };
    let servers: Vec<_> = context.servers().into_iter().filter(speaks).collect();
    let by_certificate = context.all_settings().any(names_certificates);
    for server in &servers {
        if asks(context, *server) {
            asked(context, *server, out);
        }
        demanded(context, *server, out);
        if by_certificate {
            relays(context, *server, out);
        }
    }
    unused(context, &servers, out);
}

/// Whether a list of restrictions may let somebody in by certificate. Such lists are long: without
/// one that may, none is read for each server again.
fn names_certificates(setting: &Setting<'_>) -> bool {
    RESTRICTIONS.contains(&&*setting.name)
        && (setting.value.contains("clientcerts") || setting.value.contains('$'))
}

fn asks(context: &Context<'_>, server: Option<&Service<'_>>) -> bool {
    let names = ["smtpd_tls_ask_ccert", "smtpd_tls_req_ccert"];
    names.iter().any(|name| context.yes(server, name))
}

/// A CA in main.cf that no server of the file asks for.
fn unused(context: &Context<'_>, servers: &[Option<&Service<'_>>], out: &mut Vec<Finding>) {
    // Without master.cf nobody knows who asks with -o.
    if context.master.is_none()
        || servers.is_empty()
        || servers.iter().any(|server| asks(context, *server))
    {
        return;
    }
    for name in CAS {
        if let Some(set) = context
            .set(None, name)
            .filter(|s| s.value.starts_with(['/', '$']))
        {
            let message = format!("{name} is set. {}", CA_UNUSED.why);
            out.push(CA_UNUSED.says(message).on(Some(set)));
        }
    }
}

fn asked(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let file = context.text(server, "smtpd_tls_CAfile").unwrap_or_default();
    if BUNDLES.contains(&&*file) {
        let at = context.set(server, "smtpd_tls_CAfile");
        out.push(ALL_CAS_NAMED.found().on(at));
    }
}

fn demanded(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let Some(service) = server.filter(|s| s.port() == Some(25)) else {
        return;
    };
    let must = context.yes(server, "smtpd_tls_req_ccert")
        && context.server_tls(server) == ServerTls::Encrypt;
    if must && context.reach(server) == Reach::Network {
        let at = context.set(server, "smtpd_tls_req_ccert");
        out.push(DEMANDED_ON_25.found().on(at).of(Some(service)));
    }
}

fn relays(context: &Context<'_>, server: Option<&Service<'_>>, out: &mut Vec<Finding>) {
    let all = restriction(context, server, "permit_tls_all_clientcerts");
    if let Some(place) = all {
        let empty = |name: &str| context.text(server, name).is_some_and(|v| v.is_empty());
        let public = |name: &str| {
            let value = context.text(server, name).unwrap_or_default();
            BUNDLES.contains(&value.trim_end_matches('/'))
        };
        let appended = context.yes(server, "tls_append_default_CA");
        if appended || CAS.iter().any(|name| public(name)) {
            let system = context.set(server, "tls_append_default_CA");
            let given = CAS.iter().find_map(|name| context.set(server, name));
            out.push(ALL_CAS_RELAY.found().on(Some(place)).on(system.or(given)));
        } else if CAS.iter().all(|name| empty(name)) {
            out.push(NOBODY_MATCHES.found().on(Some(place)));
        }
    }
    let digest = context.text(server, "smtpd_tls_fingerprint_digest");
    let weak = digest.filter(|d| ["md5", "sha1"].contains(&&*d.to_ascii_lowercase()));
    let by_print = restriction(context, server, "permit_tls_clientcerts");
    if let (Some(digest), Some(place)) = (weak, by_print)
        && context.given(None, "relay_clientcerts")
    {
        let message = format!(
            "smtpd_tls_fingerprint_digest is {digest}. {}",
            WEAK_DIGEST.why
        );
        let at = context.set(server, "smtpd_tls_fingerprint_digest");
        out.push(WEAK_DIGEST.says(message).on(at.or(Some(place))));
    }
}

/// Where a restriction stands.
fn restriction<'s, 'a>(
    context: &'s Context<'a>,
    server: Option<&'s Service<'a>>,
    word: &str,
) -> Option<&'s Setting<'a>> {
    let sets = RESTRICTIONS
        .iter()
        .filter_map(|name| context.set(server, name));
    sets.into_iter().find(|set| {
        let words = context.expanded(set).unwrap_or_default();
        words
            .split([',', ' ', '\t', '{', '}'])
            .any(|one| one.eq_ignore_ascii_case(word))
    })
}
