//! Requests that wait for a CA: their keys are lost by nothing but a word.

use crate::scene::run;
use crate::site::Site;
use postseal_issue::{KeyType, PrivateCa};
use std::fs;
use std::process::{Child, Output, Stdio};

fn waiting(site: &Site) -> Vec<String> {
    let requests = site.must("cert request").json["requests"].clone();
    let names = requests.as_array().unwrap().iter();
    names
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

/// What a CA elsewhere answers to a request.
fn answered(site: &Site, request: &str) -> String {
    signed(site, request, "-copy_extensions copy")
}

/// The same, for these names and no others.
fn answered_for(site: &Site, request: &str, names: &str) -> String {
    let extensions = site.scene.named("answer.ext");
    fs::write(&extensions, format!("subjectAltName={names}\n")).unwrap();
    signed(site, request, &format!("-extfile {extensions}"))
}

fn signed(site: &Site, request: &str, extensions: &str) -> String {
    let ca = PrivateCa::new("Elsewhere", KeyType::EcdsaP256, crate::site::validity()).unwrap();
    let [ca_file, key, cert] = ["far.pem", "far.key", "answer.pem"].map(|n| site.scene.named(n));
    fs::write(&ca_file, ca.certificate_pem()).unwrap();
    fs::write(&key, ca.key_pem().as_bytes()).unwrap();
    let words = format!(
        "x509 -req -in {request} -CA {ca_file} -CAkey {key} -CAcreateserial -days 30 \
         {extensions} -out {cert}"
    );
    run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>());
    cert
}

#[test]
fn a_second_request_is_refused_and_the_first_ones_answer_still_fits() {
    let site = Site::adopted();
    let [out, again, third] = ["web.csr", "again.csr", "third.csr"].map(|n| site.scene.named(n));
    site.must(&format!(
        "cert request web --domain mx.box.test --out {out}"
    ));
    for words in [
        "cert request web --domain mx.box.test".to_owned(),
        format!("cert request web --domain other.box.test --key-type rsa-2048 --out {third}"),
    ] {
        let refused = site.ends(65, &words);
        assert_eq!(refused.code(), "cert.request-waits", "{words}");
        let told = format!("{:#}", refused.json);
        for way in [
            "mx.box.test",
            "cert import web --cert",
            "cert request web --forget",
        ] {
            assert!(told.contains(way), "{way}: {told}");
        }
    }
    assert!(fs::metadata(&third).is_err());
    // A file that cannot be made: nothing is.
    let nowhere = site.scene.named("no-folder/x.csr");
    let failed = site.ends(
        1,
        &format!("cert request other --domain mx.box.test --out {nowhere}"),
    );
    assert_eq!(failed.code(), "file.not-written");
    assert_eq!(waiting(&site), ["web"]);
    // Its file can be had again.
    site.must(&format!("cert request web --out {again}"));
    assert_eq!(fs::read(&out).unwrap(), fs::read(&again).unwrap());

    // Another certificate under the name is no answer to it.
    site.import("web", KeyType::EcdsaP256, &["mx.box.test"]);
    assert_eq!(waiting(&site), ["web"]);
    site.must("cert self-signed web --domain mx.box.test --renew");
    assert_eq!(waiting(&site), ["web"]);
    // The name is taken by now, and what takes the answer says so.
    let refused = site.ends(65, "cert request web --domain mx.box.test");
    let told = format!("{:#}", refused.json);
    let way = "postseal cert import web --cert FILE --renew";
    assert!(told.contains(way), "{told}");
    let answer = answered(&site, &out);
    site.must(&format!("cert import web --cert {answer} --renew"));
    assert!(waiting(&site).is_empty());

    // And then another may be made; a file that is there keeps it from being made.
    let taken = site.ends(
        65,
        &format!("cert request web --domain mx.box.test --out {out}"),
    );
    assert_eq!(taken.code(), "file.not-written");
    assert!(waiting(&site).is_empty());
    site.must("cert request web --domain mx.box.test");
    site.must("cert request web --forget");
    site.must("cert request web --domain mx.box.test");
}

