//! `policy`: rules for destinations, from a wish to what a real Postfix looks up, and back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../scene/mod.rs"]
mod scene;

#[path = "../outbound/peers.rs"]
#[allow(dead_code, reason = "each test binary uses its part of this")]
mod peers;

mod adopted;
mod clients;
mod domains;
mod faults;
mod follow;
mod left;
mod managed;
mod meet;
mod offers;
mod place;
mod rules;
mod servers;
