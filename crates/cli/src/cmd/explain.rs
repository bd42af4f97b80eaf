//! `explain`: which TLS policy a message meets, and why.
//!
//! Owns: its words. Never: decides; the planner does.

use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::session;
use postseal_engine::explain;
use postseal_planner::Severity;
use postseal_planner::explain::{Explanation, Hop, Source, Subject};
use postseal_planner::resolve::{Answer as Found, Consulted, Resolution};
use serde_json::{Value, json};

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// user@domain, a domain, or a next hop: [host]:port
    what: String,
    /// The envelope sender, where relay hosts or transports depend on it
    #[arg(long, value_name = "ADDRESS", default_value = "")]
    sender: String,
}

pub(crate) fn run(args: &ExplainArgs, global: &Global) -> Result<Answer, Failure> {
    let subject = parse(&args.what)?;
    let sender = sender(&args.sender)?;
    let host = session::host(global)?;
    let explanation = explain(&host, &subject, &sender)?;
    let bad = explanation
        .findings
        .iter()
        .any(|finding| finding.severity >= Severity::Error);
    let exit = match (explanation.is_undetermined(), bad) {
        (true, _) => Exit::Undetermined,
        (false, true) => Exit::Pending,
        (false, false) => Exit::Done,
    };
    Ok(Answer::new(text(&explanation), document(&explanation)).exit(exit))
}

/// A sender as Postfix holds it.
fn sender(text: &str) -> Result<String, Failure> {
    if text.is_empty() {
        return Ok(String::new());
    }
    match parse(text)? {
        Subject::Address(sender) => Ok(sender),
        _ => Err(bad(format!("{text:?} is no address: it is user@domain"))),
    }
}

fn parse(text: &str) -> Result<Subject, Failure> {
    Subject::parse(text).map_err(|error| bad(error.to_string()))
}

fn bad(message: String) -> Failure {
    Failure::new(Exit::Data, "explain.bad-subject", message)
        .hint("Ask about user@example.org, example.org or '[mx.example.org]:587'.")
}

fn text(explanation: &Explanation) -> String {
    let mut text = format!("{}\n", explanation.subject);
    if let Some(resolution) = &explanation.resolution {
        text.push_str(&way(resolution));
    }
    if let Some(filter) = &explanation.content_filter {
        text.push_str(&format!(
            "  first      {filter} (content_filter); this is its way when it comes back\n"
        ));
    }
    let resolved = explanation.resolution.iter().flat_map(|one| &one.consulted);
    for look in resolved.chain(&explanation.consulted) {
        text.push_str(&format!("  looked up  {}\n", words(look)));
    }
    for hop in &explanation.hops {
        text.push_str(&policy(hop));
    }
    for hop in &explanation.fallbacks {
        text.push_str(&format!(
            "  fallback   {}: takes what no server of the next hop does\n",
            hop.nexthop
        ));
        text.push_str(&policy(hop));
    }
    text.push_str(&findings_text(&explanation.findings));
    text
}

fn way(resolution: &Resolution) -> String {
    if resolution.failed.is_some() {
        return "  transport  undetermined\n  next hop   undetermined\n".to_owned();
    }
    format!(
        "  class      {}\n  transport  {} (by {})\n  next hop   {} (by {})\n",
        resolution.class.describe(),
        resolution.transport,
        resolution.transport_by,
        resolution.nexthop,
        resolution.nexthop_by
    )
}

fn words(look: &Consulted) -> String {
    let key = if look.key.is_empty() {
        String::new()
    } else {
        format!(" {}", look.key)
    };
    let gave = match &look.answer {
        // A whole file is not for this line.
        Found::Found(_) if look.key.is_empty() => "read",
        _ => look.gave(),
    };
    format!("{} {}{key}: {}", look.parameter, look.table, gave.trim())
}

fn policy(hop: &Hop) -> String {
    let mut text = match &hop.source {
        Some(Source::Row(row)) => {
            format!("  rule       {} {} (in {})\n", row.key, row.text, row.table)
        }
        Some(Source::Default(parameter)) => {
            format!(
                "  rule       none for {}: {parameter} decides\n",
                hop.nexthop
            )
        }
        Some(Source::Sites(parameter)) => {
            format!("  rule       undetermined: {parameter} decides\n")
        }
        None => String::new(),
    };
    if let Some(level) = hop.level {
        text.push_str(&format!("  level      {level} towards {}\n", hop.nexthop));
    }
    text.push_str(&format!("{}\n", hop.sentence));
    text
}

fn document(explanation: &Explanation) -> Value {
    let resolution = explanation.resolution.as_ref();
    let consulted = resolution.iter().flat_map(|one| &one.consulted);
    let looks: Vec<Value> = consulted.chain(&explanation.consulted).map(look).collect();
    json!({
        "changed": false,
        "subject": explanation.subject.to_string(),
        "resolution": resolution.map(found),
        "content_filter": explanation.content_filter,
        "consulted": looks,
        "hops": explanation.hops.iter().map(hop).collect::<Vec<_>>(),
        "fallbacks": explanation.fallbacks.iter().map(hop).collect::<Vec<_>>(),
        "findings": explanation.findings,
    })
}

/// Where it goes; null where that is undetermined.
fn found(resolution: &Resolution) -> Value {
    let known = |text: &String| match resolution.failed {
        Some(_) => Value::Null,
        None => json!(text),
    };
    json!({
        "recipient": resolution.recipient,
        "class": known(&resolution.class.describe().to_owned()),
        "transport": known(&resolution.transport),
        "transport_by": known(&resolution.transport_by),
        "nexthop": known(&resolution.nexthop),
        "nexthop_by": known(&resolution.nexthop_by),
        "failed": resolution.failed,
    })
}

fn look(look: &Consulted) -> Value {
    let answer = match &look.answer {
        Found::Found(value) => json!({"found": value}),
        Found::NotFound => Value::Null,
        Found::Failed(why) => json!({"failed": why}),
    };
    json!({
        "parameter": look.parameter,
        "table": look.table,
        "key": look.key,
        "answer": answer,
    })
}

fn hop(hop: &Hop) -> Value {
    let source = match &hop.source {
        Some(Source::Row(row)) => json!({"table": row.table, "key": row.key, "row": row.text}),
        Some(Source::Default(parameter) | Source::Sites(parameter)) => {
            json!({"parameter": parameter})
        }
        None => Value::Null,
    };
    json!({
        "nexthop": hop.nexthop,
        "transport": hop.transport,
        "source": source,
        "policy": hop.policy.as_ref().map(ToString::to_string),
        "level": hop.level,
        "promise": hop.sentence,
    })
}
