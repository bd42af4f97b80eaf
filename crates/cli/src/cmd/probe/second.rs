//! `probe --second-opinion`: posttls-finger(1) is asked, too.
//!
//! Owns: asking it of each address that was looked at. Never: judges.

use postseal_host::PostfixHost;
use postseal_planner::SystemTrust;
use postseal_planner::probed::{
    AddressProbed, ProbeTarget, Probed, SecondOpinion, second_arguments, second_opinion,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What it needs beside its own deadlines, to begin and to end.
const BESIDE: Duration = Duration::from_secs(5);

pub(super) fn ask(
    host: Option<&PostfixHost>,
    targets: &[ProbeTarget],
    probed: &mut [Probed],
    (cas, seconds): (Option<&Path>, u64),
) {
    let system = || SystemTrust::bundles().find(|path| path.is_file());
    let bundle = cas.map(Path::to_owned).or_else(system);
    for (target, one) in targets.iter().zip(probed) {
        for found in &mut one.hosts {
            for address in &mut found.addresses {
                let asker = Asker {
                    host,
                    target,
                    name: &found.name,
                    bundle: bundle.as_ref(),
                    seconds,
                };
                address.second_opinion = Some(asker.ask(address));
            }
        }
    }
}

struct Asker<'a> {
    host: Option<&'a PostfixHost>,
    target: &'a ProbeTarget,
    name: &'a str,
    bundle: Option<&'a PathBuf>,
    seconds: u64,
}

impl Asker<'_> {
    fn ask(&self, seen: &AddressProbed) -> SecondOpinion {
        let Some(host) = self.host else {
            return SecondOpinion::none("there is no Postfix here, so no posttls-finger(1)");
        };
        let bundle = self.bundle.map(PathBuf::as_path);
        let with = (bundle as Option<&Path>, self.seconds);
        let args = second_arguments(seen, self.name, self.target.opening, with);
        let deadline = Duration::from_secs(self.seconds * 2) + BESIDE;
        match host.posttls_finger(&args, deadline) {
            Ok(Some(printed)) => second_opinion(seen, &printed),
            Ok(None) => SecondOpinion::none("this Postfix comes without posttls-finger(1)"),
            Err(error) => SecondOpinion::none(error.to_string()),
        }
    }
}
