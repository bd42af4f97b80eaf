//! What is wrong with a policy at the client that would go by it, whoever the server is.
//!
//! Owns: what smtp(8) needs for a policy on this host: files of anchors, CAs, DNSSEC, fingerprints,
//! ciphers (measured on 3.7.11, docs/measured.md). Never: looks at a server or a file; what it must
//! know it yields as a question.

use crate::finding::{Finding, Severity};
use crate::preflight::{Client, Lookups, SystemAnchors, anchors_of, cipher_list};
use crate::resolve::{Stop, Tables};
use mailtls::Level;
use mailtls::policy::{Name, Policy};

/// What speaks against a policy; `of` names its destination.
pub(crate) fn faults(
    policy: &Policy,
    of: &str,
    client: &Client,
    tables: &mut Tables<'_>,
) -> Result<Vec<Finding>, Stop> {
    let mut findings = anchors(policy, of, client, tables)?;
    let level = policy.level;
    if matches!(level, Level::Dane | Level::DaneOnly) && client.lookups != Lookups::Dnssec {
        findings.push(without_dnssec(level, of));
    }
    findings.extend(nobody_trusted(policy, of, client));
    findings.extend(no_fingerprint(policy, of, client));
    findings.extend(super::matched::faults(policy, of, client));
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

fn without_dnssec(level: Level, of: &str) -> Finding {
    let follows = match level {
        Level::DaneOnly => "all mail for it would wait",
        _ => "it would be no more than may",
    };
    Finding::new(
        "policy.dane-without-dnssec",
        Severity::Error,
        format!("{level} for {of} has no DNSSEC to rest on: {follows}."),
        "Write smtp_dns_support_level = dnssec into main.cf and `postseal drift --adopt`, with a \
         validating resolver on this host and smtp_host_lookup left at dns; or `postseal set \
         outbound=dane` and `postseal apply` before the rule.",
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
    let follows = match policy.level {
        Level::May => "mail would go in clear, after a first attempt that fails",
        _ => "all mail for it would wait",
    };
    Ok(Some(Finding::new(
        "policy.no-cipher",
        Severity::Error,
        format!("No TLS handshake can succeed for {of}: {follows} ({why})."),
        "Exclude less (--exclude, smtp_tls_exclude_ciphers), and leave --ciphers out or at medium.",
    )))
}
