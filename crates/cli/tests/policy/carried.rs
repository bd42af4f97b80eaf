//! Credentials that routes lead past the rules: told by the client that really goes there.

use crate::managed::{CLEAR, delivery, findings, free_port, greeting, session, submit};
use crate::place::{Place, builder};
use postseal_testkit::postfix_box::BoxBuilder;
use std::fs;
use std::net::{TcpListener, ToSocketAddrs};

const IN_CLEAR: &str = "outbound.credentials-in-clear";
const NO_TABLES: &str = "  -o smtp_tls_policy_maps=\n";

/// A box that has credentials and routes in tables.
pub(crate) fn authenticating() -> BoxBuilder {
    builder()
        .set("smtp_sasl_auth_enable", "yes")
        .set("smtp_sasl_security_options", "noanonymous")
        .set("smtp_sasl_password_maps", "hash:{base}/config/passwords")
        .set("transport_maps", "hash:{base}/config/transport")
}

fn master_cf(place: &Place, from: &str, to: &str) {
    let path = place.config().join("master.cf");
    let master = fs::read_to_string(&path).unwrap();
    let master = match from {
        "" => master + to,
        from => master.replace(from, to),
    };
    fs::write(&path, master).unwrap();
}

/// Mail for `cred.example` shows a relay there the password in clear.
fn shows_the_password(place: &Place, relay: impl ToSocketAddrs) {
    let server = session(greeting().say(CLEAR)).on(TcpListener::bind(relay).unwrap());
    submit(place, "seen@cred.example");
    delivery(place, "seen@cred.example");
    let heard = server.finish().remove(0).unwrap();
    assert!(heard[1].starts_with("AUTH PLAIN "), "{heard:?}");
}

#[test]
fn a_transport_without_tables_shows_passwords_whatever_the_rules_say() {
    let port = free_port();
    let place = Place::unadopted(authenticating());
    let hop = format!("[127.0.0.1]:{port}");
    place.table("passwords", &format!("{hop} user:s3cret\n"));
    place.table("transport", &format!("cred.example own:{hop}\n"));
    master_cf(&place, "", &format!("own unix - - n - - smtp\n{NO_TABLES}"));
    place.reload();
    place.must("init");
    assert_eq!(place.must("domain sync").json["added"], 1);
    place.must("apply --yes");

    shows_the_password(&place, ("127.0.0.1", port));

    let told = findings(&place.ends(2, "lint").json, IN_CLEAR);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&hop), "{told:?}");
    let listed = place.must("domain list").json;
    assert_eq!(listed["credentials"][0]["level"], "may", "{listed}");

    master_cf(&place, NO_TABLES, "");
    place.must("drift --adopt");
    place.must("apply --yes");
    assert!(findings(&place.run("lint").json, IN_CLEAR).is_empty());
}

#[test]
fn a_client_that_no_row_leads_to_hides_nothing() {
    let place = Place::unadopted(authenticating());
    place.table("passwords", "[127.0.0.1]:2999 user:s3cret\n");
    place.table("transport", "other.example wrapped:[127.0.0.1]:465\n");
    let wrapped = "wrapped unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n  \
                   -o smtp_tls_security_level=encrypt\n";
    master_cf(&place, "", wrapped);
    assert_eq!(findings(&place.ends(2, "lint").json, IN_CLEAR).len(), 1);
    // It is the one that goes there.
    place.table("transport", "other.example wrapped:[127.0.0.1]:2999\n");
    assert!(findings(&place.run("lint").json, IN_CLEAR).is_empty());
    // It may be.
    place.table("transport", "* wrapped:\n");
    assert!(findings(&place.run("lint").json, IN_CLEAR).is_empty());
}

#[test]
fn neither_anchors_nor_ciphers_hide_credentials_in_clear() {
    let hop = "[127.0.0.1]:2999";
    let builder = authenticating()
        .set("relayhost", hop)
        .set("smtp_tls_CAfile", "{base}/config/ca.pem")
        .set("smtp_tls_ciphers", "high");
    let place = Place::unadopted(builder);
    place.table("passwords", &format!("{hop} user:s3cret\n"));
    place.table("transport", "");
    let bundle = fs::read_to_string(place.scene.named("rsa.pem")).unwrap();
    place.write("ca.pem", &bundle);
    let told = findings(&place.ends(2, "lint").json, IN_CLEAR);
    assert!(told.len() == 1 && told[0].contains(hop), "{told:?}");

    let may = place.main_cf();
    let encrypt = may.replace("security_level = may", "security_level = encrypt");
    assert_ne!(may, encrypt);
    place.write("main.cf", &encrypt);
    assert!(findings(&place.run("lint").json, IN_CLEAR).is_empty());
    place.must("init");
    place.must("set outbound=may");
    let plan = place.ends(65, "plan");
    assert!(plan.stdout.contains(IN_CLEAR), "{}", plan.stdout);
    place.ends(65, "apply --yes");
    assert_eq!(place.main_cf(), encrypt);
}

