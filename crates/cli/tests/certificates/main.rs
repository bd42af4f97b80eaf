//! Who is shown which certificate, on a real Postfix: by kind of key, by port, by the name that a
//! client asks for, and what the SMTP client shows. Stories of the public commands, each proved by
//! handshakes of its own. Needs root and Postfix.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

#[path = "../kill/cut.rs"]
#[allow(dead_code, reason = "its lists of cuts are of another story")]
mod cut;
#[path = "../scene/mod.rs"]
mod scene;

mod accepted;
mod bound;
mod busy;
mod by_hand;
mod causes;
mod certbot;
mod checks;
mod chosen;
mod client;
mod copies;
mod damage;
mod dates;
mod dropped;
mod edited;
mod held;
mod hooks;
mod hostile;
mod keeper;
mod kill;
mod kinds;
mod looked_after;
mod lost;
mod made;
mod mended;
mod names;
mod noted;
mod origins;
mod own_names;
mod plain;
mod ports;
mod postmap;
mod prune;
mod refusals;
mod renewed;
mod requests;
mod same;
mod site;
mod small_ca;
mod stores;
mod stuck;
mod succession;
mod watched;
