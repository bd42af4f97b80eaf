//! A mail in a log among others.

use super::told;

const LOG: &str = "\
Nov 22 18:00:01 mx postfix/pickup[10]: 4A1B2C3D4E: uid=0 from=<root>
Nov 22 18:00:01 mx postfix/cleanup[11]: 4A1B2C3D4E: message-id=<1.2.postseal@mx.example>
Nov 22 18:00:01 mx postfix/cleanup[11]: 5A1B2C3D4E: message-id=<other@mx.example>
Nov 22 18:00:02 mx postfix/smtp[12]: 5A1B2C3D4E: to=<x@example.org>, relay=none, delay=1, delays=0/0/1/0, dsn=5.1.1, status=bounced (no)
Nov 22 18:00:02 mx postfix/smtp[12]: 4A1B2C3D4E: to=<a@example.org>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (connect to mx.example.org[192.0.2.1]:25: Connection refused)
";

#[test]
fn a_mail_is_found_by_its_message_id_and_nothing_of_another() {
    let handed = told(LOG.as_bytes(), "1.2.postseal@mx.example");
    assert_eq!(handed.queue_id.as_deref(), Some("4A1B2C3D4E"));
    let [one] = handed.delivered.as_slice() else {
        panic!("{handed:?}");
    };
    assert_eq!(
        (one.to.as_str(), one.status.as_str()),
        ("a@example.org", "deferred")
    );
    assert!(one.words.contains("Connection refused"), "{one:?}");
    assert_eq!(
        told(LOG.as_bytes(), "3.postseal@mx.example"),
        Default::default()
    );
}
