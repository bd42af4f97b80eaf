//! The first administrator, at a browser.
//!
//! Owns: coming in by the one-time link, and what every story does alike. Never: what is expected of a story.

use crate::browser::{Browser, DESK, Window};
use crate::site::Site;
use postseal_probe::{Start, Target, probe_all};
use std::net::SocketAddr;
use std::time::Duration;

const PASSWORD: &str = "correct horse battery staple";

/// Signed in by the link that `up` printed.
pub(crate) fn come_in(site: &Site) -> Browser {
    let mut browser = Browser::open(&site.address(), DESK);
    let log = site.log();
    let link = log
        .split_whitespace()
        .find(|word| word.contains("/welcome/"));
    first_admin(&mut browser, link.expect("a link"));
    browser
}

/// Chooses a password behind a one-time link, and signs in by it.
pub(crate) fn first_admin(browser: &mut Browser, link: &str) {
    browser.go(link);
    browser.write("password", PASSWORD);
    browser.write("again", PASSWORD);
    browser.press("Keep this password");
    sign_in(browser);
}

/// In a new window.
pub(crate) fn sign_in_again(browser: &mut Browser, window: Window) {
    browser.window(window);
    sign_in(browser);
}

fn sign_in(browser: &mut Browser) {
    browser.go("/sign-in");
    browser.write("name", "admin");
    browser.write("password", PASSWORD);
    browser.press("Sign in");
    browser.until("Inbound|Overview|wire");
}

/// What a port shows: the version of TLS, and none where it speaks in clear.
pub(crate) fn wire(site: &Site, port: u16) -> Option<String> {
    let start = if port == 465 {
        Start::Implicit
    } else {
        Start::StartTls
    };
    let address = SocketAddr::new(site.scene.postfix.address(), port);
    let targets = [Target::new(port.to_string(), address, start)];
    let reports = probe_all(&targets, Duration::from_secs(2));
    let handshake = reports[0].handshake.as_ref()?;
    Some(format!("{:?}", handshake.version))
}

/// At which level mail for somebody leaves, as `explain` says.
pub(crate) fn level(site: &Site, who: &str) -> String {
    let said = site.local(&["explain", who]);
    let level = said.json["hops"][0]["level"].as_str();
    level.unwrap_or_else(|| panic!("{said:#?}")).to_owned()
}
