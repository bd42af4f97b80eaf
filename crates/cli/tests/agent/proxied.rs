//! The console behind a proxy that its configuration trusts.

use crate::site::Site;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

#[test]
fn who_the_proxy_names_is_noted_in_the_audit_log() {
    let site = Site::up();
    let body = "name=admin&password=a+guess";
    let head = format!(
        "POST /sign-in HTTP/1.1\r\nhost: localhost\r\norigin: http://localhost\r\n\
         x-forwarded-for: 192.0.2.1, 198.51.100.7\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", site.port)).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    site.wait("a note of whom the proxy named", |site| {
        let audit = site.local(&["audit", "list"]);
        audit.stdout.contains("sign-in refused, from 198.51.100.7")
    });
}
