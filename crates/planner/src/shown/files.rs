//! Bare files, with no Postfix at hand: what can be said of them all the same.
//!
//! Owns: [`Facts::of_files`], and which files Postfix would refuse. Never: guesses what only an
//! installed Postfix knows.

use crate::facts::{CfFile, Facts, MasterState};
use crate::view::Service;
use crate::{Finding, PostfixVersion, Severity, lint};
use postfix_cf::{FindingCode, MainCf, MasterCf, Severity as Gravity};
use std::collections::BTreeMap;
use std::path::Path;

impl Facts {
    /// A picture of files alone: no Postfix was asked, no file looked at. Defaults are the
    /// catalogue's for `version`, or for the newest release.
    pub fn of_files(main_cf: CfFile, master_cf: CfFile, version: Option<PostfixVersion>) -> Self {
        let defaults = lint::NEIGHBOURS_BY_DEFAULT.iter();
        let defaults = defaults.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let folder = main_cf.path.parent();
        Self {
            config_directory: folder.map(Path::to_owned).unwrap_or_default(),
            main_cf,
            master_cf,
            version: version.unwrap_or(lint::NEWEST),
            openssl: String::new(),
            values: BTreeMap::new(),
            defaults: defaults.collect(),
            map_types: Vec::new(),
            sasl_types: Vec::new(),
            addresses: Vec::new(),
            files: BTreeMap::new(),
            touched: BTreeMap::new(),
            unmade: None,
            server_names: BTreeMap::new(),
            certificates: Vec::new(),
            master: MasterState::Stopped,
            dns: BTreeMap::new(),
        }
    }

    /// Whether an installed Postfix was asked: `postconf` prints hundreds of values.
    pub fn was_asked(&self) -> bool {
        !self.values.is_empty()
    }
}

/// Why Postfix refuses these files, or the processes of this service; none where it reads them.
/// An installed Postfix was asked before.
pub(super) fn refused(
    facts: &Facts,
    main: &MainCf,
    master: &MasterCf,
    service: Option<&Service>,
) -> Option<Finding> {
    let of_service = |finding: &postfix_cf::Finding| {
        service.is_some_and(|service| service.id == finding.subject)
    };
    let counts = |finding: &postfix_cf::Finding| match finding.code {
        FindingCode::BadOverride | FindingCode::UnbalancedArgument => of_service(finding),
        _ => !facts.was_asked(),
    };
    let fatal = |finding: &postfix_cf::Finding| finding.severity() == Gravity::Fatal;
    let files = [
        (&facts.main_cf, main.findings()),
        (&facts.master_cf, master.findings()),
    ];
    files.into_iter().find_map(|(file, findings)| {
        let found = findings.into_iter().filter(fatal).find(counts)?;
        let message = format!("Postfix refuses this: {}", found.text);
        let remedy = "Correct the line; `postseal lint` says more.";
        let finding = Finding::new("instance.unreadable", Severity::Fatal, message, remedy);
        Some(finding.at(&file.path, found.line, found.subject))
    })
}
