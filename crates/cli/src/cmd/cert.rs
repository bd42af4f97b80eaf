//! `cert`: the certificate store and its bindings.
//!
//! Owns: the words of what the store holds; what enters it, what is made and where it is presented
//! are files of their own below. Never: prints a key but by `cert export --key`.

mod bind;
mod import;
mod issue;
mod make;
mod renew;
mod tlsa;

use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use crate::table;
use jiff::Timestamp;
use postseal_engine::{CertificateView, EngineError};
use serde_json::json;

/// The verbs of `cert`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum CertCommand {
    /// Check a certificate and its key and put them into the store, the key sealed
    Import(import::ImportArgs),
    /// Present the newest version of a certificate at once, wherever an older one is in force;
    /// with files or a folder, import them as its renewal first (the hook for ACME clients)
    Deploy(import::DeployArgs),
    /// Make a certificate that only its own key vouches for
    SelfSigned(make::SelfSignedArgs),
    /// Make a small CA of one's own, for closed networks and tests
    PrivateCa(make::PrivateCaArgs),
    /// Make a key here and a request for a CA; without NAME, list the requests that wait
    Request(make::RequestArgs),
    /// Have a certificate issued by a CA that speaks ACME (Let's Encrypt where none is said)
    Issue(Box<issue::IssueArgs>),
    /// Renew the issued certificates whose time has come, and present them (for a timer)
    Renew(renew::RenewArgs),
    /// The certificates of the store
    List,
    /// One certificate in full
    Show(NameArgs),
    /// What is wrong with a certificate today (all of them without NAME)
    Check(CheckArgs),
    /// Present a certificate on the SMTP services (in force after apply)
    Bind(bind::BindArgs),
    /// Present it no longer (in force after apply)
    Unbind(bind::UnbindArgs),
    /// Print the chain, or with --key the private key
    Export(ExportArgs),
    /// The TLSA records (DANE) of a certificate for this host's MX names, as lines of a zone file,
    /// and which of them are published
    Tlsa(tlsa::TlsaArgs),
    /// Delete a certificate that nothing binds
    Delete(NameArgs),
}

/// A certificate's name.
#[derive(Debug, clap::Args)]
pub(crate) struct NameArgs {
    name: String,
}

/// Arguments of `cert check`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    name: Option<String>,
}

/// Arguments of `cert export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
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
        CertCommand::List => list(global),
        CertCommand::Show(args) => show(&args.name, global),
        CertCommand::Check(args) => check(args.name.as_deref(), global),
        CertCommand::Bind(args) => bind::bind(args, global),
        CertCommand::Unbind(args) => bind::unbind(args, global),
        CertCommand::Export(args) => export(args, global),
        CertCommand::Tlsa(args) => tlsa::tlsa(args, global),
        CertCommand::Delete(args) => delete(&args.name, global),
    }
}

fn list(global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let views = session.engine().certificates()?;
    let rows: Vec<Vec<String>> = views
        .iter()
        .map(|view| {
            let leaf = &view.chain[0];
            vec![
                view.name.clone(),
                leaf.dns_names.join(" "),
                leaf.key.to_string(),
                date(leaf.not_after),
                days_left(leaf.not_after),
                view.used_by.join(", "),
            ]
        })
        .collect();
    let text = if rows.is_empty() {
        "No certificates.\n".to_owned()
    } else {
        table::render(&["name", "names", "key", "until", "days", "used by"], &rows)
    };
    let documents: Vec<_> = views.iter().map(document).collect();
    let failed = renew::failures(&views);
    renew::warn(&failed, global);
    Ok(Answer::new(
        text,
        json!({"changed": false, "certificates": documents, "findings": failed}),
    ))
}

