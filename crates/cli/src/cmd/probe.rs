//! `probe`: a live look at any server, stage by stage.
//!
//! Owns: from words to targets, what is known of this machine, and the exit code. Never: looks or
//! judges (the engine and the planner do); needs a store, Postfix or root. `lines` has the
//! text, `targets` the lists.

mod lines;
mod targets;

use crate::answer::Answer;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session;
use lines::Lines;
use postseal_engine::{
    Network, PreflightOptions, ProbeNews, ProbeOptions, Prober, SystemClock, observe_unadopted,
};
use postseal_host::{Entered, Host, PostfixHost};
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::preflight::{Client, Opening};
use postseal_planner::probed::{Probed, Reach};
use postseal_planner::report::Outcome;
use postseal_planner::{Finding, Severity};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Arguments of `probe`.
#[derive(Debug, clap::Args)]
pub(crate) struct ProbeArgs {
    /// A domain (every mail exchanger and address), HOST:PORT, [HOST], an IP address; `-` for a list
    /// on standard input
    #[arg(value_name = "TARGET", required_unless_present = "targets")]
    names: Vec<String>,
    /// A file with further targets, one a line; what follows `#` is passed over
    #[arg(long, value_name = "FILE")]
    targets: Option<PathBuf>,
    /// TLS from the first byte [default: at port 465]
    #[arg(long)]
    smtps: bool,
    /// The server name to ask for [default: that of the server, but at port 25 none: senders ask for
    /// none there, unless DANE does]
    #[arg(long, value_name = "NAME")]
    sni: Option<String>,
    /// Exit 2 when a finding is at least this bad
    #[arg(long, value_name = "LEVEL", default_value = "error", value_parser = super::lint::severity)]
    fail_on: Severity,
    /// Seconds for one server; some let a new client wait for their greeting
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
}

pub(crate) fn run(args: &ProbeArgs, global: &Global) -> Result<Answer, Failure> {
    let opening = args.smtps.then_some(Opening::Wrapper);
    let targets = targets::read(&args.names, args.targets.as_deref(), opening)?;
    let here = Here::of(global);
    let _there = here.enter();
    let options = options(args, &here);
    let lines = Lines::new(&targets, global);
    let told = |place: usize, news: ProbeNews<'_>| lines.hear(place, news);
    let network = Network {
        resolver: global.resolver,
    };
    let prober = Prober {
        wire: &network,
        clock: &SystemClock::default(),
        read: &|path| here.read(path),
        own: here.facts.as_ref(),
    };
    let probed = prober.probe(&targets, &options, &told);
    let text = match global.output {
        Output::Text => lines::summary(&probed),
        Output::Json => String::new(),
    };
    Ok(Answer::new(text, document(&probed)).exit(exit(&probed, args.fail_on)))
}

fn options(args: &ProbeArgs, here: &Here) -> ProbeOptions {
    let usual = PreflightOptions::default();
    let mut budget = usual.budget;
    budget.deadline = Duration::from_secs(args.timeout);
    ProbeOptions {
        budget,
        dns: usual.dns,
        ehlo_name: here.ehlo_name(),
        sni: args.sni.clone(),
    }
}

/// This machine, with its Postfix where there is one.
struct Here {
    host: Option<PostfixHost>,
    facts: Option<Facts>,
}

impl Here {
    fn of(global: &Global) -> Self {
        let host = session::host(global).ok();
        let look = |host: &PostfixHost| observe_unadopted(host).ok();
        let facts = host.as_ref().and_then(look);
        Self { host, facts }
    }

    /// A Postfix in a container is left through its own network.
    fn enter(&self) -> Entered {
        let there = self.host.as_ref().map(PostfixHost::enter_network);
        there.and_then(Result::ok).unwrap_or_else(Entered::here)
    }

    fn read(&self, path: &Path) -> FileLook {
        match &self.host {
            Some(host) => host.read(path),
            None => postseal_host::look_at(path),
        }
    }

    /// As its Postfix greets, else this machine's own name.
    fn ehlo_name(&self) -> String {
        let client = self.facts.as_ref().map(|facts| Client::of(facts, "smtp"));
        let own = || {
            let name = rustix::system::uname()
                .nodename()
                .to_string_lossy()
                .into_owned();
            let sayable = name.bytes().all(|byte| byte.is_ascii_graphic());
            (sayable && !name.is_empty()).then_some(name)
        };
        let said = client.map(|client| client.ehlo_name).or_else(own);
        said.unwrap_or_else(|| "localhost".to_owned())
    }
}

/// Findings first; then servers that could not be reached; then what could not be told.
fn exit(probed: &[Probed], fail_on: Severity) -> Exit {
    let mut findings = probed.iter().flat_map(|one| &one.findings);
    let unknown =
        |one: &Probed| one.outcome == Outcome::Undetermined || one.reached != Reach::Reached;
    if probed.iter().all(|one| one.reached == Reach::Unreachable) {
        Exit::Unreachable
    } else if findings.any(|finding| finding.severity >= fail_on) {
        Exit::Pending
    } else if probed.iter().any(unknown) {
        Exit::Undetermined
    } else {
        Exit::Done
    }
}

fn document(probed: &[Probed]) -> Value {
    let findings: Vec<&Finding> = probed.iter().flat_map(|one| &one.findings).collect();
    json!({
        "changed": false,
        "probed": probed,
        "findings": findings,
    })
}
