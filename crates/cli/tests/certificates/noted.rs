//! What is done to the store beside operations is in `history`: who, when, what; once each, all in the
//! same words, and no key in it.

use crate::certbot::Certbot;
use crate::site::Site;
use postseal_issue::KeyType;

/// What was noted, the oldest first.
fn noted(site: &Site) -> Vec<String> {
    let history = site.must("history -n 200").json;
    let rows = history["noted"].as_array().unwrap().iter();
    let row = |row: &serde_json::Value| {
        assert!(!row["actor"].as_str().unwrap().is_empty(), "{row}");
        assert!(!row["at"].as_str().unwrap().is_empty(), "{row}");
        row["what"].as_str().unwrap().to_owned()
    };
    let mut rows: Vec<String> = rows.map(row).collect();
    rows.reverse();
    rows
}

/// What the commands after `from` rows have noted.
fn since(site: &Site, from: usize, commands: &[&str]) -> Vec<String> {
    commands.iter().for_each(|words| drop(site.must(words)));
    noted(site).split_off(from)
}

/// Each row begins with these words.
fn tells(rows: &[String], expected: &[&str]) {
    assert_eq!(rows.len(), expected.len(), "{rows:#?}");
    for (row, words) in rows.iter().zip(expected) {
        assert!(row.starts_with(words), "{words}: {row}");
        assert!(!row.contains("PRIVATE"), "{row}");
    }
}

#[test]
fn what_enters_the_store_and_leaves_it_is_noted() {
    let site = Site::adopted();
    let first = site.make("first", KeyType::EcdsaP256, &["mx.box.test"]);
    let second = site.make("second", KeyType::EcdsaP256, &["mx.box.test"]);
    let rows = since(
        &site,
        0,
        &[
            &format!("cert import mx --cert {first}"),
            // It is there: nothing was done.
            &format!("cert import mx --cert {first}"),
            &format!("cert import mx --cert {second} --renew"),
            "cert delete mx --version 2",
            "cert self-signed own --domain mx.box.test",
            "cert private-ca ours",
            "cert private-ca ours --renew",
            "cert request by-ours --domain mx.box.test --ca ours",
            "cert request web --domain web.box.test,www.box.test",
            "cert request web",
            "cert request web --forget",
            "cert tlsa mx --next-key --mx mx.box.test",
            "cert tlsa mx --next-key --mx mx.box.test",
            "cert tlsa mx --forget-next-key",
            "cert delete own",
        ],
    );
    tells(
        &rows,
        &[
            "imported version 1 of certificate mx (",
            "imported version 2 of certificate mx (",
            "deleted version 2 of certificate mx (",
            "made version 1 of certificate own (",
            "made version 1 of certificate ours (",
            "made version 2 of certificate ours (",
            "made version 1 of certificate by-ours (",
            "made the request web for web.box.test, www.box.test, with its key",
            "forgot the request web, with its key",
            "made the next key of certificate mx",
            "forgot the next key of certificate mx",
            "deleted certificate own (",
        ],
    );
    assert!(rows[0].ends_with(&first), "where it came from: {}", rows[0]);
    assert!(rows[6].ends_with("issued here by ours"), "{}", rows[6]);

    // What is refused has not been done.
    site.ends(65, "cert delete nobody");
    site.ends(65, "cert private-ca ours");
    assert_eq!(noted(&site).len(), rows.len());
}

#[test]
fn folders_and_what_is_taken_from_them_are_noted_once() {
    let site = Site::serving();
    let certbot = Certbot::new(&site, "live");
    certbot.renew(&site, "mx");
    let from = noted(&site).len();
    let watch = format!("cert watch mx --dir {} --once", certbot.live());
    let rows = since(&site, from, &[&watch, &watch, "cert watch --once"]);
    tells(&rows, &["remembered the folder "]);
    certbot.make(&site, "renewed");
    let rows = since(
        &site,
        from + 1,
        &[
            "cert watch --once",
            "cert watch --once",
            "cert watch mx --forget",
        ],
    );
    tells(
        &rows,
        &[
            "imported version 2 of certificate mx (",
            "forgot the watched folder of certificate mx",
        ],
    );
    // For people they stand between the operations.
    let told = site.scene.say(&["history"]).stdout;
    assert!(told.contains("noted") && told.contains("kept"), "{told}");
}

#[test]
fn who_is_chosen_to_vouch_is_noted() {
    let site = Site::adopted();
    site.must("cert private-ca ours");
    let root = site.scene.named("ours.pem");
    let chain = site.must("cert export ours").json["chain"].clone();
    std::fs::write(&root, chain.as_str().unwrap()).unwrap();
    let both = site.make("mx", KeyType::EcdsaP256, &["mx.box.test"]);
    let chosen = format!("cert import mx --cert {both} --private-ca {root}");
    let plain = format!("cert import mx --cert {both}");
    let from = noted(&site).len();
    let rows = since(&site, from, &[&plain, &chosen, &chosen]);
    tells(
        &rows,
        &[
            "imported version 1 of certificate mx (",
            "chose other CAs to vouch for certificate mx",
        ],
    );
}
