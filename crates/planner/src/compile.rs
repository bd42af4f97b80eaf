//! From an intent to what stands in the two files.
//!
//! Owns: the translation of settings and bindings into targets — which parameter has which
//! value where — and the edits that reach them. Never: judges whether that is wise (`rules`
//! do), and never names a parameter that the installed version does not know.
//!
//! A target is reached from any state of the files: what no setting governs goes back to what
//! was adopted, so giving a key back needs no memory of what was set before it.

mod certificates;
mod comment;
mod edit;
mod exempt;
mod levels;
pub(crate) mod policies;
mod ports;
mod services;
mod smtps_out;
pub(crate) mod sni;

#[cfg(test)]
mod tests;

pub(crate) use certificates::is_installed;
pub(crate) use certificates::{below, bound_path, file_parameters, names_file, stored_at};
pub use certificates::{folder as installed_folder, installed_at};
pub(crate) use edit::{Files, apply, give_back, reach};
pub(crate) use exempt::{can_be as can_be_exempt, is_decided_by, is_of_certificates};
pub(crate) use levels::{SYSTEM_BUNDLES, range_syntax};
pub use policies::{NamedMap, is_policy_map, named_maps, policy_map, policy_map_files, stale_maps};
pub(crate) use ports::{PORTS, block_as_adopted, lines, switch_back, template_text};
pub(crate) use services::{Shared, filter_clients, filter_listeners, is_loopback, is_mandatory};
pub use smtps_out::NAME as SMTPS_OUT_NAME;
pub(crate) use smtps_out::{ID as SMTPS_OUT, take_out as smtps_out_back};

use crate::facts::Facts;
use crate::intent::{Intent, Key, Setting, Switch};
use crate::{Finding, Refusal, Severity};
use postfix_cf::{MainCf, MasterCf};
use std::collections::BTreeMap;

/// What a parameter shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// This value.
    Value(String),
    /// Not there, so that Postfix's default (or main.cf, for a `-o`) holds.
    Absent,
}

impl Target {
    pub(crate) fn value(text: impl Into<String>) -> Self {
        Self::Value(text.into())
    }
}

/// Everything an intent decides, over what was adopted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Targets {
    /// main.cf.
    pub(crate) main: BTreeMap<String, Target>,
    /// master.cf: service (`name/type`) → `-o` parameter.
    pub(crate) services: BTreeMap<String, BTreeMap<String, Target>>,
    /// Ports whose service is switched on or off.
    pub(crate) ports: BTreeMap<u16, Switch>,
}

impl Targets {
    pub(crate) fn main(&mut self, name: &str, target: Target) {
        self.main.insert(name.to_owned(), target);
    }

    pub(crate) fn service(&mut self, service: &str, name: &str, target: Target) {
        self.services
            .entry(service.to_owned())
            .or_default()
            .insert(name.to_owned(), target);
    }
}

/// What compiling looks at: the files as they are, and the host.
pub(crate) struct Ground<'a> {
    pub(crate) main: &'a MainCf,
    pub(crate) master: &'a MasterCf,
    pub(crate) facts: &'a Facts,
    /// What is wanted.
    pub(crate) intent: &'a Intent,
    /// What is in force; it tells which services Postseal switched on or off before.
    pub(crate) in_force: &'a Intent,
}

/// The targets of the ground's intent. Words first, then `param.`, which is more particular.
pub(crate) fn targets(ground: &Ground<'_>) -> Result<Targets, Refusal> {
    let mut targets = Targets::default();
    certificates::compile(ground, &mut targets)?;
    levels::profiles(ground, &mut targets);
    for (key, setting) in &ground.intent.settings {
        match key {
            Key::Param(_)
            | Key::Override { .. }
            | Key::InboundCertificate
            | Key::LoopbackCleartext
            | Key::SmtpsOut => {}
            Key::Submission | Key::Smtps => ports::compile(key, setting, &mut targets),
            key => levels::compile(ground, key, setting, &mut targets)?,
        }
    }
    for (key, setting) in &ground.intent.settings {
        let target = match setting {
            Setting::Raw(value) => Target::value(value),
            Setting::Default => Target::Absent,
            _ => continue,
        };
        match key {
            Key::Param(name) => targets.main(name, target),
            Key::Override { service, name } => {
                services::is_there(ground, service, name)?;
                targets.service(service, name, target);
            }
            _ => {}
        }
    }
    policies::compile(ground, &mut targets)?;
    if ground.intent.settings.get(&Key::LoopbackCleartext) == Some(&Setting::Switch(Switch::On)) {
        services::loopback(ground, &mut targets);
    }
    ports::requirements(ground, &mut targets);
    smtps_out::requirements(ground, &mut targets);
    exempt::compile(ground, &mut targets);
    Ok(targets)
}

/// A refusal of one finding.
pub(crate) fn refuse(
    code: &'static str,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> Refusal {
    Finding::new(code, Severity::Error, message, remedy).into()
}
