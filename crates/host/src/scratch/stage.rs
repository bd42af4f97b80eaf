//! The staged files as the scratch instance gets them.
//!
//! Owns: main.cf and master.cf with folders, ports, log and transports of the scratch instance.
//! Never: opens a file, changes a TLS parameter. What must not happen outside is `neutral`'s.

use super::folders::Folders;
use super::neutral;
use super::ports::Ports;
use super::refused;
use crate::{HostError, Staged};
use postfix_cf::{Braces, MainCf, MasterCf, Service};
use postseal_planner::plan::{Cf, SniMap};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Daemons that deliver into mailboxes or to commands, or answer for others.
const LEFT_OUT: [&str; 4] = ["local", "virtual", "pipe", "spawn"];
/// Commands that can serve an inet service in a rehearsal.
const SERVERS: [&str; 2] = ["smtpd", "postscreen"];

/// What does not change while a scratch instance lives.
#[derive(Debug)]
pub(super) struct Staging {
    live_config: PathBuf,
    base: PathBuf,
    queue: PathBuf,
    data: PathBuf,
    transport_maps: Vec<u8>,
    private: Vec<Private>,
    maps: Vec<Map>,
}

/// A map of server names: as the configuration names it, and as the scratch instance does.
#[derive(Debug)]
struct Map {
    named: PathBuf,
    scratch: SniMap,
}

/// A private file: as the configuration names it, and as the scratch instance does.
struct Private {
    named: PathBuf,
    scratch: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

/// Both files, ready to be written.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    raw_main: Vec<u8>,
    raw_master: Vec<u8>,
    pub(super) main_cf: Vec<u8>,
    pub(super) master_cf: Vec<u8>,
    /// By `name/type`.
    pub(super) endpoints: BTreeMap<String, SocketAddr>,
    pub(super) not_rehearsed: Vec<String>,
}

impl Staging {
    pub(super) fn new(
        live_config: &Path,
        folders: &Folders,
        staged: &Staged,
    ) -> Result<Self, HostError> {
        let private = staged
            .private
            .iter()
            .enumerate()
            .map(|(i, (named, bytes))| Private {
                named: named.clone(),
                scratch: folders.named_private.join(format!("{i}.pem")),
                bytes: bytes.clone(),
            });
        let mut staging = Self {
            live_config: live_config.to_owned(),
            base: folders.named_base.clone(),
            queue: folders.named_queue.clone(),
            data: folders.named_data.clone(),
            transport_maps: transport_maps(&staged.transports)?,
            private: private.collect(),
            maps: Vec::new(),
        };
        let maps = staged.sni_maps.iter().enumerate();
        staging.maps = maps
            .map(|(i, map)| Map {
                named: map.path.clone(),
                scratch: SniMap {
                    path: folders.named_private.join(format!("sni-{i}")),
                    table: map.table.clone(),
                    source: staging.relocated_rows(&map.source),
                },
            })
            .collect();
        Ok(staging)
    }

    /// The maps of server names, as the scratch instance has them.
    pub(super) fn maps(&self) -> impl Iterator<Item = &SniMap> {
        self.maps.iter().map(|map| &map.scratch)
    }

    /// The rows of a map, their files under their scratch names.
    fn relocated_rows(&self, source: &str) -> String {
        let rows = self.relocated(source.as_bytes());
        String::from_utf8_lossy(&rows).into_owned()
    }

    /// Writes the private files into `folder`, the scratch one as seen from here.
    pub(super) fn install(&self, folder: &Path) -> Result<(), HostError> {
        self.private.iter().try_for_each(|file| {
            let name = file.scratch.file_name().unwrap_or_default();
            crate::private::install(&folder.join(name), &file.bytes)
        })
    }

    /// Both files with the scratch instance's folders and ports.
    pub(super) fn stage(
        &self,
        main_cf: &[u8],
        master_cf: &[u8],
        ports: &mut Ports,
    ) -> Result<Stage, HostError> {
        let mut notes = BTreeSet::new();
        let main = self.main_cf(main_cf, &mut notes)?;
        let mut endpoints = BTreeMap::new();
        let master = self.master_cf(master_cf, ports, &mut endpoints, &mut notes)?;
        Ok(Stage {
            raw_main: main_cf.to_vec(),
            raw_master: master_cf.to_vec(),
            main_cf: main,
            master_cf: master,
            endpoints,
            not_rehearsed: notes.into_iter().collect(),
        })
    }

    /// The same with one file's bytes replaced; ports stay.
    pub(super) fn restage(
        &self,
        stage: &Stage,
        file: Cf,
        bytes: &[u8],
    ) -> Result<Stage, HostError> {
        let mut ports = Ports::kept(&stage.endpoints);
        match file {
            Cf::Main => self.stage(bytes, &stage.raw_master, &mut ports),
            Cf::Master => self.stage(&stage.raw_main, bytes, &mut ports),
        }
    }

