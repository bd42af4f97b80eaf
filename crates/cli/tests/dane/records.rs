//! What `cert tlsa` prints.

use crate::scene::Ran;
use crate::site::{Site, builder};
use crate::world::{World, records};
use postseal_issue::KeyType;
use std::fs;

#[test]
fn the_lines_are_those_of_a_zone_file_for_every_name_and_port_of_this_host() {
    let world = World::signed().serving();
    let text = world.say("cert tlsa mx");
    // As printed, remarks and all: a name server reads it.
    world.publish(&text);
    let rows = records(&world.must("cert tlsa mx"));
    let mut owners: Vec<&str> = rows
        .iter()
        .map(|row| row["owner"].as_str().unwrap())
        .collect();
    owners.dedup();
    let wanted = ["mx", "mail"]
        .map(|label| [25, 465, 587].map(|port| format!("_{port}._tcp.{label}.signed.test.")));
    assert_eq!(owners, wanted.concat());
    assert!(
        rows.iter().all(|row| row["state"] == "published"),
        "{rows:#?}"
    );
    // That of the CA is printed too, where it is sent along; this one sends its leaf alone.
    assert!(rows.iter().all(|row| row["of"] == "key"), "{rows:#?}");
    let told = world.say("cert tlsa mx");
    assert!(
        told.contains("published, and DNSSEC vouches for it"),
        "{told}"
    );
}

