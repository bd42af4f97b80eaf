//! The four states as words: desired, written, effective (the fourth, observed, is the wire's).
//!
//! Owns: what `status` says of a service. Never: looks at a wire, judges, lists parameters (`shown`
//! does).

use crate::facts::Facts;
use crate::intent::{Intent, Key, Setting, Switch};
use crate::plan::{Cf, Plan};
use crate::view::{Service, View};
use postfix_cf::{MainCf, MasterCf};
use serde::Serialize;

/// One thing in its three written states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Levels {
    /// What is wanted; `as adopted` where nothing was set.
    pub desired: String,
    /// What stands in the files; `-` where nothing does.
    pub written: String,
    /// What Postfix makes of it.
    pub effective: String,
}

/// The levels of one inet SMTP service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceLevels {
    /// `name/type`.
    pub service: String,
    /// Its TLS level.
    #[serde(flatten)]
    pub levels: Levels,
}

/// Every inet SMTP service; then those that are only wished, under the word they are wished by.
pub fn services(facts: &Facts, intent: &Intent) -> Vec<ServiceLevels> {
    let (main, master) = files(facts);
    let view = View::new(&main, &master, facts);
    let there = view.servers().map(|service| ServiceLevels {
        service: service.id.clone(),
        levels: Levels {
            desired: desired(service, intent),
            written: written(&main, service, "smtpd_tls_security_level"),
            effective: effective(&view, service),
        },
    });
    there.chain(only_wished(&view, intent)).collect()
}

/// Services of mail clients that are wished on and are not there.
fn only_wished(view: &View<'_>, intent: &Intent) -> impl Iterator<Item = ServiceLevels> {
    let missing = [(Key::Submission, 587), (Key::Smtps, 465)]
        .into_iter()
        .filter(|(_, port)| !view.servers().any(|service| service.port() == Some(*port)))
        .filter(|(key, _)| intent.settings.get(key) == Some(&Setting::Switch(Switch::On)));
    missing
        .map(|(key, _)| ServiceLevels {
            service: key.name().into_owned(),
            levels: Levels {
                desired: setting(intent, &key),
                written: "-".to_owned(),
                effective: "-".to_owned(),
            },
        })
        .collect::<Vec<_>>()
        .into_iter()
}

/// The SMTP client's default level.
pub fn outbound(facts: &Facts, intent: &Intent) -> Levels {
    let (main, master) = files(facts);
    let view = View::new(&main, &master, facts);
    let raw = main.get("smtp_tls_security_level");
    Levels {
        desired: setting(intent, &Key::Outbound),
        written: raw.map_or_else(
            || "-".to_owned(),
            |value| String::from_utf8_lossy(&value).into_owned(),
        ),
        effective: view.client_level(None),
    }
}

/// The SMTP client's default level as Postfix takes it, now and as a plan writes it. The plan was
/// just made: one that comes out of a store has no bytes.
pub fn outbound_by(plan: &Plan, facts: &Facts) -> [String; 2] {
    let edit = |file| plan.edit(file).map(|edit| edit.bytes.as_slice());
    let now = [&*facts.main_cf.bytes, &*facts.master_cf.bytes];
    let then = [
        edit(Cf::Main).unwrap_or(now[0]),
        edit(Cf::Master).unwrap_or(now[1]),
    ];
    [now, then].map(|[main, master]| {
        let (main, master) = (MainCf::parse(main), MasterCf::parse(master));
        View::new(&main, &master, facts).client_level(None)
    })
}

fn files(facts: &Facts) -> (MainCf, MasterCf) {
    (
        MainCf::parse(&facts.main_cf.bytes),
        MasterCf::parse(&facts.master_cf.bytes),
    )
}

fn desired(service: &Service, intent: &Intent) -> String {
    match service.port() {
        Some(25) => setting(intent, &Key::Inbound),
        Some(587) => setting(intent, &Key::Submission),
        Some(465) => setting(intent, &Key::Smtps),
        _ => "as adopted".to_owned(),
    }
}

fn setting(intent: &Intent, key: &Key) -> String {
    intent
        .settings
        .get(key)
        .map_or_else(|| "as adopted".to_owned(), |setting| setting.text(key))
}

fn written(main: &MainCf, service: &Service, name: &str) -> String {
    match (service.overrides.get(name), main.get(name)) {
        (Some(value), _) => format!("{value} (-o)"),
        (None, Some(value)) => String::from_utf8_lossy(&value).into_owned(),
        (None, None) => "-".to_owned(),
    }
}

fn effective(view: &View<'_>, service: &Service) -> String {
    if view.is_yes(Some(service), "smtpd_tls_wrappermode") {
        "wrapper".to_owned()
    } else {
        view.server_level(service)
    }
}
