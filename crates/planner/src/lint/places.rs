//! How the files that parameters name are reached: links, folders, and tables older than their
//! source.
//!
//! Owns: what the way to a file says. Never: what stands in it (`certificate`, `policy`), or
//! whether it is there (`certificate`, `maps`), but for a link to nothing.

use super::context::{Context, Setting};
use super::rule::{Place as _, Rule, rule};
use crate::Finding;
use crate::Severity::{Error, Warning};
use crate::catalog::Kind;
use crate::facts::FileLook;
use std::path::Path;

/// The rules.
pub(super) const RULES: &[Rule] = &[DANGLING, OPEN_FOLDER, STALE];

#[rustfmt::skip]
const DANGLING: Rule = rule("cert.dangling-link", Error, "symbolic link to nothing",
    "The file is a link, and what it points to is not there: to Postfix it is a missing file.",
    "Link it to where the file is now; an ACME client that made the link may have renamed or removed the certificate.");
#[rustfmt::skip]
const OPEN_FOLDER: Rule = rule("cert.open-folder", Warning, "certificate in a folder that others can write to",
    "Whoever can write to the folder can put another file or link in its place: it decides what this server presents.",
    "chown root and chmod go-w the folder.");
#[rustfmt::skip]
const STALE: Rule = rule("maps.stale", Warning, "table older than its source",
    "The source was changed after the table was made of it: Postfix answers by the old rows.",
    "Run postmap on the source (postmap -F for tls_server_sni_maps).");

/// Looks at every file and table that is named.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    let Some(around) = context.surroundings else {
        return;
    };
    for setting in context.all_settings() {
        let Some(parameter) = setting.parameter else {
            continue;
        };
        let judge = match parameter.kind {
            Kind::File | Kind::FileOrNone | Kind::FileList => file,
            Kind::DhFile | Kind::LibraryFile => file,
            Kind::MapList => table,
            _ => continue,
        };
        let Some(value) = context.expanded(setting) else {
            continue;
        };
        for word in value.split([',', ' ', '\t']).filter(|w| !w.is_empty()) {
            out.extend(judge(context, around, setting, word));
        }
    }
}

fn file(
    context: &Context<'_>,
    around: &super::Surroundings,
    setting: &Setting<'_>,
    path: &str,
) -> Option<Finding> {
    let way = around.ways.get(Path::new(path))?;
    let missing = matches!(context.look(path), Some(FileLook::Missing));
    if let (Some(link), true) = (&way.link, missing) {
        let message = format!("{path} points to {}. {}", link.display(), DANGLING.why);
        return Some(DANGLING.says(message).on(Some(setting)));
    }
    let folder = way.open_folder.as_ref()?;
    let message = format!(
        "{path} is reached by {}. {}",
        folder.display(),
        OPEN_FOLDER.why
    );
    Some(OPEN_FOLDER.says(message).on(Some(setting)))
}

fn table(
    _: &Context<'_>,
    around: &super::Surroundings,
    setting: &Setting<'_>,
    word: &str,
) -> Option<Finding> {
    let word = word.strip_prefix("proxy:").unwrap_or(word);
    let (kind, source) = word.split_once(':')?;
    let suffix = match kind {
        "hash" | "btree" => "db",
        "lmdb" | "cdb" => kind,
        _ => return None,
    };
    let made = format!("{source}.{suffix}");
    if !around.is_newer(Path::new(source), Path::new(&made)) {
        return None;
    }
    let message = format!("{source} was changed after {made} was made. {}", STALE.why);
    Some(STALE.says(message).on(Some(setting)))
}
