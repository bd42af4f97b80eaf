//! What this host's network looks like, from `/proc`.
//!
//! Owns: interface addresses, listening sockets and whose they are. Never: sends a packet, runs
//! a command.

use crate::root::Root;
use crate::{Rival, Share};
use postseal_planner::facts::{MasterState, PortOwner};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The addresses of the interfaces that the instance sees: those of its master's network
/// namespace, where one runs.
pub(crate) fn addresses(root: &Root, master: MasterState) -> Vec<IpAddr> {
    let net = match master {
        MasterState::Running(pid) => root.at(Path::new("/proc")).join(format!("{pid}/net")),
        MasterState::Stopped => PathBuf::from("/proc/self/net"),
    };
    let read = |name: &str| fs::read_to_string(net.join(name)).unwrap_or_default();
    let mut found: BTreeSet<IpAddr> = BTreeSet::new();
    found.extend(local_v4(&read("fib_trie")).map(IpAddr::V4));
    found.extend(local_v6(&read("if_inet6")).map(IpAddr::V6));
    found.into_iter().collect()
}

/// `fib_trie` shows an address, then the routes to it: `/32 host LOCAL` is this host's own.
fn local_v4(trie: &str) -> impl Iterator<Item = Ipv4Addr> {
    let lines = trie.lines().map(str::trim);
    lines.clone().zip(lines.skip(1)).filter_map(|(line, next)| {
        let address = line.strip_prefix("|-- ")?.parse().ok()?;
        (next == "/32 host LOCAL").then_some(address)
    })
}

/// `if_inet6`: 32 hexadecimal digits, then interface numbers and its name.
fn local_v6(table: &str) -> impl Iterator<Item = Ipv6Addr> {
    table.lines().filter_map(|line| {
        let digits = line.split_whitespace().next()?;
        (digits.len() == 32)
            .then(|| u128::from_str_radix(digits, 16).ok())
            .flatten()
            .map(Ipv6Addr::from_bits)
    })
}

/// Those of `addresses` at which not the process and only the process listens: two Postfix
/// instances can share a port without an error, and then half of the answers are the other's.
pub(crate) fn not_alone(pid: u32, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let listening = Listening::of(Path::new(&format!("/proc/{pid}/net")));
    let own = sockets_of(Path::new(&format!("/proc/{pid}/fd")));
    let alone = |address: &SocketAddr| {
        let inodes = listening.0.get(&proc_address(*address));
        inodes.is_some_and(|inodes| inodes.iter().all(|inode| own.contains(inode)))
    };
    let rest = addresses.iter().filter(|address| !alone(address));
    rest.copied().collect()
}

/// Those of `addresses` at which another process than the master listens, on the address itself
/// or on all of its family.
pub(crate) fn rivals(root: &Root, master: u32, addresses: &[SocketAddr]) -> Vec<Rival> {
    let process = root.at(Path::new("/proc")).join(master.to_string());
    let listening = Listening::of(&process.join("net"));
    let own = sockets_of(&process.join("fd"));
    let mut rivals = Vec::new();
    for address in addresses {
        let (ours, theirs): (Vec<u64>, Vec<u64>) = listening
            .at(*address)
            .into_iter()
            .partition(|inode| own.contains(inode));
        if !theirs.is_empty() {
            rivals.push(Rival {
                address: *address,
                share: if ours.is_empty() {
                    Share::All
                } else {
                    Share::Some
                },
            });
        }
    }
    rivals
}

/// Who listens at an address, in the master's network, or in ours where none runs.
pub(crate) fn owner(root: &Root, master: MasterState, address: SocketAddr) -> PortOwner {
    let proc = root.at(Path::new("/proc"));
    let (net, own) = match master {
        MasterState::Running(pid) => {
            let process = proc.join(pid.to_string());
            (process.join("net"), sockets_of(&process.join("fd")))
        }
        MasterState::Stopped => (proc.join("self/net"), BTreeSet::new()),
    };
    let listening = Listening::of(&net).at(address);
    match listening.iter().find(|inode| !own.contains(inode)) {
        None if listening.is_empty() => PortOwner::Unknown,
        None => PortOwner::Ours,
        Some(inode) => {
            let pid = holder(&proc, *inode);
            let command = pid.and_then(|pid| command(&proc, pid));
            PortOwner::Other { pid, command }
        }
    }
}

/// The process that has had a socket open the longest, which is the one that opened it: those
/// with the lowest number, where numbers have not come round.
fn holder(proc: &Path, inode: u64) -> Option<u32> {
    let entries = fs::read_dir(proc).ok()?.flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| sockets_of(&proc.join(format!("{pid}/fd"))).contains(&inode))
        .min()
}

/// What the system calls it (16 characters); its arguments may hold secrets.
fn command(proc: &Path, pid: u32) -> Option<String> {
    let text = fs::read_to_string(proc.join(format!("{pid}/comm"))).ok()?;
    Some(text.trim_end().to_owned())
}

/// Listening sockets: address as `/proc/net/tcp` writes it → inodes.
struct Listening(BTreeMap<String, Vec<u64>>);

impl Listening {
    fn of(net: &Path) -> Self {
        let tables = ["tcp", "tcp6"].map(|table| fs::read_to_string(net.join(table)));
        let mut listening: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for text in tables.into_iter().flatten() {
            for row in text.lines().skip(1).filter_map(listener) {
                listening.entry(row.address).or_default().push(row.inode);
            }
        }
        Self(listening)
    }

    fn at(&self, address: SocketAddr) -> Vec<u64> {
        let any = match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let places = [address, SocketAddr::new(any, address.port())].map(proc_address);
        let inodes = places.iter().filter_map(|place| self.0.get(place));
        inodes.flatten().copied().collect()
    }
}

struct Listener {
    address: String,
    inode: u64,
}

/// A row of `/proc/net/tcp` whose state is LISTEN (0A).
fn listener(row: &str) -> Option<Listener> {
    let fields: Vec<&str> = row.split_whitespace().collect();
    if fields.get(3) != Some(&"0A") {
        return None;
    }
    Some(Listener {
        address: (*fields.get(1)?).to_owned(),
        inode: fields.get(9)?.parse().ok()?,
    })
}

/// An address as `/proc/net/tcp` writes it: each 32 bits in the machine's byte order, then the
/// port.
fn proc_address(address: SocketAddr) -> String {
    let octets = match address.ip() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    let words = octets.chunks_exact(4).map(|word| {
        let word = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
        format!("{word:08X}")
    });
    let host: String = words.collect();
    format!("{host}:{:04X}", address.port())
}

fn sockets_of(descriptors: &Path) -> BTreeSet<u64> {
    let entries = fs::read_dir(descriptors);
    let links = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| fs::read_link(entry.path()).ok());
    links
        .filter_map(|link| {
            let name = link.to_str()?;
            name.strip_prefix("socket:[")?
                .strip_suffix(']')?
                .parse()
                .ok()
        })
        .collect()
}

#[cfg(test)]
mod tests;
