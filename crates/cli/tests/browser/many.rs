//! Many rules at a browser: a list as a file without scripts, ticks over several pages with them.

use crate::browser::{DESK, Window};
use crate::person::{come_in, sign_in_again, until_it_says};
use crate::site::Site;
use postseal_testkit::postfix_box::PostfixBox;
use std::fs;

const RULES: usize = 120;

/// What stands in the box of a rule.
fn tick(site: &Site, destination: &str) -> String {
    let list = site.local(&["policy", "list"]);
    let rules = list.json["rules"].as_array().unwrap().clone();
    let found = rules.iter().find(|one| one["destination"] == destination);
    format!(
        "{} {destination}",
        found.unwrap()["digest"].as_str().unwrap()
    )
}

fn listed(site: &Site) -> Vec<String> {
    let list = site.local(&["policy", "list"]);
    let rules = list.json["rules"].as_array().unwrap().clone();
    let names = rules.iter().map(|one| one["destination"].as_str().unwrap());
    names.map(str::to_owned).collect()
}

#[test]
fn a_file_comes_in_without_scripts_and_ticks_are_kept_over_pages_with_them() {
    let site = Site::up_on(PostfixBox::builder().set("default_transport", "smtp"));
    let mut browser = come_in(&site);
    let bare = Window {
        script: false,
        ..DESK
    };
    sign_in_again(&mut browser, bare);
    let rules = (0..RULES).map(|n| format!("d{n:03}.example encrypt\n"));
    let file = site.scene.named("<b>rules & more");
    fs::write(&file, rules.collect::<String>()).unwrap();
    browser.go("/policies/import");
    browser.upload("file", &file);
    browser.press("Say what would change");
    let job = browser.url();
    until_it_says(&mut browser, &job, "120");
    assert!(listed(&site).is_empty(), "it was only tried");
    browser.press("Wish for them");
    site.wait("the rules", |site| listed(site).len() == RULES);

    sign_in_again(&mut browser, DESK);
    site.wait("the page", |site| {
        let rules = site.at_desk(|desk, instance| {
            use postseal_store::desk::{Desk as _, RuleQuery};
            desk.rule_page(instance, &RuleQuery::default()).unwrap()
        });
        rules.is_some_and(|page| page.counts.all == RULES as u64)
    });
    browser.go("/policies");
    browser.until("0 of 120 selected");
    for destination in ["d001.example", "d003.example"] {
        let value = tick(&site, destination);
        browser.choose("rule", &value);
    }
    browser.until("2 of 120 selected");
    browser.go("/policies?after=d049.example&by=&from=51");
    browser.until("2 of 120 selected, 2 on other pages");
    let third = tick(&site, "d077.example");
    browser.choose("rule", &third);
    browser.go("/policies?sort=level&search=d003");
    browser.until("3 of 120 selected, 2 on other pages");
    // One that another administrator has changed is ticked no longer where it is seen.
    let edit = [
        "policy",
        "edit",
        "d001.example",
        "--note=new",
        "--no-preflight",
    ];
    let edited = site.remote(&[&edit[..], &["--force", "--reason=a test"]].concat());
    assert_eq!(edited.exit, Some(0), "{edited:#?}");
    let fewer = "2 of 120 selected, 1 on other pages";
    until_it_says(&mut browser, "/policies?search=d00", fewer);
    browser.press("Wish that they were gone");
    browser.until("✓ done");
    let left = listed(&site);
    assert_eq!(left.len(), RULES - 2);
    let gone = ["d003.example", "d077.example"];
    assert!(
        !left.iter().any(|one| gone.contains(&one.as_str())),
        "{left:?}"
    );
    // What was sent is ticked no more.
    browser.go("/policies?search=d01");
    browser.until("0 of 118 selected");
    browser.choose("all", "on");
    browser.until("All 10 selected");
}
