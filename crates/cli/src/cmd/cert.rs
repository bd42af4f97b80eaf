//! `cert`: the certificate store and its bindings.
//!
//! Owns: the words of one certificate of the store; the list, the check, what enters it, what is
//! made and where it is presented are files of their own below. Never: prints a key but by `cert export --key`.

mod bind;
pub(crate) mod check;
pub(crate) mod import;
mod issue;
pub(crate) mod list;
mod make;
mod new_file;
mod prune;
mod renew;
mod sealed;
mod tlsa;
pub(crate) mod watch;

use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use mailtls::Certificate;
use postseal_engine::{CertificateView, Engine, EngineError, Listed};
use postseal_planner::calendar;
use serde_json::json;

/// The verbs of `cert`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CertCommand {
    /// Check a certificate and its key and put them into the store, the key sealed
    Import(import::ImportArgs),
    /// Present the newest version of a certificate at once, wherever an older one is in force;
    /// with files or a folder, import them as its renewal first (the hook for ACME clients)
    Deploy(import::DeployArgs),
    /// Watch the folder of an ACME client, and present what is renewed there; without NAME, all
    /// folders that are remembered (for a service)
    Watch(watch::WatchArgs),
    /// Make a certificate that only its own key vouches for
    SelfSigned(make::SelfSignedArgs),
    /// Make a small CA of one's own, for closed networks and tests (`cert request NAME --ca` has it
    /// issue), or give it a later end
    PrivateCa(make::PrivateCaArgs),
    /// Make a key here and a request for a CA; without NAME, list the requests that wait
    Request(make::RequestArgs),
    /// Have a certificate issued by a CA that speaks ACME (Let's Encrypt where none is said)
    Issue(Box<issue::IssueArgs>),
    /// Renew the issued certificates whose time has come, and present them (for a timer)
    Renew(renew::RenewArgs),
    /// The certificates of the store, and the requests that wait for theirs
    List,
    /// One certificate in full
    Show(NameArgs),
    /// What is wrong with a certificate today (all of them without NAME)
    Check(check::CheckArgs),
    /// Present a certificate: on every SMTP service, or where it is said (in force after apply)
    Bind(bind::BindArgs),
    /// Present it no longer: nowhere, or not where it is said (in force after apply)
    Unbind(bind::UnbindArgs),
    /// Print the chain, or with --key the private key
    Export(ExportArgs),
    /// The TLSA records (DANE) of a certificate for this host's MX names, as lines of a zone file,
    /// and which of them are published
    Tlsa(tlsa::TlsaArgs),
    /// Remove superseded keys and maps from postseal.d: what neither the files in force name nor
    /// those from before the newest change
    Prune,
    /// Delete a certificate that nothing binds, or one version of it
    #[command(disable_version_flag = true)]
    Delete(DeleteArgs),
}

/// A certificate's name.
#[derive(Debug, clap::Args)]
pub(crate) struct NameArgs {
    /// A certificate of the store
    name: String,
}

/// Arguments of `cert delete`.
#[derive(Debug, clap::Args)]
pub(crate) struct DeleteArgs {
    /// A certificate of the store
    name: String,
    /// Only this version, which nothing presents: a renewal that cannot work, or an old one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    version: Option<u32>,
}

/// Arguments of `cert export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// A certificate of the store
    name: String,
    /// The private key too; needs --yes-export-private-key
    #[arg(long, requires = "yes_export_private_key")]
    key: bool,
    /// Yes, print the private key in clear; it is noted in the audit log
    #[arg(long)]
    yes_export_private_key: bool,
}

