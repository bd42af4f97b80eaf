//! A CA whose root signs certificates itself and is sent with them; and directories that are none.

use crate::scripted::Scripted;
use std::fs;

#[test]
fn a_root_that_issued_it_itself_is_left_out_where_it_is_trusted() {
    let world = Scripted::new();
    let site = &world.site;
    // Nobody vouches for it: without the root, an intermediate would seem to be missing.
    let issued = site.must(&world.words("alone"));
    let told = issued.json["findings"].to_string();
    assert!(told.contains("cert.issuer-unknown"), "{told}");
    assert!(!told.contains("cert.chain-incomplete"), "{told}");
    assert_eq!(world.shown("alone")["chain_length"], 2);
    let chain = site.must("cert export alone").json["chain"].clone();
    let chain = chain.as_str().unwrap();
    let root = &chain[chain.rfind("-----BEGIN").unwrap()..];
    let file = site.scene.named("root.pem");
    fs::write(&file, root).unwrap();
    let words = format!("{} --private-ca {file}", world.words("trusted"));
    let issued = site.must(&words).json["findings"].to_string();
    assert!(!issued.contains("cert.issuer-unknown"), "{issued}");
    assert_eq!(world.shown("trusted")["chain_length"], 1);
}

#[test]
fn a_directory_without_https_is_told_what_to_give() {
    let world = Scripted::new();
    let words = "cert issue mx --domain mx.box.test --agree-terms --ca http://127.0.0.1:9/dir";
    let refused = world.site.ends(65, words);
    assert_eq!(refused.code(), "acme.unusable");
    assert!(
        refused.stdout.contains("begins with https://"),
        "{}",
        refused.stdout
    );
    assert!(!refused.stdout.contains("A-labels"), "{}", refused.stdout);
}
