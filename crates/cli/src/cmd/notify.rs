//! `notify`: telling by mail what has changed when nobody looks.
//!
//! Owns: one look and its mail, in order: look, decide, remember, hand in. Never: decides what is told (`notice` of the
//! planner), or judges what is seen (`status/judged`). Agent and cron start the same `notify check`.

mod letter;
mod seen;
mod shown;

use super::apply::duration;
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session::Session;
use letter::Letter;
use postseal_planner::notice::{
    Address, Base, Decision, Kind, MOST_MAILS, Mail, Notices, Recipients, decide, may_test,
};
use postseal_planner::whole_chain;
use serde_json::json;
use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// How often the agent looks where nothing is said.
const EVERY: Duration = Duration::from_secs(300);
/// How long the log is waited for: pickup(8) and the first try of a delivery take less, mostly.
const LOG: Duration = Duration::from_secs(5);
/// How long a look that another process takes is waited for.
const TURN: Duration = Duration::from_secs(60);
const LOCK: &str = "notify.lock";

/// Arguments of `notify`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct NotifyArgs {
    #[command(subcommand)]
    verb: Option<NotifyCommand>,
}

/// The verbs of `notify`.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
pub(crate) enum NotifyCommand {
    /// Look once, and tell what has changed since it was told last (for cron; the agent does it by itself)
    Check,
    /// Send a mail to all of them now; six an hour at most
    Test,
}

pub(crate) fn run(args: &NotifyArgs, global: &Global) -> Result<Answer, Failure> {
    match args.verb {
        None => show(global),
        Some(NotifyCommand::Check) => check(global),
        Some(NotifyCommand::Test) => test(global),
    }
}

/// How often the agent looks; never where nobody is told. What is wrong in the file is said at its start.
pub(crate) fn look_every(global: &Global) -> Result<Option<Duration>, Failure> {
    let every = match &global.notify.every {
        None => EVERY,
        Some(text) => duration(text).map_err(|why| {
            Failure::new(
                Exit::Data,
                "notify.bad-time",
                format!("[notify] every = {text:?}: {why}"),
            )
            .hint("Say every = \"5m\" in postseal.toml.")
        })?,
    };
    Ok((!recipients(global)?.is_empty()).then_some(every))
}

fn recipients(global: &Global) -> Result<Recipients, Failure> {
    Recipients::parse(&global.notify.to, &global.notify.critical).map_err(|error| {
        Failure::new(
            Exit::Data,
            "notify.bad-address",
            format!("[notify]: {error}"),
        )
        .hint("Put it right in postseal.toml, and restart the agent.")
    })
}

fn show(global: &Global) -> Result<Answer, Failure> {
    let every = look_every(global)?;
    let notices = Session::as_it_is(global)?.notices()?;
    let (text, document) = shown::all(&recipients(global)?, every, &notices);
    Ok(Answer::new(text, document))
}

fn check(global: &Global) -> Result<Answer, Failure> {
    let to = recipients(global)?;
    let mut session = Session::reading(global)?;
    // A signal ends it between two steps, not between a mail and its record.
    session.heed_interrupts()?;
    let _turn = turn(global)?;
    let mut notices = session.notices()?;
    if to.is_empty() {
        return nobody(&mut session, notices);
    }
    let before = notices.clone();
    let seen = seen::look(&mut session, global, &mut notices);
    // They are among the causes; cron would mail them at each look.
    global.warnings.take();
    let Some(seen) = seen else {
        remember(&mut session, &before, &notices)?;
        return Ok(unchanged(
            "Not looked: a change is under way, or this was interrupted.\n",
        ));
    };
    let now = session.engine().clock.now_ms();
    let telling = match decide(&notices, &seen, now) {
        Decision::Tell(telling) => telling,
        Decision::Later => {
            remember(&mut session, &before, &notices)?;
            return Ok(unchanged(&format!(
                "Nothing told: {MOST_MAILS} mails went, or were tried, within the hour. What is so then is told when the next one may go.\n"
            )));
        }
        Decision::Silent(base) => {
            notices.base = Some(base);
            notices.hand_in = None;
            remember(&mut session, &before, &notices)?;
            return Ok(unchanged("Nothing to tell.\n"));
        }
    };
    let to = to.of(telling.kind);
    if to.is_empty() {
        notices.base = Some(telling.base);
        session.put_notices(&notices)?;
        return Ok(unchanged(
            "Nothing to tell to those who hear of what is critical.\n",
        ));
    }
    let letter = Letter::of(&name(&session), &telling, &seen, now);
    notices.begin(now);
    session.put_notices(&notices)?;
    send(&mut session, &mut notices, &to, &letter, Some(telling.base))
}

