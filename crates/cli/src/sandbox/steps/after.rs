//! After the change: a hand edit, a broken wish, and the way back.
//!
//! Owns: these proofs. Never: leaves an edit of its own behind.

use super::look::{LOOK, presents, probe, target};
use crate::sandbox::Proof;
use crate::sandbox::files::Files;
use crate::sandbox::site::Site;
use postseal_planner::report::StageOutcome;
use postseal_probe::Start;
use std::fs;

pub(super) fn drift(site: &mut Site) -> Proof {
    let path = site.cli.instance.join("main.cf");
    let before = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let edited = before.replace(
        "smtpd_tls_security_level = may",
        "smtpd_tls_security_level = none",
    );
    if edited == before {
        return Err("main.cf does not hold `smtpd_tls_security_level = may`".to_owned());
    }
    fs::write(&path, edited).map_err(|error| error.to_string())?;
    let ran = site.cli.expect(2, &["drift"])?;
    let named = ran
        .json
        .pointer("/drift/0/parameter")
        .and_then(|name| name.as_str());
    if named != Some("smtpd_tls_security_level") {
        return Err(format!("drift names {named:?}"));
    }
    site.cli.expect(0, &["drift", "--restore", "--yes"])?;
    let now = fs::read_to_string(&path).map_err(|error| error.to_string())?;
    if now != before {
        return Err("putting the drift back did not give the same bytes".to_owned());
    }
    Ok(vec![
        "smtpd_tls_security_level was edited by hand to none: `postseal drift` names it."
            .to_owned(),
        "`postseal drift --restore` put it back, by the same path as any change.".to_owned(),
    ])
}

pub(super) fn refusal(site: &mut Site) -> Proof {
    let before = Files::of(&site.cli.instance)?;
    let at_once = site
        .cli
        .expect(65, &["set", "inbound=ecnrypt"])?
        .code()
        .to_owned();
    site.cli
        .expect(0, &["set", "inbound=encrypt", "inbound-certificate=none"])?;
    let whole = site.cli.expect(65, &["apply", "--yes"])?.code().to_owned();
    site.cli.expect(0, &["discard"])?;
    Files::of(&site.cli.instance)?.same_as(&before)?;
    presents(site, 25, &probe(site, 25, Start::StartTls)?)?;
    Ok(vec![
        format!("inbound=ecnrypt is refused at once [{at_once}]."),
        format!(
            "Mandatory TLS without a certificate is refused as a whole [{whole}]; nothing was written."
        ),
        "Port 25 still presents mx.".to_owned(),
    ])
}

pub(super) fn rollback(site: &mut Site) -> Proof {
    let operation = site
        .operation
        .ok_or("there is no operation to go back from")?
        .to_string();
    site.cli.expect(0, &["rollback", &operation, "--yes"])?;
    let same = Files::of(&site.cli.instance)?.same_as(&site.original)?;
    Ok(vec![format!("Operation {operation} is undone."), same])
}

pub(super) fn old_state(site: &mut Site) -> Proof {
    site.cli.expect(0, &["verify"])?;
    let report = probe(site, 25, Start::Clear)?;
    if report
        .ehlo_before
        .iter()
        .any(|word| word.starts_with("STARTTLS"))
    {
        return Err("port 25 still offers STARTTLS".to_owned());
    }
    for port in [587, 465] {
        let report = postseal_probe::probe(&target(site, port, Start::Clear), LOOK);
        if !report
            .stages
            .iter()
            .any(|stage| stage.outcome == StageOutcome::Closed)
        {
            return Err(format!("port {port} is still open"));
        }
    }
    Ok(vec![
        "Port 25 offers no STARTTLS, 587 and 465 are closed: as it was found.".to_owned(),
        "`postseal verify` says so too.".to_owned(),
    ])
}
