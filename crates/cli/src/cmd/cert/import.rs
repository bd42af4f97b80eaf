//! `cert import` and `cert deploy`: files on their way into the store, and on to the wire.
//!
//! Owns: what was named, and the answer. Never: judges it (the engine does).

use super::{document, fingerprint, line, sealed};
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::cmd::apply;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use mailtls::{CertError, Files, Part};
use postseal_engine::{Changes, EngineError, Import, Imported, Outcome, open_key};
use postseal_host::{
    SourceAccess, SourceError, SourceFiles, access_to, chosen_by, read_folder, read_password,
    read_source, read_stream,
};
use postseal_planner::task::Task;
use postseal_store::Succession;
use postseal_store::desk::Upload;
use serde_json::json;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Arguments of `cert import`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Your name for it
    name: String,
    #[command(flatten)]
    from: From,
    /// The private CA that the certificate is to be trusted by; the file may hold several
    #[arg(long, value_name = "FILE")]
    private_ca: Option<PathBuf>,
    /// It takes the place of the certificate that has this name now (`cert deploy` presents it)
    #[arg(long)]
    renew: bool,
    /// Read from standard input what was sealed to this store's recipient (`cert list --json` names it), as
    /// the console sends it
    #[arg(long, conflicts_with_all = ["cert", "key", "chain", "dir", "password_file", "private_ca"])]
    sealed: bool,
}

/// Arguments of `cert deploy`.
#[derive(Debug, clap::Args)]
pub(crate) struct DeployArgs {
    /// A certificate of the store
    name: String,
    #[command(flatten)]
    from: From,
}

/// Where a certificate comes from.
#[derive(Debug, clap::Args)]
struct From {
    /// The certificate, or certificate, chain and key in any order (PEM, DER, PKCS#12); `-` reads
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with = "dir")]
    cert: Option<PathBuf>,
    /// The private key, unless it stands in the certificate's file or the store has it
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Intermediate certificates
    #[arg(long, value_name = "FILE", requires = "cert")]
    chain: Option<PathBuf>,
    /// The folder of an ACME client (certbot, dehydrated, lego, acme.sh, Caddy), or the one where it keeps
    /// them all
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Which certificate, where the folder holds several [default: the one that NAME fits]
    #[arg(long, value_name = "NAME", requires = "dir")]
    domain: Option<String>,
    /// Holds the password of a PKCS#12 file or an encrypted key, in its first line
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// What was read.
struct Read {
    files: SourceFiles,
    password: Option<Zeroizing<String>>,
}

pub(super) fn import(args: &ImportArgs, global: &Global) -> Result<Answer, Failure> {
    if args.sealed {
        return sealed::import(&args.name, args.succession(), global);
    }
    let Some(files) = args.from.read(&args.name)? else {
        return Err(Failure::new(
            Exit::Usage,
            "cert.nothing-named",
            "nothing to import is named".to_owned(),
        )
        .hint("Say --cert FILE (and --key FILE), --cert - for standard input, or --dir DIR."));
    };
    let private_ca = args.private_ca.as_deref().map(read).transpose()?;
    let key_file = files.files.key_file.clone();
    let faulty = files.faulty();
    let import = files.import(
        &args.name,
        private_ca.map(|bytes| bytes.to_vec()),
        args.succession(),
    );
    let mut session = Session::open(global)?;
    let imported = session.engine().import_certificate(import);
    let imported = imported.map_err(|error| match (&error, &args.private_ca) {
        (EngineError::ChosenCa(_), Some(path)) => Failure::from(error).file(path),
        _ => args.from.named(error, faulty),
    })?;
    Ok(answer(&imported, key_file.as_ref()))
}

impl ImportArgs {
    fn succession(&self) -> Succession {
        match self.renew {
            true => Succession::Renewal,
            false => Succession::First,
        }
    }

    /// The same as a task for another host's agent, its files sealed to the store there; none where only
    /// that host can look, as into folders.
    pub(crate) fn sealed_to(
        &self,
        recipient: impl FnOnce() -> Result<String, Failure>,
    ) -> Result<Option<Task>, Failure> {
        if self.sealed || self.from.dir.is_some() {
            return Ok(None);
        }
        let Some(found) = self.from.read(&self.name)? else {
            return Ok(None);
        };
        let upload = Upload {
            cert: found.files.cert.into(),
            key: found.files.key,
            chain: found.files.chain.map(Into::into),
            private_ca: self.private_ca.as_deref().map(read).transpose()?,
            password: found.password,
        };
        Ok(Some(Task::CertImport {
            name: self.name.clone(),
            sealed: upload.seal(&recipient()?).map_err(EngineError::from)?,
            renew: self.renew,
        }))
    }
}

/// What is given enters the store first, as a renewal; then the newest version is presented.
pub(super) fn deploy(args: &DeployArgs, global: &Global) -> Result<Answer, Failure> {
    let files = args.from.read(&args.name)?;
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    let mut taken = None;
    if let Some(files) = files {
        // A mistyped name in a hook would make a certificate that nothing presents.
        engine.certificate(&args.name)?;
        let key_file = files.files.key_file.clone();
        let faulty = files.faulty();
        let import = files.import(&args.name, None, Succession::Renewal);
        let imported = engine.import_renewal(import);
        let imported = imported.map_err(|error| args.from.named(error, faulty))?;
        taken = (imported.changes == Changes::Some).then_some((imported, key_file));
    }
    let changed = engine.deploy(&args.name)?;
    if let (Some((imported, key_file)), Outcome::Nothing) = (&taken, changed.outcome) {
        let name = &args.name;
        // A pending binding has followed to what came.
        let bind = match engine.certificate(name)?.used_by.as_slice() {
            [] => format!("`postseal cert bind {name}`, then "),
            _ => String::new(),
        };
        let waits = format!("Nothing presents {name} yet: {bind}`postseal apply`.\n");
        return Ok(answer(imported, key_file.as_ref()).and(&waits));
    }
    Ok(apply::answer(&changed).and(&findings_text(changed.brought())))
}

