//! `policy add` and `edit`: wishes about single rules.
//!
//! Owns: from words to a rule, and what the answer says. Never: judges a rule.

use super::checks::Checks;
use super::follow;
use super::line::line;
use super::was::{Seen, only_while, unchanged};
use crate::answer::{Answer, findings_text};
use crate::change::Change;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::{self, Session};
use clap::{Args, ValueEnum};
use mailtls::destination::Scope;
use mailtls::policy::{Dialect, Name};
use postseal_engine::{Added, EngineError, RuleRequest, RulesWished};
use postseal_planner::Preflight;
use postseal_planner::policy::{About, Met, Rule, RuleError, RuleId, dialect};
use postseal_planner::report::Outcome;
use serde_json::{Value, json};

/// Arguments of `policy add`.
#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// A domain, .domain for all names below it, or a next hop: '[host]:port'
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// none, may, encrypt, dane, dane-only, fingerprint, verify or secure
    #[arg(value_name = "LEVEL")]
    level: String,
    /// Make the rule for the next hops that mail for this domain takes, wherever that is
    #[arg(long)]
    follow: bool,
    #[command(flatten)]
    words: Words,
}

/// Arguments of `policy edit`.
#[derive(Debug, Args)]
pub(crate) struct EditArgs {
    /// The rule, as `policy list` shows it
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// Another level; attributes that are not given stay where they go with it
    #[arg(value_name = "LEVEL")]
    level: Option<String>,
    #[command(flatten)]
    words: Words,
    /// Take attributes away, by name
    #[arg(long, value_name = "ATTRIBUTE", value_delimiter = ',')]
    without: Vec<String>,
    /// Only while it is the rule with this digest, as `policy list --json` gives it
    #[arg(long, value_name = "DIGEST")]
    was: Option<String>,
}

/// What may be said of a rule besides its level.
#[derive(Debug, Args)]
pub(super) struct Words {
    /// Names that the certificate may have, several with `:` between; at fingerprint those, with
    /// `|` between
    #[arg(long = "match", value_name = "NAMES")]
    names: Option<String>,
    /// Protocols, e.g. '>=TLSv1.2'
    #[arg(long, value_name = "LIST")]
    protocols: Option<String>,
    /// The least cipher grade: low, medium, high
    #[arg(long, value_name = "GRADE")]
    ciphers: Option<String>,
    /// Ciphers never to use, with `:` between
    #[arg(long, value_name = "LIST")]
    exclude: Option<String>,
    /// The name to ask the server for (SNI): hostname, nexthop or a name
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
    /// A file of trust anchors for this destination alone
    #[arg(long, value_name = "FILE")]
    tafile: Option<String>,
    /// Any other attribute: NAME=VALUE
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    attributes: Vec<String>,
    /// Which names the rule is for
    #[arg(long, value_enum)]
    scope: Option<ScopeWord>,
    /// A line for whoever reads it later
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Whom to ask about it
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Words to find it by
    #[arg(long = "tag", value_name = "WORD")]
    tags: Vec<String>,
    /// The day to look at it again; it stays in force
    #[arg(long, value_name = "YYYY-MM-DD")]
    until: Option<String>,
    #[command(flatten)]
    pub(super) checks: Checks,
}

/// The words of `--scope`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScopeWord {
    /// The domain itself
    Domain,
    /// All names below it
    Subdomains,
    /// Both
    Both,
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Domain => Self::Domain,
            ScopeWord::Subdomains => Self::Subdomains,
            ScopeWord::Both => Self::Both,
        }
    }
}

pub(super) fn add(args: &AddArgs, global: &Global) -> Result<Answer, Failure> {
    let dialect = installed(global)?;
    let policy = with_attributes(&args.level, args.words.given());
    let scope = args.words.scope.map(Scope::from);
    let rule = Rule::new(&args.destination, scope, &policy, dialect)
        .and_then(|rule| rule.with(args.words.about(About::default())))
        .map_err(bad)?;
    if args.follow {
        return follow::wish(rule, &args.words, global);
    }
    let (forced, look) = args.words.checks.asked()?;
    let request = vec![RuleRequest::from(rule)];
    let mut session = Session::existing(global)?;
    let wished = session
        .engine()
        .add_rules(request, Added::New, &forced, look)?;
    told(&wished)
}

pub(super) fn edit(args: &EditArgs, global: &Global) -> Result<Answer, Failure> {
    let dialect = installed(global)?;
    let id = RuleId::parse(&args.destination).map_err(|error| bad(error.into()))?;
    let mut session = Session::existing(global)?;
    let (seen, was) = (Seen::Rule(id.clone()), args.was.as_ref());
    unchanged(&seen, was, &session.engine())?;
    let followed = session.engine().followed_rule(&id)?;
    let follows = followed.is_some();
    let now = match followed {
        Some(rule) => rule,
        None => session.engine().wanted_rule(&id)?,
    };
    let policy = edited(&now.policy, args);
    let scope = args.words.scope.map_or(now.scope(), Scope::from);
    let domain = now.id.destination.trim_start_matches('.');
    let mut rule = Rule::new(domain, Some(scope), &policy, dialect)
        .and_then(|rule| rule.with(args.words.about(now.about.clone())))
        .map_err(bad)?;
    if !rule.writes_as(&now) {
        // What spoke against other rows was forced, not these.
        rule.about.reason = None;
    }
    let (forced, look) = args.words.checks.asked()?;
    let wished = only_while(&seen, was, &mut session, |engine| {
        if follows {
            return engine.follow_rule(rule, Some(&now.id), &forced, look);
        }
        if rule.id == now.id {
            return engine.add_rules(vec![RuleRequest::from(rule)], Added::Any, &forced, look);
        }
        engine.move_rule(&now.id, rule, &forced, look)
    })?;
    told(&wished)
}

