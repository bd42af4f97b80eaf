//! `show --cipher-list`: the suites that each program may use, by TLS version.
//!
//! Owns: asking OpenSSL, putting programs with the same together, the table and its notes. Never:
//! makes a list (the planner does), judges one (`lint` does).

use super::ShowArgs;
use super::seen::{Depth, look};
use crate::answer::Answer;
use crate::config::Global;
use crate::failure::{Exit, Failure};
use crate::table;
use mailtls::TlsVersion;
use postseal_engine::EngineError;
use postseal_planner::ciphers::{CipherUse, Order, Side, Standing, is_anonymous, uses, wants};
use serde_json::{Map, Value, json};

/// Programs that may use the same.
struct Group {
    services: Vec<String>,
    of: CipherUse,
    versions: Vec<Version>,
    /// Why nothing is left, where nothing is.
    trouble: Option<String>,
}

/// The suites of one version.
struct Version {
    version: TlsVersion,
    suites: Vec<String>,
    /// Those that the server has no certificate for.
    left_out: Vec<String>,
    /// Those whose signatures OpenSSL's security level refuses in this version.
    unsigned: Vec<String>,
}

pub(super) fn answer(args: &ShowArgs, global: &Global) -> Result<Answer, Failure> {
    let facts = look(args.postfix_version, Depth::Files, global)?;
    let uses = uses(&facts, args.service.as_deref()).map_err(EngineError::Refused)?;
    let groups = groups(uses);
    let exit = match groups.iter().any(Group::is_dead) {
        true => Exit::Pending,
        false => Exit::Done,
    };
    let notes = notes(&groups);
    let json = json!({
        "changed": false,
        "postfix": facts.version,
        "asked": facts.was_asked(),
        "openssl": postseal_probe::openssl_version(),
        "uses": groups.iter().map(document).collect::<Vec<_>>(),
        "notes": notes,
    });
    Ok(Answer::new(text(&groups, &notes), json).exit(exit))
}

fn groups(uses: Vec<CipherUse>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for one in uses {
        let alike = |group: &&mut Group| {
            let named = CipherUse {
                service: group.of.service.clone(),
                ..one.clone()
            };
            group.of == named
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.services.push(one.service),
            None => groups.push(Group::of(one)),
        }
    }
    groups
}

impl Group {
    fn of(one: CipherUse) -> Self {
        let (versions, trouble) = match versions(&one) {
            Ok(versions) if versions.iter().all(|one| one.suites.is_empty()) => (
                versions,
                Some("no suite is left: every handshake fails".to_owned()),
            ),
            Ok(versions) => (versions, None),
            Err(why) => (Vec::new(), Some(format!("every handshake fails: {why}"))),
        };
        Self {
            services: vec![one.service.clone()],
            of: one,
            versions,
            trouble,
        }
    }

    /// Whether no handshake can succeed at a level that is in force.
    fn is_dead(&self) -> bool {
        self.trouble.is_some() && self.of.standing == Standing::InForce
    }

    fn title(&self) -> String {
        let side = match self.of.side {
            Side::Server => "server",
            Side::Client => "client",
        };
        let level = match (self.of.side, self.of.level) {
            (Side::Client, level) if level > mailtls::Level::Encrypt => {
                "verify and above".to_owned()
            }
            (_, level) => level.to_string(),
        };
        match self.of.standing {
            Standing::InForce => format!("{side} {level}"),
            Standing::ByPolicy => format!("{side} {level} (where a policy demands it)"),
        }
    }
}

fn versions(one: &CipherUse) -> Result<Vec<Version>, String> {
    let allowed = one.allowed.as_ref().map_err(Clone::clone)?;
    let expand = |version: &TlsVersion| -> Result<Version, String> {
        let list = &allowed.list;
        let all = postseal_probe::suites(list, *version, allowed.security_level);
        let all = all.map_err(|why| format!("OpenSSL refuses {list}: {why}"))?;
        let serves = |suite: &String| match (&one.keys, version) {
            (None, _) => true,
            // RFC 8446 has no handshake without a certificate but by a key shared before.
            (Some(keys), TlsVersion::Tls1_3) => !keys.is_empty(),
            (Some(keys), _) => wants(suite).is_met(keys),
        };
        let library = postseal_probe::openssl_version();
        let signs = |suite: &String| one.is_signable(suite, *version, &library);
        let (all, left_out) = all.into_iter().partition::<Vec<String>, _>(serves);
        let (suites, unsigned) = all.into_iter().partition(signs);
        Ok(Version {
            version: *version,
            suites,
            left_out,
            unsigned,
        })
    };
    allowed.versions.iter().map(expand).collect()
}

