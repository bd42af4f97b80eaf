//! What is wrong with a policy at the client that would go by it, whoever the server is.
//!
//! Owns: what smtp(8) needs for a policy on this host: files of anchors, CAs, DNSSEC, fingerprints,
//! ciphers (measured on 3.7.11, docs/measured.md). Never: looks at a server or a file; what it must
//! know it yields as a question.

use crate::finding::{Finding, Severity};
use crate::lint::{Rule, row};
use crate::preflight::{
    Client, NoDane, SystemAnchors, anchors_of, cipher_list, disabled, overlooked, without_version,
};
use crate::resolve::{Stop, Tables};
use mailtls::Level;
use mailtls::policy::{Name, Policy};

/// What `lint --explain` tells of those that the preflight does not tell of, and of rules whose mail
/// takes another way.
#[rustfmt::skip]
pub(crate) const EXPLAINED: &[Rule] = &[
    row("policy.route-changed", Severity::Error, "rule that follows mail which takes another way",
        "The rule is made for the next hops that the mail took: what it demands does not hold where the mail goes now.",
        "`postseal policy sync` makes the rule for the next hops that it takes."),
];

/// What speaks against a policy; `of` names its destination.
pub(crate) fn faults(
    policy: &Policy,
    of: &str,
    client: &Client,
    tables: &mut Tables<'_>,
) -> Result<Vec<Finding>, Stop> {
    let mut findings = anchors(policy, of, client, tables)?;
    let level = policy.level;
    if let (Level::Dane | Level::DaneOnly, Some(hindrance)) = (level, client.lookups.no_dane) {
        findings.push(without_dnssec(level, of, hindrance));
    }
    findings.extend(no_tls(policy, of, client, tables)?);
    findings.extend(nobody_trusted(policy, of, client));
    findings.extend(no_fingerprint(policy, of, client));
    findings.extend(super::matched::faults(policy, of, client));
    findings.extend(overlooked(policy, of, client));
    findings.extend(no_version(policy, of, client));
    findings.extend(no_cipher(policy, of, client, tables)?);
    Ok(findings)
}

/// Whether a fault keeps mail back, or only protects it less than it says.
pub(crate) fn holds_back(code: &str) -> bool {
    code != "policy.dane-without-dnssec"
}

/// Files of anchors are opened in the jail of the process that sends, and by its user; those of
/// main.cf's `smtp_tls_CAfile` are not.
fn anchors(
    policy: &Policy,
    of: &str,
    client: &Client,
    tables: &mut Tables<'_>,
) -> Result<Vec<Finding>, Stop> {
    let mut findings = Vec::new();
    for path in anchors_of(client, policy) {
        let path = path.display().to_string();
        let Some(why) = tables.unusable(&path)? else {
            continue;
        };
        let jail = client.trust.jail.display();
        let inside = match client.trust.jail.as_os_str().is_empty() {
            true => String::new(),
            false => format!(" (smtp(8) runs in the jail {jail}, and looks for it there)"),
        };
        findings.push(
            Finding::new(
                "policy.tafile-missing",
                Severity::Fatal,
                format!(
                    "The trust anchors {path} of {of} cannot be used: {why}{inside}. Mail waits."
                ),
                format!(
                    "Put the certificates of the CA at {path}, readable for all; or leave tafile= \
                     out, and trust the CA by `postseal set trust.outbound=FILE`."
                ),
            )
            .seen(path),
        );
    }
    Ok(findings)
}

/// A client that cannot read its file of CAs, or its own certificate, does no TLS at all
/// (`tls_client_init`). They are opened as root, before the jail is entered.
fn no_tls(
    policy: &Policy,
    of: &str,
    client: &Client,
    tables: &mut Tables<'_>,
) -> Result<Option<Finding>, Stop> {
    if policy.level == Level::None {
        return Ok(None);
    }
    let (severity, follows) = match policy.level {
        Level::May => (Severity::Error, "mail goes in clear"),
        Level::Dane => (Severity::Fatal, "mail goes in clear, or waits"),
        _ => (Severity::Fatal, "mail waits"),
    };
    if let Some(file) = client.trust.file.as_ref().map(|file| file.display())
        && let Some(why) = tables.without_certificates(&file.to_string())?
    {
        let finding = Finding::new(
            "policy.ca-file-unusable",
            severity,
            format!(
                "smtp(8) cannot load the CAs of {file} (smtp_tls_CAfile): {why}. It does no TLS at \
                 all, and for {of} {follows}."
            ),
            "Put the file back, or name another one by `postseal set trust.outbound=FILE`; then \
             `postfix reload`.",
        );
        return Ok(Some(finding.seen(file.to_string())));
    }
    let own = client.disabled.as_ref();
    let own = own.filter(|lack| lack.code == disabled::CERTIFICATE);
    Ok(own.map(|lack| {
        Finding::new(
            disabled::CERTIFICATE,
            severity,
            format!("For {of} {follows}: {}.", lack.why),
            "Put certificate and key of the client back, or leave the parameters empty: few servers \
             ask for one; then `postfix reload`.",
        )
    }))
}

