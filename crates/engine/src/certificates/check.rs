//! `cert check`: what is wrong with the certificates of the store today, where they are used.
//!
//! Owns: judging what is in force, older versions included: by the names that clients ask for, and
//! by the files that were installed. Never: looks at the wire (`verify` does).

use super::{Around, CertificateView, Stored, finding};
use crate::{Engine, EngineError};
use mailtls::{CertError, Certificate, KeyFile};
use postseal_planner::facts::FileLook;
use postseal_planner::intent::{Binding, Place};
use postseal_planner::{Finding, Severity, certificate_finding};
use std::path::Path;

/// What is the same for all of them.
struct Ground {
    around: Around,
    /// What this server calls itself; none where Postfix cannot be asked.
    myhostname: Option<String>,
}

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
            myhostname: self.myhostname(),
        };
        if let Some(name) = only {
            let newest = self.newest(name)?.ok_or_else(|| super::unknown(name))?;
            return self.check_one(newest, &ground, each);
        }
        self.each_stored(&mut |stored| self.check_one(stored, &ground, each))
    }

    fn myhostname(&self) -> Option<String> {
        let look = self.host.look().ok()?;
        let name = look.values.get("myhostname")?;
        (!name.is_empty() && !name.contains('$')).then(|| name.clone())
    }

    fn check_one(
        &self,
        newest: Stored,
        ground: &Ground,
        each: &mut dyn FnMut(CertificateView),
    ) -> Result<(), EngineError> {
        let mut versions = vec![newest];
        let newest = versions[0].version;
        let name = versions[0].name.clone();
        let is_used = |stored: &Stored| {
            !ground
                .around
                .users
                .in_force(&name, stored.version)
                .is_empty()
        };
        if ground.around.users.names().contains(name.as_str()) {
            let older = self.store.certificate_versions(&name)?.into_iter().skip(1);
            versions.extend(older.filter(is_used));
        }
        for stored in versions {
            let version = stored.version;
            let mut view = self.view(stored, &ground.around)?;
            let bound = ground.around.users.in_force(&view.name, version);
            self.judge_use(&mut view, &bound, ground);
            if version != newest {
                for finding in &mut view.problems {
                    let about = format!("version {version}, which is in force");
                    *finding = finding.clone().seen(about);
                }
            }
            each(view);
        }
        Ok(())
    }

    /// What is wrong with it where it is presented.
    fn judge_use(&self, view: &mut CertificateView, bound: &[&Binding], ground: &Ground) {
        let Some(leaf) = view.chain.first() else {
            return;
        };
        for bound in bound {
            view.problems.extend(name_problem(leaf, bound, ground));
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
        let selfish = ["cert.self-signed", "cert.system-certificate"];
        for finding in view.problems.iter_mut().filter(|_| accepted) {
            if selfish.contains(&&*finding.code) {
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
            _ => vec![(&CertError::Unreadable("it is not a regular file".to_owned())).into()],
        };
        let healed = |problem| {
            let mut finding = certificate_finding(&problem);
            finding.remedy = "`postseal apply` writes it anew, for root alone.".to_owned();
            finding.seen(shown.clone())
        };
        problems.into_iter().map(healed).collect()
    }
}

/// A name that the certificate does not have, though clients ask for it there.
fn name_problem(leaf: &Certificate, bound: &Binding, ground: &Ground) -> Option<Finding> {
    let asked = match &bound.place {
        Place::Server | Place::Port(_) => ground.myhostname.clone()?,
        // Any name below it.
        Place::Sni(name) if name.starts_with('.') => format!("any{name}"),
        Place::Sni(name) => name.clone(),
        Place::Client(_) => return None,
    };
    let found = mailtls::name_problem(leaf, &asked)?;
    Some(finding(&found).seen(format!("presented by {}", bound.place.text())))
}
