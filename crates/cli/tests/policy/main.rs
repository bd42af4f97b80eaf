//! `policy`: rules for destinations, from a wish to what a real Postfix looks up, and back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

#[path = "../outbound/peers.rs"]
#[allow(dead_code, reason = "each test binary uses its part of this")]
mod peers;

mod adopted;
mod before;
mod braces;
mod by_client;
mod by_sender;
mod by_server;
mod carried;
mod checked;
mod clear;
mod clients;
mod counts;
mod declared;
mod disowned;
mod domains;
mod fallback;
mod faults;
mod files;
mod follow;
mod held;
mod killed;
mod lacks;
mod leads;
mod left;
mod live;
mod managed;
mod meet;
mod offers;
mod per_site;
mod place;
mod reached;
mod relative;
mod remedies;
mod replaced;
mod routes;
mod rules;
mod senders;
mod sent;
mod servers;
mod substituted;
mod told;
mod types;
mod unseen;
mod weaker;
mod written;
