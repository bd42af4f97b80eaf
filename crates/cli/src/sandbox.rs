//! The sandbox of `postseal try`: two private Postfix instances and the main job on them.
//!
//! Owns: instances on loopback addresses of their own, the steps, and what each must prove.
//! Never: touches the host's Postfix, or believes Postseal: every step drives the public command
//! line in a process of its own, and the proofs are looked up on the wire, in the files, in the
//! mailboxes and in the logs.

mod command;
mod configuration;
mod console;
mod files;
mod mail;
mod site;
mod steps;

use crate::answer::Answer;
use crate::cmd::try_::TryArgs;
use crate::config::{Global, Talk};
use crate::failure::{Exit, Failure};
use serde_json::{Value, json};
use site::Site;
use std::io::Write;
use std::time::Instant;
use steps::STEPS;

/// What a step proved, a sentence each; or what it did not.
type Proof = Result<Vec<String>, String>;

/// Runs every step, until one is not proved.
pub(crate) fn run(args: &TryArgs, global: &Global) -> Result<Answer, Failure> {
    let failed = |why: String| Failure::new(Exit::Failed, "try.no-sandbox", why);
    let mut site = Site::build(args.dir.as_deref()).map_err(failed)?;
    say(
        global,
        &format!(
            "Two private Postfix instances in {}:",
            site.folder().display()
        ),
    );
    say(
        global,
        &format!("  mx    {} (ports 25, 465, 587)", site.mx.address()),
    );
    say(global, &format!("  peer  {}", site.peer.address()));
    let mut told = Vec::new();
    let mut outcome = Exit::Done;
    for (n, step) in STEPS.iter().enumerate() {
        let start = Instant::now();
        let proof = (step.run)(&mut site);
        let seconds = start.elapsed().as_secs_f32();
        tell(global, n, step.title, &proof, seconds);
        let proved = proof.is_ok();
        told.push(document(step.title, proof, seconds));
        if !proved {
            outcome = Exit::Failed;
            break;
        }
        if args.pause {
            wait();
        }
    }
    let (text, left) = end(args, site, outcome)?;
    if left == Left::Something {
        outcome = Exit::Failed;
    }
    Ok(Answer::new(
        text,
        json!({"changed": false, "proved": outcome == Exit::Done, "steps": told}),
    )
    .exit(outcome))
}

/// Whether a process or a file stayed behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Something,
}

fn end(args: &TryArgs, site: Site, outcome: Exit) -> Result<(String, Left), Failure> {
    let verdict = if outcome == Exit::Done {
        "Every step was proved.\n"
    } else {
        "NOT everything was proved.\n"
    };
    if args.keep {
        let help = site.how_to_look();
        let console = console::show(&site)
            .unwrap_or_else(|why| format!("The console could not be shown: {why}\n"));
        site.keep();
        return Ok((format!("{verdict}{help}{console}"), Left::Nothing));
    }
    match site.remove() {
        Ok(()) => Ok((
            format!("{verdict}Both instances are stopped; no process and no file is left.\n"),
            Left::Nothing,
        )),
        Err(what) => Ok((format!("{verdict}Left behind: {what}\n"), Left::Something)),
    }
}

fn tell(global: &Global, n: usize, title: &str, proof: &Proof, seconds: f32) {
    let mark = if proof.is_ok() {
        "proved"
    } else {
        "NOT PROVED"
    };
    say(
        global,
        &format!("\n{:2}. {title}: {mark} ({seconds:.1} s)", n + 1),
    );
    match proof {
        Ok(sentences) => sentences
            .iter()
            .for_each(|sentence| say(global, &format!("    {sentence}"))),
        Err(why) => say(global, &format!("    {why}")),
    }
}

fn document(title: &str, proof: Proof, seconds: f32) -> Value {
    match proof {
        Ok(sentences) => {
            json!({"step": title, "proved": true, "sentences": sentences, "seconds": seconds})
        }
        Err(why) => json!({"step": title, "proved": false, "why": why, "seconds": seconds}),
    }
}

/// The story goes to standard error while it happens; the verdict is the answer.
fn say(global: &Global, line: &str) {
    if global.talk != Talk::Quiet {
        // Nobody listening must not end the trial half-way, with instances running.
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

fn wait() {
    let mut line = String::new();
    let _ = std::io::stdin().read_line(&mut line);
}
