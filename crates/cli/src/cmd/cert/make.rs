//! `cert self-signed`, `cert private-ca` and `cert request`: what is made here.
//!
//! Owns: their words and defaults. Never: makes a key; prints one.

use super::new_file::NewFile;
use super::{document, fingerprint, line};
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use clap::ValueEnum;
use jiff::Timestamp;
use postseal_engine::{CertificateView, Engine, EngineError, KeyChoice, Wanted};
use postseal_issue::KeyType;
use postseal_store::{PendingRequest, Succession};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A year: what self-signed certificates and those of private CAs last when nothing is said.
const YEAR: u32 = 365;
/// Ten years: what a private CA lasts.
const TEN_YEARS: u32 = 3650;

/// Arguments of `cert self-signed`.
#[derive(Debug, clap::Args)]
pub(crate) struct SelfSignedArgs {
    /// Your name for it
    name: String,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    key: KeyArgs,
    /// How many days it is valid
    #[arg(long, default_value_t = YEAR, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
}

/// Arguments of `cert private-ca`.
#[derive(Debug, clap::Args)]
pub(crate) struct PrivateCaArgs {
    /// Your name for it
    name: String,
    /// Its common name (default: NAME)
    #[arg(long, value_name = "TEXT")]
    common_name: Option<String>,
    /// Domains that it may issue for (name constraints; RFC 5280 §4.2.1.10); all where none is said
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    permit: Vec<String>,
    /// The kind of its key
    #[arg(long, value_enum, default_value_t = Kind::EcdsaP256)]
    key_type: Kind,
    /// How many days it is valid
    #[arg(long, default_value_t = TEN_YEARS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Give the CA that has this name now a later end: the same key, name and domains, so that what it
    /// issued stays valid
    #[arg(long, conflicts_with_all = ["common_name", "permit", "key_type"])]
    renew: bool,
}

/// Arguments of `cert request`.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    /// The name that the certificate will have; alone, the request that waits under it is shown;
    /// without it, those that wait are listed
    name: Option<String>,
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    key: KeyArgs,
    /// Write the request to this file (it must not be there yet) in place of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Have it signed at once by this private CA of the store
    #[arg(long, value_name = "NAME", conflicts_with_all = ["out", "forget"])]
    ca: Option<String>,
    /// How many days it is valid, with --ca
    #[arg(long, default_value_t = YEAR, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: u32,
    /// Forget the request and its key
    #[arg(long, requires = "name")]
    forget: bool,
}

/// Whom it is for.
#[derive(Debug, clap::Args)]
struct Names {
    /// Host names and addresses, with commas; the first is the common name too
    #[arg(long = "domain", value_name = "NAME", value_delimiter = ',')]
    names: Vec<String>,
}

/// Which key it is for.
#[derive(Debug, clap::Args)]
struct KeyArgs {
    /// The kind of key to make
    #[arg(long, value_enum, default_value_t = Kind::EcdsaP256)]
    key_type: Kind,
    /// Use the key of the certificate that has this name now, which it renews
    #[arg(long, conflicts_with = "key_type")]
    reuse_key: bool,
    /// It takes the place of the certificate that has this name now (`cert deploy` presents it)
    #[arg(long)]
    renew: bool,
}

/// Kinds of keys.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Kind {
    #[value(name = "ecdsa-p256")]
    EcdsaP256,
    #[value(name = "ecdsa-p384")]
    EcdsaP384,
    #[value(name = "rsa-2048")]
    Rsa2048,
    #[value(name = "rsa-3072")]
    Rsa3072,
    #[value(name = "rsa-4096")]
    Rsa4096,
    #[value(name = "ed25519")]
    Ed25519,
}

impl Kind {
    pub(super) const fn key_type(self) -> KeyType {
        match self {
            Self::EcdsaP256 => KeyType::EcdsaP256,
            Self::EcdsaP384 => KeyType::EcdsaP384,
            Self::Rsa2048 => KeyType::Rsa2048,
            Self::Rsa3072 => KeyType::Rsa3072,
            Self::Rsa4096 => KeyType::Rsa4096,
            Self::Ed25519 => KeyType::Ed25519,
        }
    }
}

impl KeyArgs {
    fn wanted(&self, name: &str, names: &Names, days: u32) -> Result<Wanted, Failure> {
        if names.names.is_empty() {
            return Err(
                Failure::new(Exit::Usage, "cert.no-names", "no name is said".to_owned())
                    .hint("Say whom it is for: --domain mx.example.org[,mail.example.org]."),
            );
        }
        let renewal = self.renew || self.reuse_key;
        Ok(Wanted {
            name: name.to_owned(),
            names: names.names.clone(),
            key: match self.reuse_key {
                true => KeyChoice::Reuse,
                false => KeyChoice::New(self.key_type.key_type()),
            },
            days,
            succession: match renewal {
                true => Succession::Renewal,
                false => Succession::First,
            },
        })
    }
}

pub(super) fn self_signed(args: &SelfSignedArgs, global: &Global) -> Result<Answer, Failure> {
    let wanted = args.key.wanted(&args.name, &args.names, args.days)?;
    let mut session = Session::open(global)?;
    with_waiting_key(&mut session.engine(), &args.name, |engine| {
        engine.self_signed(&wanted)
    })
}

