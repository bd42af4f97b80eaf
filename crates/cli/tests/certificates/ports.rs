//! By port: a service with a certificate of its own.

use crate::site::{Site, all};
use postseal_issue::KeyType;

const OWN: &str = "smtpd_tls_chain_files";

fn mine() -> [String; 3] {
    ["mx", "mua", "mx"].map(str::to_owned)
}

#[test]
fn a_port_has_its_own_and_gives_it_back() {
    let site = Site::serving();
    let before = site.world();
    site.import("mua", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind mua --service submission");
    assert_eq!(
        site.must("cert show mua").json["certificate"]["used_by"][0],
        "smtpd on port 587 (pending)"
    );
    site.must("apply");
    assert_eq!(site.plainly(), mine());
    let bound = site.world();
    assert_eq!(
        bound.files.main, before.files.main,
        "main.cf is not its place"
    );
    site.must("verify");

    site.must("cert unbind mua --service 587");
    site.must("apply");
    assert_eq!(site.plainly(), all("mx"));
    assert_eq!(site.world().files, before.files);

    // And by rollbacks: each goes back one operation, byte for byte.
    site.must("rollback");
    assert_eq!(site.world().files, bound.files);
    assert_eq!(site.plainly(), mine());
    site.must("verify");
}

#[test]
fn off_and_on_again_a_port_still_has_its_own() {
    let site = Site::serving();
    site.import("mua", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind mua --service 587,465");
    site.must("apply");
    let bound = site.world();
    assert_eq!(site.plainly(), ["mx", "mua", "mua"].map(str::to_owned));

    site.must("set submission=off");
    site.must("apply");
    let seen = site.plainly();
    assert_eq!([seen[0].as_str(), seen[2].as_str()], ["mx", "mua"]);
    assert!(seen[1].contains("Closed"), "{seen:?}");
    let plan = site.must("plan").json;
    assert_eq!(plan["pending"], false, "{plan:#}");

    site.must("set submission=on");
    site.must("apply");
    assert_eq!(site.plainly(), ["mx", "mua", "mua"].map(str::to_owned));
    assert_eq!(site.world().files, bound.files);

    site.must("rollback");
    let seen = site.plainly();
    assert!(seen[1].contains("Closed"), "{seen:?}");
    site.must("verify");
}

#[test]
fn a_port_may_have_both_kinds() {
    let site = Site::serving();
    let before = site.world();
    site.import("rsa", KeyType::Rsa2048, &["mx.box.test"]);
    site.import("ec", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind rsa --service smtps");
    site.must("cert bind ec --service smtps");
    site.must("apply");
    let option = site.scene.option("submissions/inet", OWN);
    let option = option.or_else(|| site.scene.option("smtps/inet", OWN));
    assert_eq!(option.unwrap().matches(".pem").count(), 2);
    site.must("rollback");
    assert_eq!(site.world(), before);
    assert_eq!(site.plainly(), all("mx"));
}
