//! One port over both families, and ports that are taken.

use super::*;
use std::net::TcpStream;

#[test]
fn both_families_share_a_port_and_a_taken_one_is_named() {
    let four = bind((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    let port = four.local_addr().unwrap().port();
    let six: SocketAddr = (Ipv6Addr::UNSPECIFIED, port).into();
    match open(six) {
        Ok(_both) => drop(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap()),
        Err(error) => assert!(is_absent(&error), "{error}"),
    }
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let taken = bind((Ipv4Addr::LOCALHOST, port).into()).unwrap_err();
    assert_eq!(taken.code(), "http01.listener");
    assert!(
        format!("{taken:?}").contains(&port.to_string()),
        "{taken:?}"
    );
    let nowhere = bind(([192, 0, 2, 1], 0).into()).unwrap_err();
    assert!(format!("{nowhere:?}").contains("192.0.2.1"));
    // The port is free again at once.
    drop(four);
    bind((Ipv4Addr::LOCALHOST, port).into()).unwrap();
}