pub(super) fn private_ca(args: &PrivateCaArgs, global: &Global) -> Result<Answer, Failure> {
    if args.renew {
        return renewed_ca(args, global);
    }
    let wanted = Wanted {
        name: args.name.clone(),
        names: vec![
            args.common_name
                .clone()
                .unwrap_or_else(|| args.name.clone()),
        ],
        key: KeyChoice::New(args.key_type.key_type()),
        days: args.days,
        succession: Succession::First,
    };
    let mut session = Session::open(global)?;
    Ok(made(&session.engine().private_ca(&wanted, &args.permit)?))
}

fn renewed_ca(args: &PrivateCaArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    let name = &args.name;
    let before = engine.certificate(name)?;
    let answer = made_after(
        &engine.renew_private_ca(name, args.days)?,
        fingerprint(&before),
    );
    let ends = before.chain.first().map(|ca| super::date(ca.not_after));
    Ok(answer.and(&format!(
        "Its key and its name are those of before: what it issued stays valid. Who trusts the one before\n\
         trusts what is issued now, too, until {}: have your peers trust this one by then\n\
         (`postseal cert export {name}`).\n",
        ends.unwrap_or_default()
    )))
}

pub(super) fn request(args: &RequestArgs, global: &Global) -> Result<Answer, Failure> {
    let Some(name) = &args.name else {
        let mut session = Session::open(global)?;
        return Ok(listed(&session.engine().requests()?));
    };
    if args.forget {
        let mut session = Session::existing(global)?;
        session.engine().forget_request(name)?;
        let gone = Change::default().of(name.clone(), "waiting", None::<String>);
        return Ok(Answer::new(
            format!("The request {name} is forgotten, with its key.\n"),
            gone.document(json!({})),
        ));
    }
    if args.names.names.is_empty() && args.ca.is_none() {
        let mut session = Session::open(global)?;
        if let Some(waiting) = session.engine().waiting_request(name)? {
            let Some(path) = &args.out else {
                return Ok(printed(&waiting, Change::default()));
            };
            NewFile::at(path)?.write(&waiting.pem)?;
            let taking = session.engine().taking_the_answer(name)?;
            return Ok(lies_in(path, &taking, (&waiting, Change::default())));
        }
    }
    let wanted = args.key.wanted(name, &args.names, args.days)?;
    let mut session = Session::open(global)?;
    let mut engine = session.engine();
    if let Some(ca) = &args.ca {
        return with_waiting_key(&mut engine, name, |engine| engine.issue_by(ca, &wanted));
    }
    let change = Change::default().of(name.clone(), None::<String>, "waiting");
    let Some(path) = &args.out else {
        return Ok(printed(&engine.request(&wanted)?, change));
    };
    // The file first: what cannot be written is not made.
    let mut file = NewFile::at(path)?;
    let request = engine.request(&wanted).inspect_err(|_| file.remove())?;
    if let Err(failed) = file.write(&request.pem) {
        engine.forget_request(name)?;
        return Err(failed);
    }
    let taking = engine.taking_the_answer(name)?;
    Ok(lies_in(path, &taking, (&request, change)))
}

/// A request, on standard output.
fn printed(request: &PendingRequest, change: Change) -> Answer {
    Answer::new(request.pem.clone(), request_document(request, change))
}

/// The same, where it has been written to a file.
fn lies_in(path: &Path, taking: &str, (request, change): (&PendingRequest, Change)) -> Answer {
    let text = format!(
        "The request is in {}; its key stays here, sealed.\nGive it to a CA, and its certificate \
         here: `{taking}`.\n",
        path.display()
    );
    Answer::new(text, request_document(request, change))
}

fn request_document(request: &PendingRequest, change: Change) -> Value {
    change.document(json!({"names": request.names, "request": request.pem}))
}

/// Makes a certificate, and says so where it was made for the key that waited for it.
fn with_waiting_key(
    engine: &mut Engine<'_>,
    name: &str,
    make: impl FnOnce(&mut Engine<'_>) -> Result<CertificateView, EngineError>,
) -> Result<Answer, Failure> {
    let waited = engine.waiting_key(name)?.is_some();
    let view = make(engine)?;
    let answer = made(&view);
    Ok(match waited && engine.waiting_key(name)?.is_none() {
        true => answer.and("It is made for the next key, which waited for it.\n"),
        false => answer,
    })
}

fn made(view: &CertificateView) -> Answer {
    made_after(view, None)
}

/// The same in the place of `before`, by its fingerprint.
fn made_after(view: &CertificateView, before: Option<String>) -> Answer {
    let mut text = line(view);
    text.push_str(&findings_text(&view.problems));
    text.push_str("It is in the store, its key sealed.\n");
    text.push_str(&super::list::before(view));
    let change = Change::default()
        .of(view.name.clone(), before, fingerprint(view))
        .findings(&view.problems);
    Answer::new(
        text,
        change.document(json!({"certificate": document(view)})),
    )
}

fn listed(requests: &[PendingRequest]) -> Answer {
    let made = |request: &PendingRequest| {
        Timestamp::from_millisecond(request.made_ms)
            .map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
    };
    let rows: Vec<Vec<String>> = requests
        .iter()
        .map(|request| vec![request.name.clone(), request.names.join(" "), made(request)])
        .collect();
    let text = if rows.is_empty() {
        "No request waits for its certificate.\n".to_owned()
    } else {
        table::render(&["request", "names", "made"], &rows)
    };
    Answer::new(text, json!({"changed": false, "requests": requests}))
}
