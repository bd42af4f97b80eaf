//! Tests of `scratch`: a scratch instance: the staged files tried in a private Postfix before the live ones change.

use super::*;

#[test]
fn the_reason_is_the_last_fatal_line() {
    let log = b"Nov 1 00:00:00 mx postfix/master[1]: fatal: first\n\
        Nov 1 00:00:01 mx postfix/master[1]: fatal: /x/main.cf, line 3: missing '='\n\
        Nov 1 00:00:01 mx postfix/pickup[2]: warning: other\n";
    let why = fatal(log).unwrap();
    assert_eq!(why, "fatal: /x/main.cf, line 3: missing '='");
    assert_eq!(fatal(b"all is well\n"), None);
}

#[test]
fn a_taken_port_is_told_from_other_reasons() {
    assert!(is_port_taken(&refused(
        "fatal: bind 127.0.0.1 port 1: Address already in use",
        &[]
    )));
    assert!(!is_port_taken(&refused("fatal: no such thing", &[])));
    assert!(!is_port_taken(&HostError::Permission("x".to_owned())));
}
