//! Tests of `network`: what this host's network looks like, from `/proc`.

use super::*;
use std::net::{Ipv4Addr, TcpListener};

#[test]
fn addresses_are_read_from_proc() {
    let found = addresses(&Root::new(Path::new("/")), MasterState::Stopped);
    assert!(
        found.contains(&IpAddr::V4(Ipv4Addr::LOCALHOST)),
        "{found:?}"
    );
    assert!(!found.contains(&IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0))));
}

#[test]
fn tables_are_parsed_and_nonsense_is_not() {
    let trie = "  |-- 192.0.2.0\n     /24 link UNICAST\n  |-- 192.0.2.7\n     /32 host LOCAL\n  \
                |-- 192.0.2.255\n     /32 link BROADCAST\n";
    let v4: Vec<_> = local_v4(trie).collect();
    assert_eq!(v4, [Ipv4Addr::new(192, 0, 2, 7)]);
    let v6: Vec<_> = local_v6("00000000000000000000000000000001 01 80 10 80 lo\nxx\n").collect();
    assert_eq!(v6, [std::net::Ipv6Addr::LOCALHOST]);
}

#[test]
fn a_socket_is_told_from_a_strangers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let own = std::process::id();
    assert!(not_alone(own, &[address]).is_empty());
    assert_eq!(not_alone(1, &[address]), [address]);
    drop(listener);
    assert_eq!(not_alone(own, &[address]), [address]);
}

#[test]
fn ipv6_is_written_in_the_machines_order() {
    let shown = proc_address("[::1]:25".parse().unwrap());
    assert_eq!(shown, "00000000000000000000000001000000:0019");
}

#[test]
fn a_rival_has_a_port_for_itself_or_shares_it() {
    let root = Root::new(Path::new("/"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let everywhere = TcpListener::bind("0.0.0.0:0").unwrap();
    let address = listener.local_addr().unwrap();
    let port = everywhere.local_addr().unwrap().port();
    let covered = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let own = std::process::id();
    assert!(rivals(&root, own, &[address, covered]).is_empty());
    let found = rivals(&root, 1, &[address, covered]);
    let alone = |address| Rival {
        address,
        share: Share::All,
    };
    assert_eq!(found, [alone(address), alone(covered)]);
    drop((listener, everywhere));
    assert!(rivals(&root, 1, &[address, covered]).is_empty());
}

#[test]
fn who_listens_is_named_and_a_masters_own_socket_is_ours() {
    let root = Root::new(Path::new("/"));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let own = std::process::id();
    assert_eq!(
        owner(&root, MasterState::Running(own), address),
        PortOwner::Ours
    );
    // To another master, or where none runs, this process is a stranger.
    let comm = fs::read_to_string("/proc/self/comm").unwrap();
    let named = PortOwner::Other {
        pid: Some(own),
        command: Some(comm.trim_end().to_owned()),
    };
    assert_eq!(owner(&root, MasterState::Running(1), address), named);
    assert_eq!(owner(&root, MasterState::Stopped, address), named);
    drop(listener);
    let nobody = owner(&root, MasterState::Running(own), address);
    assert_eq!(nobody, PortOwner::Unknown);
}
