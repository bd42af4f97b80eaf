//! Folders in which ACME clients keep all their certificates: Caddy's data, `/etc/letsencrypt`, lego's
//! folder. The one that fits is taken; of several, each is named with its folder.

use crate::site::{Site, all};
use postseal_issue::KeyType;
use std::fs;

/// Writes a certificate and its key to files of these names, below the site's folder.
fn keep(site: &Site, made: &str, folder: &str, [cert, key]: [&str; 2]) -> String {
    let both = fs::read_to_string(site.make(made, KeyType::Rsa2048, &["mx.box.test"])).unwrap();
    let at = both.find("-----BEGIN CERTIFICATE").unwrap();
    let folder = site.scene.named(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(format!("{folder}/{cert}"), &both[at..]).unwrap();
    fs::write(format!("{folder}/{key}"), &both[..at]).unwrap();
    folder
}

/// As Caddy does it.
fn caddy(site: &Site, made: &str, ca: &str, name: &str) -> String {
    let files = [format!("{name}.crt"), format!("{name}.key")];
    let folder = format!("caddy/certificates/{ca}/{name}");
    let kept = keep(site, made, &folder, files.each_ref().map(String::as_str));
    fs::write(format!("{kept}/{name}.json"), "{}").unwrap();
    kept
}

const CA: &str = "acme-v02.api.letsencrypt.org-directory";

#[test]
fn the_data_of_caddy_is_imported_and_watched() {
    let site = Site::adopted();
    let data = site.scene.named("caddy");
    fs::create_dir_all(format!("{data}/locks")).unwrap();
    let words = format!("cert import mx --dir {data}");
    assert_eq!(site.ends(65, &words).code(), "layout.unknown");
    let first = caddy(&site, "first", CA, "mx.box.test");
    let source = site.must(&words).json["certificate"]["source"].to_string();
    assert!(source.contains(&format!("{first} (Caddy)")), "{source}");
    site.must("cert bind mx");
    site.must("set mode=may submission=on smtps=on");
    site.must("apply");
    site.must(&format!("cert watch mx --dir {data} --once"));
    caddy(&site, "second", CA, "mx.box.test");
    let renewed = site.must("cert watch --once");
    assert_eq!(renewed.json["renewed"][0]["certificate"], "mx");
    assert_eq!(site.plainly(), all("second"));

    // Another one beside it: which is meant cannot be told any more, and a monitor says so.
    let web = caddy(&site, "web", CA, "www.box.test");
    let stuck = site.ends(65, "cert watch --once").json["findings"][0].clone();
    assert_eq!(stuck["code"], "layout.several", "{stuck:#}");
    for folder in [&first, &web] {
        let message = stuck["message"].as_str().unwrap();
        assert!(message.contains(&format!(" in {folder}")), "{message}");
    }
    let monitor = site.scene.say(&["status", "--nagios"]);
    assert!(
        monitor.stdout.contains("layout.several"),
        "{}",
        monitor.stdout
    );
    // Said by its domain it is found, wherever it is looked for.
    site.must(&format!(
        "cert watch mx --dir {data} --domain mx.box.test --once"
    ));
    caddy(&site, "third", CA, "mx.box.test");
    site.must("cert watch --once");
    assert_eq!(site.plainly(), all("third"));
    for dir in ["caddy/certificates", &format!("caddy/certificates/{CA}")] {
        let dir = site.scene.named(dir);
        site.must(&format!(
            "cert import web --renew --dir {dir} --domain www.box.test"
        ));
        // A name of the store that is one of theirs says it too.
        site.must(&format!("cert import www.box.test --renew --dir {dir}"));
    }
    let none = site.ends(65, &format!("cert import a --dir {data} --domain a.test"));
    assert_eq!(none.code(), "layout.none-below");
    assert!(
        none.json["error"].to_string().contains(&web),
        "{}",
        none.stdout
    );

    // Of two CAs, neither is guessed.
    let zero = caddy(&site, "zero", "acme.zerossl.com-v2-dv90", "mx.box.test");
    let two = site.ends(
        65,
        &format!("cert import b --dir {data} --domain mx.box.test"),
    );
    assert_eq!(two.code(), "layout.several");
    let error = two.json["error"].to_string();
    assert!(error.contains(&first) && error.contains(&zero), "{error}");
    assert!(!error.contains(&web), "{error}");
}

#[test]
fn all_that_certbot_and_lego_keep() {
    let site = Site::adopted();
    let certbot = |made: &str, name: &str| {
        let folder = format!("letsencrypt/live/{name}");
        keep(&site, made, &folder, ["fullchain.pem", "privkey.pem"])
    };
    let one = certbot("one", "mx.box.test");
    let other = site.scene.named("letsencrypt");
    fs::create_dir_all(format!("{other}/archive/mx.box.test")).unwrap();
    fs::write(format!("{other}/archive/mx.box.test/fullchain1.pem"), "old").unwrap();
    fs::write(format!("{other}/archive/mx.box.test/privkey1.pem"), "old").unwrap();
    let source = |ran: crate::scene::Ran| ran.json["certificate"]["source"].to_string();
    for (name, dir) in [("a", "letsencrypt"), ("b", "letsencrypt/live")] {
        let dir = site.scene.named(dir);
        let taken = source(site.must(&format!("cert import {name} --dir {dir}")));
        assert!(taken.contains(&format!("{one} (certbot)")), "{taken}");
    }
    let two = certbot("two", "www.box.test");
    let several = site.ends(65, &format!("cert import c --dir {other}"));
    assert_eq!(several.code(), "layout.several");
    let told = several.json["error"].to_string();
    for (name, folder) in [("mx.box.test", &one), ("www.box.test", &two)] {
        assert!(told.contains(&format!("{name} in {folder}")), "{told}");
    }
    assert!(told.contains("--domain"), "{told}");

    // lego has them side by side.
    for (made, name) in [("le", "mx.box.test"), ("go", "www.box.test")] {
        let files = [format!("{name}.crt"), format!("{name}.key")];
        let folder = keep(
            &site,
            made,
            "lego/certificates",
            files.each_ref().map(String::as_str),
        );
        fs::write(format!("{folder}/{name}.json"), "{}").unwrap();
        fs::write(format!("{folder}/{name}.issuer.crt"), "").unwrap();
    }
    let lego = site.scene.named("lego");
    let several = site.ends(65, &format!("cert import d --dir {lego}"));
    assert_eq!(several.code(), "layout.several");
    site.must(&format!("cert import d --dir {lego} --domain www.box.test"));
    site.must(&format!(
        "cert import mx.box.test --dir {lego}/certificates"
    ));
}
