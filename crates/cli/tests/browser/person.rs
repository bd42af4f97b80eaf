//! The first administrator, at a browser.
//!
//! Owns: coming in by the one-time link, and what every story does alike. Never: what is expected of a story.

use crate::browser::{Browser, DESK, Window};
use crate::site::Site;
use postseal_planner::report::Handshake;
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

/// Goes to a page again and again until it says this: pages show what the agent has copied. What it says then.
pub(crate) fn until_it_says(browser: &mut Browser, path: &str, words: &str) -> String {
    for _ in 0..200 {
        browser.go(path);
        let said = browser.text();
        if said.contains(words) {
            return said;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
    panic!("{path} does not say {words:?}: {}", browser.text());
}

/// What a port shows: the version of TLS, and none where it speaks in clear.
pub(crate) fn wire(site: &Site, port: u16) -> Option<String> {
    shaken(site, port).map(|handshake| format!("{:?}", handshake.version))
}

/// The fingerprint of the certificate that a port presents.
pub(crate) fn leaf(site: &Site, port: u16) -> Option<String> {
    let fingerprint = shaken(site, port)?.fingerprint?;
    let text = serde_json::to_value(fingerprint).unwrap();
    text.as_str().map(str::to_owned)
}

fn shaken(site: &Site, port: u16) -> Option<Handshake> {
    let start = if port == 465 {
        Start::Implicit
    } else {
        Start::StartTls
    };
    let address = SocketAddr::new(site.scene.postfix.address(), port);
    let targets = [Target::new(port.to_string(), address, start)];
    probe_all(&targets, Duration::from_secs(2))
        .remove(0)
        .handshake
}

/// At which level mail for somebody leaves, as `explain` says.
pub(crate) fn level(site: &Site, who: &str) -> String {
    let said = site.local(&["explain", who]);
    let level = said.json["hops"][0]["level"].as_str();
    level.unwrap_or_else(|| panic!("{said:#?}")).to_owned()
}