#[test]
fn what_cannot_be_told_of_credentials_is_told() {
    let place = Place::unadopted(
        authenticating().set("smtp_tls_policy_maps", "regexp:{base}/config/policy"),
    );
    place.table("passwords", "[127.0.0.1]:2999 user:s3cret\n");
    place.table("transport", "");
    place.write("policy", "/./ may\n");
    let told = findings(&place.run("lint").json, "outbound.credentials-undetermined");
    assert!(told.len() == 1 && told[0].contains("regexp:"), "{told:?}");
}

#[test]
fn what_a_large_source_hides_is_told_once_and_by_status_too() {
    let place =
        Place::unadopted(authenticating().set("smtp_tls_policy_maps", "hash:{base}/config/policy"));
    let keys: String = (1..=9)
        .map(|n| format!("[127.0.0.{n}]:2999 user:s3cret\n"))
        .collect();
    place.table("passwords", &keys);
    place.table("transport", "");
    let rows: String = (0..40_000)
        .map(|n| format!("d{n}.example may match=d{n}.example\n"))
        .collect();
    assert!(rows.len() > 1 << 20);
    place.table("policy", &rows);
    let lint = place.run("lint").json;
    let told = findings(&lint, "outbound.credentials-undetermined");
    assert!(
        told.len() == 1 && told[0].contains("config/policy"),
        "{told:?}"
    );
    assert!(!lint.to_string().contains("s3cret"));
    place.must("init");
    let status = place.run("status").json;
    let told = status["credentials_undetermined"].as_array().unwrap();
    assert_eq!(told.len(), 1, "{status}");
    assert_eq!(told[0]["code"], "outbound.credentials-undetermined");
}

/// A box with a table of passwords that has no source.
fn without_source(table: &str) -> Place {
    let place = Place::unadopted(
        builder()
            .set("smtp_sasl_auth_enable", "yes")
            .set("smtp_sasl_security_options", "noanonymous")
            .set("smtp_sasl_password_maps", table)
            .set("transport_maps", "hash:{base}/config/transport"),
    );
    place.table("transport", "");
    place
}

#[test]
fn one_password_for_every_server_is_fatal() {
    let port = free_port();
    let place = without_source("static:user:s3cret");
    let hop = format!("[127.0.0.1]:{port}");
    place.table("transport", &format!("cred.example smtp:{hop}\n"));
    shows_the_password(&place, ("127.0.0.1", port));

    let lint = place.ends(2, "lint");
    let told = findings(&lint.json, IN_CLEAR);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|one| one.contains(&hop)), "{told:?}");
    assert!(
        told.iter().any(|one| one.contains("any domain")),
        "{told:?}"
    );
    place.must("init");
    let status = place.must("status");
    let in_clear = &status.json["credentials_in_clear"];
    assert_eq!(in_clear.as_array().unwrap().len(), 2, "{in_clear}");
    // A rule for each next hop that is known, and a word of those that are not.
    let synced = place.must("domain sync");
    assert_eq!(place.listed("wanted"), [format!("{hop} encrypt")]);
    let any = findings(&synced.json, "domain.credentials-for-any-host");
    assert_eq!(any.len(), 1, "{}", synced.stdout);
    // What it mends is no longer told; what was so before bars nothing.
    let plan = place.must("plan");
    assert_eq!(findings(&plan.json, IN_CLEAR).len(), 1, "{}", plan.stdout);
    let listed = place.must("domain list");
    let told = place.scene.say(&["domain", "list"]).stdout;
    assert!(told.contains("every server (static:)"), "{told}");
    assert!(!told.contains("Senders without a relay"), "{told}");
    for said in [&lint, &status, &synced, &plan, &listed] {
        assert!(!said.stdout.contains("s3cret") && !said.stderr.contains("s3cret"));
    }
    place.must("discard");
    place.must("set outbound=encrypt");
    place.must("apply --yes");
    assert!(findings(&place.run("lint").json, IN_CLEAR).is_empty());
}

