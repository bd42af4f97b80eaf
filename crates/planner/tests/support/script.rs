//! The script language of `tests/plans/*/wish`.
//!
//! One command a line: `set KEY=VALUE`, `unset KEY`, `import NAME`, `bind NAME
//! [allow-self-signed]`, `unbind NAME`, `apply`, `rollback`, `restore-drift`; the host is shaped
//! by `version V`, `dns …` (see `dns`), `addresses A…`, `directory PATH`, `sasl TYPE…`, `file PATH (missing | directory | CERTIFICATE)`,
//! `edit main|master OLD => NEW` and `append main|master LINE`.

use super::{Host, NOW, file, pem};
use postseal_planner::facts::FileLook;
use postseal_planner::intent::{Binding, Place};
use postseal_planner::plan::Cf;
use postseal_planner::{Plan, Refusal, Request, RollbackRequest, Wish, settings};

/// Runs a script; the result is that of its last command, or of a plan at its end.
pub(crate) fn run(host: &mut Host, script: &str) -> Result<Plan, Refusal> {
    let mut result = None;
    for line in script
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
    {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        result = match word {
            "apply" => {
                let plan = host.plan()?;
                host.apply(&plan);
                None
            }
            "rollback" => Some(rollback(host)),
            "restore-drift" => Some(restore(host)),
            _ => {
                command(host, word, rest)?;
                None
            }
        };
    }
    result.unwrap_or_else(|| host.plan())
}

fn command(host: &mut Host, word: &str, rest: &str) -> Result<(), Refusal> {
    match word {
        "set" => {
            let (key, value) = rest.split_once('=').expect("KEY=VALUE");
            wish(host, settings::parse(key, value, host.facts.version)?);
        }
        "unset" => wish(host, settings::parse_unset(rest)?),
        "import" => host.store(rest),
        "bind" => {
            let (name, options) = rest.split_once(' ').unwrap_or((rest, ""));
            host.store(name);
            let binding = Binding {
                name: name.to_owned(),
                fingerprint: host.fingerprint(name),
                allow_self_signed: options.contains("allow-self-signed"),
                place: options.split(' ').find_map(place).unwrap_or_default(),
            };
            wish(host, vec![Wish::Bind(binding)]);
        }
        "unbind" => {
            let (name, options) = rest.split_once(' ').unwrap_or((rest, ""));
            wish(host, vec![Wish::Unbind(name.to_owned(), place(options))]);
        }
        _ => shape(host, word, rest),
    }
    Ok(())
}

/// `service=587`, `sni=mail.example.org`, `client`, `transport=relay`.
fn place(option: &str) -> Option<Place> {
    match option.split_once('=').unwrap_or((option, "")) {
        ("service", port) => Some(Place::Port(port.parse().expect("a port"))),
        ("sni", name) => Some(Place::Sni(name.to_owned())),
        ("client", _) => Some(Place::Client(None)),
        ("transport", name) => Some(Place::Client(Some(name.to_owned()))),
        _ => None,
    }
}

fn wish(host: &mut Host, wishes: Vec<Wish>) {
    host.wanted = host.wanted.with_all(&wishes);
}

fn shape(host: &mut Host, word: &str, rest: &str) {
    let words = || rest.split_whitespace();
    match word {
        "version" => host.facts.version = rest.parse().expect("a version"),
        "addresses" => {
            host.facts.addresses = words().map(|a| a.parse().expect("an address")).collect()
        }
        "dns" => super::dns::said(host, rest),
        "directory" => host.facts.config_directory = rest.into(),
        "sasl" => host.facts.sasl_types = words().map(str::to_owned).collect(),
        "maps" => host.facts.map_types = words().map(str::to_owned).collect(),
        "forget" => host.facts.certificates.retain(|stored| stored.name != rest),
        "no-key" => host
            .facts
            .certificates
            .iter_mut()
            .for_each(|stored| stored.has_key = false),
        "file" => {
            let (path, what) = rest.split_once(' ').expect("PATH WHAT");
            host.put(
                path,
                match what {
                    "missing" => FileLook::Missing,
                    "directory" => FileLook::Directory,
                    name => file(pem(name)),
                },
            );
        }
        "append" => {
            let (cf, line) = rest.split_once(' ').expect("FILE LINE");
            edit(host, cf, |text| format!("{text}{line}\n"));
        }
        "edit" => {
            let (cf, change) = rest.split_once(' ').expect("FILE OLD => NEW");
            let (old, new) = change.split_once(" => ").expect("OLD => NEW");
            edit(host, cf, |text| {
                assert!(text.contains(old), "{old:?} does not stand in {cf}");
                text.replacen(old, new, 1)
            });
        }
        unknown => panic!("no such command: {unknown}"),
    }
}

fn edit(host: &mut Host, cf: &str, change: impl Fn(&str) -> String) {
    let (cf, bytes) = match cf {
        "main" => (Cf::Main, &host.facts.main_cf.bytes),
        _ => (Cf::Master, &host.facts.master_cf.bytes),
    };
    let text = change(std::str::from_utf8(bytes).expect("text"));
    host.write(cf, Some(text.into_bytes()));
}

fn rollback(host: &mut Host) -> Result<Plan, Refusal> {
    host.look();
    let last = host.last.clone().expect("an applied plan");
    let request = RollbackRequest {
        undone: &last.plan,
        main_before: last.plan.edit(Cf::Main).map(|_| last.main.as_slice()),
        master_before: last.plan.edit(Cf::Master).map(|_| last.master.as_slice()),
        in_force: &host.desired,
        parent: host.head,
    };
    postseal_planner::rollback(&request, &host.facts, NOW)
}

fn restore(host: &mut Host) -> Result<Plan, Refusal> {
    host.look();
    let request = Request {
        intent: &host.desired,
        in_force: &host.desired,
        parent: host.head,
        written: &host.written,
    };
    postseal_planner::restore_drift(&request, &host.facts, NOW)
}
