//! `probe`: a live look at any server, stage by stage.
//!
//! Owns: from words to targets, what is known of this machine, and the exit code. Never: looks or
//! judges (the engine and the planner do); needs a store, Postfix or root. `lines` and
//! `summary` have the text, `targets` the lists, `cas` whom it trusts, `compare` and `send` what is asked for beside.

mod cas;
mod compare;
mod full;
mod lines;
mod row;
mod send;
mod summary;
mod targets;

use crate::answer::Answer;
use crate::config::{Global, Output};
use crate::failure::{Exit, Failure};
use crate::session;
use compare::Compared;
use lines::Lines;
use postseal_engine::{
    Network, PreflightOptions, ProbeNews, ProbeOptions, Prober, SystemClock, observe_unadopted,
};
use postseal_host::{Entered, Host, PostfixHost};
use postseal_planner::facts::{Facts, FileLook};
use postseal_planner::full::{FullAt, Looks};
use postseal_planner::preflight::{Client, Opening};
use postseal_planner::probed::{Probed, Reach};
use postseal_planner::report::Outcome;
use postseal_planner::{Finding, Severity};
use postseal_probe::FullBudget;
use serde_json::{Value, json};
use std::io::IsTerminal as _;
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
    /// Everything that its TLS can do: versions, cipher suites, groups, sessions, extensions
    #[arg(long)]
    full: bool,
    /// Connections that --full may make to one address
    #[arg(long, value_name = "NUMBER", default_value_t = 150, requires = "full", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Deliver one short message through the preferred server, under TLS, and say its queue id
    #[arg(long)]
    send: bool,
    /// The recipient of the message [default: postmaster of the domain, or the address named as target]
    #[arg(long, value_name = "ADDRESS", requires = "send")]
    to: Option<String>,
    /// The sender of the message; '' for none [default: the user who runs this, at this host]
    #[arg(long, value_name = "ADDRESS", requires = "send")]
    from: Option<String>,
    /// Ask posttls-finger(1), too, and show where it sees the same. Where it does not, that is an error
    #[arg(long)]
    second_opinion: bool,
    /// What changed since an earlier report (saved from --json)
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// The CAs that count, for the servers of MTA-STS policies, too, in place of this system's
    #[arg(long, value_name = "FILE")]
    cafile: Option<PathBuf>,
    /// Exit 2 when a finding is at least this bad
    #[arg(long, value_name = "LEVEL", default_value = "error", value_parser = super::lint::severity)]
    fail_on: Severity,
    /// Seconds for one server; some let a new client wait for their greeting. With --full so many for
    /// each connection, and six times as many for all of them
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=300))]
    timeout: u64,
}

pub(crate) fn run(args: &ProbeArgs, global: &Global) -> Result<Answer, Failure> {
    let opening = args.smtps.then_some(Opening::Wrapper);
    let targets = targets::read(&args.names, args.targets.as_deref(), opening)?;
    let earlier = compare::earlier(args.compare.as_deref(), &targets)?;
    let cas = args.cafile.as_deref().map(cas::file).transpose()?;
    let letter = args
        .send
        .then(|| send::Addressed::of(args.from.as_deref(), args.to.as_deref(), &targets))
        .transpose()?;
    let here = Here::of(global);
    let _there = here.enter();
    let options = options(args, &here, cas);
    let lines = Lines::new(&targets, global);
    let told = |place: usize, news: ProbeNews<'_>| lines.hear(place, news);
    let network = Network {
        resolver: global.resolver,
        for_afar: global.behalf.is_some(),
    };
    let prober = Prober {
        wire: &network,
        clock: &SystemClock::default(),
        read: &|path| match options.cas.as_deref() {
            // The user's own file, wherever the Postfix is.
            Some(file) if file == path => postseal_host::look_at(path),
            _ => here.read(path),
        },
        own: here.facts.as_ref(),
    };
    let mut probed = prober.probe(&targets, &options, &told);
    if args.second_opinion {
        prober.second_opinion(here.host.as_ref(), &mut probed, &targets, &options);
    }
    if let (Some(letter), Some(target), Some(one)) = (letter, targets.first(), probed.first_mut()) {
        let letter = letter.letter(&options.ehlo_name);
        let sent = prober.send(&letter, (target, one), &options);
        one.sent = Some(sent.ok_or_else(send::unsent)?);
    }
    let full = match args.full {
        true => {
            let budget = FullBudget::within(args.connections, options.budget.deadline);
            let under_way = |address| full::under_way(address, global);
            prober.full(&mut probed, &targets, (&options, budget), &under_way)
        }
        false => Vec::new(),
    };
    let compared = earlier.map(|earlier| {
        let (probed, full) = (&probed, &full);
        Compared::of(&earlier, Looks { probed, full }, &targets)
    });
    let text = words(global, lines, (&probed, &full), compared.as_ref());
    let exit = full::exit(exit(&probed, args.fail_on), &full);
    let mut document = document(&probed, compared.as_ref());
    full::add(&mut document, &full);
    Ok(Answer::new(text, document).exit(exit))
}

/// What a person reads after the lines that were printed; all of it where it is read elsewhere.
fn words(
    global: &Global,
    lines: Lines,
    (probed, full): (&[Probed], &[FullAt]),
    compared: Option<&Compared<'_>>,
) -> String {
    let is_read_elsewhere = global.behalf.is_some();
    if global.output == Output::Json && !is_read_elsewhere {
        return String::new();
    }
    let aligned = is_read_elsewhere || std::io::stdout().is_terminal();
    let levels = summary::text(probed, aligned) + &full::text(full, aligned);
    lines.told() + &levels + &compare::text(compared)
}

fn options(args: &ProbeArgs, here: &Here, cas: Option<PathBuf>) -> ProbeOptions {
    let usual = PreflightOptions::default();
    let mut budget = usual.budget;
    budget.deadline = Duration::from_secs(args.timeout);
    ProbeOptions {
        budget,
        dns: usual.dns,
        ehlo_name: here.ehlo_name(),
        cas,
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

/// Servers that could not be reached first; then a message that was not taken, findings, and what
/// could not be told.
fn exit(probed: &[Probed], fail_on: Severity) -> Exit {
    let mut findings = probed.iter().flat_map(|one| &one.findings);
    let sent = |wanted| {
        let mut sent = probed.iter().filter_map(|one| one.sent.as_ref());
        sent.any(|sent| sent.outcome == wanted)
    };
    if probed.iter().all(|one| one.reached == Reach::Unreachable) {
        Exit::Unreachable
    } else if sent(Outcome::Fail) {
        Exit::Failed
    } else if findings.any(|finding| finding.severity >= fail_on) {
        Exit::Pending
    } else if sent(Outcome::Undetermined) || probed.iter().any(Probed::is_undetermined) {
        Exit::Undetermined
    } else {
        Exit::Done
    }
}

fn document(probed: &[Probed], compared: Option<&Compared<'_>>) -> Value {
    let findings: Vec<&Finding> = probed.iter().flat_map(|one| &one.findings).collect();
    let mut document = json!({
        "changed": false,
        "probed": probed,
        "findings": findings,
    });
    if let (Some(compared), Value::Object(fields)) = (compared, &mut document) {
        fields.insert("changes".to_owned(), json!(compared.changes));
        fields.insert("not_compared".to_owned(), json!(compared.not_compared));
        let in_full = json!(compared.full_not_compared);
        fields.insert("full_not_compared".to_owned(), in_full);
    }
    document
}
