//! Tests of `address`: addresses of inet services: whether a master could use them.

use super::*;

const SERVICES: &str = "# comment\nsmtp 25/tcp mail\nntp 123/udp\nodd 4000/tcp # alias other\n";

fn all(name: &str) -> Result<(), HostError> {
    let services = [format!("{name}/inet")];
    check(&Root::new(Path::new("/")), &[], b"", services.iter())
}

#[test]
fn ports_are_numbers_known_names_or_services() {
    for good in ["25", "65535", "smtp", "submissions", "odd", "mail"] {
        assert!(is_port(good, SERVICES), "{good}");
    }
    for bad in ["0", "65536", "", "ntp", "other", "Smtpz", "25x", "4000/tcp"] {
        assert!(!is_port(bad, SERVICES), "{bad}");
    }
}

#[test]
fn addresses_have_a_host_or_none() {
    let ip = |name| Address::of(name).ip().map(|ip| ip.to_string());
    assert_eq!(ip("[::1]:10025").as_deref(), Some("::1"));
    assert_eq!(ip("127.0.0.1:smtp").as_deref(), Some("127.0.0.1"));
    assert_eq!(ip("localhost:10025"), None);
    assert_eq!(ip("smtp"), None);
    assert_eq!(Address::of("[::1]:587").port, "587");
}

#[test]
fn what_would_end_the_master_is_refused() {
    for good in [
        "smtp",
        "127.0.0.1:25",
        "127.9.9.9:10025",
        "localhost:10026",
        ":25",
    ] {
        assert!(all(good).is_ok(), "{good}");
    }
    for bad in ["192.0.2.99:25", "nosuchservice", "127.0.0.1:", "1.2.3.4"] {
        assert!(all(bad).is_err(), "{bad}");
    }
}

#[test]
fn behind_a_prefix_addresses_are_not_judged() {
    let services = ["192.0.2.99:25/inet".to_owned()];
    let prefix = ["nsenter".to_owned()];
    let root = Root::new(Path::new("/"));
    assert!(check(&root, &prefix, b"", services.iter()).is_ok());
}

#[test]
fn an_unknown_port_names_its_line() {
    let master = b"# one\nsmtp inet n - n - - smtpd\n127.0.0.1:smptd inet n - n - - smtpd\n";
    let root = Root::new(Path::new("/"));
    let services = ["127.0.0.1:smptd/inet".to_owned(), "smtp/inet".to_owned()];
    let error = check(&root, &[], master, services.iter()).unwrap_err();
    assert!(
        matches!(&error, HostError::UnknownPort { line: 3, port, .. } if port == "smptd"),
        "{error:?}"
    );
    assert!(error.to_string().contains("line 3"), "{error}");
    assert!(check(&root, &[], master, services[1..].iter()).is_ok());
}
