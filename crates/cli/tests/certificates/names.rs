//! By name: what clients are shown that ask for one, and what stands on disk for them.

use crate::site::{Site, World, all, builder, by_name, name_of};
use postseal_issue::KeyType;
use postseal_planner::report::Ask;
use postseal_planner::report::KeyAlgorithm::{Ecdsa, Rsa};
use std::fs;

const MAPS: &str = "tls_server_sni_maps";

fn of_kind(name: &str, algorithm: postseal_planner::report::KeyAlgorithm) -> Ask {
    Ask {
        algorithm: Some(algorithm),
        ..by_name(name)
    }
}

/// Eight names with a certificate each, one with two, and one for all below a domain.
struct Ten {
    site: Site,
    /// Before any name was bound.
    before: World,
}

impl Ten {
    fn bound() -> Self {
        let site = Site::serving();
        let before = site.world();
        for n in 1..=8 {
            let name = format!("n{n}.box.test");
            site.import(&format!("n{n}"), KeyType::EcdsaP256, &[&name]);
            site.must(&format!("cert bind n{n} --sni {name}"));
        }
        site.import("two-rsa", KeyType::Rsa2048, &["two.box.test"]);
        site.import("two-ec", KeyType::EcdsaP256, &["two.box.test"]);
        site.must("cert bind two-rsa --sni TWO.box.test");
        site.must("cert bind two-ec --sni two.box.test.");
        site.import("wild", KeyType::EcdsaP256, &["*.wild.test"]);
        site.must("cert bind wild --sni .wild.test");
        site.must("apply");
        Self { site, before }
    }
}

#[test]
fn ten_names_on_three_services() {
    let Ten { site, before } = Ten::bound();
    let asks: Vec<Ask> = (1..=8)
        .map(|n| by_name(&format!("n{n}.box.test")))
        .collect();
    let wanted: Vec<String> = (1..=8).map(|n| format!("n{n}")).collect();
    for port in crate::site::PORTS {
        assert_eq!(site.looked(port, &asks), wanted, "{port}");
    }
    assert_eq!(site.shown(&of_kind("two.box.test", Rsa)), all("two-rsa"));
    assert_eq!(site.shown(&of_kind("two.box.test", Ecdsa)), all("two-ec"));
    assert_eq!(site.shown(&by_name("mail.wild.test")), all("wild"));
    // A name that is not listed, and none.
    assert_eq!(site.shown(&by_name("other.box.test")), all("mx"));
    assert_eq!(site.plainly(), all("mx"));

    let bound = site.world();
    let maps: Vec<String> = site
        .maps()
        .iter()
        .map(|path| name_of(path).to_owned())
        .collect();
    assert_eq!(maps.len(), 2, "source and compiled map: {maps:?}");
    assert_eq!(maps[1], format!("{}.db", maps[0]));
    assert_eq!(bound.installed.len(), before.installed.len() + 11 + 2);

    // One name given back: its clients get what all others get.
    site.must("cert unbind n3 --sni n3.box.test");
    site.must("apply");
    assert_eq!(site.shown(&by_name("n3.box.test")), all("mx"));
    assert_eq!(site.shown(&by_name("n4.box.test")), all("n4"));
    site.must("verify");

    // And all of them: the bytes of before.
    for name in [
        "n1", "n2", "n4", "n5", "n6", "n7", "n8", "two-rsa", "two-ec", "wild",
    ] {
        site.must(&format!("cert unbind {name}"));
    }
    site.must("apply");
    assert_eq!(site.world().files, before.files);
    assert_eq!(site.shown(&by_name("n4.box.test")), all("mx"));

    // Rollbacks, one operation each: all but one name, all, none.
    site.must("rollback");
    assert_eq!(site.shown(&by_name("n4.box.test")), all("n4"));
    assert_eq!(site.shown(&by_name("n3.box.test")), all("mx"));
    site.must("rollback");
    assert_eq!(site.world().files, bound.files);
    assert_eq!(site.shown(&by_name("n3.box.test")), all("n3"));
    site.must("verify");
}

#[test]
fn a_rollback_leaves_no_map_and_no_key_that_nobody_names() {
    let Ten { site, before } = Ten::bound();
    site.must("rollback");
    assert_eq!(site.world(), before);
    assert_eq!(site.shown(&by_name("n1.box.test")), all("mx"));
    site.must("verify");
}

#[test]
fn a_renewed_name_has_another_map() {
    let site = Site::serving();
    site.import("old", KeyType::EcdsaP256, &["a.box.test"]);
    site.must("cert bind old --sni a.box.test");
    site.must("apply");
    let bound = site.world();
    site.import("new", KeyType::EcdsaP256, &["a.box.test"]);
    site.must("cert bind new --sni a.box.test");
    site.must("apply");
    assert_eq!(site.shown(&by_name("a.box.test")), all("new"));
    site.must("rollback");
    assert_eq!(site.world(), bound);
    assert_eq!(site.shown(&by_name("a.box.test")), all("old"));
    site.must("verify");
}

#[test]
fn the_administrators_own_map_answers_behind_ours() {
    let site = Site::of(
        builder().append_main_cf("# mine\ntls_server_sni_maps =\n    hash:{base}/config/own_sni\n"),
    );
    let own = site.make("own", KeyType::EcdsaP256, &["own.test", "both.test"]);
    let source = site.scene.path_of("own_sni");
    fs::write(&source, format!("own.test {own}\nboth.test {own}\n")).unwrap();
    let table = format!("hash:{}", source.display());
    let config = site.scene.config();
    crate::scene::run("/usr/sbin/postmap", &["-c", &config, "-F", &table]);
    site.must("init");
    let site = site.served();
    assert_eq!(site.shown(&by_name("own.test")), all("own"));
    let before = site.world();

    site.import("ours", KeyType::EcdsaP256, &["ours.test", "both.test"]);
    site.must("cert bind ours --sni ours.test,both.test");
    site.must("apply");
    assert!(site.scene.value(MAPS).ends_with(&table));
    assert_eq!(site.shown(&by_name("own.test")), all("own"));
    assert_eq!(site.shown(&by_name("ours.test")), all("ours"));
    assert_eq!(
        site.shown(&by_name("both.test")),
        all("ours"),
        "the first decides"
    );

    site.must("cert unbind ours");
    site.must("apply");
    assert_eq!(site.world().files, before.files);
    assert_eq!(site.shown(&by_name("both.test")), all("own"));
    let folder = source.parent().unwrap();
    assert!(
        folder.join("own_sni.db").exists(),
        "the administrator's stays"
    );
}

#[test]
fn what_stands_twice_in_main_cf_is_no_fault_of_a_map_of_names() {
    let twice = "mailbox_size_limit = 51200000\nmailbox_size_limit = 51200001\n";
    let site = Site::of(builder().append_main_cf(twice)).served();
    site.import("web", KeyType::EcdsaP256, &["web.box.test"]);
    site.must("cert bind web --sni web.box.test");
    site.must("apply");
    assert_eq!(site.shown(&by_name("web.box.test")), all("web"));
    let next = site.make("next", KeyType::EcdsaP256, &["web.box.test"]);
    site.must(&format!("cert deploy web --cert {next}"));
    assert_eq!(site.shown(&by_name("web.box.test")), all("next"));
}
