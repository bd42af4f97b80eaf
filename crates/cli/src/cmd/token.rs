//! `token`: the rights of programs to use the API.
//!
//! Owns: the verbs, on the host. Never: shows a token twice.

use crate::answer::Answer;
use crate::change::Change;
use crate::config::Global;
use crate::desk;
use crate::failure::{Exit, Failure};
use crate::table;
use jiff::Timestamp;
use postseal_console::secret;
use postseal_store::desk::{Desk, Role, Token};
use serde_json::json;

const DAY_MS: i64 = 24 * 3_600_000;

/// The verbs of `token`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and print it once
    Add(AddArgs),
    /// The tokens that hold, and when each was used
    List,
    /// End a token
    Remove(RemoveArgs),
}

/// Arguments of `token add`.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// As whom it acts
    user: String,
    /// What it is for, in your words
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What it may do at most: admin, operator, approver or auditor; its user's role bounds it, too
    #[arg(long, default_value = "operator", value_parser = str::parse::<Role>)]
    role: Role,
    /// How long it holds
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
}

/// Arguments of `token remove`.
#[derive(Debug, clap::Args)]
pub(crate) struct RemoveArgs {
    /// Its number, as `token list` shows it
    id: u64,
}

pub(crate) fn run(command: &TokenCommand, global: &Global) -> Result<Answer, Failure> {
    desk::become_console(global)?;
    let mut desk = desk::place(global).open()?;
    match command {
        TokenCommand::Add(args) => add(args, &mut *desk),
        TokenCommand::List => list(&*desk),
        TokenCommand::Remove(args) => remove(args.id, &mut *desk),
    }
}

fn add(args: &AddArgs, desk: &mut dyn Desk) -> Result<Answer, Failure> {
    if desk.user(&args.user)?.is_none() {
        let text = format!("there is no user {}", args.user);
        return Err(
            Failure::new(Exit::Data, "user.unknown", text).hint("`postseal user list` shows all.")
        );
    }
    let failed =
        |error: std::io::Error| Failure::new(Exit::Failed, "token.no-secret", error.to_string());
    let text = secret::fresh().map_err(failed)?;
    let shown = format!("{}{text}", secret::TOKEN_PREFIX);
    let now = Timestamp::now().as_millisecond();
    let token = Token {
        id: 0,
        user: args.user.clone(),
        name: args.name.clone(),
        role: args.role,
        made_ms: now,
        ends_ms: now.saturating_add(i64::from(args.days).saturating_mul(DAY_MS)),
        used_ms: None,
    };
    let id = desk.add_token(&token, &secret::digest(&shown))?;
    let what = format!("token {id} of {} ({}) was made", token.user, token.name);
    desk.note("root", now, &what)?;
    let text = format!(
        "{shown}\nIt is shown this once, and holds for {} days.\n",
        args.days
    );
    let document = Change::default()
        .of(id.to_string(), json!(null), token.name.as_str())
        .document(json!({"id": id, "token": shown, "ends_ms": token.ends_ms}));
    Ok(Answer::new(text, document))
}

fn list(desk: &dyn Desk) -> Result<Answer, Failure> {
    let tokens = desk.tokens()?;
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            vec![
                token.id.to_string(),
                token.user.clone(),
                token.role.name().to_owned(),
                token.name.clone(),
                super::history::when(token.ends_ms),
                token
                    .used_ms
                    .map_or_else(|| "never".to_owned(), super::history::when),
            ]
        })
        .collect();
    let text = match rows.is_empty() {
        true => "No tokens.\n".to_owned(),
        false => table::render(&["token", "user", "role", "for", "until", "used"], &rows),
    };
    let tokens: Vec<_> = tokens
        .iter()
        .map(|token| {
            json!({
                "id": token.id,
                "user": token.user,
                "role": token.role,
                "name": token.name,
                "ends_ms": token.ends_ms,
                "used_ms": token.used_ms,
            })
        })
        .collect();
    Ok(Answer::new(
        text,
        json!({"changed": false, "tokens": tokens}),
    ))
}

fn remove(id: u64, desk: &mut dyn Desk) -> Result<Answer, Failure> {
    if !desk.remove_token(id)? {
        return Err(Failure::new(
            Exit::Data,
            "token.unknown",
            format!("there is no token {id}"),
        )
        .hint("`postseal token list` shows all."));
    }
    let now = Timestamp::now().as_millisecond();
    desk.note("root", now, &format!("token {id} was ended"))?;
    let document = Change::default()
        .of(id.to_string(), "held", json!(null))
        .document(json!({"id": id}));
    Ok(Answer::new(
        format!("Token {id} holds no more.\n"),
        document,
    ))
}
