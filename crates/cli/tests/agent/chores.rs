//! What the agent does by itself.

use crate::site::Site;
use std::fs;

#[test]
fn folders_are_watched_and_renewals_asked_for_without_anybody() {
    let site = Site::up();
    let folder = site.scene.named("renewed");
    fs::create_dir(&folder).unwrap();
    let remembered = site.local(&["cert", "watch", "web", "--dir", &folder, "--once"]);
    assert!(remembered.json.is_object(), "{remembered:#?}");
    assert!(!site.local(&["cert", "list"]).stdout.contains("web"));
    for (from, to) in [("ec.pem", "fullchain.pem"), ("ec.key", "privkey.pem")] {
        fs::copy(site.scene.named(from), format!("{folder}/{to}")).unwrap();
    }
    site.wait("the certificate of a watched folder", |site| {
        site.local(&["cert", "list"]).stdout.contains("\"web\"")
    });
    let jobs = site.at_desk(|desk, instance| {
        postseal_store::desk::Desk::jobs(desk, instance, None, 100).unwrap()
    });
    let timed = jobs.iter().find(|job| job.actor == "agent (timer)");
    assert!(timed.unwrap().task.contains("cert-renew"));
}
