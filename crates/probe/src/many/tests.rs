//! The budget, held against servers that count their guests.

#![allow(clippy::unwrap_used, reason = "a test")]

use super::{Budget, probe_within};
use crate::target::{Start, Target};
use postseal_planner::report::StageName;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

#[derive(Default)]
struct Counted {
    /// Guests now and at most, in all and by address.
    now: BTreeMap<IpAddr, usize>,
    most: usize,
    most_of_one: usize,
    guests: usize,
}

/// A server on every loopback address that greets after a moment, and counts.
fn server() -> (u16, Arc<Mutex<Counted>>) {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let counted = Arc::new(Mutex::new(Counted::default()));
    let shared = Arc::clone(&counted);
    thread::spawn(move || {
        for guest in listener.incoming().map_while(Result::ok) {
            let counted = Arc::clone(&shared);
            let at = guest.local_addr().unwrap().ip();
            {
                let mut counted = counted.lock().unwrap();
                *counted.now.entry(at).or_default() += 1;
                counted.guests += 1;
                counted.most = counted.most.max(counted.now.values().sum());
                counted.most_of_one = counted.most_of_one.max(counted.now[&at]);
            }
            thread::spawn(move || {
                let mut guest = guest;
                thread::sleep(Duration::from_millis(20));
                // It is no longer counted before it is told to go, so none is counted twice.
                *counted.lock().unwrap().now.get_mut(&at).unwrap() -= 1;
                guest.write_all(b"521 not here\r\n").unwrap();
            });
        }
    });
    (port, counted)
}

fn target(last: u8, port: u16) -> Target {
    let address = SocketAddr::new(Ipv4Addr::new(127, 9, 9, last).into(), port);
    Target::new(format!("{last}"), address, Start::StartTls)
}

#[test]
fn no_more_connections_than_the_budget_allows_in_all_and_to_one_host() {
    let (port, counted) = server();
    // Half of them to one host, in a row; reports keep the order.
    let same = (0..40).map(|_| target(1, port));
    let targets: Vec<Target> = same.chain((2..42).map(|last| target(last, port))).collect();
    let told = AtomicUsize::new(0);
    let budget = Budget {
        at_once: 8,
        per_address: 2,
        deadline: Duration::from_secs(20),
    };
    let reports = probe_within(&targets, budget, &|done| {
        assert!((1..=80).contains(&done));
        told.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!((reports.len(), told.into_inner()), (80, 80));
    for (report, target) in reports.iter().zip(&targets) {
        assert_eq!(report.service, target.service);
        assert_eq!(report.stages.last().unwrap().name, StageName::Banner);
    }
    let counted = counted.lock().unwrap();
    assert_eq!(counted.guests, 80);
    assert!(counted.most <= 8, "{}", counted.most);
    assert!(counted.most_of_one <= 2, "{}", counted.most_of_one);
    assert!(counted.most > 2, "one after the other: {}", counted.most);
}

#[test]
fn a_budget_of_nothing_is_one_at_a_time_and_nothing_to_do_is_done() {
    let (port, counted) = server();
    let budget = Budget {
        at_once: 0,
        per_address: 0,
        deadline: Duration::from_secs(20),
    };
    assert!(probe_within(&[], budget, &|_| {}).is_empty());
    let targets: Vec<Target> = (1..5).map(|last| target(last, port)).collect();
    assert_eq!(probe_within(&targets, budget, &|_| {}).len(), 4);
    assert_eq!(counted.lock().unwrap().most, 1);
}
