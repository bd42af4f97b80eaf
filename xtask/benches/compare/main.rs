//! The scenarios of `cargo xtask bench`.
//!
//! Owns: what is compared with what, one file a scenario; the words of the command line. Never:
//! measures (the harness does), decides whether a number is good enough: the limit stands beside
//! it in the table.

mod apply;
mod certs;
mod cf;
mod chains;
mod console;
mod full;
mod lint;
mod memory;
mod plan;
mod policy;
mod preflight;
mod probe;
mod renewal;
mod site;
mod store;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use xtask::bench::{Machine, Rounds, Section};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Compares Postseal with the bare commands.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    #[command(subcommand)]
    scenario: Scenario,
    /// Measured rounds, after one that is not
    #[arg(long, global = true, default_value_t = 5)]
    rounds: usize,
    /// Write the result into docs/BENCHMARKS.md, under this date
    #[arg(long, global = true, value_name = "DATE")]
    write: Option<String>,
    /// cargo says so
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, Subcommand)]
enum Scenario {
    /// One apply on three services, beside the bare commands
    Apply,
    /// A new certificate on three services and ten names, beside the bare commands
    Certs,
    /// Parse and print of postfix-cf, in MB/s
    Cf,
    /// The console's pages with a million rules, and a save in a browser until its proof
    Console,
    /// `probe --full` beside testssl.sh and sslyze
    Full,
    /// `lint` of a main.cf of 10,000 lines
    Lint,
    /// The most memory that each command holds
    Memory,
    /// `plan` with nothing to do, beside the postconf calls it rests on
    Plan,
    /// Ten thousand to a million rules for destinations, beside bare postmap
    Policy,
    /// `policy check` of a thousand destinations
    Preflight,
    /// `probe` of a thousand servers, beside a posttls-finger process for each
    Probe,
    /// Renewals while clients shake hands
    Renewal,
    /// `cert list` and `cert check` with many certificates
    Store,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let rounds = Rounds::new(arguments.rounds)?;
    let section = match arguments.scenario {
        Scenario::Apply => apply::run(rounds)?,
        Scenario::Certs => certs::run(rounds)?,
        Scenario::Cf => cf::run()?,
        Scenario::Console => console::run(rounds)?,
        Scenario::Full => full::run(rounds)?,
        Scenario::Lint => lint::run(rounds)?,
        Scenario::Memory => memory::run(rounds)?,
        Scenario::Plan => plan::run(rounds)?,
        Scenario::Policy => policy::run(rounds)?,
        Scenario::Preflight => preflight::run()?,
        Scenario::Probe => probe::run(rounds)?,
        Scenario::Renewal => renewal::run()?,
        Scenario::Store => store::run(rounds)?,
    };
    println!("{}\n{}", section.about, section.plain());
    let Some(date) = &arguments.write else {
        return Ok(());
    };
    let path = xtask::workspace_root().join("docs/BENCHMARKS.md");
    let (rounds, name) = (arguments.rounds, &section.name);
    let command = format!("cargo xtask bench {name} --rounds {rounds} --write {date}");
    section.write(&path, &section.markdown(date, &command, &Machine::look()))?;
    Ok(())
}

/// Builds and names the release program.
fn postseal() -> Outcome<PathBuf> {
    let words = [
        "build",
        "--release",
        "--package",
        "postseal",
        "--bin",
        "postseal",
    ];
    cargo(&words)?;
    Ok(target()?.join("release/postseal"))
}

fn cargo(words: &[&str]) -> Outcome<()> {
    let root = xtask::workspace_root();
    let mut command = Command::new(xtask::cargo());
    let status = command.args(words).current_dir(root).status()?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("cargo {}: {status}", words.join(" ")).into()),
    }
}

/// Where cargo builds.
fn target() -> Outcome<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .cargo_path(xtask::cargo())
        .manifest_path(xtask::workspace_root().join("Cargo.toml"))
        .no_deps()
        .exec()?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// A section of words.
fn section(name: &str, about: &str, head: &[&str], rows: Vec<Vec<String>>) -> Section {
    Section {
        name: name.to_owned(),
        about: about.to_owned(),
        head: head.iter().map(|word| (*word).to_owned()).collect(),
        rows,
    }
}