    fn main_cf(&self, raw: &[u8], notes: &mut BTreeSet<String>) -> Result<Vec<u8>, HostError> {
        let mut cf = MainCf::parse(&self.relocated(raw));
        neutral::main_cf(&mut cf, notes)?;
        let mut set = |name: &str, value: &[u8]| cf.set(name, value).map_err(uneditable);
        set("queue_directory", self.queue.as_os_str().as_bytes())?;
        set("data_directory", self.data.as_os_str().as_bytes())?;
        set("maillog_file", self.base.join("log").as_os_str().as_bytes())?;
        set("maillog_file_prefixes", self.base.as_os_str().as_bytes())?;
        set("transport_maps", &self.transport_maps)?;
        Ok(cf.to_bytes())
    }

    fn master_cf(
        &self,
        raw: &[u8],
        ports: &mut Ports,
        endpoints: &mut BTreeMap<String, SocketAddr>,
        notes: &mut BTreeSet<String>,
    ) -> Result<Vec<u8>, HostError> {
        let text = self.relocated(raw);
        let mut cf = MasterCf::parse(&text);
        let services: Vec<Service> = cf.services().collect();
        let gone = services.iter().filter(|service| !stays(service));
        for service in gone {
            if service.kind == "inet" {
                notes.insert(format!(
                    "service {} ({}) was not started",
                    service.key(),
                    service.command
                ));
            }
            cf.remove_service(service.key());
        }
        let moved = moved(&cf, ports, endpoints)?;
        let mut cf = MasterCf::parse(&moved);
        let services: Vec<Service> = cf.services().collect();
        for service in &services {
            for change in neutral::overrides(service, notes) {
                cf.set_override(service.key(), &change.name, &change.value, Braces::Allowed)
                    .map_err(uneditable)?;
            }
        }
        Ok(cf.to_bytes())
    }

    /// Private files under their scratch names, and `$config_directory` as what it is live.
    fn relocated(&self, text: &[u8]) -> Vec<u8> {
        let live = self.live_config.as_os_str().as_bytes();
        let mut text = text.to_vec();
        for form in [
            "${config_directory}",
            "$(config_directory)",
            "$config_directory",
        ] {
            text = replaced(&text, form.as_bytes(), live, |_, next| {
                form.ends_with(['}', ')']) || !next.is_some_and(is_name)
            });
        }
        let files = self.private.iter().map(|file| (&file.named, &file.scratch));
        let maps = self.maps.iter().map(|map| (&map.named, &map.scratch.path));
        for (named, scratch) in files.chain(maps) {
            text = replaced(
                &text,
                named.as_os_str().as_bytes(),
                scratch.as_os_str().as_bytes(),
                |before, next| !before.is_some_and(is_path) && !next.is_some_and(is_path),
            );
        }
        text
    }
}

impl std::fmt::Debug for Private {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Private")
            .field("named", &self.named)
            .finish_non_exhaustive()
    }
}

fn stays(service: &Service) -> bool {
    let command = service.command.as_str();
    match service.kind.as_str() {
        "inet" => SERVERS.contains(&command),
        _ => !LEFT_OUT.contains(&command) && command != "postlogd",
    }
}

/// The file with every inet service at its loopback port. `$service_name` in its lines stays what
/// it is live.
fn moved(
    cf: &MasterCf,
    ports: &mut Ports,
    endpoints: &mut BTreeMap<String, SocketAddr>,
) -> Result<Vec<u8>, HostError> {
    let text = cf.to_bytes();
    let mut lines: Vec<Vec<u8>> = text
        .split_inclusive(|b| *b == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for service in cf.services().filter(|service| service.kind == "inet") {
        let key = service.key().to_string();
        let address = ports.of(&key)?;
        for number in service.first_line..=service.last_line {
            let Some(line) = lines.get_mut(number - 1) else {
                continue;
            };
            for form in ["${service_name}", "$(service_name)", "$service_name"] {
                *line = replaced(line, form.as_bytes(), service.name.as_bytes(), |_, next| {
                    form.ends_with(['}', ')']) || !next.is_some_and(is_name)
                });
            }
            if number == service.first_line {
                let end = line.iter().position(u8::is_ascii_whitespace);
                line.splice(..end.unwrap_or(0), address.to_string().into_bytes());
            }
        }
        endpoints.insert(key, address);
    }
    Ok(lines.concat())
}

/// `inline:{ { domain = smtp:[address]:port }, … }` (Postfix 3.0).
fn transport_maps(transports: &BTreeMap<String, SocketAddr>) -> Result<Vec<u8>, HostError> {
    if transports.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for (domain, address) in transports {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if domain.is_empty() || !domain.chars().all(plain) {
            return Err(refused(&format!("{domain:?} is not a domain"), &[]));
        }
        rows.push(format!(
            "{{ {domain} = smtp:[{}]:{} }}",
            address.ip(),
            address.port()
        ));
    }
    Ok(format!("inline:{{ {} }}", rows.join(", ")).into_bytes())
}

/// Replaces every occurrence whose neighbours `fits` accepts.
fn replaced(
    text: &[u8],
    from: &[u8],
    to: &[u8],
    fits: impl Fn(Option<u8>, Option<u8>) -> bool,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let before = at.checked_sub(1).map(|i| text[i]);
        let end = at + from.len();
        if text[at..].starts_with(from) && fits(before, text.get(end).copied()) {
            out.extend_from_slice(to);
            at = end;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

fn uneditable(error: postfix_cf::EditError) -> HostError {
    refused(&format!("the staged files cannot be adapted: {error}"), &[])
}

#[cfg(test)]
mod tests;