/// A certificate with its intermediate, and its key, in one file; both CAs stay for the next one.
fn issued(world: &World, name: &str) -> String {
    let folder = world.site.scene.folder().display().to_string();
    let openssl = |words: &str| {
        let words = words.replace("DIR", &folder);
        crate::scene::run("/usr/bin/openssl", &words.split(' ').collect::<Vec<_>>())
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    let ca = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign";
    if fs::metadata(format!("{folder}/sub.crt")).is_err() {
        openssl(&format!(
            "req -x509 {key} -subj /CN=Root -days 30 {ca} -keyout DIR/root.key -out DIR/root.crt"
        ));
        openssl(&format!(
            "req {key} -subj /CN=Sub {ca} -keyout DIR/sub.key -out DIR/sub.csr"
        ));
        openssl(
            "x509 -req -in DIR/sub.csr -CA DIR/root.crt -CAkey DIR/root.key -CAcreateserial \
             -days 25 -copy_extensions copy -out DIR/sub.crt",
        );
    }
    openssl(&format!(
        "req {key} -subj /CN=mx.signed.test -addext \
         subjectAltName=DNS:mx.signed.test,DNS:mail.signed.test -keyout DIR/{name}.key -out \
         DIR/{name}.csr"
    ));
    openssl(&format!(
        "x509 -req -in DIR/{name}.csr -CA DIR/sub.crt -CAkey DIR/sub.key -CAcreateserial -days 20 \
         -copy_extensions copy -out DIR/{name}.crt"
    ));
    let read = |file: &str| fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let path = format!("{folder}/{name}.all");
    let text = [&format!("{name}.key"), &format!("{name}.crt"), "sub.crt"].map(read);
    fs::write(&path, text.concat()).unwrap();
    path
}

#[test]
fn the_record_of_the_issuing_ca_outlives_renewals_with_a_new_key() {
    let world = World::signed();
    let first = issued(&world, "first");
    world.must(&format!("cert import mx --cert {first}"));
    world.must("cert bind mx");
    world.must("set mode=may");
    world.must("apply");
    let rows = records(&world.must("cert tlsa mx"));
    let issuer: Vec<_> = rows.iter().filter(|row| row["of"] == "issuer").collect();
    assert_eq!(issuer.len(), 2, "two names, port 25: {rows:#?}");
    assert!(
        issuer[0]["record"].as_str().unwrap().starts_with("2 1 1 "),
        "{rows:#?}"
    );
    assert_eq!(issuer[0]["subject"], "CN=Sub");
    world.publish(&world.lines("mx", &["issuer"]));
    world.must("verify");
    let second = issued(&world, "second");
    let deployed = world.must(&format!("cert deploy mx --cert {second}"));
    assert_eq!(deployed.json["changed"], true);
    world.must("verify");
    // Another CA's certificate is refused.
    world.import("other", KeyType::EcdsaP256);
    assert_eq!(world.refused("cert bind other").code(), "dane.would-break");
}

#[test]
fn names_that_are_said_take_the_place_of_those_found() {
    let world = World::signed().serving();
    let rows = records(&world.must("cert tlsa mx --mx bücher.signed.test"));
    let owners: Vec<&str> = rows
        .iter()
        .map(|row| row["owner"].as_str().unwrap())
        .collect();
    assert_eq!(owners[0], "_25._tcp.xn--bcher-kva.signed.test.");
    assert_eq!(owners.len(), 3);
    assert_eq!(world.ends(65, "cert tlsa nobody").code(), "name.unknown");
    let bad = world.ends(64, "cert tlsa mx --mx mx..signed.test");
    assert_eq!(bad.code(), "cert.bad-host-name");
}

#[test]
fn domains_of_a_table_are_not_listed_and_that_is_said() {
    let site = Site::of(
        builder()
            .set("myhostname", "mx.signed.test")
            .set("virtual_alias_domains", "hash:/etc/postfix/virtual"),
    );
    site.import("mx", KeyType::EcdsaP256, &["mx.signed.test"]);
    let said = site.must("cert tlsa mx");
    let unlisted = said.json["unlisted"].to_string();
    assert!(
        unlisted.contains("virtual_alias_domains: hash:/etc/postfix/virtual"),
        "{unlisted}"
    );
    let text = site.scene.say(&["cert", "tlsa", "mx"]).stdout;
    assert!(
        text.contains("could not be listed") && text.contains("--mx"),
        "{text}"
    );
    assert!(text.contains("undetermined: DNS was not asked"), "{text}");
}

/// The names of the records of a certificate, each once, and what `cert tlsa` says of the others.
fn places(world: &World, name: &str) -> (Vec<String>, Vec<String>, String) {
    let told = world.must(&format!("cert tlsa {name}"));
    let rows = records(&told);
    let mut owners: Vec<String> = rows
        .iter()
        .map(|row| row["owner"].as_str().unwrap().to_owned())
        .collect();
    owners.dedup();
    let elsewhere = told.json["elsewhere"].as_array().unwrap().iter();
    let elsewhere = elsewhere.map(|place| {
        let presents = place["presents"].as_array().unwrap();
        let presents: Vec<&str> = presents.iter().map(|one| one.as_str().unwrap()).collect();
        format!(
            "{} {} {} {}",
            place["host"].as_str().unwrap(),
            place["port"],
            place["instead"].as_str().unwrap(),
            presents.join(" ")
        )
    });
    (
        owners,
        elsewhere.collect(),
        told.text("presented").to_owned(),
    )
}

fn owners<const N: usize>(names: [&str; N]) -> Vec<String> {
    names
        .map(|name| format!("_{}.signed.test.", name.replace(' ', "._tcp.")))
        .to_vec()
}

/// The record that a refusal asks for.
fn wanted(refused: &Ran) -> String {
    let remedy = refused.json["findings"][0]["remedy"].as_str().unwrap();
    let (_, record) = remedy.split_once('“').unwrap();
    record.split_once('”').unwrap().0.to_owned()
}

#[test]
fn records_are_told_only_where_the_certificate_is_presented_or_will_be() {
    let world = World::signed();
    world.import("mx", KeyType::Rsa2048);
    // Nothing presents it: what port 25 would need.
    let (at, elsewhere, presented) = places(&world, "mx");
    assert_eq!(at, owners(["25 mx", "25 mail"]));
    assert_eq!(elsewhere[0], "mx.signed.test 25 nothing ");
    assert_eq!(presented, "no");
    let text = world.say("cert tlsa mx");
    assert!(text.starts_with("; mx is presented nowhere."), "{text}");
    world.publish(&text);

    // Wished: the names and ports of the plan, before it is applied.
    world.must("cert bind mx");
    world.must("set mode=may submission=on smtps=on");
    let all = [
        "25 mx", "465 mx", "587 mx", "25 mail", "465 mail", "587 mail",
    ];
    assert_eq!(
        places(&world, "mx"),
        (owners(all), vec![], "pending".to_owned())
    );
    world.must("apply");
    assert_eq!(
        places(&world, "mx"),
        (owners(all), vec![], "yes".to_owned())
    );

    // Another one on a port, and another one by name: each has its places, and names the others.
    world.import("mua", KeyType::Rsa2048);
    world.import("mail", KeyType::Rsa2048);
    world.must("cert bind mua --service 587");
    let mua = places(&world, "mua");
    assert_eq!(
        (mua.0, &*mua.2),
        (owners(["587 mx", "587 mail"]), "pending")
    );
    // Not bound yet: what it would need if it was bound to every service; 587 keeps its own.
    let unbound = places(&world, "mail");
    assert_eq!(
        unbound.0,
        owners(["25 mx", "465 mx", "25 mail", "465 mail"])
    );
    assert_eq!(unbound.2, "no");
    let kept = [
        world.lines("mx", &["key"]),
        world.lines("mua", &["key"]),
        world.lines("mail", &["key"]),
    ];
    world.publish(&kept.concat());
    // By name it is presented on 587 too, and the refusal says the record for it.
    let line = wanted(&world.refused("cert bind mail --sni mail.signed.test"));
    assert!(line.starts_with("_587._tcp.mail.signed.test. "), "{line}");
    let kept = format!("{}{line}\n", kept.concat());
    world.publish(&kept);
    world.must("cert bind mail --sni mail.signed.test");
    let mua = places(&world, "mua");
    assert_eq!((mua.0, &*mua.2), (owners(["587 mx"]), "pending"));
    world.must("apply");
    let yes = || "yes".to_owned();
    let on_mail = ["25", "465", "587"].map(|port| format!("mail.signed.test {port} others mail"));
    let on_mx = ["25", "465"].map(|port| format!("mx.signed.test {port} others mx"));
    let of_mx = [
        vec!["mx.signed.test 587 others mua".to_owned()],
        on_mail.to_vec(),
    ]
    .concat();
    assert_eq!(
        places(&world, "mx"),
        (owners(["25 mx", "465 mx"]), of_mx, yes())
    );
    let of_mua = [on_mx.to_vec(), on_mail.to_vec()].concat();
    assert_eq!(places(&world, "mua"), (owners(["587 mx"]), of_mua, yes()));
    let mail = places(&world, "mail");
    assert_eq!(mail.0, owners(["25 mail", "465 mail", "587 mail"]));
    let text = world.say("cert tlsa mx");
    assert!(
        text.contains("; mx.signed.test, port 587: presents mua, not mx\n"),
        "{text}"
    );

    // On its way out it is presented still; its successor's record goes beside it.
    world.import("next", KeyType::Rsa2048);
    let line = wanted(&world.refused("cert bind next --service 587"));
    world.publish(&format!("{kept}{line}\n"));
    world.must("cert bind next --service 587");
    world.publish(&kept);
    let rows = records(&world.must("cert tlsa next"));
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row["of"].as_str().unwrap(), row["state"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            ("key", "different"),
            ("presented", "published"),
            ("nothing", "published")
        ]
    );
    // The next key is wanted where the certificate is.
    world.must("cert tlsa mx --next-key");
    let rows = records(&world.must("cert tlsa mx"));
    let next: Vec<_> = rows
        .iter()
        .filter(|row| row["of"] == "next-key")
        .map(|row| row["owner"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(next, owners(["25 mx", "465 mx"]));
}

#[test]
fn a_name_that_clients_ask_for_is_a_name_of_records_too() {
    let world = World::signed().serving();
    world.import("guest", KeyType::EcdsaP256);
    world.must("cert bind guest --sni guest.signed.test");
    let (at, elsewhere, presented) = places(&world, "guest");
    assert_eq!(at, owners(["25 guest", "465 guest", "587 guest"]));
    assert_eq!(elsewhere.len(), 6, "{elsewhere:?}");
    assert_eq!(presented, "pending");
}

#[test]
fn a_certificate_that_no_sender_is_shown_needs_no_record_and_is_not_called_absent() {
    let world = World::signed().serving();
    world.import("named", KeyType::Rsa2048);
    world.must("cert bind named --sni .signed.test");
    world.must("apply");
    let told = world.must("cert tlsa mx");
    assert_eq!(told.text("presented"), "unasked");
    assert_eq!(records(&told), [] as [serde_json::Value; 0]);
    let text = world.say("cert tlsa mx");
    assert!(
        text.contains("25, 465, 587 to clients that ask for no name"),
        "{text}"
    );
    assert!(text.contains("presents named, not mx"), "{text}");
    for wrong in ["presented nowhere", "publish them", "No name is known"] {
        assert!(!text.contains(wrong), "{text}");
    }
    // What is bound to a port without a server is presented to nobody.
    world.must("cert unbind named");
    world.must("apply");
    world.must("cert bind named --service 2525");
    let told = world.must("cert tlsa named");
    assert_eq!(told.text("presented"), "no");
}