fn show(name: &str, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let engine = session.engine();
    let view = engine.certificate(name)?;
    let next = engine
        .waiting_key(name)?
        .map(|next| next.record.to_string());
    let mut text = String::new();
    for (n, certificate) in view.chain.iter().enumerate() {
        let role = if n == 0 {
            "certificate"
        } else {
            "intermediate"
        };
        text.push_str(&format!(
            "{role}\n  subject      {}\n  issuer       {}\n  serial       {}\n{}  key          {}\n  valid        {} to {}\n  fingerprint  {}\n",
            certificate.subject, certificate.issuer, certificate.serial, names(&certificate.dns_names),
            certificate.key, date(certificate.not_before), date(certificate.not_after), certificate.fingerprint(),
        ));
    }
    let used_by = if view.used_by.is_empty() {
        "nothing".to_owned()
    } else {
        view.used_by.join(", ")
    };
    text.push_str(&format!("source  {}\nused by {used_by}\n", view.source));
    if let Some(record) = &next {
        text.push_str(&format!(
            "next key waits for the next certificate, TLSA {record}\n"
        ));
    }
    text.push_str(&renew::shown(&view));
    text.push_str(&findings_text(&view.problems));
    Ok(Answer::new(
        text,
        json!({
            "changed": false,
            "certificate": document(&view),
            "next_key": next,
            "findings": view.problems,
        }),
    ))
}

/// A CA has none.
fn names(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!("  names        {}\n", names.join(" "))
}

fn check(name: Option<&str>, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let checked = session.engine().check_certificates(name)?;
    let problems = checked.views.iter().flat_map(|view| view.problems.clone());
    let findings: Vec<_> = problems.chain(checked.in_force).collect();
    let bad = findings
        .iter()
        .any(|finding| finding.severity >= postseal_planner::Severity::Error);
    let text = if findings.is_empty() {
        "Nothing found.\n".to_owned()
    } else {
        findings_text(&findings)
    };
    let exit = if bad { Exit::Pending } else { Exit::Done };
    Ok(Answer::new(text, json!({"changed": false, "findings": findings})).exit(exit))
}

fn export(args: &ExportArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
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

fn delete(name: &str, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    let view = engine.certificate(name)?;
    engine.delete_certificate(name)?;
    let gone = Change::default().of(name, fingerprint(&view), None::<String>);
    Ok(Answer::new(
        format!("{name} is deleted.\n"),
        gone.document(json!({})),
    ))
}

pub(super) fn fingerprint(view: &CertificateView) -> Option<String> {
    let leaf = view.chain.first()?;
    Some(leaf.fingerprint().to_string())
}

/// A certificate in one line.
pub(crate) fn line(view: &CertificateView) -> String {
    let Some(leaf) = view.chain.first() else {
        return String::new();
    };
    let used = if view.used_by.is_empty() {
        String::new()
    } else {
        format!(", used by {}", view.used_by.join(", "))
    };
    format!(
        "{}: {}, {}, until {} ({} days){used}\n",
        view.name,
        leaf.dns_names.join(" "),
        leaf.key,
        date(leaf.not_after),
        days_left(leaf.not_after)
    )
}

/// A certificate for programs; never its key.
pub(crate) fn document(view: &CertificateView) -> serde_json::Value {
    let Some(leaf) = view.chain.first() else {
        return json!({"name": view.name});
    };
    json!({
        "name": view.name,
        "version": view.version,
        "names": leaf.dns_names,
        "subject": leaf.subject,
        "issuer": leaf.issuer,
        "serial": leaf.serial,
        "key": leaf.key.to_string(),
        "not_before": date_time(leaf.not_before),
        "not_after": date_time(leaf.not_after),
        "fingerprint": leaf.fingerprint(),
        "self_signed": leaf.self_signed,
        "chain_length": view.chain.len(),
        "has_key": view.has_key,
        "source": view.source,
        "used_by": view.used_by,
        "renewal": renew::document(view),
    })
}

fn date(unix: i64) -> String {
    Timestamp::from_second(unix).map_or_else(
        |_| unix.to_string(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}

fn date_time(unix: i64) -> String {
    Timestamp::from_second(unix).map_or_else(|_| unix.to_string(), |at| at.to_string())
}

fn days_left(not_after: i64) -> String {
    ((not_after - Timestamp::now().as_second()).div_euclid(86400)).to_string()
}
