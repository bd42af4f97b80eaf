//! The way back to an old state that was itself broken.

use crate::site::{Files, Site, wait_for};
use postseal_testkit::postfix_box::PostfixBox;
use std::net::TcpStream;

/// Adopted with `broken` in its main.cf, then mended by `wishes`.
struct Mended {
    site: Site,
    old: Files,
}

impl Mended {
    fn of(broken: &str, wishes: &[&str]) -> Self {
        let site = Site::unadopted(PostfixBox::builder().append_main_cf(broken));
        site.postfix.start().unwrap();
        site.adopt();
        let old = site.files();
        site.expect(0, &["cert", "bind", "mx"]);
        site.expect(0, &[&["set", "inbound=may"], wishes].concat());
        site.expect(0, &["apply"]);
        assert_eq!(site.serves_tls(), Some(true));
        site.expect(0, &["verify"]);
        Self { site, old }
    }

    /// Byte for byte, and saying what is broken again.
    fn goes_back(&self, code: &str) {
        let ran = self.site.expect(0, &["rollback"]);
        assert_eq!(ran.json["outcome"], "kept", "{:#}", ran.json);
        assert_eq!(self.site.files(), self.old);
        let again = ran.json["broken_again"].as_array().unwrap();
        let codes: Vec<_> = again.iter().map(|found| &found["code"]).collect();
        assert!(codes.contains(&&code.into()), "{again:#?}");
        assert!(ran.told.contains("will be again: "), "{}", ran.told);
        let newest = self.site.newest();
        assert_eq!(newest["outcome"]["outcome"], "kept", "{newest:#}");
    }
}

const NO_FILE: &str = "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = /nowhere/own.pem\n";

#[test]
fn to_a_certificate_file_that_never_was_there() {
    let story = Mended::of(NO_FILE, &[]);
    story.goes_back("wire.no-certificate");
    assert_eq!(story.site.serves_tls(), Some(false));
    let verdict = story.site.expect(1, &["verify"]).json.to_string();
    assert!(verdict.contains("wire.no-certificate"), "{verdict}");
    // And forth again: what is undone now is the rollback.
    let ran = story.site.expect(0, &["rollback", "2"]);
    assert_eq!(ran.json["broken_again"], serde_json::json!([]));
    assert_eq!(story.site.serves_tls(), Some(true));
}

#[test]
fn to_a_setting_that_kills_the_server() {
    let dead = "smtpd_tls_received_header = abc\n";
    let story = Mended::of(dead, &["received-header=yes"]);
    story.goes_back("log.bad-boolean");
    let _client = TcpStream::connect(story.site.postfix.at(25)).unwrap();
    wait_for("the throttling", || {
        story.site.postfix.log().contains("throttling")
    });
}

#[test]
fn but_not_to_what_broke_since() {
    let site = Site::unadopted(PostfixBox::builder());
    std::fs::copy(site.named("mx.pem"), site.named("own.pem")).unwrap();
    let own = format!(
        "smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {}\n",
        site.named("own.pem")
    );
    site.append(&site.main_cf(), &own);
    site.postfix.start().unwrap();
    site.adopt();
    assert_eq!(site.serves_tls(), Some(true));
    site.expect(0, &["cert", "bind", "mx"]);
    site.expect(0, &["apply"]);
    let new = site.files();
    std::fs::remove_file(site.named("own.pem")).unwrap();
    let ran = site.expect(65, &["rollback"]);
    assert!(ran.message().contains("nothing was changed"), "{ran:?}");
    assert_eq!(site.files(), new);
    assert_eq!(site.serves_tls(), Some(true));
}
