//! From what is wanted and what is, to a plan.
//!
//! Owns: [`Intent`] (what an operator wants), [`Facts`] (what a host is at one moment), the
//! catalogue of Postfix's TLS parameters, [`plan()`], lints, verdicts and explanations.
//! Never: I/O, async, a clock, randomness, printing. The same input gives the same plan, so a
//! plan can be read, stored, and made again to see whether the world has moved.

mod adopted;
mod asked;
pub mod calendar;
pub mod catalog;
mod certificate;
mod chain;
pub mod ciphers;
mod compile;
pub mod credentials;
pub mod dane;
pub mod delivery;
mod diff;
pub mod digest;
pub mod dns;
mod expect;
pub mod explain;
pub mod facts;
pub mod finding;
pub mod full;
pub mod intent;
mod judge;
pub mod levels;
pub mod lint;
mod looks;
mod mail_waits;
mod make;
pub mod mend;
mod names;
pub mod notice;
mod openssl;
mod outbound_seen;
mod own_names;
pub mod owned;
pub mod peers;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod probed;
pub mod profile;
pub mod renewal;
pub mod report;
pub mod resolve;
mod rollback;
mod rules;
pub mod settings;
pub mod shown;
mod succession;
mod take_over;
pub mod task;
mod trust;
mod uncovered;
mod unproved;
pub mod version;
mod view;
mod words;

pub use adopted::{Adopted, PrivateCa, adopted};
pub use asked::{AskedAs, AskedName, AskedNames, are_for, asked_names};
pub use certificate::{certificate_finding, name_finding};
pub use chain::whole_chain;
pub use compile::{
    NamedMap, SMTPS_OUT_NAME, installed_at, installed_folder, is_policy_map, named_maps,
    policy_map, policy_map_files, stale_maps,
};
pub use digest::{Digest, Digesting};
pub use expect::expect;
pub use facts::Facts;
pub use finding::{Finding, Refusal, Severity};
pub use intent::{Intent, Wish};
pub use judge::{
    Around, Difference, add_causes, add_dead, add_greet_wait, add_lost_files, add_strangers,
    add_too_old, add_validity, differences, is_of_validity, is_too_old, judge, longest_greet_wait,
};
pub use looks::{looks, looks_ahead, table_from, working_directory};
pub use mail_waits::{HeldBack, MAIL_WAITS, held_back, mail_waits};
pub use make::{FileDrift, Request, file_drift, plan, questions};
pub use openssl::oldest_verified;
pub use outbound_seen::{OutboundSeen, outbound_seen};
pub use own_names::{
    ListedNames, add_without_keys, expect_own_names, own_name_tables, own_names_unfit,
};
pub use plan::Plan;
pub use preflight::Preflight;
pub use report::{Report, Verdict};
pub use rollback::{
    RollbackRequest, other_rules_since, restore_drift, rollback, rollback_looks,
    rollback_questions, rules_changed_again,
};
pub use rules::{accepting, captured_name, lint_facts, matters_at, names_missed};
pub use succession::{AllTheSame, is_selfish, lost_by_succession, share_a_name};
pub use take_over::take_over;
pub use trust::{SystemTrust, chain_problems, is_issuing_ca};
pub use uncovered::uncovered;
pub use unproved::{not_rehearsed, unproved};
pub use version::PostfixVersion;
