//! The services of mail clients: submission (587) and smtps (465).
//!
//! Owns: switching them on and off in master.cf. Never: touches one that no setting speaks of.
//!
//! Switched on, the stock file's commented-out service is uncommented in place; where there is
//! none, a block is appended. Switched off or given back, exactly that is undone; what was
//! changed by hand since, or was there at adoption, is commented out, never deleted.

use super::comment::{commented, replace_lines};
use super::edit::{cannot, key_of, reach};
use super::{Ground, Target, Targets, certificates};
use crate::Refusal;
use crate::intent::{Key, Owned, Setting, Switch};
use crate::owned::is_owned;
use crate::view::{self, Service, split_name};
use postfix_cf::{Braces, MasterCf, Template};
use std::collections::BTreeSet;

/// The ports of mail clients.
pub(crate) const PORTS: [u16; 2] = [587, 465];

/// The `-o` lines of the service on a port: TLS and AUTH required, and nobody relays without
/// having logged in (a stranger's RCPT gets 554).
fn options(port: u16) -> &'static [[&'static str; 2]] {
    match port {
        587 => &[
            ["syslog_name", "postfix/submission"],
            ["smtpd_tls_security_level", "encrypt"],
            ["smtpd_sasl_auth_enable", "yes"],
            ["smtpd_tls_auth_only", "yes"],
            ["smtpd_reject_unlisted_recipient", "no"],
            ["smtpd_recipient_restrictions", ""],
            [
                "smtpd_relay_restrictions",
                "permit_sasl_authenticated,reject",
            ],
            ["milter_macro_daemon_name", "ORIGINATING"],
        ],
        _ => &[
            ["syslog_name", "postfix/smtps"],
            ["smtpd_tls_wrappermode", "yes"],
            ["smtpd_sasl_auth_enable", "yes"],
            ["smtpd_reject_unlisted_recipient", "no"],
            ["smtpd_recipient_restrictions", ""],
            [
                "smtpd_relay_restrictions",
                "permit_sasl_authenticated,reject",
            ],
            ["milter_macro_daemon_name", "ORIGINATING"],
        ],
    }
}

/// What a template's own value is kept of: all are as safe as ours.
const KEPT: [&str; 3] = [
    "syslog_name",
    "smtpd_recipient_restrictions",
    "milter_macro_daemon_name",
];

fn port_of(key: &Key) -> u16 {
    if *key == Key::Submission { 587 } else { 465 }
}

/// Notes the port of `submission=` or `smtps=`.
pub(super) fn compile(key: &Key, setting: &Setting, targets: &mut Targets) {
    if let Setting::Switch(on) = setting {
        targets.ports.insert(port_of(key), *on);
    }
}

/// TLS on the services that are switched on, whoever wrote them, also on adopted ones that are
/// commented out now and come back.
pub(super) fn requirements(ground: &Ground<'_>, targets: &mut Targets) {
    let there = view::services(ground.master).into_iter();
    let there = there
        .filter(|service| service.command == "smtpd")
        .map(|service| service.id);
    let ids: BTreeSet<String> = there
        .chain(ground.intent.adopted.blocks.keys().cloned())
        .collect();
    for id in ids {
        let port = key_of(&id).and_then(|key| view::port_of(split_name(key.name).port));
        let Some(port) = port.filter(|port| targets.ports.get(port) == Some(&Switch::On)) else {
            continue;
        };
        let tls = options(port).iter().filter(|[name, _]| is_owned(name));
        for [name, value] in tls {
            targets.service(&id, name, Target::value(*value));
        }
    }
}