fn text(groups: &[Group], notes: &[String]) -> String {
    if groups.is_empty() {
        return "No program offers TLS here.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = groups.iter().flat_map(rows).collect();
    let mut text = table::wrapped(&["service", "level", "version", "suites"], &rows);
    for note in notes {
        text.push_str(note);
        text.push('\n');
    }
    text
}

fn rows(group: &Group) -> Vec<Vec<String>> {
    let row = |version: &str, suites: String| {
        let services = group.services.join(", ");
        vec![services, group.title(), version.to_owned(), suites]
    };
    let mut rows = Vec::new();
    for one in &group.versions {
        let suites = match one.suites.as_slice() {
            [] => "none".to_owned(),
            suites => suites.join(" "),
        };
        rows.push(row(one.version.name(), suites));
    }
    if let Some(trouble) = &group.trouble {
        rows.push(row("-", trouble.clone()));
    }
    rows
}

/// What the names of suites do not say.
fn notes(groups: &[Group]) -> Vec<String> {
    let mut notes = Vec::new();
    let some = |of: fn(&Group) -> bool| groups.iter().any(of);
    notes.push(format!(
        "Expanded by {}; the suites of TLSv1.3 are its own, no parameter chooses among them.",
        postseal_probe::openssl_version()
    ));
    notes.extend(groups.iter().filter_map(left_out));
    if some(|one| one.of.side == Side::Server && one.of.keys.is_none() && one.trouble.is_none()) {
        notes.push(
            "Certificates could not be looked at: suites that want one of another kind (RSA, ECDSA) \
             are listed all the same."
                .to_owned(),
        );
    }
    if some(|one| one.of.side == Side::Server && has(one, is_anonymous)) {
        notes.push(
            "ADH and AECDH go without a certificate: clients that check none may take them from a server; \
             aNULL in the exclusions takes them out."
                .to_owned(),
        );
    }
    if some(|one| one.of.side == Side::Server && one.of.order == Order::Client) {
        notes.push(
            "The client's order decides which suite is taken (tls_preempt_cipherlist = no)."
                .to_owned(),
        );
    }
    if some(|one| {
        one.versions
            .iter()
            .any(|version| !version.unsigned.is_empty())
    }) {
        notes.push(
            "TLSv1 and TLSv1.1 have no signatures that OpenSSL takes above its security level 0 (@SECLEVEL in \
             the list; clients at verify and above): servers refuse them there, clients have few suites."
                .to_owned(),
        );
    }
    notes
}

fn has(group: &Group, of: fn(&str) -> bool) -> bool {
    let suites = group.versions.iter().flat_map(|version| &version.suites);
    suites.into_iter().any(|suite| of(suite))
}

fn left_out(group: &Group) -> Option<String> {
    let most = group.versions.iter().map(|one| one.left_out.len()).max()?;
    let keys = group.of.keys.as_ref().filter(|_| most > 0)?;
    let kinds: Vec<String> = keys
        .iter()
        .map(|kind| format!("{kind:?}").to_uppercase())
        .collect();
    let have = match kinds.as_slice() {
        [] => "it has no certificate".to_owned(),
        kinds => format!("its certificate is {}", kinds.join(" and ")),
    };
    Some(format!(
        "{}: up to {most} more suites are allowed and cannot be served, for {have}.",
        group.services.join(", ")
    ))
}

fn document(group: &Group) -> Value {
    let lists = |of: fn(&Version) -> &Vec<String>| -> Map<String, Value> {
        let pairs = group.versions.iter().filter(|one| !of(one).is_empty());
        pairs
            .map(|one| (one.version.name().to_owned(), json!(of(one))))
            .collect()
    };
    let allowed = group.of.allowed.as_ref().ok();
    json!({
        "services": group.services,
        "side": group.of.side,
        "level": group.of.level,
        "standing": group.of.standing,
        "grade": allowed.map(|one| one.grade),
        "list": allowed.map(|one| &one.list),
        "security_level": allowed.map(|one| one.security_level),
        "versions": allowed.map(|one| one.versions.iter().map(|v| v.name()).collect::<Vec<_>>()),
        "keys": group.of.keys,
        "order": group.of.order,
        "suites": lists(|one| &one.suites),
        "left_out": lists(|one| &one.left_out),
        "unsigned": lists(|one| &one.unsigned),
        "trouble": group.trouble,
    })
}
