//! The story end to end: issued over HTTP, bound, served, renewed.

use crate::site::{all, by_name};
use crate::world::World;

#[test]
fn a_certificate_is_issued_served_and_renewed_and_no_other_is_touched() {
    let world = World::new();
    let site = &world.site;
    let issued = world.issue("mx", "mx.box.test", "", "mx 1");
    assert_eq!(issued.json["changed"], true, "{}", issued.stdout);
    world.issue("mail", "mail.box.test,www.box.test", "", "mail 1");
    site.must("cert bind mx");
    site.must("cert bind mail --sni mail.box.test");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    assert_eq!(site.plainly(), all("mx 1"));
    assert_eq!(site.shown(&by_name("mail.box.test")), all("mail 1"));

    let idle = site.must("cert renew");
    assert_eq!(idle.json["changed"], false, "{}", idle.stdout);
    let renewed = site.must("cert renew mx --force");
    assert_eq!(renewed.json["changed"], true, "{}", renewed.stdout);
    world.know("mx", "mx 2");
    assert_eq!(site.plainly(), all("mx 2"));
    assert_eq!(site.shown(&by_name("mail.box.test")), all("mail 1"));

    site.must("cert renew mail --force");
    world.know("mail", "mail 2");
    assert_eq!(site.shown(&by_name("mail.box.test")), all("mail 2"));
    assert_eq!(site.plainly(), all("mx 2"));
    site.must("verify");
}
