//! `cert import` and `cert deploy`: files on their way into the store, and on to the wire.
//!
//! Owns: reading what is named, within bounds. Never: judges it (the engine does); waits on a FIFO.

use super::{document, fingerprint, line};
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::cmd::apply;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use mailtls::CertError;
use mailtls::layout::{Entry, Layout, recognise};
use postseal_engine::{Changes, EngineError, Import, Imported};
use postseal_store::Succession;
use serde_json::json;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Larger files hold no certificate.
const LIMIT: u64 = 1 << 20;
/// A folder of more files is no certificate's.
const MOST_FILES: usize = 1000;

/// Arguments of `cert import`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// Your name for it
    name: String,
    #[command(flatten)]
    from: From,
    /// The private CA that the certificate is to be trusted by
    #[arg(long, value_name = "FILE")]
    private_ca: Option<PathBuf>,
    /// It takes the place of the certificate that has this name now (`cert deploy` presents it)
    #[arg(long)]
    renew: bool,
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
    /// The folder of an ACME client: certbot, dehydrated, lego, acme.sh, Caddy
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Which certificate, where the folder holds several
    #[arg(long, value_name = "NAME", requires = "dir")]
    domain: Option<String>,
    /// Holds the password of a PKCS#12 file or an encrypted key, in its first line
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// What was read.
struct Files {
    cert: Vec<u8>,
    key: Option<Zeroizing<Vec<u8>>>,
    chain: Option<Vec<u8>>,
    password: Option<Zeroizing<String>>,
    source: String,
}

pub(super) fn import(args: &ImportArgs, global: &Global) -> Result<Answer, Failure> {
    let Some(files) = args.from.read()? else {
        return Err(Failure::new(
            Exit::Usage,
            "cert.nothing-named",
            "nothing to import is named".to_owned(),
        )
        .hint("Say --cert FILE (and --key FILE), or --dir DIR."));
    };
    let private_ca = args.private_ca.as_deref().map(read).transpose()?;
    let succession = if args.renew {
        Succession::Renewal
    } else {
        Succession::First
    };
    let import = files.import(
        &args.name,
        private_ca.map(|bytes| bytes.to_vec()),
        succession,
    );
    let mut session = Session::open(global)?;
    let imported = session.engine().import_certificate(import);
    let imported = imported.map_err(|error| args.from.named(error))?;
    Ok(answer(&imported))
}

/// What is given enters the store first, as a renewal; then the newest version is presented.
pub(super) fn deploy(args: &DeployArgs, global: &Global) -> Result<Answer, Failure> {
    let files = args.from.read()?;
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    if let Some(files) = files {
        let import = files.import(&args.name, None, Succession::Renewal);
        let imported = engine.import_certificate(import);
        imported.map_err(|error| args.from.named(error))?;
    }
    Ok(apply::answer(&engine.deploy(&args.name)?))
}

fn answer(imported: &Imported) -> Answer {
    let mut text = line(&imported.view);
    for note in &imported.notes {
        text.push_str(&format!("note: {note}\n"));
    }
    text.push_str(&findings_text(&imported.view.problems));
    let changed = imported.changes == Changes::Some;
    text.push_str(if changed {
        "It is in the store, its key sealed.\n"
    } else {
        "It was in the store already.\n"
    });
    let there = fingerprint(&imported.view);
    let before = there.clone().filter(|_| !changed);
    let change = Change::default()
        .of(imported.view.name.clone(), before, there)
        .findings(&imported.view.problems);
    let own = json!({"certificate": document(&imported.view), "notes": imported.notes});
    Answer::new(text, change.document(own))
}

impl Files {
    fn import(self, name: &str, private_ca: Option<Vec<u8>>, succession: Succession) -> Import {
        Import {
            name: name.to_owned(),
            cert: self.cert,
            key: self.key,
            chain: self.chain,
            private_ca,
            password: self.password,
            source: self.source,
            succession,
        }
    }
}

impl From {
    /// An error that says where a key was looked for.
    fn named(&self, error: EngineError) -> Failure {
        let looked_in = self
            .key
            .as_ref()
            .or(self.cert.as_ref())
            .or(self.dir.as_ref());
        match (&error, looked_in) {
            (EngineError::Certificate(CertError::KeyMissing), Some(path)) => {
                Failure::from(error).file(path)
            }
            _ => error.into(),
        }
    }

    /// What is named; `None` where nothing is.
    fn read(&self) -> Result<Option<Files>, Failure> {
        let password = self.password_file.as_deref().map(password).transpose()?;
        let (cert, key, chain, source) = match (&self.cert, &self.dir) {
            (Some(cert), _) => {
                let source = cert.display().to_string();
                (cert.clone(), self.key.clone(), self.chain.clone(), source)
            }
            (None, Some(dir)) => {
                let layout = layout(dir, self.domain.as_deref())?;
                let source = format!("{} ({})", dir.display(), layout.client);
                let chain = layout.chain.map(|name| dir.join(name));
                (
                    dir.join(layout.cert),
                    Some(dir.join(layout.key)),
                    chain,
                    source,
                )
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(Files {
            cert: read(&cert)?.to_vec(),
            key: key.as_deref().map(read).transpose()?,
            chain: chain
                .as_deref()
                .map(read)
                .transpose()?
                .map(|bytes| bytes.to_vec()),
            password,
            source,
        }))
    }
}

/// The files of a folder, as its client names them.
fn layout(dir: &Path, domain: Option<&str>) -> Result<Layout, Failure> {
    let unreadable = |error: std::io::Error| unreadable(&error, dir);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unreadable)?.take(MOST_FILES) {
        let entry = entry.map_err(unreadable)?;
        let link = std::fs::read_link(entry.path()).ok();
        entries.push(Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            size: std::fs::metadata(entry.path()).map_or(0, |meta| meta.len()),
            target: link.map(|target| target.display().to_string()),
        });
    }
    recognise(&entries, domain).map_err(|error| {
        Failure::new(
            Exit::Data,
            error.code(),
            format!("{}: {error}", dir.display()),
        )
        .hint(error.remedy())
    })
}

fn password(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let bytes = read(path)?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    match std::str::from_utf8(line) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Failure::new(
            Exit::Data,
            "cert.password-not-text",
            format!("{}: the password is not UTF-8 text", path.display()),
        )),
    }
}

/// A file's bytes, or those of standard input for `-`.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if path == Path::new("-") {
        return bounded(std::io::stdin().lock(), path);
    }
    let io = |error: std::io::Error| unreadable(&error, path);
    let kind = std::fs::metadata(path).map_err(io)?.file_type();
    if kind.is_dir() {
        return Err(named(CertError::IsDirectory, path));
    }
    if !kind.is_file() {
        let why = "it is not a regular file".to_owned();
        return Err(named(CertError::Unreadable(why), path)
            .hint("Name the file itself: a pipe, a socket or a device is not read."));
    }
    bounded(std::fs::File::open(path).map_err(io)?, path)
}

fn bounded(from: impl Read, path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(LIMIT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(&error, path))?;
    if bytes.len() as u64 > LIMIT {
        return Err(named(CertError::TooLarge(bytes.len() as u64), path));
    }
    Ok(bytes)
}

fn unreadable(error: &std::io::Error, path: &Path) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => named(CertError::Missing, path),
        _ => named(CertError::Unreadable(error.to_string()), path),
    }
}

fn named(error: CertError, path: &Path) -> Failure {
    Failure::from(EngineError::Certificate(error)).file(path)
}
