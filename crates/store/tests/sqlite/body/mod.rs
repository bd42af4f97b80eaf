//! What every backend of the store must do.

mod acme;
mod certificates;
mod instances;
mod operations;
mod rule_counts;
mod rules;
mod trials;

use postseal_store::Store;

pub(crate) use acme::{accounts, renewals};
pub(crate) use certificates::{certificates, keys, next_keys, requests, versions, watches};
pub(crate) use instances::{instances, plans};
pub(crate) use operations::{closing, operations, refusals};
pub(crate) use rule_counts::rule_counts;
pub(crate) use rules::rules;
pub(crate) use trials::trials;

pub(crate) fn audit(store: &mut dyn Store) {
    assert_eq!(store.audit_log(10).unwrap(), []);
    for at_ms in 1..=3 {
        store
            .audit("alice (sudo)", at_ms, "cert export --key mx")
            .unwrap();
    }
    let log = store.audit_log(2).unwrap();
    assert_eq!(
        log.iter().map(|entry| entry.at_ms).collect::<Vec<_>>(),
        [3, 2]
    );
    assert_eq!(log[0].actor, "alice (sudo)");
    assert_eq!(log[0].what, "cert export --key mx");
}
