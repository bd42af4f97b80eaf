//! Names a certificate is for.

use super::are_for;

#[test]
fn a_star_stands_for_one_label_and_nothing_else() {
    let names = ["*.example.org", "MX.example.net", "192.0.2.1"].map(str::to_owned);
    for yes in [
        "mx1.example.org",
        "mx.EXAMPLE.net",
        "192.0.2.1",
        ".example.org",
    ] {
        assert!(are_for(&names, yes), "{yes}");
    }
    for no in [
        "example.org",
        "a.b.example.org",
        "mx2.example.net",
        ".example.net",
        "",
    ] {
        assert!(!are_for(&names, no), "{no}");
    }
}