fn without_dnssec(level: Level, of: &str, hindrance: NoDane) -> Finding {
    let follows = match level {
        Level::DaneOnly => "all mail for it would wait",
        _ => "it would be no more than may",
    };
    Finding::new(
        "policy.dane-without-dnssec",
        Severity::Error,
        format!(
            "{level} for {of} has no DNSSEC to rest on: {follows}. It needs {}.",
            hindrance.needs()
        ),
        match hindrance {
            NoDane::Support => "Write smtp_dns_support_level = dnssec into main.cf and `postseal \
                 drift --adopt`, with a validating resolver on this host; or `postseal set \
                 outbound=dane` and `postseal apply` before the rule."
                .to_owned(),
            other => other.remedy(),
        },
    )
}

fn nobody_trusted(policy: &Policy, of: &str, client: &Client) -> Option<Finding> {
    let trust = &client.trust;
    let verifies = matches!(policy.level, Level::Verify | Level::Secure);
    let trusts = trust.file.is_some()
        || trust.folder.is_some()
        || trust.system == SystemAnchors::Count
        || !anchors_of(client, policy).is_empty();
    (verifies && !trusts).then(|| {
        Finding::new(
            "policy.nobody-trusted",
            Severity::Error,
            format!(
                "{} for {of} asks for a certificate of a trusted CA, and none is trusted: all mail \
                 for it would wait.",
                policy.level
            ),
            "`postseal set trust.outbound=system`, and `postseal apply` before the rule; or name the \
             CA of this destination by --tafile.",
        )
    })
}

fn no_fingerprint(policy: &Policy, of: &str, client: &Client) -> Option<Finding> {
    let named =
        policy.values(Name::Match).next().is_some() || !client.matches.fingerprint.is_empty();
    (policy.level == Level::Fingerprint && !named).then(|| {
        Finding::new(
            "policy.no-fingerprint",
            Severity::Error,
            format!(
                "fingerprint for {of} lists none, and neither does main.cf: all mail would wait."
            ),
            format!(
                "Name it: --match FINGERPRINT; `postseal policy check '{of}' --policy fingerprint` \
                 shows that of the server."
            ),
        )
    })
}

/// The reasons are this host's own, and lie outside of what a policy says.
fn overlooked(policy: &Policy, of: &str, client: &Client) -> Option<Finding> {
    let why = overlooked::lack(policy, client)?.why;
    Some(Finding::new(
        overlooked::CODE,
        Severity::Error,
        format!("All mail for {of} would wait: {why}."),
        "Delete smtp_never_send_ehlo, and take starttls out of smtp_discard_ehlo_keywords, in \
         main.cf and of the client in master.cf.",
    ))
}

/// Protocols of which none is left, or none that today's OpenSSL speaks.
fn no_version(policy: &Policy, of: &str, client: &Client) -> Option<Finding> {
    if policy.level == Level::None {
        return None;
    }
    let why = without_version(policy, client)?;
    let follows = follows(policy.level);
    Some(Finding::new(
        "policy.protocol",
        Severity::Error,
        format!("No TLS handshake can succeed for {of}: {follows} ({why})."),
        "Leave --protocols out, or write --protocols '>=TLSv1.2'.",
    ))
}

/// What follows where every handshake fails.
fn follows(level: Level) -> &'static str {
    match level {
        Level::May => "mail would go in clear, after a first attempt that fails",
        _ => "all mail for it would wait",
    }
}

/// A list by which OpenSSL finds no cipher fails every handshake, of TLS 1.3, too.
fn no_cipher(
    policy: &Policy,
    of: &str,
    client: &Client,
    tables: &mut Tables<'_>,
) -> Result<Option<Finding>, Stop> {
    if policy.level == Level::None {
        return Ok(None);
    }
    let why = match cipher_list(policy, client) {
        Ok(None) => return Ok(None),
        Ok(Some(list)) if tables.selects(&list)? => return Ok(None),
        Ok(Some(list)) => format!("OpenSSL finds no cipher in {list}"),
        Err(why) => why,
    };
    let follows = follows(policy.level);
    Ok(Some(Finding::new(
        "policy.no-cipher",
        Severity::Error,
        format!("No TLS handshake can succeed for {of}: {follows} ({why})."),
        "Exclude less (--exclude, smtp_tls_exclude_ciphers), and leave --ciphers out or at medium.",
    )))
}
