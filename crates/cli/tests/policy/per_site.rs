//! The obsolete table of sites: Postfix asks it as long as there is no table of policies.

use crate::managed::findings;
use crate::place::{Place, builder};

const IGNORED: &str = "outbound.per-site-ignored";
const HOP: &str = "[127.0.0.9]:587";

fn place() -> Place {
    let sites = "hash:{base}/config/sites";
    let place = Place::unadopted(builder().set("smtp_tls_per_site", sites));
    place.table("sites", "127.0.0.9 MUST_NOPEERMATCH\n");
    place.must("init");
    place
}

#[test]
fn the_first_rule_does_not_silently_end_it() {
    let place = place();
    let before = place.main_cf();
    place.must("policy add other.example encrypt --no-preflight");
    let refused = place.ends(65, "apply --yes");
    for words in [
        IGNORED,
        "smtp_tls_per_site = hash:",
        "config/sites",
        "param.smtp_tls_per_site=default",
    ] {
        assert!(
            refused.stdout.contains(words),
            "{words}: {}",
            refused.stdout
        );
    }
    assert_eq!(place.main_cf(), before);
    // Its rows are rules, and it is taken away.
    place.must(&format!("policy add {HOP} encrypt --no-preflight"));
    place.must("set param.smtp_tls_per_site=default");
    place.must("apply --yes");
    let main_cf = place.main_cf();
    assert!(!main_cf.contains("\nsmtp_tls_per_site"), "{main_cf}");
    let explained = place.must(&format!("explain {HOP}")).json;
    assert_eq!(explained["hops"][0]["level"], "encrypt");
}

#[test]
fn what_it_says_is_not_promised_away() {
    let place = place();
    for words in [
        format!("explain {HOP}"),
        "explain user@example.org".to_owned(),
    ] {
        let told = place.ends(3, &words).json;
        assert!(told["hops"][0]["level"].is_null(), "{told}");
        assert_eq!(told["hops"][0]["source"]["parameter"], "smtp_tls_per_site");
        assert_eq!(
            findings(&told, "policy.per-site-decides").len(),
            1,
            "{told}"
        );
    }
    place.ends(3, &format!("policy check {HOP}"));
}

#[test]
fn beside_a_table_of_policies_it_is_ignored_and_lint_says_so() {
    let place = Place::unadopted(
        builder()
            .set("smtp_tls_per_site", "hash:{base}/config/sites")
            .set("smtp_tls_policy_maps", "hash:{base}/config/policies"),
    );
    place.table("sites", "127.0.0.9 MUST_NOPEERMATCH\n");
    place.table("policies", "other.example encrypt\n");
    let lint = place.ends(2, &format!("lint {}", place.config().display()));
    assert_eq!(findings(&lint.json, IGNORED).len(), 1, "{}", lint.stdout);
    // The running client's answer: what holds is the level for all.
    let told = place.must(&format!("explain {HOP}")).json;
    assert_eq!(told["hops"][0]["level"], "may");
}
