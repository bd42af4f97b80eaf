//! Names of services in the place of a port.

use super::{has, named_port};

#[test]
fn names_are_those_of_services_of_tcp() {
    let services = "smtp 25/tcp mail # Mail\nntp 123/udp\n#old 9/tcp\nssmtp\t\t465/tcp\n";
    for (name, is_there) in [
        ("smtp", true),
        ("mail", true),
        ("ssmtp", true),
        ("ntp", false),
        ("old", false),
        ("nosuch", false),
    ] {
        assert_eq!(has(services, name), is_there, "{name}");
    }
}

#[test]
fn numbers_and_the_names_of_mail_are_not_looked_up() {
    for destination in [
        "x.example",
        "[x.example]:submission",
        "[2001:db8::1]",
        "[x]:26",
    ] {
        assert_eq!(named_port(destination), None, "{destination}");
    }
    assert_eq!(named_port("x.example:nosuch"), Some("nosuch"));
    assert_eq!(named_port("[x.example]:nosuch"), Some("nosuch"));
    assert_eq!(named_port("[x.example]:465x"), Some("465x"));
}