/// Where it is another record than before.
fn remember(session: &mut Session, before: &Notices, after: &Notices) -> Result<(), Failure> {
    match before == after {
        true => Ok(()),
        false => Ok(session.put_notices(after)?),
    }
}

/// What was told is forgotten, so that the first look after somebody is told again is the base.
fn nobody(session: &mut Session, notices: Notices) -> Result<Answer, Failure> {
    if notices.base.is_some() || notices.hand_in.is_some() {
        let mails = notices.mails;
        session.put_notices(&Notices {
            mails,
            ..Notices::default()
        })?;
    }
    Ok(unchanged(
        "Nobody is told: name addresses under [notify] in postseal.toml.\n",
    ))
}

fn test(global: &Global) -> Result<Answer, Failure> {
    let to = recipients(global)?.of(Kind::Test);
    if to.is_empty() {
        let nobody = Failure::new(
            Exit::Data,
            "notify.nobody",
            "nobody is told by mail".to_owned(),
        );
        return Err(
            nobody.hint("Name addresses in postseal.toml: [notify] to = [\"admin@example.org\"].")
        );
    }
    let mut session = Session::existing(global)?;
    session.heed_interrupts()?;
    let _turn = turn(global)?;
    let mut notices = session.notices()?;
    let now = session.engine().clock.now_ms();
    if !may_test(&notices, now) {
        return Err(Failure::new(
            Exit::Temporary,
            "notify.too-many",
            format!("{MOST_MAILS} tests were sent within the hour"),
        )
        .hint("Look at those (`postseal notify`), or try again later."));
    }
    let letter = Letter::test(&name(&session), now);
    // Where nothing can be remembered, nothing is counted.
    session.put_notices(&notices)?;
    send(&mut session, &mut notices, &to, &letter, None)
}

/// Hands a mail in, remembers that, and then what the log tells of it.
fn send(
    session: &mut Session,
    notices: &mut Notices,
    to: &[Address],
    letter: &Letter,
    told: Option<Base>,
) -> Result<Answer, Failure> {
    let words: Vec<&str> = to.iter().map(Address::as_str).collect();
    let mark = postseal_host::Host::log_mark(session.machine());
    if let Err(error) = session.machine().hand_in(&words, &letter.bytes(to)) {
        let error = whole_chain(&error);
        if told.is_some() {
            notices.fail(error.clone());
            session.put_notices(notices)?;
        }
        return Err(Failure::new(Exit::Failed, "notify.not-taken", format!("Postfix did not take the mail: {error}"))
            .hint("A change is told again at the next look; `postseal notify test` tells whether a mail is taken now."));
    }
    let mail = Mail {
        kind: letter.kind,
        at_ms: letter.at_ms,
        subject: letter.subject.clone(),
        to: words.iter().map(|&word| word.to_owned()).collect(),
        queue_id: None,
        delivered: Vec::new(),
    };
    notices.end(mail, told);
    session.put_notices(notices)?;
    let handed = session
        .engine()
        .handed(&mark, (&letter.message_id, to.len()), LOG);
    notices.follow(handed.queue_id, handed.delivered);
    session.put_notices(notices)?;
    let sent = notices.mails.first();
    let text = sent.map(shown::mail).unwrap_or_default();
    let document = json!({"changed": true, "mail": sent.map(shown::mail_document)});
    Ok(Answer::new(text, document))
}

/// How the instance calls itself; where it cannot be read, which it is.
fn name(session: &Session) -> String {
    let machine = session.machine();
    let unread = |_| format!("the Postfix of {}", machine.config_directory().display());
    machine.mail_name().unwrap_or_else(unread)
}

fn unchanged(text: &str) -> Answer {
    Answer::new(text, json!({"changed": false, "mail": null}))
}

/// One look or test at a time: two at once would tell the same twice.
fn turn(global: &Global) -> Result<File, Failure> {
    let path = global.store.join(LOCK);
    let failed = |why: String| Failure::new(Exit::Temporary, "notify.lock", why);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| failed(format!("{}: {error}", path.display())))?;
    let began = Instant::now();
    while file.try_lock().is_err() {
        if began.elapsed() > TURN {
            return Err(failed("another look is under way".to_owned()).hint("Try again later."));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(file)
}