pub(super) fn answer(imported: &Imported, key_file: Option<&SourceAccess>) -> Answer {
    let mut findings = imported.view.problems.clone();
    findings.extend(imported.findings.iter().cloned());
    if let Some(file) = key_file.filter(|_| imported.brought_key) {
        findings.extend(open_key(file));
    }
    let mut text = line(&imported.view);
    for note in &imported.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&findings_text(&findings));
    let changed = imported.changes == Changes::Some;
    text.push_str(if changed {
        "It is in the store, its key sealed.\n"
    } else {
        "It was in the store already.\n"
    });
    text.push_str(&super::list::before(&imported.view));
    let there = fingerprint(&imported.view);
    let before = there.clone().filter(|_| !changed);
    let change = Change::default()
        .of(imported.view.name.clone(), before, there)
        .findings(&findings);
    let own = json!({"certificate": document(&imported.view), "notes": imported.notes});
    Answer::new(text, change.document(own))
}

impl Read {
    /// Which of several files an error is about, where one cannot be read by itself.
    fn faulty(&self) -> Option<Part> {
        let files = Files {
            cert: &self.files.cert,
            key: self.files.key.as_ref().map(|key| key.as_slice()),
            chain: self.files.chain.as_deref(),
            password: self.password.as_ref().map(|password| password.as_str()),
        };
        files.faulty()
    }

    fn import(self, name: &str, private_ca: Option<Vec<u8>>, succession: Succession) -> Import {
        Import {
            name: name.to_owned(),
            cert: self.files.cert,
            key: self.files.key,
            chain: self.files.chain,
            private_ca,
            password: self.password,
            source: self.files.source,
            succession,
        }
    }
}

impl From {
    /// An error that says which file it is about.
    fn named(&self, error: EngineError, faulty: Option<Part>) -> Failure {
        let EngineError::Certificate(what) = &error else {
            return error.into();
        };
        let path = self.at_fault(what, faulty);
        let hint = match (what, path) {
            (CertError::KeyEncrypted, Some(_)) => Some(
                "Put its pass phrase into a file, mode 0600, and say: --password-file FILE; or take \
                 it off: openssl pkey -in key.pem -out key-plain.pem (mode 0600)."
                    .to_owned(),
            ),
            (CertError::PasswordMissing, path) => Some(format!(
                "Put the password that it was exported with into a file, mode 0600, and say: \
                 --cert {} --password-file FILE",
                path.map_or(Path::new(STDIN), |path| path).display()
            )),
            _ => None,
        };
        let mut failure = Failure::from(error);
        if let Some(path) = path {
            failure = failure.file(path);
        }
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    /// The file that an error is about: the one that cannot be read by itself; else where a key was
    /// looked for, or the certificate's.
    fn at_fault(&self, error: &CertError, faulty: Option<Part>) -> Option<&Path> {
        let of_key = matches!(
            error,
            CertError::KeyEncrypted
                | CertError::KeyMissing
                | CertError::KeyMismatch(_)
                | CertError::KeyUnusable(_)
        );
        let named = match faulty {
            Some(Part::Chain) => self.chain.as_ref(),
            Some(Part::Key) => self.key.as_ref(),
            None if of_key => self.key.as_ref(),
            Some(Part::Cert) | None => None,
        };
        let named = named.or(self.cert.as_ref()).or(self.dir.as_ref());
        let named = named.filter(|path| path.as_os_str() != STDIN);
        named.map(PathBuf::as_path)
    }

    /// What is named; `None` where nothing is.
    fn read(&self, name: &str) -> Result<Option<Read>, Failure> {
        let password = self.password_file.as_deref().map(read_password);
        let password = password.transpose()?;
        let files = match (&self.cert, &self.dir) {
            (Some(cert), _) => self.named_files(cert)?,
            (None, Some(dir)) => {
                let domain = chosen_by(dir, self.domain.as_deref(), name);
                read_folder(dir, domain.as_deref())?
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Read { files, password }))
    }

    fn named_files(&self, cert: &Path) -> Result<SourceFiles, Failure> {
        let chain = self.chain.as_deref().map(read).transpose()?;
        let of_key = self.key.as_deref().unwrap_or(cert);
        let of_key = std::path::absolute(of_key)
            .ok()
            .filter(|_| of_key.as_os_str() != STDIN);
        Ok(SourceFiles {
            key_file: of_key.and_then(|path| access_to(path).ok()),
            cert: read(cert)?.to_vec(),
            key: self.key.as_deref().map(read).transpose()?,
            chain: chain.map(|bytes| bytes.to_vec()),
            source: match std::path::absolute(cert) {
                Ok(path) if cert.as_os_str() != STDIN => path.display().to_string(),
                _ => cert.display().to_string(),
            },
        })
    }
}

/// Standard input.
const STDIN: &str = "-";

/// A file's bytes, or those of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path.as_os_str() == STDIN {
        return Ok(read_stream(std::io::stdin().lock(), path)?);
    }
    Ok(read_source(path)?)
}

impl std::convert::From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Failure::new(Exit::Data, error.code(), error.to_string()).hint(error.remedy())
    }
}
