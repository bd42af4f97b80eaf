//! Which parameters and tables name next hops.

use super::route_tables;
use crate::view::tests::facts;

#[test]
fn parameters_name_next_hops_and_tables_name_more() {
    let main = "relayhost = [Relay.example]:587\ndefault_transport = smtp:a.example, b.example\nrelay_transport = relay\nvirtual_transport = lmtp:inet:x.example:24\ntransport_maps = hash:/t, pcre:/p, proxy:lmdb:/q, ldap:/l\nsender_dependent_relayhost_maps = texthash:/s\n";
    let routes = route_tables(&facts(main, ""));
    let hops: Vec<&str> = routes.hops.iter().map(String::as_str).collect();
    let wanted = [
        "[relay.example]:587",
        "a.example",
        "b.example",
        "inet:x.example:24",
    ];
    assert_eq!(hops, wanted);
    let tables: Vec<&str> = routes.tables.iter().map(|one| one.table.as_str()).collect();
    assert_eq!(tables, ["hash:/t", "lmdb:/q", "texthash:/s"]);
    let of = |at: usize, value: &str| routes.tables[at].hops(value).collect::<Vec<_>>();
    assert_eq!(of(0, "smtp:Hop.example"), ["hop.example"]);
    assert_eq!(of(0, ":[hop.example]:25"), ["[hop.example]:25"]);
    assert_eq!(of(0, "discard:"), [] as [&str; 0]);
    assert_eq!(of(0, "smtp"), [] as [&str; 0]);
    assert_eq!(of(2, "[hop.example]:25"), ["[hop.example]:25"]);
    let none = route_tables(&facts("", ""));
    assert!(none.hops.is_empty() && none.tables.is_empty());
}
