//! Every page as it looks: light and dark, on a desk and on a telephone, with and without scripts.

use crate::browser::{Browser, DESK, Window};
use crate::person::{come_in, sign_in_again, until_it_says};
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;
use std::path::PathBuf;

/// The pages, each with the name of its picture.
const PAGES: [(&str, &str); 16] = [
    ("/", "overview"),
    ("/smtp-tls", "smtp-tls"),
    ("/certificates", "certificates"),
    ("/policies", "policies"),
    ("/certificates/one?name=mx", "certificate"),
    ("/certificates/new", "certificate-new"),
    ("/policies/new", "policy-new"),
    ("/policies/edit?destination=partner.example", "policy"),
    ("/policies/import", "policy-import"),
    ("/domains", "domains"),
    ("/probe", "probe"),
    ("/findings", "findings"),
    ("/plan", "plan"),
    ("/history", "history"),
    ("/settings", "settings"),
    ("/settings/notifications", "notifications"),
];
/// A first load fetches so many files at most, and so many bytes of them as they come over the wire.
const MOST_REQUESTS: u32 = 10;
const MOST_BYTES: u64 = 250_000;
/// A picture in the documents is no larger, in bytes.
const LARGEST_PICTURE: u64 = 200_000;

/// With something on every page: rules, a certificate in use, operations, a draft.
fn lived_in() -> (Site, Browser) {
    let site = Site::up_on(PostfixBox::builder().set("default_transport", "smtp"));
    for words in [
        &["cert", "bind", "mx"][..],
        &["set", "mode=may", "profile=recommended"],
        &["apply", "--yes"],
        &[
            "policy",
            "add",
            "partner.example",
            "encrypt",
            "--no-preflight",
            "--note=contract 12",
        ],
        &["set", "outbound=may", "loglevel.inbound=1"],
    ] {
        let ran = site.remote(words);
        assert_eq!(ran.exit, Some(0), "{words:?}: {ran:#?}");
    }
    let browser = come_in(&site);
    (site, browser)
}

#[test]
fn every_page_is_accessible_and_fits_light_and_dark_wide_and_narrow() {
    let (site, mut browser) = lived_in();
    until_it_says(&mut browser, "/policies", "partner.example");
    let mut wrong = Vec::new();
    for (scheme, width) in [
        ("light", 1280),
        ("dark", 1280),
        ("light", 360),
        ("dark", 360),
    ] {
        let window = Window {
            scheme,
            width,
            script: true,
        };
        sign_in_again(&mut browser, window);
        for (path, name) in PAGES {
            assert_eq!(browser.go(path), 200, "{path}");
            browser.unfold();
            let judged = browser.judge();
            // Less than a stylesheet means that nothing was weighed.
            assert!(judged.bytes > 20_000, "{path}: {judged:#?}");
            let is_well = judged.violations.is_empty()
                && judged.elsewhere.is_empty()
                && judged.errors.is_empty()
                && judged.wider <= 0
                && judged.requests <= MOST_REQUESTS
                && judged.bytes <= MOST_BYTES;
            if !is_well {
                wrong.push(format!("{path} {scheme} {width}: {judged:#?}"));
            }
            if width == DESK.width {
                browser.go(path);
                keep_picture(&site, &mut browser, name, scheme);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// With `BLESS=1` the pictures of the documents are made anew; there is one of each page in any case.
fn keep_picture(site: &Site, browser: &mut Browser, name: &str, scheme: &str) {
    let folder = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/screenshots"
    ));
    let path = folder.join(format!("{name}-{scheme}.jpg"));
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(&folder).unwrap();
        let instead = [
            (site.scene.config(), "/etc/postfix"),
            (site.scene.folder().display().to_string(), "/root"),
            (site.scene.postfix.address().to_string(), "192.0.2.25"),
        ];
        browser.picture(&path, &instead);
    }
    let size = fs::metadata(&path).expect("BLESS=1 makes it").len();
    assert!(size <= LARGEST_PICTURE, "{}: {size} bytes", path.display());
}

#[test]
fn every_page_says_the_same_without_scripts() {
    let (_site, mut browser) = lived_in();
    until_it_says(&mut browser, "/policies", "partner.example");
    sign_in_again(
        &mut browser,
        Window {
            script: false,
            ..DESK
        },
    );
    for (path, _) in PAGES {
        assert_eq!(browser.go(path), 200, "{path}");
        let text = browser.text();
        assert!(text.len() > 40, "{path}: {text}");
    }
    browser.go("/smtp-tls");
    browser.choose("inbound", "off");
    browser.press("Save and review");
    browser.until("smtpd_tls_security_level");
}
