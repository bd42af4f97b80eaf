//! The console behind a proxy that its configuration trusts.

use crate::site::Site;

#[test]
fn who_the_proxy_names_is_noted_in_the_audit_log() {
    let site = Site::up();
    let head = "POST /sign-in HTTP/1.1\r\norigin: http://localhost\r\n\
                x-forwarded-for: 192.0.2.1, 198.51.100.7\r\n\
                content-type: application/x-www-form-urlencoded";
    let answer = site.http(head, "name=admin&password=a+guess");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    site.wait("a note of whom the proxy named", |site| {
        let audit = site.local(&["audit", "list"]);
        audit.stdout.contains("sign-in refused, from 198.51.100.7")
    });
}
