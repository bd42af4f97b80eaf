//! Which parameters and tables name next hops.

use super::{Hops, RouteTables, route_tables};
use crate::view::tests::facts;
use std::collections::{BTreeMap, BTreeSet};

fn of(routes: &RouteTables, at: usize, value: &str) -> Vec<String> {
    let mut hops = Hops::new();
    routes.tables[at].add(("key", value), &mut hops, &mut BTreeMap::new());
    lines(&hops)
}

/// `hop transport…`
fn lines(hops: &Hops) -> Vec<String> {
    let line = |(hop, by): (&String, &BTreeSet<String>)| {
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        format!("{hop} {}", by.join(" "))
    };
    hops.iter().map(line).collect()
}

#[test]
fn parameters_name_next_hops_and_tables_name_more() {
    let main = "relayhost = [Relay.example]:587\ndefault_transport = smtp:a.example, b.example\nrelay_transport = relay\nrelay_domains =\nvirtual_transport = lmtp:inet:x.example:24\ntransport_maps = hash:/t, pcre:/p, proxy:lmdb:/q, ldap:/l\nsender_dependent_relayhost_maps = texthash:/s\n";
    let routes = route_tables(&facts(main, ""));
    let wanted = [
        "[relay.example]:587 smtp",
        "a.example smtp",
        "b.example smtp",
        "x.example:24 lmtp",
    ];
    assert_eq!(lines(&routes.hops), wanted);
    let tables: Vec<&str> = routes.tables.iter().map(|one| one.table.as_str()).collect();
    assert_eq!(tables, ["hash:/t", "lmdb:/q", "texthash:/s"]);
    assert_eq!(of(&routes, 0, "other:Hop.example"), ["hop.example other"]);
    assert_eq!(
        of(&routes, 0, ":[hop.example]:25"),
        ["[hop.example]:25 smtp"]
    );
    assert_eq!(of(&routes, 0, "discard:"), [] as [&str; 0]);
    assert_eq!(of(&routes, 0, "smtp"), [] as [&str; 0]);
    assert_eq!(
        of(&routes, 2, "[hop.example]:25"),
        ["[hop.example]:25 smtp"]
    );
    let none = route_tables(&facts("", ""));
    assert!(none.hops.is_empty() && none.tables.is_empty());
}

#[test]
fn mail_for_relay_domains_leaves_by_the_relay_host_too() {
    let main = "relayhost = [r.example]\nrelay_domains = x.example\nrelay_transport = relay\n";
    let routes = route_tables(&facts(main, ""));
    assert_eq!(lines(&routes.hops), ["[r.example] relay smtp"]);
}

#[test]
fn a_transport_of_senders_without_next_hop_goes_to_the_relay_host() {
    let main = "relayhost = [r.example]:587\nsender_dependent_default_transport_maps = hash:/s\ntransport_maps = hash:/t\n";
    let routes = route_tables(&facts(main, ""));
    let tables: Vec<&str> = routes.tables.iter().map(|one| one.table.as_str()).collect();
    assert_eq!(tables, ["hash:/t", "hash:/s"]);
    assert_eq!(of(&routes, 1, "bare:"), ["[r.example]:587 bare"]);
    assert_eq!(of(&routes, 1, "bare:[own.example]"), ["[own.example] bare"]);
    // A row of transport_maps without one leads to the domain of its key.
    assert_eq!(of(&routes, 0, "bare:"), [] as [&str; 0]);
    let none = route_tables(&facts(
        "sender_dependent_default_transport_maps = hash:/s\n",
        "",
    ));
    assert_eq!(of(&none, 0, "bare:"), [] as [&str; 0]);
}
