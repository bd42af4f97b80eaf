//! From where sign-ins come, where a proxy stands before the console.

use crate::served::{HOUR_MS, Served, now, options};
use crate::wire::{Answer, Ask};
use postseal_console::Console;
use postseal_store::desk::{Clerk as _, Role};

/// An attempt to sign in whose headers say where it comes from.
fn attempt(served: &Served, name: &str, said: &[(&str, &str)]) -> Answer {
    let fields = [("name", name), ("password", "a guess of a stranger")];
    let ask = Ask::form("/sign-in", &fields).by_page(served.at);
    let ask = said
        .iter()
        .fold(ask, |ask, (name, value)| ask.with(name, value));
    served.ask(&ask)
}

/// Attempts until they are refused: one account from one address has six.
fn flood(served: &Served, name: &str, said: &[(&str, &str)]) {
    let mut status = 0;
    for _ in 0..8 {
        status = attempt(served, name, said).status;
    }
    assert_eq!(status, 429, "{said:?}");
}

/// From where the last refused sign-in came, as it is noted.
fn noted(served: &Served) -> String {
    let notes = served.desk().notes(0, 1_000).unwrap();
    let last = notes.last().unwrap().what.clone();
    last.replace("sign-in refused, from ", "")
}

#[test]
fn behind_a_trusted_proxy_a_flood_from_afar_locks_nobody_else_out() {
    let served = Served::behind(&["127.0.0.1", "10.0.0.0/8"]);
    flood(&served, "admin", &[("x-forwarded-for", "198.51.100.7")]);
    // The administrator at another place, who has never been here before, may try.
    let elsewhere = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(attempt(&served, "admin", &elsewhere).status, 401);
    // So may one without any proxy.
    assert_eq!(attempt(&served, "admin", &[]).status, 401);
    let six = [("forwarded", "for=\"[2001:db8::17]:4711\";proto=https")];
    flood(&served, "admin", &six);
    let neighbour = [("forwarded", "for=\"[2001:db8:0:1::17]\"")];
    assert_eq!(attempt(&served, "admin", &neighbour).status, 401);
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let served = Served::new();
    for n in 0..8 {
        let said = format!("198.51.100.{n}");
        attempt(&served, "admin", &[("x-forwarded-for", &said)]);
    }
    let another = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(attempt(&served, "admin", &another).status, 429);
}

#[test]
fn the_nearest_that_is_no_proxy_is_who_asks() {
    let served = Served::behind(&["127.0.0.1", "10.0.0.0/8"]);
    for (said, client) in [
        (&[("x-forwarded-for", "203.0.113.9")][..], "203.0.113.9"),
        // What the client itself wrote stands farther away.
        (
            &[("x-forwarded-for", "192.0.2.1, 203.0.113.9")],
            "203.0.113.9",
        ),
        (
            &[("x-forwarded-for", "192.0.2.1, 203.0.113.9, 10.1.2.3")],
            "203.0.113.9",
        ),
        (&[("x-forwarded-for", "203.0.113.9:4711")], "203.0.113.9"),
        (&[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9"),
        (
            &[("forwarded", "For=192.0.2.1, for=203.0.113.9;by=10.1.2.3")],
            "203.0.113.9",
        ),
        // Who hides, or is no address, is nobody: the last one known is meant.
        (
            &[("forwarded", "for=203.0.113.9, for=unknown")],
            "127.0.0.1",
        ),
        (&[("x-forwarded-for", "203.0.113.9, x")], "127.0.0.1"),
        (&[("x-forwarded-for", "")], "127.0.0.1"),
        // One of both is the client's own.
        (
            &[
                ("x-forwarded-for", "203.0.113.9"),
                ("forwarded", "for=192.0.2.1"),
            ],
            "127.0.0.1",
        ),
        (
            &[
                ("x-forwarded-for", "203.0.113.9"),
                ("forwarded", "for=203.0.113.9"),
            ],
            "203.0.113.9",
        ),
    ] {
        attempt(&served, &format!("user of {client} {}", said.len()), said);
        assert_eq!(noted(&served), client, "{said:?}");
    }
}

#[test]
fn a_proxy_that_is_none_is_refused_at_the_start() {
    let folder = tempfile::TempDir::new().unwrap();
    for word in ["proxy.example", "10.0.0.0/99", ""] {
        let mut options = options(folder.path());
        options.trusted_proxies = vec![word.to_owned()];
        let refused = Console::open(options).err().map(|error| error.code());
        assert_eq!(refused, Some("console.bad-proxy"), "{word}");
    }
}

#[test]
fn a_flood_of_guesses_does_not_keep_an_administrators_session_or_token_out() {
    let (served, session) = Served::to(Role::Admin);
    let token = served.token("admin", Role::Admin, now() + HOUR_MS);
    flood(&served, "admin", &[]);
    assert_eq!(served.ask(&Ask::get("/").cookie(&session)).status, 200);
    assert_eq!(served.call(&token, "GET", "/api/v1/users", "").status, 200);
}
