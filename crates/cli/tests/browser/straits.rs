//! Somebody at the console while things go wrong on the host: what a page that stands open says, and the ways out by
//! clicking.

use crate::person::come_in;
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;

fn site() -> Site {
    let site = Site::up_on(PostfixBox::builder().set("default_transport", "smtp"));
    for words in [
        &["set", "inbound=may"][..],
        &["cert", "bind", "mx"],
        &["apply", "--yes"],
    ] {
        let done = site.remote(words);
        assert_eq!(done.exit, Some(0), "{done:?}");
    }
    site
}

/// The agent looks after each job.
fn looks(site: &Site) {
    assert_eq!(site.remote(&["discard"]).exit, Some(0));
}

fn starts_in_clear(site: &Site) -> bool {
    site.scene.value("smtpd_tls_security_level") == "may"
}

#[test]
fn a_page_that_stands_open_tells_of_edits_by_hand_and_they_are_put_back_by_clicking() {
    let site = site();
    let mut browser = come_in(&site);
    browser.go("/");
    browser.until("25 smtp");
    assert!(!browser.text().contains("edited by hand"));
    site.scene
        .postconf(&["-e", "smtpd_tls_security_level=encrypt"]);
    looks(&site);
    // Nobody loads the page again.
    let said = browser.until("wned keys were edited by hand");
    assert!(!said.contains("✓ Every service showed"), "{said}");

    browser.go("/plan");
    let said = browser.until("Put back what was written");
    assert!(said.contains("smtpd_tls_security_level"), "{said}");
    assert!(!starts_in_clear(&site));
    browser.press("Put back what was written");
    browser.until("kept");
    assert!(starts_in_clear(&site));
}

#[test]
fn what_nobody_keeps_is_told_to_be_rolled_back_on_the_page_that_counted_down() {
    let site = site();
    let mut browser = come_in(&site);
    assert_eq!(site.remote(&["set", "inbound=encrypt"]).exit, Some(0));
    let words = ["apply", "--yes", "--confirm-within", "8s"];
    let applied = site.remote(&words);
    assert_eq!(applied.exit, Some(0), "{applied:?}");
    browser.go("/plan");
    browser.until("Keep it");
    // The wish stays, to be applied again.
    let said = browser.until("Apply this plan");
    assert!(!said.contains("Keep it"), "{said}");
    assert!(starts_in_clear(&site));
    browser.go("/history");
    browser.until("not confirmed in time");
}

#[test]
fn on_paper_nothing_is_cut_off_or_folded() {
    let site = site();
    let mut browser = come_in(&site);
    browser.go("/history");
    let (said, cut) = browser.on_paper();
    assert!(said.contains("smtpd_tls_chain_files"), "the diff: {said}");
    assert_eq!(cut, 0);
    assert_eq!(site.remote(&["set", "inbound=encrypt"]).exit, Some(0));
    browser.go("/plan");
    browser.until("Diff");
    let (said, cut) = browser.on_paper();
    assert!(said.contains("+smtpd_tls_security_level"), "{said}");
    assert_eq!(cut, 0);
}

#[test]
fn a_probe_tells_what_it_sees_in_words() {
    let site = site();
    let mut browser = come_in(&site);
    browser.go("/probe");
    browser.write("targets", &site.scene.postfix.address().to_string());
    browser.press("Look");
    let said = browser.until("strongest|levels");
    assert!(
        said.contains("handshake") && said.contains("TLSv1.3"),
        "{said}"
    );
    assert!(!said.contains('{'), "{said}");
}