pub(crate) fn run(command: &CertCommand, global: &Global) -> Result<Answer, Failure> {
    match command {
        CertCommand::Import(args) => import::import(args, global),
        CertCommand::SelfSigned(args) => make::self_signed(args, global),
        CertCommand::PrivateCa(args) => make::private_ca(args, global),
        CertCommand::Request(args) => make::request(args, global),
        CertCommand::Deploy(args) => import::deploy(args, global),
        CertCommand::Issue(args) => issue::run(args, global),
        CertCommand::Renew(args) => renew::run(args, global),
        CertCommand::Watch(args) => watch::watch(args, global),
        CertCommand::List => list::list(global),
        CertCommand::Show(args) => show(&args.name, global),
        CertCommand::Check(args) => check::check(args, global),
        CertCommand::Bind(args) => bind::bind(args, global),
        CertCommand::Unbind(args) => bind::unbind(args, global),
        CertCommand::Export(args) => export(args, global),
        CertCommand::Tlsa(args) => tlsa::tlsa(args, global),
        CertCommand::Prune => prune::prune(global),
        CertCommand::Delete(args) => delete(args, global),
    }
}

fn used_by(users: &[String]) -> String {
    match users {
        [] => "used by nothing\n".to_owned(),
        users => format!("used by {}\n", users.join(", ")),
    }
}

/// Who presents it, from whichever file.
fn users(engine: &Engine<'_>, view: &CertificateView) -> Vec<String> {
    let leaf = view.chain.first().map(mailtls::Certificate::fingerprint);
    let files = leaf.map(|leaf| list::by_files(&leaf, &engine.adopted_certificates()));
    let bound = view.used_by.iter().cloned();
    bound.chain(files.into_iter().flatten()).collect()
}

fn show(name: &str, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::reading(global)?;
    let engine = session.engine();
    let view = engine.certificate(name)?;
    let next = engine
        .waiting_key(name)?
        .map(|next| next.record.to_string());
    let kept = engine.key_kept_since(name)?;
    let watched = engine.watches(Some(name))?;
    let watched = watched.first().map(|watch| watch.dir.display().to_string());
    let mut text = String::new();
    for (n, certificate) in view.chain.iter().enumerate() {
        let role = if n == 0 {
            "certificate"
        } else {
            "intermediate"
        };
        text.push_str(&format!(
            "{role}\n  subject      {}\n  issuer       {}\n  serial       {}\n{}{}  key          {}\n  valid        {} to {}\n  fingerprint  {}\n",
            certificate.subject, certificate.issuer, certificate.serial, names(certificate), permits(certificate),
            certificate.key, date(certificate.not_before), date(certificate.not_after), certificate.fingerprint(),
        ));
    }
    let users = users(&engine, &view);
    text.push_str(&format!("source  {}\n{}", view.source, used_by(&users)));
    if let Some(dir) = &watched {
        text.push_str(&format!("watched {dir}, for renewals\n"));
    }
    text.push_str(&instead(&view));
    if let Some(since) = kept {
        text.push_str(&format!("key     reused, the same since version {since}\n"));
    }
    if let Some(record) = &next {
        text.push_str(&format!(
            "next key waits for the next certificate, TLSA {record}\n"
        ));
    }
    text.push_str(&renew::shown(&view));
    text.push_str(&findings_text(&view.problems));
    let mut certificate = document(&view);
    certificate["used_by"] = json!(users);
    Ok(Answer::new(
        text,
        json!({
            "changed": false,
            "certificate": certificate,
            "in_force_instead": view.in_force_instead,
            "waits_for": view.waits_for,
            "undetermined": view.untold,
            "next_key": next,
            "watched": watched,
            "permitted_domains": view.chain.first().and_then(permitted),
            "key_since_version": kept.unwrap_or(view.version),
            "findings": view.problems,
        }),
    ))
}

/// That an older version is in force, and why.
fn instead(view: &CertificateView) -> String {
    let Some(older) = view.in_force_instead else {
        return String::new();
    };
    let by = match view.waits_for.is_empty() {
        true => format!(
            " `postseal cert deploy {}` presents the newest{}.",
            view.name,
            list::unsure(view.untold.as_ref())
        ),
        false => " It waits:".to_owned(),
    };
    format!(
        "This is version {}, the newest, and it is not in force: version {older} is.{by}\n{}",
        view.version,
        findings_text(&view.waits_for)
    )
}

