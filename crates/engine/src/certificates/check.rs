//! `cert check`: what is wrong with the certificates of the store today, where they are used.
//!
//! Owns: judging what is in force, older versions included: by the names that clients ask for, and
//! by the files that were installed. Never: looks at the wire (`verify` does).

use super::users::Users;
use super::{Around, CertificateView, Stored, parsed};
use crate::observe::assemble;
use crate::{Engine, EngineError, Wished};
use mailtls::{CertError, CertProblem, Certificate, Fingerprint, KeyFile};
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::intent::{Binding, Intent};
use postseal_planner::{
    Finding, Severity, accepting, captured_name, certificate_finding, matters_at,
};
use postseal_store::{Operation, OperationOutcome};
use std::collections::BTreeSet;
use std::path::Path;

/// That nobody vouches for a certificate but itself.
const SELFISH: [&str; 2] = ["cert.self-signed", "cert.system-certificate"];

/// What is the same for all of them.
struct Ground {
    around: Around,
    /// What is in force, and the instance; none where Postfix cannot be asked.
    instance: Option<(Intent, Facts)>,
    /// The newest operations, newest first.
    past: Vec<Operation>,
}

/// How many operations are searched for what was presented before.
const REACH: usize = 50;

impl Engine<'_> {
    /// All certificates, or one: the newest version, and each older one that is in force. Judged
    /// one after the other, handed to `each` and forgotten: what this takes in memory does not
    /// grow with the store.
    pub fn check_certificates(
        &self,
        only: Option<&str>,
        each: &mut dyn FnMut(CertificateView),
    ) -> Result<(), EngineError> {
        let ground = Ground {
            around: self.around()?,
            instance: self.in_force_here()?,
            past: self.store.history(&self.instance, REACH)?,
        };
        if let Some(name) = only {
            let newest = self.newest(name)?.ok_or_else(|| super::unknown(name))?;
            return self.check_one(newest, &ground, each);
        }
        self.each_stored(&mut |stored| self.check_one(stored, &ground, each))
    }

    /// What is in force, with a look at the instance, where there is one.
    pub(super) fn in_force_here(&self) -> Result<Option<(Intent, Facts)>, EngineError> {
        let state = self.store.instance(&self.instance)?;
        let open = self.awaiting()?.map(|open| open.new.plan.intent);
        let intent = open.or(state.map(|state| state.desired));
        let facts = self.host.look().ok().map(|look| assemble(look, Vec::new()));
        Ok(intent.zip(facts))
    }

    /// What is to be said of a certificate where it was just bound, beside what `apply` will refuse:
    /// of its names, of itself, and what a plan says.
    pub fn findings_of_bindings(
        &self,
        view: &CertificateView,
        wished: &Wished,
    ) -> Result<Vec<Finding>, EngineError> {
        let mut findings = self.names_of_bindings(&view.name, &wished.after)?;
        let bound = || {
            let bindings = wished.after.bindings.iter();
            bindings.filter(|bound| bound.name == view.name)
        };
        let of_itself = view.problems.iter();
        let of_itself = of_itself.filter(|one| bound().any(|place| matters_at(&one.code, place)));
        let of_itself = of_itself.cloned().map(|mut found| {
            // Where TLS is off yet, no plan says how it is accepted.
            let open = bound().filter(|place| matters_at(&found.code, place));
            if SELFISH.contains(&&*found.code) {
                found.remedy = accepting(&open.collect::<Vec<_>>());
            }
            found
        });
        // The plan says the same of several places, each in its own words.
        let is_of_bindings =
            |one: &Finding| ["cert.", "dane."].iter().any(|of| one.code.starts_with(of));
        let noticed = wished.noticed.iter().filter(|one| is_of_bindings(one));
        for found in [noticed.cloned().collect::<Vec<_>>(), of_itself.collect()] {
            let told = findings.iter().chain(&wished.misgivings);
            let told: BTreeSet<_> = told.map(|one| one.code.clone()).collect();
            let news = found.into_iter().filter(|one| !told.contains(&one.code));
            findings.extend(news.filter(is_of_bindings));
        }
        Ok(findings)
    }

    /// What clients that verify will say of a certificate's names where it is bound, or is to be.
    fn names_of_bindings(&self, name: &str, intent: &Intent) -> Result<Vec<Finding>, EngineError> {
        let Ok(look) = self.host.look() else {
            return Ok(Vec::new());
        };
        let instance = Some((intent.clone(), assemble(look, Vec::new())));
        let mut findings = Vec::new();
        for bound in intent.bindings.iter().filter(|bound| bound.name == name) {
            for stored in self.of_leaf(&bound.fingerprint)?.iter().take(1) {
                let chain = parsed(stored)?;
                for found in name_problems(&chain, bound, &instance) {
                    add(&mut findings, found);
                }
            }
        }
        Ok(findings)
    }

    /// What is wrong with a certificate in use as it is presented, as far as it is a warning.
    pub(super) fn judge_in_force(
        &self,
        view: &mut CertificateView,
        users: &Users,
        instance: &Option<(Intent, Facts)>,
    ) {
        let bound = users.in_force(&view.name, view.version);
        let of_itself = view.problems.len();
        self.judge_use(view, &bound, instance);
        let of_use = view.problems.split_off(of_itself).into_iter();
        let grave = of_use.filter(|found| found.severity >= Severity::Warning);
        view.problems.extend(grave);
    }

    fn check_one(
        &self,
        newest: Stored,
        ground: &Ground,
        each: &mut dyn FnMut(CertificateView),
    ) -> Result<(), EngineError> {
        let users = &ground.around.users;
        let name = newest.name.clone();
        let mut versions = vec![newest];
        if users.names().contains(name.as_str()) {
            versions.extend(self.store.certificate_versions(&name)?.into_iter().skip(1));
        }
        for (at, stored) in versions.iter().enumerate() {
            let version = stored.version;
            let bound = users.in_force(&name, version);
            if at > 0 && bound.is_empty() {
                continue;
            }
            let mut view = self.view(stored.clone(), &ground.around)?;
            self.judge_use(&mut view, &bound, &ground.instance);
            self.note_missed_names(&mut view, &bound, ground)?;
            if at > 0 {
                for finding in &mut view.problems {
                    let about = format!("version {version}, which is in force");
                    *finding = finding.clone().seen(about);
                }
            }
            let wished = users.of_version(&name, version);
            view.problems.extend(newer_waits(&view, &wished));
            each(view);
        }
        Ok(())
    }

    /// Names that the version has which was presented before, as long as that is valid.
    fn note_missed_names(
        &self,
        view: &mut CertificateView,
        bound: &[&Binding],
        ground: &Ground,
    ) -> Result<(), EngineError> {
        let Some((intent, facts)) = &ground.instance else {
            return Ok(());
        };
        let now = self.clock.now_unix();
        for bound in bound {
            let Some(fingerprint) = before(&ground.past, bound) else {
                continue;
            };
            for stored in self.of_leaf(&fingerprint)?.iter().take(1) {
                let earlier = parsed(stored)?;
                let earlier = earlier.first().filter(|leaf| leaf.not_after >= now);
                let missed = earlier.and_then(|earlier| {
                    let pair = (earlier, &view.chain[0]);
                    postseal_planner::names_missed(pair, bound, intent, facts)
                });
                if let Some(missed) = missed {
                    add(&mut view.problems, missed);
                }
            }
        }
        Ok(())
    }

    /// What is wrong with it where it is presented.
    fn judge_use(
        &self,
        view: &mut CertificateView,
        bound: &[&Binding],
        instance: &Option<(Intent, Facts)>,
    ) {
        for bound in bound {
            for found in name_problems(&view.chain, bound, instance) {
                add(&mut view.problems, found);
            }
        }
        if let Some(first) = bound.first() {
            let path = postseal_planner::installed_at(
                Path::new(&self.instance),
                &first.name,
                &first.fingerprint,
            );
            view.problems.extend(self.file_problems(&path));
        }
        let accepted = !bound.is_empty() && bound.iter().all(|bound| bound.allow_self_signed);
        for finding in view.problems.iter_mut().filter(|_| accepted) {
            if SELFISH.contains(&&*finding.code) {
                finding.severity = Severity::Info;
            }
        }
    }

    /// The file that was installed for it: there, and root's alone.
    fn file_problems(&self, path: &Path) -> Vec<Finding> {
        let shown = path.display().to_string();
        let problems = match self.host.read(path) {
            FileLook::File { mode, uid, .. } => KeyFile {
                path: &shown,
                mode,
                uid,
            }
            .problems(),
            FileLook::Missing => vec![(&CertError::Missing).into()],
            FileLook::Unreadable(why) | FileLook::Denied(why) => {
                vec![(&CertError::Unreadable(why)).into()]
            }
            _ => vec![(&CertError::NoFile("it is not a regular file".to_owned())).into()],
        };
        let healed = |problem: CertProblem| {
            let mut finding = certificate_finding(&problem);
            if problem.code == CertError::Missing.code() {
                finding.message = format!("{shown} is gone.");
            }
            finding.remedy = "`postseal apply` writes it anew, for root alone.".to_owned();
            finding.seen(shown.clone())
        };
        problems.into_iter().map(healed).collect()
    }
}