/// Runs these at the same time; the exit code of each, in their order.
fn at_once(site: &Site, commands: &[String]) -> Vec<Output> {
    let begun: Vec<Child> = commands
        .iter()
        .map(|words| {
            let mut command = site.scene.command(&words.split(' ').collect::<Vec<_>>());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let ended = begun.into_iter().map(|child| child.wait_with_output());
    ended.map(Result::unwrap).collect()
}

#[test]
fn of_requests_at_the_same_time_one_waits_and_the_others_leave_nothing() {
    let site = Site::adopted();
    let files: Vec<String> = (0..4)
        .map(|n| site.scene.named(&format!("{n}.csr")))
        .collect();
    let commands: Vec<String> = (0..4)
        .map(|n| format!("cert request web --domain n{n}.box.test --out {}", files[n]))
        .collect();
    let ended = at_once(&site, &commands);
    let written: Vec<&String> = files
        .iter()
        .filter(|file| fs::metadata(file).is_ok())
        .collect();
    let [only] = written.as_slice() else {
        panic!("{written:?} {ended:?}");
    };
    let mut exits: Vec<_> = ended.iter().map(|ran| ran.status.code()).collect();
    exits.sort_unstable();
    assert_eq!(exits, [Some(0), Some(65), Some(65), Some(65)], "{ended:?}");
    assert_eq!(waiting(&site), ["web"]);
    // The one that is written is the one whose key is here.
    let answer = answered(&site, only);
    site.must(&format!("cert import web --cert {answer}"));
    assert!(waiting(&site).is_empty());
}

#[test]
fn of_next_keys_at_the_same_time_all_tell_the_one_that_is_kept() {
    let site = Site::adopted();
    site.import("mx", KeyType::EcdsaP256, &["mx.box.test"]);
    let one = "cert tlsa mx --next-key --mx mx.box.test".to_owned();
    let ended = at_once(&site, &[one.clone(), one.clone(), one.clone(), one]);
    let kept = site.must("cert show mx").json["next_key"].clone();
    let kept = kept.as_str().unwrap();
    for ran in ended {
        let told = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(ran.status.code(), Some(0), "{told}");
        assert!(told.contains(kept), "{kept}: {told}");
    }
}

#[test]
fn a_name_is_asked_for_once_however_it_is_written() {
    let site = Site::adopted();
    let names = "MX.box.test.,mx.box.test,192.0.2.1,::1,0:0:0:0:0:0:0:1,192.0.2.1";
    let request = site.must(&format!("cert request web --domain {names}"));
    let names = serde_json::json!(["mx.box.test", "192.0.2.1", "::1"]);
    assert_eq!(request.json["names"], names);
}

#[test]
fn a_wildcard_that_was_asked_for_and_came_is_not_missed() {
    let site = Site::adopted();
    for (name, asked) in [
        ("one", "*.w2.test"),
        ("all", "rq.test,*.rq.test,192.0.2.7,2001:db8::7"),
    ] {
        let out = site.scene.named(&format!("{name}.csr"));
        site.must(&format!("cert request {name} --domain {asked} --out {out}"));
        let answer = answered(&site, &out);
        let taken = site.must(&format!("cert import {name} --cert {answer}"));
        let findings = taken.json["findings"].to_string();
        assert!(!findings.contains("cert.names-missing"), "{findings}");
    }
    // What the CA left out is told, a wildcard and what it alone covers.
    let wanted = site.scene.named("wanted.csr");
    site.must(&format!(
        "cert request wanted --domain *.less.test,a.less.test --out {wanted}"
    ));
    let few = answered_for(&site, &wanted, "DNS:a.less.test");
    let taken = site.must(&format!("cert import wanted --cert {few}"));
    let findings = taken.json["findings"].to_string();
    assert!(findings.contains("was for *.less.test too"), "{findings}");
}

/// No intermediate is missing where the root itself has signed: nobody vouches for the root.
#[test]
fn a_root_that_signed_by_itself_is_no_missing_intermediate() {
    let site = Site::adopted();
    let out = site.scene.named("web.csr");
    site.must(&format!(
        "cert request web --domain mx.box.test --out {out}"
    ));
    let answer = answered(&site, &out);
    let [root, full, other] = ["far.pem", "full.pem", "other.pem"].map(|n| site.scene.named(n));
    let chain = [&answer, &root].map(|file| fs::read_to_string(file).unwrap());
    fs::write(&full, chain.concat()).unwrap();
    let stranger = PrivateCa::new("Other", KeyType::EcdsaP256, crate::site::validity()).unwrap();
    fs::write(&other, stranger.certificate_pem()).unwrap();
    let codes = |ran: &crate::scene::Ran| {
        let told = ran.json.to_string();
        ["cert.chain-incomplete", "cert.issuer-unknown"].map(|code| told.contains(code))
    };
    for more in ["".to_owned(), format!(" --private-ca {other}")] {
        let taken = site.must(&format!("cert import web --cert {full}{more}"));
        assert_eq!(codes(&taken), [false, true], "{taken:#?}");
        let notes = taken.json["notes"].to_string();
        assert!(!notes.contains("was left out"), "{notes}");
        assert_eq!(codes(&site.run("cert check web")), [false, true]);
    }
    let again = site.must(&format!("cert import web --cert {full}"));
    assert_eq!(again.json["changed"], false, "{again:#?}");
    // Who has it trusted needs not send it.
    let taken = site.must(&format!(
        "cert import web2 --cert {full} --key {} --private-ca {root}",
        exported(&site)
    ));
    assert_eq!(codes(&taken), [false; 2], "{taken:#?}");
    assert!(taken.json["notes"].to_string().contains("was left out"));
}

fn exported(site: &Site) -> String {
    let key = site.scene.named("exported.key");
    let said = site
        .scene
        .say(&["cert", "export", "web", "--key", "--yes-export-private-key"]);
    fs::write(&key, said.stdout).unwrap();
    key
}
