//! The first hour with it, by clicking: a certificate, modes, a plan, a rule, a way back; and what the wire shows
//! after each.

use crate::person::{come_in, level, wire};
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;

#[test]
fn an_administrators_first_hour_by_clicking() {
    let site = Site::up_on(PostfixBox::builder().set("default_transport", "smtp"));
    let mut browser = come_in(&site);
    assert_eq!(wire(&site, 25), None, "a cleartext server at first");

    browser.go("/findings");
    browser.until("outbound.cleartext|level.");

    assert_eq!(site.local(&["cert", "delete", "mx"]).exit, Some(0));
    browser.go("/certificates/new");
    browser.write("Name in the store", "web");
    for (field, file) in [
        ("cert", "rsa.pem"),
        ("key", "rsa.key"),
        ("private_ca", "ca.pem"),
    ] {
        browser.upload(field, &site.scene.named(file));
    }
    browser.press("Import");
    browser.until("✓ done");

    // The agent looks again after each job.
    browser.go("/certificates");
    while !browser.text().contains("web") {
        browser.go("/certificates");
    }
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    browser.choose("certificate", "bind web");
    browser.choose("profile", "recommended");
    browser.choose("submission", "on");
    browser.choose("smtps", "on");
    browser.unfold();
    browser.write("others", "auth-only=yes");
    browser.press("Save and review");
    let plan = browser.until("smtpd_tls_chain_files");
    assert!(plan.contains("smtpd_tls_security_level"), "{plan}");
    assert_eq!(wire(&site, 25), None, "a plan changes nothing");

    browser.press("Apply this plan");
    browser.until("kept");
    for port in [25, 587, 465] {
        assert!(wire(&site, port).is_some(), "TLS on {port}");
    }

    browser.go("/policies/new");
    browser.write("destination", "partner.example");
    browser.choose("level", "encrypt");
    // Its servers are looked at meanwhile.
    browser.until("could not be told|✗ ");
    browser.write("note", "contract 12");
    browser.write("reason", "its servers cannot be reached from here");
    browser.press("Wish for it");
    browser.until("✓ done");

    browser.go("/plan");
    browser.until("1 row");
    browser.choose("confirm_within", "300");
    browser.press("Apply this plan");
    browser.until("kept|confirm");
    browser.go("/plan");
    browser.press("Keep it");
    browser.until("✓ done");
    let asked = level(&site, "someone@partner.example");
    assert_eq!(asked, "encrypt");

    browser.go("/history");
    browser.until("1 row");
    browser.press("Roll back to before this");
    browser.until("rolled back|✓ done");
    let asked = level(&site, "someone@partner.example");
    assert_ne!(asked, "encrypt");
    assert!(wire(&site, 587).is_some(), "what came before stays");
}
