//! What this host's network looks like, from `/proc`.
//!
//! Owns: interface addresses, listening sockets and whose they are. Never: sends a packet, runs
//! a command.

use crate::root::Root;
use postseal_planner::facts::MasterState;
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
    let read = |table: &str| fs::read_to_string(format!("/proc/{pid}/net/{table}"));
    let tables = ["tcp", "tcp6"].map(|table| read(table).unwrap_or_default());
    let mut listening: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for row in tables.iter().flat_map(|text| text.lines().skip(1)) {
        if let Some(row) = listener(row) {
            listening.entry(row.address).or_default().push(row.inode);
        }
    }
    let own = sockets_of(pid);
    let alone = |address: &SocketAddr| {
        let inodes = listening.get(&proc_address(*address));
        inodes.is_some_and(|inodes| inodes.iter().all(|inode| own.contains(inode)))
    };
    let rest = addresses.iter().filter(|address| !alone(address));
    rest.copied().collect()
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

fn sockets_of(pid: u32) -> BTreeSet<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"));
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