/// master.cf with the services of the ports switched as wanted.
pub(super) fn switch(ground: &Ground<'_>, targets: &Targets) -> Result<MasterCf, Refusal> {
    let mut master = ground.master.clone();
    for port in PORTS {
        let before = ground.in_force.settings.get(&key_for(port));
        match (targets.ports.get(&port), before) {
            (Some(Switch::On), _) => {
                if on_port(&master, port).is_empty() {
                    restore_adopted(&ground.intent.adopted, port, &mut master)?;
                }
                if on_port(&master, port).is_empty() {
                    insert(ground, port, &mut master)?;
                }
            }
            (Some(Switch::Off), _) => {
                as_adopted(&ground.intent.adopted, port, &mut master)?;
                take_out(&ground.intent.adopted, port, &mut master, Adopted::TakeOut);
            }
            (None, Some(_)) => {
                take_out(&ground.intent.adopted, port, &mut master, Adopted::Leave);
                restore_adopted(&ground.intent.adopted, port, &mut master)?;
            }
            (None, None) => {}
        }
    }
    Ok(master)
}

/// The services of both ports as they were when `owned` was read.
pub(crate) fn switch_back(owned: &Owned, master: &mut MasterCf) -> Result<(), Refusal> {
    for port in PORTS {
        take_out(owned, port, master, Adopted::Leave);
        restore_adopted(owned, port, master)?;
    }
    Ok(())
}

fn key_for(port: u16) -> Key {
    if port == 587 {
        Key::Submission
    } else {
        Key::Smtps
    }
}

fn on_port(master: &MasterCf, port: u16) -> Vec<Service> {
    let mut services = view::services(master);
    services.retain(|service| service.port() == Some(port));
    services
}

/// What happens to services that were there at adoption.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Adopted {
    TakeOut,
    Leave,
}

/// The `-o` lines of adopted services as they were: what is commented out is what was there, so
/// that it is found again when it comes back.
fn as_adopted(owned: &Owned, port: u16, master: &mut MasterCf) -> Result<(), Refusal> {
    for service in on_port(master, port) {
        let Some(was) = owned.services.get(&service.id) else {
            continue;
        };
        let ours = service.overrides.keys().filter(|name| is_owned(name));
        let names: BTreeSet<&String> = ours.chain(was.keys()).collect();
        for name in names {
            let target = was.get(name).map_or(Target::Absent, Target::value);
            let have = service.overrides.get(name);
            reach(master, &service.id, name, have, &target)?;
        }
    }
    Ok(())
}

/// The text of a service of mail clients as it would stand with its adopted `-o` lines; `None`
/// for other services, and where it cannot be written so.
pub(crate) fn block_as_adopted(owned: &Owned, id: &str, master: &MasterCf) -> Option<String> {
    let port = view::port_of(split_name(key_of(id)?.name).port)?;
    let mut master = PORTS.contains(&port).then(|| master.clone())?;
    as_adopted(owned, port, &mut master).ok()?;
    let service = master.service(key_of(id)?)?;
    lines(&master.to_bytes(), service.first_line, service.last_line)
}

fn take_out(owned: &Owned, port: u16, master: &mut MasterCf, adopted: Adopted) {
    for service in on_port(master, port) {
        let Some(key) = key_of(&service.id) else {
            continue;
        };
        if owned.services.contains_key(&service.id) {
            if adopted == Adopted::TakeOut {
                master.comment_out_service(key);
            }
            continue;
        }
        for (name, value) in &service.overrides {
            if certificates::is_installed(value) {
                // A service that cannot be edited is commented out as it stands.
                let _ = master.unset_override(key, name);
            }
        }
        let bytes = master.to_bytes();
        let template = owned.templates.get(&port);
        let restored = template
            .and_then(|template| replace_lines(&bytes, &activated(template, port)?, template));
        if let Some(bytes) = restored {
            *master = MasterCf::parse(&bytes);
        } else if is_our_block(master, &service, port) {
            master.remove_service(key);
        } else {
            master.comment_out_service(key);
        }
    }
}

fn is_our_block(master: &MasterCf, service: &Service, port: u16) -> bool {
    let Some(found) = key_of(&service.id).and_then(|key| master.service(key)) else {
        return false;
    };
    let ours = block(&found.name, &found.chroot, port);
    lines(&master.to_bytes(), found.first_line, found.last_line).as_deref() == Some(&ours)
}

