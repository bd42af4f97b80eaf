//! The console as browsers and programs meet it: a real server on a loopback port, a real desk in a temporary folder.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod access;
mod api;
mod approval;
mod bounds;
mod bulk;
mod certificates;
mod domains;
mod events;
mod forgery;
mod glance;
mod hostile;
mod matrix;
mod notifications;
mod openapi;
mod pages;
mod people;
mod picker;
mod policies;
mod proxies;
mod search;
mod served;
mod settings;
mod straits;
mod uploads;
mod wire;
