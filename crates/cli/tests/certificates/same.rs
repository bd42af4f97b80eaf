//! One certificate under two names of the store.

use crate::site::{Site, all};
use postseal_issue::KeyType;

/// What was once a version of one name is bound under another, and the way back leads there.
#[test]
fn the_way_back_leads_to_a_certificate_that_another_name_had_too() {
    let site = Site::serving();
    let old = site.scene.named("mx.both");
    let ecdsa = site.make("mx-2", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must(&format!("cert import mx --renew --cert {ecdsa}"));
    site.must(&format!("cert import again --cert {old}"));
    site.must("cert bind mx");
    site.must("cert bind again");
    site.must("apply");
    let both = site.world();
    site.must("cert unbind again");
    site.must("apply");
    assert_eq!(site.plainly(), all("mx-2"));
    site.must("rollback --yes");
    assert_eq!(site.world().files, both.files);
    site.must("verify");
}
