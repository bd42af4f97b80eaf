//! The choice among certificates in folders below, and what is said where there is none.

use super::*;
use crate::layout::Client;

fn caddy(folder: &str, name: &str) -> Below {
    Below {
        folder: folder.into(),
        layout: Layout {
            client: Client::Caddy,
            cert: format!("{name}.crt"),
            key: format!("{name}.key"),
            chain: None,
        },
    }
}

fn certbot(folder: &str) -> Below {
    Below {
        folder: folder.into(),
        layout: Layout {
            client: Client::Certbot,
            cert: "fullchain.pem".into(),
            key: "privkey.pem".into(),
            chain: None,
        },
    }
}

fn chosen(found: &[Below], domain: Option<&str>) -> Option<String> {
    let one = choose(found.to_vec(), domain).unwrap();
    one.map(|one| one.folder.display().to_string())
}

#[test]
fn the_only_one_or_the_one_that_fits_is_taken() {
    let [a, b] = ["a.example", "b.example"].map(|name| caddy(&format!("/c/le/{name}"), name));
    assert_eq!(chosen(&[], None), None);
    assert_eq!(chosen(&[], Some("a.example")), None);
    assert_eq!(
        chosen(std::slice::from_ref(&a), None).as_deref(),
        Some("/c/le/a.example")
    );
    let both = [a, b];
    assert_eq!(
        chosen(&both, Some("B.Example")).as_deref(),
        Some("/c/le/b.example")
    );
    let live = [certbot("/le/live/a.example"), certbot("/le/live/b.example")];
    assert_eq!(
        chosen(&live, Some("a.example")).as_deref(),
        Some("/le/live/a.example")
    );
    let wild = [
        caddy("/c/wildcard_.a.example", "wildcard_.a.example"),
        caddy("/c/a.example", "a.example"),
    ];
    assert_eq!(
        chosen(&wild, Some("*.a.example")).as_deref(),
        Some("/c/wildcard_.a.example")
    );
    let flat = [caddy("/lego", "_.a.example"), caddy("/lego", "a.example")];
    assert_eq!(
        choose(flat.to_vec(), Some("*.a.example")).unwrap().as_ref(),
        Some(&flat[0])
    );
}

#[test]
fn of_several_each_is_named_with_its_folder() {
    let two_cas = [
        caddy("/c/le/a.example", "a.example"),
        caddy("/c/zero/a.example", "a.example"),
    ];
    let told = |found: &[Below], domain| choose(found.to_vec(), domain).unwrap_err();
    for domain in [None, Some("a.example")] {
        let error = told(&two_cas, domain);
        assert_eq!(error.code(), "layout.several");
        for words in [
            "a.example in /c/le/a.example",
            "a.example in /c/zero/a.example",
        ] {
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let error = told(&two_cas, Some("b.example\u{7}"));
    assert_eq!(error.code(), "layout.none-below");
    assert!(error.to_string().contains("/c/zero/a.example"), "{error}");
    assert!(!error.to_string().contains('\u{7}'), "{error}");
    assert!(!error.remedy().is_empty());
    let many: Vec<Below> = (0..20).map(|n| certbot(&format!("/live/{n}"))).collect();
    assert!(told(&many, None).to_string().ends_with("and 12 more"));
}
