//! The certificate picker: what it says of each, how one is found among many, with scripts and without; and the frame.

use crate::browser::{DESK, Window};
use crate::person::{come_in, sign_in_again, until_it_says};
use crate::site::Site;

#[test]
fn each_certificate_says_for_which_names_it_is_and_is_found_while_typing() {
    let site = Site::up();
    let made = site.remote(&["cert", "self-signed", "me", "--domain=other.test"]);
    assert_eq!(made.exit, Some(0), "{made:?}");
    let listed = site.local(&["cert", "list"]).json;
    let of = |name: &str, what: &str| {
        let mut all = listed["certificates"].as_array().unwrap().iter();
        let one = all.find(|one| one["name"] == name).unwrap();
        one[what].as_str().unwrap().to_owned()
    };
    let host = site.local(&["status"]).json["asked_for"]["names"][0]["name"].clone();
    let host = host.as_str().unwrap().to_owned();

    let mut browser = come_in(&site);
    until_it_says(
        &mut browser,
        "/certificates/one?name=me",
        "cert.self-signed",
    );
    until_it_says(&mut browser, "/certificates/one?name=mx", "yes, it is for");
    browser.go("/smtp-tls");
    let (title, head) = browser.head();
    assert!(
        title.contains(&host) && head.contains(&host),
        "{title}\n{head}"
    );
    assert!(!title.contains(&site.scene.config()), "{title}");
    assert!(!browser.text().contains(&of("mx", "serial")), "it is off");

    browser.choose("submission", "on");
    let said = browser.text();
    assert!(said.contains(&format!("✓ yes, it is for {host}")), "{said}");
    assert!(
        said.contains(&format!("! no, it is not for {host}")),
        "{said}"
    );
    assert!(said.contains("✗ cannot be chosen: only its own key vouches"));

    for (what, one, other) in [
        ("serial", "me", "mx"),
        ("fingerprint", "mx", "me"),
        ("issuer", "me", "mx"),
    ] {
        browser.write("search", &of(one, what));
        let said = browser.text();
        assert!(said.contains(&of(one, "fingerprint")), "{what}: {said}");
        assert!(!said.contains(&of(other, "fingerprint")), "{what}: {said}");
    }
    // As other programs write it.
    browser.write(
        "search",
        &of("mx", "fingerprint").replace(':', "").to_lowercase(),
    );
    let said = browser.text();
    assert!(said.contains(&of("mx", "fingerprint")), "{said}");
    assert!(!said.contains(&of("me", "fingerprint")), "{said}");
    browser.write("search", "nothing like this");
    assert!(browser.text().contains("None has all of these words."));
    browser.focus("search");
    browser.key("Enter");
    assert!(browser.url().ends_with("/smtp-tls"), "Enter saves nothing");
    browser.write("search", "");
    browser.focus("search");
    browser.key("ArrowDown");
    browser.key("ArrowDown");
    browser.press("Save and review");
    browser.until("smtpd_tls_chain_files");
    assert_eq!(site.local(&["discard"]).exit, Some(0));

    sign_in_again(
        &mut browser,
        Window {
            script: false,
            ..DESK
        },
    );
    browser.go("/smtp-tls");
    browser.choose("inbound", "may");
    browser.choose("certificate", "bind mx");
    browser.write("search", &of("me", "serial"));
    browser.press("Search");
    let said = browser.text();
    assert!(said.contains(&of("me", "fingerprint")), "{said}");
    assert!(
        said.contains(&of("mx", "fingerprint")),
        "what is chosen stays: {said}"
    );
    assert_eq!(
        site.local(&["status"]).json["wishes"],
        serde_json::json!([])
    );
    browser.press("Save and review");
    browser.until("smtpd_tls_chain_files");

    browser.go("/certificates/one?name=me");
    let said = browser.until("cert.self-signed");
    assert!(said.contains("its own key"), "{said}");
    browser.go("/certificates");
    browser.write("search", &of("mx", "serial"));
    browser.press("Search");
    let said = browser.text();
    assert!(
        said.contains("mx") && !said.contains("other.test"),
        "{said}"
    );
}
