//! `domain`: destinations that need authentication, and the rules they manage.
//!
//! Owns: from words to a wish about an entry, and what the answer says. Never: judges an entry.

mod list;

use super::policy::checks::Checks;
use super::policy::rule;
use super::policy::was::{Seen, of_one, only_while};
use super::set;
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use clap::Args;
use postseal_engine::{DomainRequest, DomainsWished, EngineError};
use serde_json::json;

/// The verbs of `domain`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DomainCommand {
    /// Entries, where their mail goes now, and next hops that get credentials
    List(list::ListArgs),
    /// Wish for an entry: a rule for its next hop, and what else it needs
    Add(AddArgs),
    /// Wish for an entry to be another one; what is not said stays
    Edit(EditArgs),
    /// Wish for entries to be gone, and what they manage with them
    Remove(RemoveArgs),
    /// Wish that every next hop with a key in smtp_sasl_password_maps has a rule that demands TLS,
    /// and that those whose key is gone have none
    Sync(SyncArgs),
}

/// Arguments of `domain add`.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The domain of recipients
    #[arg(value_name = "DOMAIN")]
    domain: String,
    #[command(flatten)]
    words: Words,
    /// The next hop demands authentication
    #[arg(long)]
    requires_auth: bool,
    /// The next hop expects TLS from the first byte (port 465): makes the client smtps-out in
    /// master.cf
    #[arg(long)]
    smtps: bool,
}

/// Arguments of `domain edit`.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The domain, as `domain list` shows it
    #[arg(value_name = "DOMAIN")]
    domain: String,
    #[command(flatten)]
    words: Words,
    /// Whether the next hop demands authentication: true, false
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    requires_auth: Option<bool>,
    /// Whether the next hop expects TLS from the first byte: true, false
    #[arg(long, num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    smtps: Option<bool>,
    /// Only while it is the entry with this digest, as `domain list --json` gives it
    #[arg(long, value_name = "DIGEST")]
    was: Option<String>,
}

/// Arguments of `domain sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    #[command(flatten)]
    checks: Checks,
}

/// Arguments of `domain remove`.
#[derive(Debug, Args)]
pub(crate) struct RemoveArgs {
    /// The domains, as `domain list` shows them
    #[arg(value_name = "DOMAIN", required = true)]
    domains: Vec<String>,
    /// Only while the one entry that is named is that with this digest, as `domain list --json` gives it
    #[arg(long, value_name = "DIGEST")]
    was: Option<String>,
}

/// What may be said of an entry.
#[derive(Debug, Args)]
struct Words {
    /// Where its mail goes: '[relay.example.net]:587' [default: where it goes now]
    #[arg(long, value_name = "NEXT-HOP")]
    next_hop: Option<String>,
    /// encrypt, dane-only, fingerprint, verify or secure, and attributes [default: encrypt]
    #[arg(long, value_name = "POLICY")]
    level: Option<String>,
    /// Names that the certificate may have, several with `:` between; at fingerprint those, with
    /// `|` between
    #[arg(long = "match", value_name = "NAMES", requires = "level")]
    names: Option<String>,
    /// A line for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    checks: Checks,
}

pub(crate) fn run(command: &DomainCommand, global: &Global) -> Result<Answer, Failure> {
    match command {
        DomainCommand::List(args) => list::run(args, global),
        DomainCommand::Add(args) => add(args, global),
        DomainCommand::Edit(args) => edit(args, global),
        DomainCommand::Remove(args) => remove(args, global),
        DomainCommand::Sync(args) => sync(args, global),
    }
}

fn add(args: &AddArgs, global: &Global) -> Result<Answer, Failure> {
    let request = DomainRequest {
        requires_auth: Some(args.requires_auth),
        smtps: Some(args.smtps),
        ..args.words.request(&args.domain)
    };
    let mut session = Session::existing(global)?;
    let (forced, look) = args.words.checks.asked()?;
    told(&session.engine().add_domain(&request, &forced, look)?)
}

fn edit(args: &EditArgs, global: &Global) -> Result<Answer, Failure> {
    let request = DomainRequest {
        requires_auth: args.requires_auth,
        smtps: args.smtps,
        ..args.words.request(&args.domain)
    };
    let mut session = Session::existing(global)?;
    let (forced, look) = args.words.checks.asked()?;
    let seen = Seen::Domain(args.domain.clone());
    let was = args.was.as_ref();
    told(&only_while(&seen, was, &mut session, |engine| {
        engine.edit_domain(&request, &forced, look)
    })?)
}

fn remove(args: &RemoveArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let was = args.was.as_ref();
    let seen = match args.domains.as_slice() {
        [domain] => Seen::Domain(domain.clone()),
        _ if was.is_some() => return Err(of_one("entry")),
        _ => Seen::Domain(String::new()),
    };
    Ok(answer(&only_while(&seen, was, &mut session, |engine| {
        engine.remove_domains(&args.domains)
    })?))
}

fn sync(args: &SyncArgs, global: &Global) -> Result<Answer, Failure> {
    let mut session = Session::existing(global)?;
    let (forced, look) = args.checks.asked()?;
    let synced = session.engine().sync_credentials(&forced, look)?;
    if let Some(refusal) = synced.rules.refusal() {
        return Err(EngineError::Refused(refusal).into());
    }
    if synced.unlisted.is_empty() {
        return Ok(rule::answer(&synced.rules));
    }
    let tables = synced.unlisted.join(", ");
    let unchanged =
        format!("Nothing has changed, and whether anything is missing cannot be told: {tables}.\n");
    let mut answer = rule::ending(&synced.rules, &unchanged);
    answer.exit = Exit::Undetermined;
    Ok(answer)
}

fn told(wished: &DomainsWished) -> Result<Answer, Failure> {
    match wished.rules.refusal() {
        Some(refusal) => Err(EngineError::Refused(refusal).into()),
        None => Ok(answer(wished)),
    }
}

impl Words {
    fn request(&self, domain: &str) -> DomainRequest {
        let policy = self.level.as_ref().map(|level| match &self.names {
            Some(names) => format!("{level} match={names}"),
            None => level.clone(),
        });
        DomainRequest {
            domain: domain.to_owned(),
            next_hop: self.next_hop.clone(),
            policy,
            note: self.note.clone(),
            ..DomainRequest::default()
        }
    }
}

/// What came of it, and what comes next.
fn answer(wished: &DomainsWished) -> Answer {
    let rules = &wished.rules;
    let mut text: String = rules.shown.iter().map(super::policy::line::line).collect();
    text.extend(wished.settings.iter().map(set::line));
    text.extend(rule::met_text(&rules.met));
    text.push_str(&findings_text(&rules.findings));
    text.extend(rules.servers.iter().map(rule::servers));
    let changes = rules.added + rules.changed + rules.removed;
    text.push_str(match (changes, wished.settings.is_empty()) {
        (0, true) => "Nothing has changed: this was wished already.\n",
        _ => "Not in force yet: look with `postseal plan`, then `postseal apply`.\n",
    });
    let mut change = rules.shown.iter().fold(Change::default(), |change, state| {
        let name = format!("{} ({})", state.id.shown(), state.id.manager);
        change.of(name, json!(state.in_force), json!(state.wanted))
    });
    for wish in &wished.settings {
        change = change.of(wish.key.clone(), json!(wish.before), json!(wish.after));
    }
    let change = change.findings(&rules.findings);
    Answer::new(text, change.document(rule::counts(rules)))
}