/// A CA has none.
fn names(certificate: &Certificate) -> String {
    let addresses = certificate.ip_addresses.iter().map(ToString::to_string);
    let names: Vec<String> = certificate
        .dns_names
        .iter()
        .cloned()
        .chain(addresses)
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!(
        "  names        {}\n",
        list::some_names(&names, list::NAMES_IN_FULL)
    )
}

/// The domains that a CA may issue for; an empty list is every domain. `None` for what is no CA.
fn permitted(certificate: &Certificate) -> Option<Vec<String>> {
    let of_ca = certificate.is_ca.then(|| certificate.permitted_domains());
    of_ca.and_then(Result::ok)
}

/// The same for people.
fn permits(certificate: &Certificate) -> String {
    match permitted(certificate) {
        None => String::new(),
        Some(domains) if domains.is_empty() => "  issues for   any name\n".to_owned(),
        Some(domains) => format!(
            "  issues for   {}, and names below\n",
            list::some_names(&domains, list::NAMES_IN_FULL)
        ),
    }
}

fn export(args: &ExportArgs, global: &Global) -> Result<Answer, Failure> {
    // That a key went out is noted in the store.
    let mut session = match args.key {
        true => Session::existing(global)?,
        false => Session::reading(global)?,
    };
    let mut engine = session.engine();
    if args.key {
        if global.output == Output::Json {
            return Err(Failure::new(
                Exit::Usage,
                "cert.no-key-in-json",
                "a private key is never put into JSON".to_owned(),
            )
            .hint("Leave out --json."));
        }
        let exported = engine.export_key(&args.name)?;
        let text = String::from_utf8_lossy(&exported.pem).into_owned();
        return Ok(Answer::new(text, json!({})));
    }
    let view = engine.certificate(&args.name)?;
    let mut pem = String::new();
    for certificate in &view.chain {
        let bytes = certificate.to_pem().map_err(EngineError::Certificate)?;
        pem.push_str(&String::from_utf8_lossy(&bytes));
    }
    Ok(Answer::new(
        pem.clone(),
        json!({"changed": false, "chain": pem}),
    ))
}

fn delete(args: &DeleteArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    let name = &args.name;
    if let Some(version) = args.version {
        let fingerprint = engine.delete_version(name, version)?;
        let what = format!("{name} [version {version}]");
        let gone = Change::default().of(what, Some(fingerprint.to_string()), None::<String>);
        let newest = engine.certificate(name)?.version;
        return Ok(Answer::new(
            format!(
                "Version {version} of {name} is deleted; the newest one is version {newest}.\n"
            ),
            gone.document(json!({"version": version, "newest_version": newest})),
        ));
    }
    let view = engine.certificate(name)?;
    let mut adopted = engine.adopted_certificates();
    adopted.retain(|one| one.same_as.contains(name));
    engine.delete_certificate(name)?;
    let gone = Change::default().of(name.clone(), fingerprint(&view), None::<String>);
    let mut text = format!("{name} is deleted.\n");
    for one in &adopted {
        text.push_str(&format!(
            "It is presented still, by {}: {} has it, a file of your own, which stays. Postseal renews it \
             no more.\n",
            one.services.join(", "),
            one.path.display()
        ));
    }
    let still: Vec<_> = adopted.iter().map(list::adopted_document).collect();
    Ok(Answer::new(
        text,
        gone.document(json!({"presented_still": still})),
    ))
}

pub(super) fn fingerprint(view: &CertificateView) -> Option<String> {
    let leaf = view.chain.first()?;
    Some(leaf.fingerprint().to_string())
}

/// A certificate in one line.
pub(crate) fn line(view: &CertificateView) -> String {
    Listed::of(view).map_or_else(String::new, |listed| list::line(&listed))
}

/// A certificate for programs; never its key.
pub(crate) fn document(view: &CertificateView) -> serde_json::Value {
    match Listed::of(view) {
        Some(listed) => list::document(&listed),
        None => json!({"name": view.name}),
    }
}

pub(crate) fn date(unix: i64) -> String {
    calendar::day(unix)
}
