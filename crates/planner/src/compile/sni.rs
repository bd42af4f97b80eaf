//! Certificates for names that clients ask for (`tls_server_sni_maps`, Postfix 3.4).
//!
//! Owns: the rows of the map, where it stands, and the parameter that names it. Never: compiles
//! one (`host` runs `postmap -F`).
//!
//! `postmap -F` puts the keys and chains themselves into the map. So its name holds a digest of
//! its rows, which name files by fingerprint: a renewal makes another map beside the old one, and
//! the switch to it, or back, is one edit of main.cf. A chain that is completed keeps its fingerprint: its
//! source tells of which contents a map holds copies.

use super::certificates::{bound_path, folder, plain_path};
use super::{Ground, Target, Targets, refuse, services};
use crate::facts::{Facts, FileLook};
use crate::intent::{Binding, Intent, Place};
use crate::plan::SniMap;
use crate::{Digest, Refusal};
use postfix_cf::table::{Content, rows as rows_of};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const PARAMETER: &str = "tls_server_sni_maps";

/// How the names of its files begin.
pub(crate) const FILE: &str = "sni-";

/// Table types that `postmap` compiles into one file beside the source.
const COMPILED: [&str; 4] = ["hash", "btree", "lmdb", "cdb"];

/// The map of an intent; `None` where no certificate is bound to a name.
pub(crate) fn map(intent: &Intent, facts: &Facts) -> Option<SniMap> {
    let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, bound) in names(intent) {
        let path = bound_path(facts, bound).display().to_string();
        rows.entry(name).or_default().push(path);
    }
    if rows.is_empty() {
        return None;
    }
    let source: String = rows
        .iter()
        .map(|(name, paths)| format!("{name} {}\n", paths.join(" ")))
        .collect();
    let name = format!("{FILE}{}", Digest::of(source.as_bytes()).short(8));
    Some(SniMap {
        path: folder(&facts.config_directory).join(name),
        table: table(facts),
        source,
    })
}

/// Whether a map of names was compiled without its files (`postmap` without `-F`): it holds the paths of its
/// rows in place of keys in BASE64. smtpd(8) then ends the handshake for each of its names (3.7.11: `malformed
/// BASE64 value`).
pub(crate) fn lacks_keys(source: &[u8], compiled: &[u8]) -> bool {
    let holds = |path: &[u8]| compiled.windows(path.len()).any(|part| part == path);
    let mut rows = rows_of(source);
    rows.any(|row| {
        let Content::Pair { value, .. } = row.content else {
            return false;
        };
        let mut paths = value.split(|byte| byte.is_ascii_whitespace() || *byte == b',');
        paths.any(|path| path.starts_with(b"/") && holds(path))
    })
}

/// So many rows of an administrator's own map are read at most: their files are opened at each look.
const OWN_ROWS: usize = 200;

/// The rows of an administrator's own map of names, as its source has them: a name, and its files.
pub(crate) fn own_rows(table: &str, facts: &Facts) -> Vec<(String, Vec<PathBuf>)> {
    let source = table.split_once(':').map(|(_, path)| Path::new(path));
    let Some(FileLook::File { bytes, .. }) = source.and_then(|path| facts.files.get(path)) else {
        return Vec::new();
    };
    let rows = rows_of(bytes).filter_map(|row| match row.content {
        Content::Pair { key, value } => {
            let files = String::from_utf8_lossy(&value).into_owned();
            let files = files
                .split([',', ' ', '\t', '\r', '\n'])
                .filter(|one| !one.is_empty());
            let files = files.map(PathBuf::from).collect();
            Some((String::from_utf8_lossy(&key).to_ascii_lowercase(), files))
        }
        _ => None,
    });
    rows.take(OWN_ROWS).collect()
}

/// The names that certificates are bound to.
pub(crate) fn names(intent: &Intent) -> impl Iterator<Item = (&str, &Binding)> {
    intent.bindings.iter().filter_map(|bound| {
        if let Place::Sni(name) = &bound.place {
            Some((name.as_str(), bound))
        } else {
            None
        }
    })
}

/// Postfix's own choice where it is a type that `postmap` compiles. Where this build lacks it, another
/// one that is compiled: each process would hold all of a plain text in memory. Else the plain text.
pub(super) fn table(facts: &Facts) -> String {
    let own = facts.values.get("default_database_type");
    let usable = |table: &str| {
        COMPILED.contains(&table) && facts.map_types.iter().any(|known| known == table)
    };
    let built = |table: &str| facts.map_types.iter().any(|known| known == table);
    match own {
        Some(own) if usable(own) => own.clone(),
        Some(own) if !built(own) => {
            let other = COMPILED.into_iter().find(|table| usable(table));
            other.unwrap_or("texthash").to_owned()
        }
        _ => "texthash".to_owned(),
    }
}

/// The default type, where this build lacks it.
pub(crate) fn lacking(facts: &Facts) -> Option<&str> {
    let own = facts.values.get("default_database_type")?;
    let built = facts.map_types.iter().any(|known| known == own);
    (!built && !facts.map_types.is_empty()).then_some(own.as_str())
}

/// Names the map before the administrator's own, where there are any: the first that has a name
/// decides.
pub(super) fn compile(ground: &Ground<'_>, targets: &mut Targets) -> Result<(), Refusal> {
    let Some(map) = map(ground.intent, ground.facts) else {
        return Ok(());
    };
    if !ground.facts.version.at_least(3, 4) {
        return Err(refuse(
            "cert.sni-needs-3.4",
            format!(
                "Postfix {} cannot present a certificate by the name that a client asks for.",
                ground.facts.version
            ),
            "Upgrade to Postfix 3.4 or later, or bind one certificate that has all names.",
        ));
    }
    for (_, bound) in names(ground.intent) {
        plain_path(&bound_path(ground.facts, bound))?;
    }
    let mut value = format!("{}:{}", map.table, plain_path(&map.path)?);
    if let Some(own) = ground.intent.adopted.main.get(PARAMETER)
        && !own.trim().is_empty()
    {
        value = format!("{value}, {}", own.trim());
    }
    targets.main(PARAMETER, Target::value(value));
    services::follow(ground, services::Who::Servers, PARAMETER, targets);
    Ok(())
}

/// Makes what the parameter holds now the adopted value, where the map of the bindings stands in it:
/// the administrator's own maps, which it is put before. Whether it stands there.
pub(crate) fn take_over(intent: &mut Intent, facts: &Facts) -> bool {
    let Some(map) = map(intent, facts) else {
        return false;
    };
    let adopted = &mut intent.adopted;
    let Some(now) = adopted.main.get(PARAMETER) else {
        return false;
    };
    let ours = |element: &&str| element.ends_with(&format!(":{}", map.path.display()));
    let own: Vec<&str> = postfix_cf::elements(now).filter(|one| !ours(one)).collect();
    if own.len() == postfix_cf::elements(now).count() {
        return false;
    }
    let own = own.join(", ");
    adopted.entries.remove(PARAMETER);
    match own.as_str() {
        "" => adopted.main.remove(PARAMETER),
        _ => adopted.main.insert(PARAMETER.to_owned(), own),
    };
    true
}
