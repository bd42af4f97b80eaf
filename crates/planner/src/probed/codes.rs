//! The codes of a probe beside those of a preflight: what each means and what to do.
//!
//! Owns: data. Never: judges.

use crate::Severity::{Error, Warning};
use crate::finding::Finding;
use crate::lint::{Rule, row};
use crate::preflight::usual;

/// The rules.
#[rustfmt::skip]
pub(crate) const RULES: &[Rule] = &[
    row("mta-sts.no-policy", Warning, "the domain announces MTA-STS and has no policy that can be used", "Senders that have no policy of before act as if there were none; those that have one hold on to it (RFC 8461 §5.1).",
        "Serve the policy at https://mta-sts.DOMAIN/.well-known/mta-sts.txt with a certificate for that name, or take the TXT record away."),
    row("mta-sts.mx-not-named", Error, "a mail exchanger is not in the domain's MTA-STS policy", "Senders that heed the policy do not deliver to it (RFC 8461 §4.1).",
        "Name it in the policy (mx: NAME) and give the TXT record a new id."),
    row("mta-sts.certificate", Error, "a mail exchanger's certificate is not what the domain's MTA-STS policy demands", "It has to be valid, for the server's name, and of a public CA (RFC 8461 §4.2); senders that heed the policy do not deliver to it.",
        "Present a certificate of a public CA for the exchanger's name."),
    row("starttls.stripped", Error, "something on the way takes STARTTLS out of the dialogue", "What the server says or hears is not what was sent: some firewalls and virus scanners that inspect SMTP bar TLS (Cisco PIX and ASA). Senders that need no TLS send in cleartext, and it can be read there.",
        "Probe it from another network: where STARTTLS is there, it is on this side. Switch the inspection of SMTP off (Cisco: no inspect esmtp), or let TLS pass (allow-tls); on the server's side, tell its administrator."),
    row("starttls.injection", Error, "a server takes commands from before TLS for commands under TLS", "Whoever stands between client and server can so put commands in front of the client's own, and have its mail or password sent to himself (CVE-2011-0411).",
        "Update what ends TLS there: the mail server, or a proxy before it. Postfix forgets what came before since 2.4.16, 2.5.12, 2.6.9, 2.7.3 and 2.8."),
    row("starttls.slipped-in", Error, "a server says more than its answer to STARTTLS before the handshake", "A client that does not forget it takes it for words under TLS: whoever stands between can so answer in the server's place (RFC 3207 §4.2). Postfix's client forgets it.",
        "Probe it from another network: where nothing follows there, something on the way puts it in. Else update what ends TLS there."),
    row("probe.second-opinion", Error, "posttls-finger(1) sees something else", "Both asked the same server in the same way: it does not show all clients the same, or it changed meanwhile. What one look shows is no more than that.",
        "Ask again. Where it stays so, look for several servers behind the address, or a device on the way that answers for one."),
    row("tls.too-old", Error, "a server speaks no TLS that is newer than 1.1", "TLS 1.0 and 1.1 are out of use (RFC 8996): clients and servers of today refuse them and send in cleartext or not at all.",
        "Update what ends TLS there, or take the limit away: in Postfix smtpd_tls_protocols and smtpd_tls_mandatory_protocols name the versions."),
];

/// A finding of a code as it usually is.
pub(crate) fn found(code: &'static str, target: &str) -> Finding {
    let rule = RULES.iter().find(|rule| rule.code == code);
    let title = rule.map_or("", |rule| rule.title);
    usual(rule, code, format!("{target}: {title}."))
}