fn restore_adopted(owned: &Owned, port: u16, master: &mut MasterCf) -> Result<(), Refusal> {
    for (id, text) in &owned.blocks {
        let Some(key) = key_of(id) else { continue };
        let here = view::port_of(split_name(key.name).port) == Some(port);
        if !here || master.service(key).is_some() {
            continue;
        }
        match replace_lines(&master.to_bytes(), &commented(text), text) {
            Some(bytes) => *master = MasterCf::parse(&bytes),
            None => master
                .append_service(text.as_bytes())
                .map_err(|error| cannot(id, error))?,
        }
    }
    Ok(())
}

fn insert(ground: &Ground<'_>, port: u16, master: &mut MasterCf) -> Result<(), Refusal> {
    let uncommented = template_text(master, port).and_then(|text| {
        let active = activated(&text, port)?;
        replace_lines(&master.to_bytes(), &text, &active)
    });
    if let Some(bytes) = uncommented {
        *master = MasterCf::parse(&bytes);
        return Ok(());
    }
    // Postfix before 3.6 looks names up in services(5), which may not have them.
    let name = match (port, ground.facts.version.at_least(3, 6)) {
        (587, true) => "submission".to_owned(),
        (_, true) => "smtps".to_owned(),
        _ => port.to_string(),
    };
    let mx = master
        .services()
        .find(|s| s.kind == "inet" && s.command == "smtpd");
    let chroot = mx.map_or("-".to_owned(), |service| service.chroot);
    master
        .append_service(block(&name, &chroot, port).as_bytes())
        .map_err(|error| cannot(&name, error))
}

/// The block that is appended where the file has no template.
fn block(name: &str, chroot: &str, port: u16) -> String {
    let mut block =
        format!("{name:<9} inet  n       -       {chroot}       -       -       smtpd\n");
    for [option, value] in options(port) {
        block.push_str(&format!("  -o {option}={value}\n"));
    }
    block
}

/// The commented-out service of a port, as it stands in the file; not one for loopback only.
pub(crate) fn template_text(master: &MasterCf, port: u16) -> Option<String> {
    let fits = |template: &&Template| {
        let named = split_name(&template.service.name);
        template.service.kind == "inet"
            && template.service.command == "smtpd"
            && named.host.is_empty()
            && view::port_of(named.port) == Some(port)
    };
    let templates = master.templates();
    let mut all = templates
        .iter()
        .enumerate()
        .filter(|(_, template)| fits(template));
    let (index, template) = all
        .clone()
        .find(|(_, template)| template.lines.len() > 1)
        .or_else(|| all.next())?;
    // Uncommented here, lines of another service might become part of it.
    master.clone().uncomment_template(index).ok()?;
    let service = &template.service;
    lines(&master.to_bytes(), service.first_line, service.last_line)
}

/// The template's text as it stands when switched on: uncommented, except for lines that refer
/// to `$mua_…` parameters, which stock files name but do not define; with the `-o` lines that
/// make it safe. A function of the text alone, so that it can be undone.
fn activated(template: &str, port: u16) -> Option<String> {
    let mut master = MasterCf::parse(template.as_bytes());
    master.uncomment_template(0).ok()?;
    let text = String::from_utf8(master.to_bytes()).ok()?;
    let uncommented = text
        .split_inclusive('\n')
        .zip(template.split_inclusive('\n'));
    let text: String = uncommented
        .map(|(new, old)| if new.contains("$mua_") { old } else { new })
        .collect();
    let mut master = MasterCf::parse(text.as_bytes());
    let service = master.services().next()?;
    for [name, value] in options(port) {
        let have = service.get_override(name);
        if have == Some(value.as_bytes()) || (have.is_some() && KEPT.contains(name)) {
            continue;
        }
        master
            .set_override(service.key(), name, value.as_bytes(), Braces::Allowed)
            .ok()?;
    }
    String::from_utf8(master.to_bytes()).ok()
}

/// Lines `first` to `last` of a file, from 1.
pub(crate) fn lines(bytes: &[u8], first: usize, last: usize) -> Option<String> {
    let wanted = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .skip(first - 1)
        .take(last + 1 - first);
    String::from_utf8(wanted.flatten().copied().collect()).ok()
}
