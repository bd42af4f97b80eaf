//! `cert bind` and `cert unbind`: who presents a certificate, and when.
//!
//! Owns: their words. Never: decides what a binding writes; the planner does.

use super::super::set::wished;
use crate::answer::{Answer, findings_text};
use crate::config::Global;
use crate::failure::Failure;
use crate::session::Session;
use postseal_engine::{EngineError, Wished};
use postseal_planner::Finding;
use postseal_planner::intent::{Binding, Place};
use serde_json::json;

/// Arguments of `cert bind`.
#[derive(Debug, clap::Args)]
pub(crate) struct BindArgs {
    /// A certificate of the store
    name: String,
    #[command(flatten)]
    places: PlaceArgs,
    /// Accept a self-signed certificate where TLS is optional: senders to a mail exchanger do not
    /// verify; mail clients do
    #[arg(long)]
    allow_self_signed: bool,
}

/// Arguments of `cert unbind`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnbindArgs {
    /// A certificate that is bound
    name: String,
    #[command(flatten)]
    places: PlaceArgs,
}

/// Where. Nothing said: every SMTP service.
#[derive(Debug, clap::Args)]
pub(crate) struct PlaceArgs {
    /// Only these services, by port or name, with commas: 25, 587, 465, smtp, submission, smtps
    #[arg(long, value_name = "SERVICE", value_delimiter = ',', conflicts_with_all = ["sni", "client"])]
    service: Vec<String>,
    /// To clients that ask for one of these host names, with commas; `.example.org` is any name
    /// below it
    #[arg(
        long,
        value_name = "NAME",
        value_delimiter = ',',
        conflicts_with = "client"
    )]
    sni: Vec<String>,
    /// By the SMTP client, to servers that ask for a certificate
    #[arg(long)]
    client: bool,
    /// Only by the SMTP client of this transport in master.cf
    #[arg(long, value_name = "TRANSPORT", requires = "client")]
    transport: Option<String>,
}

impl PlaceArgs {
    /// The places that were named; none where nothing was said.
    fn places(&self) -> Result<Vec<Place>, Failure> {
        let refused = |refusal| Failure::from(EngineError::Refused(refusal));
        if self.client {
            return Ok(vec![Place::Client(self.transport.clone())]);
        }
        let services = self.service.iter().map(|word| Place::service(word));
        let names = self.sni.iter().map(|name| Place::name(name));
        let places: Result<Vec<Place>, _> = services.chain(names).collect();
        places.map_err(refused)
    }
}

pub(super) fn bind(args: &BindArgs, global: &Global) -> Result<Answer, Failure> {
    let mut places = args.places.places()?;
    if places.is_empty() {
        places.push(Place::Server);
    }
    let mut session = Session::existing(global)?;
    let mut engine = session.engine();
    let view = engine.certificate(&args.name)?;
    let bindings = places.into_iter().map(|place| Binding {
        name: view.name.clone(),
        fingerprint: view.chain[0].fingerprint(),
        allow_self_signed: args.allow_self_signed,
        place,
    });
    let bound = engine.bind(bindings.collect())?;
    let findings = engine.findings_of_bindings(&view, &bound)?;
    Ok(told(&bound, findings))
}

/// A wish with what is said of it, and what `apply` will refuse it for.
fn told(wish: &Wished, mut findings: Vec<Finding>) -> Answer {
    let mut answer = wished(wish).and(&findings_text(&findings));
    if !wish.misgivings.is_empty() {
        let refused = findings_text(&wish.misgivings);
        answer = answer.and(&format!("As it is, `apply` will refuse this:\n{refused}"));
    }
    findings.extend(wish.misgivings.iter().cloned());
    answer.json["findings"] = json!(findings);
    answer
}

pub(super) fn unbind(args: &UnbindArgs, global: &Global) -> Result<Answer, Failure> {
    let places = args.places.places()?;
    let mut session = Session::existing(global)?;
    let unbound = session.engine().unbind(&args.name, &places)?;
    Ok(told(&unbound, unbound.noticed.clone()))
}
