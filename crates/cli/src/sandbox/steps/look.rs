//! Looks at mx that several steps need.
//!
//! Owns: probing a port of mx and comparing its files. Never: changes anything.

use crate::sandbox::files::Files;
use crate::sandbox::site::Site;
use postseal_planner::report::{Handshake, Report, StageOutcome};
use postseal_probe::{MailBeforeTls, Start, Target};
use std::time::Duration;

/// One look at a port.
pub(super) const LOOK: Duration = Duration::from_secs(8);

pub(super) fn untouched(site: &Site) -> Result<String, String> {
    Files::of(&site.cli.instance)?.same_as(&site.original)
}

pub(super) fn target(site: &Site, port: u16, tls: Start) -> Target {
    let mut target = Target::new(format!("{port}"), site.mx.at(port), tls);
    target.ehlo_name = "client.try.test".to_owned();
    if tls == Start::StartTls {
        target.mail_before_tls = MailBeforeTls::Ask;
    }
    target
}

pub(super) fn probe(site: &Site, port: u16, tls: Start) -> Result<Report, String> {
    let report = postseal_probe::probe(&target(site, port, tls), LOOK);
    match report
        .stages
        .iter()
        .find(|stage| stage.outcome != StageOutcome::Ok)
    {
        None => Ok(report),
        Some(stage) => Err(format!(
            "port {port}: {:?} ended with {:?}",
            stage.name, stage.outcome
        )),
    }
}

pub(super) fn presents(site: &Site, port: u16, report: &Report) -> Result<Handshake, String> {
    let handshake = report
        .handshake
        .clone()
        .ok_or_else(|| format!("port {port}: no handshake"))?;
    if handshake.fingerprint != Some(site.fingerprint) {
        return Err(format!(
            "port {port} presents another certificate: {:?}",
            handshake.fingerprint
        ));
    }
    Ok(handshake)
}
