//! Watched folders that nothing can be taken from any more: a monitor is told, and what an ACME client
//! leaves half-written for a moment is not called that.

use crate::certbot::Certbot;
use crate::scene::run;
use crate::site::{Site, all};
use postseal_issue::KeyType;
use std::fs;
use std::os::unix::fs::symlink;

/// What the monitor and `status` read, and the codes of `cert check`.
fn told(site: &Site) -> (Option<i32>, String, String, Vec<String>) {
    let line = site.scene.say(&["status", "--nagios"]);
    let status = site.scene.say(&["status"]).stdout;
    let checked = site.run("cert check mx").json;
    let codes = checked["findings"].as_array().unwrap().iter();
    let codes = codes.map(|one| one["code"].as_str().unwrap().to_owned());
    // That nobody vouches for the site's own CA is another story.
    let codes = codes.filter(|code| code != "cert.chain-incomplete");
    (line.exit, line.stdout, status, codes.collect())
}

fn is_well(site: &Site) {
    let (exit, line, status, codes) = told(site);
    assert_eq!(exit, Some(0), "{line}");
    assert!(!status.contains("nothing can be taken"), "{status}");
    assert_eq!(codes, [""; 0]);
}

fn is_stuck(site: &Site, dir: &str, code: &str) {
    let (exit, line, status, codes) = told(site);
    assert_eq!(exit, Some(1), "{line}");
    let words = format!("nothing can be taken for mx from the watched folder {dir} ({code})");
    assert!(line.contains(&words), "{line}");
    assert!(line.starts_with("POSTSEAL WARNING: "), "{line}");
    for words in [&format!("from {dir}"), code] {
        assert!(status.contains(words), "{words}: {status}");
    }
    assert_eq!(codes, [code]);
    assert_eq!(
        site.must("status").json["unusable_watches"][0]["certificate"],
        "mx"
    );
    assert_eq!(site.plainly(), all("mx"));
}

/// As if nobody had written there for a while.
fn ages(dir: &str) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path().display().to_string();
        run("/usr/bin/touch", &["-d", "10 minutes ago", &path]);
    }
    run("/usr/bin/touch", &["-d", "10 minutes ago", dir]);
}

#[test]
fn a_folder_that_cannot_be_used_any_more_is_a_warning() {
    let site = Site::serving();
    let certbot = Certbot::new(&site, "live");
    certbot.renew(&site, "mx");
    let live = certbot.live();
    site.must(&format!("cert watch mx --dir {live} --once"));
    is_well(&site);
    let moved = format!("{live}.moved");

    // Gone, a file in its place, and a folder whose links lead in a circle.
    fs::rename(&live, &moved).unwrap();
    is_stuck(&site, &live, "cert.missing");
    fs::write(&live, "").unwrap();
    is_stuck(&site, &live, "layout.no-folder");
    fs::remove_file(&live).unwrap();
    fs::create_dir(&live).unwrap();
    for name in ["fullchain.pem", "privkey.pem"] {
        symlink(name, format!("{live}/{name}")).unwrap();
    }
    is_stuck(&site, &live, "cert.unreadable");
    fs::remove_dir_all(&live).unwrap();

    // One that is being written is left alone, and told when it stays so.
    fs::create_dir(&live).unwrap();
    is_well(&site);
    ages(&live);
    is_stuck(&site, &live, "layout.unknown");
    let whole = fs::read(site.make("half", KeyType::Rsa2048, &["mx.box.test"])).unwrap();
    fs::write(format!("{live}/fullchain.pem"), &whole[..whole.len() - 40]).unwrap();
    fs::write(format!("{live}/privkey.pem"), "").unwrap();
    is_well(&site);
    ages(&live);
    is_stuck(&site, &live, "layout.empty");
    fs::write(format!("{live}/privkey.pem"), "half a key").unwrap();
    is_well(&site);

    // As it was.
    fs::remove_dir_all(&live).unwrap();
    fs::rename(&moved, &live).unwrap();
    is_well(&site);
    fs::remove_dir_all(&live).unwrap();
    is_stuck(&site, &live, "cert.missing");
    site.must("cert watch mx --forget");
    is_well(&site);
}
