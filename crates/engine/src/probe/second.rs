//! A second opinion: posttls-finger(1) is asked of each address that was looked at.
//!
//! Owns: asking it, with which CAs and for how long. Never: judges (the planner does).

use super::{ProbeOptions, Prober};
use postseal_host::PostfixHost;
use postseal_planner::SystemTrust;
use postseal_planner::facts::FileLook;
use postseal_planner::probed::{
    AddressProbed, ProbeTarget, Probed, SecondOpinion, second_arguments, second_opinion,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What it needs beside its own deadlines, to begin and to end.
const BESIDE: Duration = Duration::from_secs(5);

impl Prober<'_> {
    /// Asks the posttls-finger(1) of `host` of each address, and adds what it saw. That both differ
    /// becomes a finding.
    pub fn second_opinion(
        &self,
        host: Option<&PostfixHost>,
        probed: &mut [Probed],
        targets: &[ProbeTarget],
        options: &ProbeOptions,
    ) {
        let is_file = |path: &PathBuf| {
            let look = (self.read)(path);
            matches!(look, FileLook::File { .. } | FileLook::TooLarge(_))
        };
        let system = || SystemTrust::bundles().find(is_file);
        let bundle = options.cas.clone().or_else(system);
        for (one, target) in probed.iter_mut().zip(targets) {
            for found in &mut one.hosts {
                for address in &mut found.addresses {
                    let asker = Asker {
                        host,
                        target,
                        name: &found.name,
                        bundle: bundle.as_deref(),
                        seconds: options.budget.deadline.as_secs(),
                    };
                    address.second_opinion = Some(asker.ask(address));
                }
            }
            one.opinions_seen();
        }
    }
}

struct Asker<'a> {
    host: Option<&'a PostfixHost>,
    target: &'a ProbeTarget,
    name: &'a str,
    bundle: Option<&'a Path>,
    seconds: u64,
}

impl Asker<'_> {
    fn ask(&self, seen: &AddressProbed) -> SecondOpinion {
        let Some(host) = self.host else {
            return SecondOpinion::none("there is no Postfix here, so no posttls-finger(1)");
        };
        let with = (self.bundle, self.seconds);
        let args = second_arguments(seen, self.name, self.target.opening, with);
        let deadline = Duration::from_secs(self.seconds * 2) + BESIDE;
        match host.posttls_finger(&args, deadline) {
            Ok(Some(printed)) => second_opinion(seen, &printed),
            Ok(None) => SecondOpinion::none("this Postfix comes without posttls-finger(1)"),
            Err(error) => SecondOpinion::none(error.to_string()),
        }
    }
}
