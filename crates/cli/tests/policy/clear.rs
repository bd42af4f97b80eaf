//! Credentials that may go in clear, told by everything that looks.

use crate::managed::findings;
use crate::place::{Place, builder};
use std::fs;

const CODE: &str = "outbound.credentials-in-clear";

#[test]
fn everything_that_looks_tells_of_them_whatever_the_table() {
    for maps in [
        "static:user:secret",
        "hash:{base}/config/passwords",
        "texthash:{base}/config/passwords",
        "inline:{ { [127.0.0.9]:587 = user:secret } }",
    ] {
        let place = Place::unadopted(
            builder()
                .set("relayhost", "[127.0.0.9]:587")
                .set("smtp_sasl_auth_enable", "yes")
                .set("smtp_sasl_security_options", "noanonymous")
                .set("smtp_sasl_password_maps", maps),
        );
        place.table("passwords", "[127.0.0.9]:587 user:secret\n");
        fs::set_permissions(
            place.config().join("passwords"),
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .unwrap();
        place.must("init");
        let lint = format!("lint {}", place.config().display());
        for (exit, words) in [(2, lint.as_str()), (1, "verify")] {
            let told = findings(&place.ends(exit, words).json, CODE);
            assert_eq!(told.len(), 1, "{maps}, {words}: {told:?}");
            assert!(told[0].contains("fatal"), "{maps}, {words}: {told:?}");
        }
        let told = place.scene.say(&["verify"]).stdout;
        assert!(
            told.ends_with("credentials may be sent in clear.\n"),
            "{told}"
        );
        let status = place.must("status").json;
        assert_eq!(status["credentials_in_clear"].as_array().unwrap().len(), 1);
        place.must("policy add [127.0.0.9]:587 encrypt --no-preflight");
        place.must("apply --yes");
        let told = findings(&place.must("verify").json, CODE);
        assert!(told.is_empty(), "{maps}: {told:?}");
    }
}