pub(crate) fn told(wished: &RulesWished) -> Result<Answer, Failure> {
    match wished.refusal() {
        Some(refusal) => Err(EngineError::Refused(refusal).into()),
        None => Ok(answer(wished)),
    }
}

/// What the installed Postfix knows of policies.
pub(crate) fn installed(global: &Global) -> Result<Dialect, Failure> {
    let version = session::host(global)?.version();
    Ok(dialect(version.map_err(EngineError::from)?))
}

pub(super) fn bad(error: RuleError) -> Failure {
    let failure = Failure::new(Exit::Data, error.code(), error.to_string());
    match error {
        RuleError::Policy(_) => failure.hint("postconf(5), smtp_tls_policy_maps, has the levels."),
        _ => failure,
    }
}

impl Words {
    /// The attributes that were given, as they stand in a row.
    fn given(&self) -> Vec<String> {
        let named = [
            (Name::Match, &self.names),
            (Name::Protocols, &self.protocols),
            (Name::Ciphers, &self.ciphers),
            (Name::Exclude, &self.exclude),
            (Name::Servername, &self.servername),
            (Name::Tafile, &self.tafile),
        ];
        let named = named.into_iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{}={value}", name.text()))
        });
        named.chain(self.attributes.iter().cloned()).collect()
    }

    fn about(&self, now: About) -> About {
        // An empty text takes a word away.
        let word = |new: &Option<String>, now: Option<String>| match new {
            Some(text) => Some(text.clone()).filter(|text| !text.is_empty()),
            None => now,
        };
        About {
            note: word(&self.note, now.note),
            owner: word(&self.owner, now.owner),
            tags: match self.tags.as_slice() {
                [] => now.tags,
                tags => tags.iter().filter(|tag| !tag.is_empty()).cloned().collect(),
            },
            until: word(&self.until, now.until),
            reason: now.reason,
            entry: now.entry,
            follow: now.follow,
        }
    }
}

fn with_attributes(level: &str, attributes: Vec<String>) -> String {
    std::iter::once(level.to_owned())
        .chain(attributes)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The policy with what is said otherwise. At another level only the attributes stay that go
/// with every level.
fn edited(now: &str, args: &EditArgs) -> String {
    let mut words = now.split(' ');
    let level = words.next().unwrap_or_default();
    let given = args.words.given();
    let changes = args.level.as_ref().is_some_and(|new| new != level);
    let stays = |attribute: &&str| {
        let own = name(attribute);
        let bound = matches!(own.as_str(), "match" | "tafile");
        let gone = args
            .without
            .iter()
            .any(|gone| gone.eq_ignore_ascii_case(&own));
        let replaced = given.iter().any(|new| self::name(new) == own);
        !(gone || replaced || (changes && bound))
    };
    let kept = words.filter(stays).map(str::to_owned);
    let level = args.level.as_deref().unwrap_or(level);
    with_attributes(level, kept.chain(given.iter().cloned()).collect())
}

/// The name of an attribute.
fn name(attribute: &str) -> String {
    let name = attribute.split('=').next().unwrap_or_default();
    name.to_ascii_lowercase()
}

/// What came of it, and what comes next.
pub(crate) fn answer(wished: &RulesWished) -> Answer {
    ending(wished, "Nothing has changed: this was wished already.\n")
}

/// The same; `unchanged` is said where nothing changes.
pub(crate) fn ending(wished: &RulesWished, unchanged: &str) -> Answer {
    let mut text: String = wished.shown.iter().map(line).collect();
    text.extend(met_text(&wished.met));
    text.push_str(&findings_text(&wished.findings));
    text.extend(wished.servers.iter().map(servers));
    text.push_str(match wished.added + wished.changed + wished.removed {
        0 => unchanged,
        _ => "Not in force yet: look with `postseal plan`, then `postseal apply`.\n",
    });
    let change = wished
        .shown
        .iter()
        .fold(Change::default(), |change, state| {
            change.of(state.id.shown(), json!(state.in_force), json!(state.wanted))
        });
    let change = change.findings(&wished.findings);
    Answer::new(text, change.document(counts(wished)))
}

/// What holds where rules meet, a line each.
pub(crate) fn met_text(all: &[Met]) -> impl Iterator<Item = String> {
    let sentences = all.iter().filter_map(Met::sentence);
    sentences.map(|sentence| format!("{sentence}\n"))
}

/// The same for programs.
pub(crate) fn met_document(all: &[Met]) -> Value {
    let met = all.iter().map(|met| {
        let rules = met.rules.iter();
        let rules = rules.map(|rule| json!({"manager": rule.id.manager, "policy": rule.policy}));
        let rules: Vec<Value> = rules.collect();
        json!({"destination": met.destination, "policy": met.policy(), "rules": rules})
    });
    met.collect()
}

/// What the servers of a rule showed, which of them could not be seen or do not do, and the strongest
/// policy that would work there. What speaks against a rule is said by itself.
pub(crate) fn servers(seen: &Preflight) -> String {
    let mut text = format!("{}\n", seen.sentence);
    if seen.outcome != Outcome::Fail {
        text.push_str(&findings_text(&seen.findings));
    }
    if let Some(strongest) = &seen.strongest.policy
        && *strongest != seen.policy
    {
        text.push_str(&format!(
            "The strongest that would work today: {strongest}\n"
        ));
    }
    text
}

/// How many of what.
pub(crate) fn counts(wished: &RulesWished) -> Value {
    json!({
        "added": wished.added,
        "changed_rules": wished.changed,
        "same": wished.same,
        "removed": wished.removed,
        "servers": wished.servers,
        "met": met_document(&wished.met),
    })
}