impl Engine<'_> {
    /// Files of keys, chains and names that hold something else than what is to be presented. That a
    /// key is not there, or not root's alone, is said of its certificate. Nothing where Postfix cannot
    /// be asked which of them it names.
    pub(super) fn touched_files(&self) -> Vec<Finding> {
        let drift = self.observe().and_then(|facts| {
            let state = self.in_force_now(&facts)?;
            Ok(self.drift_of(&state, &facts))
        });
        let files = drift.map(|drift| drift.files).unwrap_or_default();
        let told = files
            .iter()
            .filter(|file| file.is_of_contents() || file.is_of_names());
        told.map(|file| {
            Finding::new(
                "cert.file-differs",
                Severity::Warning,
                format!("{} {}.", file.path.display(), file.what),
                "`postseal apply` writes it anew from the store.",
            )
        })
        .collect()
    }
}

/// What was presented in the place of a binding before it, under the same name.
fn before(past: &[Operation], bound: &Binding) -> Option<Fingerprint> {
    // Who goes back knows what was there.
    let forth = past.iter().filter(|past| past.new.kind.undoes().is_none());
    let kept = forth.filter(|past| past.outcome == Some(OperationOutcome::Kept));
    let brought = |past: &&Operation| past.new.plan.intent.bindings.contains(bound);
    let others = kept.filter(brought).find_map(|past| {
        let mut earlier = past.new.plan.earlier.bindings.iter();
        earlier.find(|one| {
            let same = (&one.name, &one.place) == (&bound.name, &bound.place);
            same && one.fingerprint != bound.fingerprint
        })
    });
    others.map(|one| one.fingerprint)
}