#[test]
fn tables_of_passwords_without_a_source_are_listed_or_told() {
    let place = without_source("inline:{[127.0.0.1]:2999=user:s3cret}");
    let told = findings(&place.ends(2, "lint").json, IN_CLEAR);
    assert!(
        told.len() == 1 && told[0].contains("[127.0.0.1]:2999"),
        "{told:?}"
    );
    let main = place.main_cf();
    let inline = "inline:{[127.0.0.1]:2999=user:s3cret}";
    place.write("sasl", "/./ user:s3cret\n");
    let regexp = format!("regexp:{}/sasl", place.config().display());
    for table in [regexp.as_str(), "randmap:{user:s3cret}"] {
        place.write("main.cf", &main.replace(inline, table));
        place.must("init");
        let lint = place.run("lint");
        let told = findings(&lint.json, "outbound.credentials-undetermined");
        assert!(
            told.len() == 1 && told[0].contains("any domain"),
            "{table}: {told:?}"
        );
        let status = place.run("status");
        let told = status.json["credentials_undetermined"].as_array().unwrap();
        assert_eq!(told.len(), 1, "{table}: {}", status.stdout);
        let synced = place.ends(3, "domain sync");
        let told = findings(&synced.json, "domain.credentials-not-listed");
        assert_eq!(told.len(), 1, "{table}: {}", synced.stdout);
        for said in [lint, status, synced] {
            assert!(!said.stdout.contains("s3cret"), "{table}");
        }
    }
}

#[test]
fn each_remedy_for_credentials_of_which_nothing_could_be_told_ends_it() {
    const CODE: &str = "outbound.credentials-undetermined";
    let told = |place: &Place| findings(&place.run("lint").json, CODE);
    let passwords = "regexp:{base}/config/passwords-by-pattern";
    let alone = "smtp_sasl_security_options = noanonymous, noplaintext\n\
                 smtp_sasl_tls_security_options = noanonymous\n";
    for (lines, wish) in [
        ("", "set outbound=encrypt"),
        (alone, ""),
        (
            "smtp_sasl_password_maps = hash:$config_directory/passwords\n",
            "domain sync --no-preflight",
        ),
    ] {
        let place = without_source(passwords);
        place.write("passwords-by-pattern", "/^.127/ user:s3cret\n");
        place.table("passwords", "[127.0.0.1]:2999 user:s3cret\n");
        place.must("init");
        let before = told(&place);
        assert_eq!(before.len(), 1, "{before:?}");
        assert!(!before[0].contains("domain list"), "{before:?}");
        place.write("main.cf", &(place.main_cf() + lines));
        if !wish.is_empty() {
            place.must(wish);
            place.must("apply --yes");
        }
        assert_eq!(told(&place), [""; 0], "{lines}{wish}");
    }
    // Where the level could not be told, a rule demands it.
    let place =
        Place::of(authenticating().set("smtp_tls_policy_maps", "regexp:{base}/config/policy"));
    place.table("passwords", "[127.0.0.1]:2999 user:s3cret\n");
    place.table("transport", "");
    place.write("policy", "/./ may\n");
    assert!(told(&place)[0].contains("domain sync"));
    place.must("domain sync --no-preflight");
    place.must("apply --yes");
    assert_eq!(told(&place), [""; 0]);
}

#[test]
fn a_server_on_465_that_speaks_in_clear_is_shown_passwords() {
    let address = "127.77.4.65";
    let hop = format!("[{address}]:465");
    let place = Place::unadopted(authenticating());
    place.table("passwords", &format!("{hop} user:s3cret\n"));
    place.table("transport", &format!("cred.example smtp:{hop}\n"));
    shows_the_password(&place, (address, 465));
    let told = findings(&place.ends(2, "lint").json, IN_CLEAR);
    assert!(told.len() == 1 && told[0].contains(&hop), "{told:?}");
    let explained = place.run(&format!("explain {hop}"));
    assert!(
        !explained.stdout.contains("no mail can be"),
        "{}",
        explained.stdout
    );
    // Only a client that begins with TLS hides them.
    let wrapped = "wrapped unix - - n - - smtp\n  -o smtp_tls_wrappermode=yes\n  \
                   -o smtp_tls_security_level=encrypt\n";
    master_cf(&place, "", wrapped);
    place.table("transport", &format!("cred.example wrapped:{hop}\n"));
    assert!(findings(&place.run("lint").json, IN_CLEAR).is_empty());
}
