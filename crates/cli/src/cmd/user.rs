//! `user`: who may sign in at the console.
//!
//! Owns: the verbs, on the host alone. Never: sees a password: whoever is added chooses it by a link.

use crate::answer::Answer;
use crate::change::Change;
use crate::config::Global;
use crate::desk;
use crate::failure::{Exit, Failure};
use crate::table;
use jiff::Timestamp;
use postseal_console::secret;
use postseal_store::desk::{Desk, Invitation, Role, User};
use serde_json::json;

/// How long a link may be taken.
const INVITATION_MS: i64 = 24 * 3_600_000;
/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

/// The verbs of `user`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum UserCommand {
    /// Add somebody, and print the link by which they choose a password
    Add(NewArgs),
    /// Who may sign in, and as what
    List,
    /// Give somebody another role
    Role(AddArgs),
    /// Print a new link for somebody who cannot sign in any more: password, one-time codes and sessions end
    Reset(ResetArgs),
    /// Remove somebody with all sessions and tokens
    Remove(NameArgs),
}

/// Arguments of `user add`.
#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    #[command(flatten)]
    who: AddArgs,
    #[command(flatten)]
    link: LinkArgs,
    /// Only where there is nobody yet (said by `up`)
    #[arg(long, hide = true)]
    first: bool,
}

/// A name and a role.
#[derive(Debug, clap::Args)]
pub(crate) struct AddArgs {
    /// The name to sign in with
    name: String,
    /// What they may do: admin, operator, approver or auditor
    #[arg(long, default_value = "operator", value_parser = str::parse::<Role>)]
    role: Role,
}

/// Arguments of `user reset`.
#[derive(Debug, clap::Args)]
pub(crate) struct ResetArgs {
    #[command(flatten)]
    who: NameArgs,
    #[command(flatten)]
    link: LinkArgs,
}

/// Where the link leads.
#[derive(Debug, clap::Args)]
pub(crate) struct LinkArgs {
    /// The console's address as browsers reach it
    #[arg(long, value_name = "URL", default_value = "http://localhost:8465")]
    at: String,
}

/// A name.
#[derive(Debug, clap::Args)]
pub(crate) struct NameArgs {
    /// Who
    name: String,
}

pub(crate) fn run(command: &UserCommand, global: &Global) -> Result<Answer, Failure> {
    desk::become_console(global)?;
    let mut desk = desk::place(global).open()?;
    match command {
        UserCommand::Add(args) => add(args, &mut *desk),
        UserCommand::List => list(&*desk),
        UserCommand::Role(args) => role(args, &mut *desk),
        UserCommand::Reset(args) => reset(args, &mut *desk),
        UserCommand::Remove(args) => remove(&args.name, &mut *desk),
    }
}

fn add(args: &NewArgs, desk: &mut dyn Desk) -> Result<Answer, Failure> {
    if args.first && !desk.users()?.is_empty() {
        return Ok(Answer::new("", json!({"changed": false})));
    }
    let (args, link) = (&args.who, &args.link);
    let name = &args.name;
    if name.is_empty()
        || name.chars().count() > LONGEST_NAME
        || !name
            .chars()
            .all(|c| c.is_alphanumeric() || "._-@".contains(c))
    {
        return Err(Failure::new(
            Exit::Data,
            "user.bad-name",
            format!("{name:?} is no name: letters, digits and . _ - @, at most {LONGEST_NAME}"),
        ));
    }
    let user = User {
        name: name.clone(),
        role: args.role,
        password: None,
        totp: None,
        added_ms: now(),
    };
    if !desk.add_user(&user)? {
        return Err(Failure::new(
            Exit::Data,
            "user.exists",
            format!("there is a user {name} already"),
        )
        .hint("`postseal user role` gives them another role, `postseal user reset` a new link."));
    }
    let what = format!("user {name} was added as {}", args.role.name());
    invited(&user, &what, link, desk)
}

/// A link for a user, and what was done.
fn invited(
    user: &User,
    what: &str,
    link: &LinkArgs,
    desk: &mut dyn Desk,
) -> Result<Answer, Failure> {
    let failed =
        |error: std::io::Error| Failure::new(Exit::Failed, "user.no-secret", error.to_string());
    let link_secret = secret::fresh().map_err(failed)?;
    let ends_ms = now().saturating_add(INVITATION_MS);
    desk.invite(&Invitation {
        digest: secret::digest(&link_secret),
        user: user.name.clone(),
        ends_ms,
    })?;
    desk.note("root", now(), what)?;
    let link = format!("{}/welcome/{}", link.at.trim_end_matches('/'), link_secret);
    let text = format!(
        "{} chooses a password within a day, once, at\n  {link}\n",
        user.name
    );
    let document = Change::default()
        .of(&user.name, json!(null), user.role.name())
        .document(json!({"user": user.name, "role": user.role, "invitation": link}));
    Ok(Answer::new(text, document))
}

fn list(desk: &dyn Desk) -> Result<Answer, Failure> {
    let users = desk.users()?;
    let has = |given: bool| if given { "yes" } else { "no" }.to_owned();
    let rows: Vec<Vec<String>> = users
        .iter()
        .map(|user| {
            vec![
                user.name.clone(),
                user.role.name().to_owned(),
                has(user.password.is_some()),
                has(user.totp.is_some()),
            ]
        })
        .collect();
    let text = match rows.is_empty() {
        true => "No users; `postseal user add NAME --role admin` adds the first.\n".to_owned(),
        false => table::render(&["user", "role", "password", "one-time codes"], &rows),
    };
    let users: Vec<_> = users
        .iter()
        .map(|user| {
            json!({
                "user": user.name,
                "role": user.role,
                "password": user.password.is_some(),
                "totp": user.totp.is_some(),
            })
        })
        .collect();
    Ok(Answer::new(text, json!({"changed": false, "users": users})))
}

fn role(args: &AddArgs, desk: &mut dyn Desk) -> Result<Answer, Failure> {
    let before = find(&args.name, desk)?;
    let after = User {
        role: args.role,
        ..before.clone()
    };
    desk.change_user(&after)?;
    let what = format!("user {} became {}", after.name, after.role.name());
    desk.note("root", now(), &what)?;
    let document = Change::default()
        .of(&after.name, before.role.name(), after.role.name())
        .document(json!({"user": after.name, "role": after.role}));
    let text = format!("{} is {} from now on.\n", after.name, after.role.name());
    Ok(Answer::new(text, document))
}

fn reset(args: &ResetArgs, desk: &mut dyn Desk) -> Result<Answer, Failure> {
    let name = &args.who.name;
    let user = User {
        password: None,
        totp: None,
        ..find(name, desk)?
    };
    desk.change_user(&user)?;
    desk.sign_out_everywhere(name)?;
    let what = format!("user {name} was reset");
    invited(&user, &what, &args.link, desk)
}

fn remove(name: &str, desk: &mut dyn Desk) -> Result<Answer, Failure> {
    let user = find(name, desk)?;
    desk.remove_user(name)?;
    desk.note("root", now(), &format!("user {name} was removed"))?;
    let document = Change::default()
        .of(name, user.role.name(), json!(null))
        .document(json!({"user": name}));
    Ok(Answer::new(
        format!("{name} may sign in no more.\n"),
        document,
    ))
}

fn find(name: &str, desk: &dyn Desk) -> Result<User, Failure> {
    desk.user(name)?.ok_or_else(|| {
        Failure::new(
            Exit::Data,
            "user.unknown",
            format!("there is no user {name}"),
        )
        .hint("`postseal user list` shows all.")
    })
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
}
