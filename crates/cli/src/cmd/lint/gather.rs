//! What lint's rules want to know of this machine beside its Postfix.
//!
//! Owns: looking: at links, folders, times, ports, the resolver, and what OpenSSL makes of cipher
//! lists. Never: judges, waits long, or changes anything. What cannot be seen is left out, and
//! the rules that need it say nothing.

use super::{Here, LIMIT};
use crate::config::Global;
use postfix_cf::MainCf;
use postseal_planner::Facts;
use postseal_planner::dns::{Question, Security};
use postseal_planner::lint::{self, LintInput, Surroundings, Way};
use postseal_probe::dns::{Named, ask, resolvers};
use std::collections::BTreeSet;
use std::fs::Metadata;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const RESOLV_CONF: &str = "/etc/resolv.conf";
/// A domain that is signed, has mail, and is nobody's.
const SIGNED: &str = "ietf.org";
const PATIENCE: Duration = Duration::from_secs(3);
const DNS_PORT: u16 = 53;

/// Looks at what there is.
pub(super) fn surroundings(input: &LintInput<'_>, here: Here, global: &Global) -> Surroundings {
    let mut around = Surroundings::default();
    for list in lint::cipher_lists(input) {
        let suites = expand(&list);
        around.suites.insert(list, suites);
    }
    let Some(facts) = input.facts.filter(|_| here == Here::Here) else {
        return around;
    };
    // A relative one begins in Postfix's folder, not in ours.
    let working = postseal_planner::working_directory(facts).unwrap_or_else(|| "/".into());
    for path in facts.files.keys() {
        look(path, &working.join(path), &mut around);
    }
    around.listening = listening();
    if wants_dane(input.main.map(|(_, main)| main), facts) {
        resolver(&mut around, global.resolver);
    }
    around
}

/// The suites that OpenSSL makes of a list; none where it refuses it.
pub(crate) fn expand(list: &str) -> Vec<String> {
    postseal_probe::cipher_list(list).unwrap_or_default()
}

/// Looks at what stands `at` a place that is named by `path`.
fn look(path: &Path, at: &Path, around: &mut Surroundings) {
    if let Ok(followed) = std::fs::metadata(at) {
        around.changed.insert(path.to_owned(), followed.mtime());
    }
    let Ok(own) = std::fs::symlink_metadata(at) else {
        return;
    };
    let link = match own.is_symlink() {
        true => std::fs::read_link(at).ok(),
        false => None,
    };
    let target = link.as_ref().and_then(|_| std::fs::canonicalize(at).ok());
    let ways = [Some(at.to_owned()), target];
    let folders = ways.iter().flatten().filter_map(|way| way.parent());
    let open_folder = folders.map(Path::to_owned).find(is_open);
    let way = Way { link, open_folder };
    if way != Way::default() {
        around.ways.insert(path.to_owned(), way);
    }
}

/// Whether somebody other than root can replace what stands in a folder.
fn is_open(folder: &PathBuf) -> bool {
    let writes = |look: &Metadata| {
        let group = look.mode() & 0o020 != 0 && look.gid() != 0;
        let sticky = look.mode() & 0o1000 != 0;
        look.uid() != 0 || !sticky && (group || look.mode() & 0o002 != 0)
    };
    std::fs::metadata(folder).is_ok_and(|look| writes(&look))
}

/// The ports of `/proc/net/tcp` and `tcp6` in state LISTEN; none where the system has no such file.
fn listening() -> Option<BTreeSet<u16>> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let texts: Vec<String> = tables.iter().filter_map(|path| text(path)).collect();
    if texts.is_empty() {
        return None;
    }
    let lines = texts.iter().flat_map(|text| text.lines().skip(1));
    Some(lines.filter_map(listener).collect())
}

/// `sl local_address rem_address st …`; 0A is LISTEN (proc(5)).
fn listener(line: &str) -> Option<u16> {
    let mut words = line.split_ascii_whitespace().skip(1);
    let (local, state) = (words.next()?, words.nth(1)?);
    let (_, port) = local.rsplit_once(':')?;
    (state == "0A").then(|| u16::from_str_radix(port, 16).ok())?
}

fn text(path: &str) -> Option<String> {
    let file = std::fs::File::open(path).ok()?;
    let mut text = String::new();
    file.take(LIMIT).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Whether some client may do DANE: DNS is not asked for nothing.
fn wants_dane(main: Option<&MainCf>, facts: &Facts) -> bool {
    let levels = b"dane".as_slice();
    let named = |bytes: &[u8]| bytes.windows(levels.len()).any(|part| part == levels);
    main.is_some() && (named(&facts.main_cf.bytes) || named(&facts.master_cf.bytes))
}

/// The resolver that Postfix asks, and whether it validates. One that was named is taken for it.
fn resolver(around: &mut Surroundings, named: Named) {
    let conf = text(RESOLV_CONF).unwrap_or_default();
    let servers = resolvers(Named::System, conf.as_bytes());
    around.nameservers = servers.iter().map(|server| server.address.ip()).collect();
    let asked = match named {
        Named::Nobody => return,
        Named::At(address) => address,
        Named::System => match servers.first() {
            Some(first) => first.address,
            None => SocketAddr::new(IpAddr::from([127, 0, 0, 1]), DNS_PORT),
        },
    };
    // Whoever is named is believed: what is asked is whether it says anything.
    let asked = resolvers(Named::At(asked), &[]);
    let answers = ask(&asked, &[Question::Mx(SIGNED.to_owned())], PATIENCE);
    let answer = answers.into_iter().find_map(|(_, answered)| answered.ok());
    // A resolver that knows nothing of the world tells nothing of itself.
    let answer = answer.filter(|answer| answer.ttl.is_some());
    around.authenticates = answer.map(|answer| answer.security == Security::Secure);
}