/// A version that is newer than the one in force, and what it waits for. Who brought it may never
/// come again: a hook runs once.
fn newer_waits(view: &CertificateView, wished: &[String]) -> Option<Finding> {
    let older = view.in_force_instead?;
    let (name, version) = (&view.name, view.version);
    let message = format!("Version {version} is here, and version {older} is in force");
    let presents = match wished {
        [] => format!("`postseal cert deploy {name}`"),
        _ => "`postseal apply`".to_owned(),
    };
    let (message, mut remedy) = match view.waits_for.first() {
        Some(why) => (format!("{message}: {}", why.message), why.remedy.clone()),
        None => match &view.untold {
            Some(untold) => (
                format!("{message}. {}", untold.message),
                format!(
                    "{presents} presents version {version} all the same. {}",
                    untold.remedy
                ),
            ),
            None => (
                format!("{message}."),
                format!("{presents} presents version {version}."),
            ),
        },
    };
    if !remedy.contains("--version") {
        remedy.push_str(&format!(
            " `postseal cert delete {name} --version {version}` drops it."
        ));
    }
    let why = view.waits_for.iter().chain(&view.untold);
    let why = why.map(|why| why.code.to_string());
    let finding = Finding::new("cert.version-waits", Severity::Warning, message, remedy);
    Some(why.fold(finding, Finding::seen))
}

/// What is found on several ports is told once, with all of them.
fn add(findings: &mut Vec<Finding>, found: Finding) {
    let mut known = findings.iter_mut();
    let same = known.find(|one| one.code == found.code && one.message == found.message);
    match same {
        Some(one) => one.evidence.extend(found.evidence),
        None => findings.push(found),
    }
}

/// Names that the certificate does not have, though clients ask for them there.
fn name_problems(
    chain: &[Certificate],
    bound: &Binding,
    instance: &Option<(Intent, Facts)>,
) -> Vec<Finding> {
    let (Some((intent, facts)), Some(leaf)) = (instance, chain.first()) else {
        return Vec::new();
    };
    let found = postseal_planner::name_finding(leaf, bound, intent, facts).into_iter();
    found
        .chain(captured_name(leaf, bound, intent, facts))
        .map(|found| found.seen(format!("presented by {}", bound.place.text())))
        .collect()
}
