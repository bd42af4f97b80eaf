//! Tests of `unproved`: each thing that cannot be proved is said, and its neighbours are not.

use super::*;
use crate::intent::Outbound;
use crate::view::tests::facts;
use crate::{Digest, Intent};

fn seen(main: &str, master: &str) -> Vec<Judgement> {
    unproved(main.as_bytes(), master.as_bytes(), &facts(main, master))
}

fn said(main: &str, master: &str, outbound: OutboundChange) -> Vec<String> {
    let facts = facts(main, master);
    let digest = Digest::of(b"");
    let plan = Plan {
        format: 1,
        id: digest,
        parent: None,
        intent: Intent::default(),
        earlier: Intent::default(),
        base: crate::plan::Base {
            main_cf: digest,
            master_cf: digest,
        },
        edits: Vec::new(),
        steps: Vec::new(),
        expectations: Vec::new(),
        outbound,
        confirmations: Vec::new(),
        findings: Vec::new(),
        sentences: Vec::new(),
    };
    not_rehearsed(&plan, &facts)
}

const MX: &str = "25 inet n - n - - smtpd\n";
const DELIVERY: OutboundChange = OutboundChange::Rehearse {
    level: Outbound::May,
};

#[test]
fn a_server_behind_a_proxy_is_undetermined_and_says_why() {
    let proxied = "127.0.0.1:26 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy\n";
    let judged = seen("", &format!("{MX}{proxied}"));
    assert_eq!(judged.len(), 1, "{judged:?}");
    assert_eq!(judged[0].service, "127.0.0.1:26/inet");
    assert_eq!(judged[0].address, ([127, 0, 0, 1], 26).into());
    assert_eq!(judged[0].outcome, Outcome::Undetermined);
    let sentence = &judged[0].sentences[0];
    assert!(
        sentence.contains("smtpd_upstream_proxy_protocol = haproxy"),
        "{sentence}"
    );
    assert_eq!(
        said("", proxied, OutboundChange::None),
        std::slice::from_ref(sentence)
    );
}

#[test]
fn the_proxy_protocol_of_another_program_or_given_back_leaves_nothing_unproved() {
    let postscreens = "postscreen_upstream_proxy_protocol = haproxy\n";
    assert_eq!(seen(postscreens, MX), []);
    let smtpds = "smtpd_upstream_proxy_protocol = haproxy\n";
    let without = "25 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=\n";
    assert_eq!(seen(smtpds, without), []);
    let judged = seen(smtpds, MX);
    assert!(
        judged.iter().all(|one| one.service == "25/inet"),
        "{judged:?}"
    );
    assert!(!judged.is_empty());
    assert!(said("", MX, DELIVERY).is_empty());
}

#[test]
fn a_server_behind_a_proxy_whose_address_nobody_knows_is_still_said() {
    let master = "mx.example:26 inet n - n - - smtpd -o smtpd_upstream_proxy_protocol=haproxy\n";
    assert_eq!(seen("", master).len(), 1);
}

#[test]
fn postscreen_is_gone_past() {
    let master = "25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n";
    let said = said("", master, OutboundChange::None);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("25/inet") && said[0].contains("tlsproxy"),
        "{said:?}"
    );
}

#[test]
fn smtpd_alone_and_a_tlsproxy_nobody_uses_are_no_postscreen() {
    let master = format!("{MX}tlsproxy unix - - n - 0 tlsproxy\n");
    assert!(said("", &master, OutboundChange::None).is_empty());
}

#[test]
fn policy_rows_are_named_where_a_delivery_is_rehearsed() {
    let main = "smtp_tls_policy_maps = hash:/etc/postfix/policy\n";
    let rows = said(main, MX, DELIVERY);
    assert!(
        rows.len() == 1 && rows[0].contains("hash:/etc/postfix/policy"),
        "{rows:?}"
    );
    let own = "relay unix - - n - - smtp -o smtp_tls_policy_maps=texthash:/etc/policy\n";
    let rows = said("", own, DELIVERY);
    assert!(
        rows.len() == 1 && rows[0].contains("texthash:/etc/policy"),
        "{rows:?}"
    );
}

#[test]
fn policy_rows_of_no_delivery_and_of_lmtp_are_not_named() {
    let main = "smtp_tls_policy_maps = hash:/etc/postfix/policy\n";
    assert!(said(main, MX, OutboundChange::None).is_empty());
    let lmtp = "lmtp_tls_policy_maps = hash:/etc/postfix/policy\n";
    assert!(said(lmtp, MX, DELIVERY).is_empty());
}

#[test]
fn access_tables_may_filter() {
    let main = "smtpd_recipient_restrictions = permit_mynetworks,\n\
                \x20 check_sender_access hash:/etc/postfix/filter, reject\n";
    let tables = said(main, MX, DELIVERY);
    assert!(
        tables.len() == 1 && tables[0].contains("hash:/etc/postfix/filter"),
        "{tables:?}"
    );
    assert!(tables[0].contains("FILTER"), "{tables:?}");
    let own = "25 inet n - n - - smtpd -o smtpd_client_restrictions=check_client_access,cidr:/a\n";
    assert!(said("", own, DELIVERY)[0].contains("cidr:/a"));
}

#[test]
fn what_looks_into_no_access_table_filters_nothing() {
    let main = "smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:9, reject\n\
                smtpd_client_restrictions = check_client_access\n";
    assert!(said(main, MX, DELIVERY).is_empty());
    let table = "smtpd_recipient_restrictions = check_sender_access hash:/f\n";
    assert!(said(table, MX, OutboundChange::None).is_empty());
}
