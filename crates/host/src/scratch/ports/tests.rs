//! Tests of `ports`: free loopback ports for the scratch instance.

use super::*;

#[test]
fn a_service_keeps_its_port_and_shares_it_with_nobody() {
    let mut ports = Ports::default();
    let smtp = ports.of("smtp/inet").unwrap();
    assert_eq!(ports.of("smtp/inet").unwrap(), smtp);
    assert_ne!(ports.of("587/inet").unwrap(), smtp);
    assert!(TcpListener::bind(smtp).is_err());
    ports.release();
    assert!(TcpListener::bind(smtp).is_ok());
    let kept = BTreeMap::from([("smtp/inet".to_owned(), smtp)]);
    assert_eq!(Ports::kept(&kept).of("smtp/inet").unwrap(), smtp);
}
