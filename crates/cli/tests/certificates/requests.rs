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
    let ca = PrivateCa::new("Elsewhere", KeyType::EcdsaP256, crate::site::validity()).unwrap();
    let [ca_file, key, cert] = ["far.pem", "far.key", "answer.pem"].map(|n| site.scene.named(n));
    fs::write(&ca_file, ca.certificate_pem()).unwrap();
    fs::write(&key, ca.key_pem().as_bytes()).unwrap();
    let words = format!(
        "x509 -req -in {request} -CA {ca_file} -CAkey {key} -CAcreateserial -days 30 \
         -copy_extensions copy -out {cert}"
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
