//! What is wrong with a certificate is told at import, at bind, and by `cert check`: with real
//! certificates, each with one mistake, made by OpenSSL.

use crate::scene::{Ran, run};
use crate::site::Site;
use postseal_issue::KeyType;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const OPENSSL: &str = "/usr/bin/openssl";
const GOOD: &str = "subjectAltName=DNS:mx.box.test";
const EC: &[&str] = &["ec", "ec_paramgen_curve:prime256v1"];

/// What is made: a key, extensions, a digest, and the code that it leads to.
struct Flaw {
    name: &'static str,
    key: &'static [&'static str],
    extensions: &'static str,
    digest: &'static str,
    code: &'static str,
}

const fn flaw(name: &'static str, extensions: &'static str, code: &'static str) -> Flaw {
    Flaw {
        name,
        key: EC,
        extensions,
        digest: "-sha256",
        code,
    }
}

const FLAWS: [Flaw; 9] = [
    Flaw {
        key: &["rsa", "rsa_keygen_bits:1024"],
        ..flaw("short", GOOD, "cert.weak-key")
    },
    Flaw {
        key: &["ec", "ec_paramgen_curve:secp224r1"],
        ..flaw("curve", GOOD, "cert.bad-curve")
    },
    Flaw {
        digest: "-sha1",
        ..flaw("sha1", GOOD, "cert.weak-signature")
    },
    flaw(
        "client",
        "subjectAltName=DNS:mx.box.test\nextendedKeyUsage=clientAuth",
        "cert.no-server-auth",
    ),
    flaw(
        "mute",
        "subjectAltName=DNS:mx.box.test\nkeyUsage=keyEncipherment",
        "cert.no-digital-signature",
    ),
    flaw(
        "ca",
        "subjectAltName=DNS:mx.box.test\nbasicConstraints=CA:TRUE",
        "cert.ca-as-leaf",
    ),
    flaw(
        "staple",
        "subjectAltName=DNS:mx.box.test\ntlsfeature=status_request",
        "cert.must-staple",
    ),
    flaw(
        "nameless",
        "basicConstraints=CA:FALSE",
        "cert.no-alternative-name",
    ),
    flaw(
        "wild",
        "subjectAltName=DNS:m*.box.test",
        "cert.bad-wildcard",
    ),
];

/// A CA, and what it signs, in the test's folder.
struct Ca<'s>(&'s Site);

impl<'s> Ca<'s> {
    fn new(site: &'s Site) -> Self {
        let (key, cert) = (site.scene.named("root.key"), site.scene.named("root.pem"));
        let made = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", EC[1], "-nodes", "-days", "400",
        ];
        let files = ["-keyout", &key, "-out", &cert, "-subj", "/CN=Checks Root"];
        run(OPENSSL, &[&made[..], &files].concat());
        Self(site)
    }

    fn root(&self) -> String {
        self.0.scene.named("root.pem")
    }

    /// Key and certificate in one file.
    fn issue(&self, flaw: &Flaw) -> String {
        let at = |end: &str| self.0.scene.named(&format!("{}.{end}", flaw.name));
        let (key, request, cert, extensions) = (at("key"), at("csr"), at("pem"), at("ext"));
        fs::write(&extensions, flaw.extensions).unwrap();
        let new = [
            "req",
            "-new",
            "-newkey",
            flaw.key[0],
            "-pkeyopt",
            flaw.key[1],
            "-nodes",
        ];
        let files = [
            "-keyout",
            &key,
            "-out",
            &request,
            "-subj",
            "/CN=mx.box.test",
        ];
        run(OPENSSL, &[&new[..], &files].concat());
        let (root, root_key) = (self.root(), self.0.scene.named("root.key"));
        let sign = [
            "x509", "-req", "-in", &request, "-CA", &root, "-CAkey", &root_key,
        ];
        let how = [
            "-CAcreateserial",
            "-days",
            "90",
            flaw.digest,
            "-extfile",
            &extensions,
            "-out",
            &cert,
        ];
        run(OPENSSL, &[&sign[..], &how].concat());
        let both = [&key, &cert].map(|path| fs::read_to_string(path).unwrap());
        let path = at("both");
        crate::scene::write_private(&path, both.concat());
        path
    }
}

/// The codes of an answer, refused or not.
fn codes(ran: &Ran) -> Vec<&str> {
    let found = ran.json["findings"].as_array().into_iter().flatten();
    found
        .map(|finding| finding["code"].as_str().unwrap())
        .collect()
}

/// Whether each finding of this code says what and what to do.
fn is_told(ran: &Ran, code: &str, whence: &str) {
    assert!(
        codes(ran).contains(&code),
        "{whence} {code}: {}",
        ran.stdout
    );
    let found = ran.json["findings"].as_array().unwrap().iter();
    for finding in found.filter(|finding| finding["code"] == code) {
        for field in ["message", "remedy"] {
            assert!(
                !finding[field].as_str().unwrap().is_empty(),
                "{whence} {code}"
            );
        }
    }
}

#[test]
fn each_mistake_is_told_at_import_at_bind_and_by_check() {
    let site = Site::serving();
    let ca = Ca::new(&site);
    let root = ca.root();
    for flaw in &FLAWS {
        let (name, both) = (flaw.name, ca.issue(flaw));
        let words = format!("cert import {name} --cert {both} --private-ca {root}");
        let imported = site.must(&words);
        is_told(&imported, flaw.code, "import");
        is_told(&site.run(&format!("cert check {name}")), flaw.code, "check");
        site.must(&format!("cert bind {name} --sni mx.box.test"));
        is_told(&site.run("plan"), flaw.code, "plan");
        site.must("discard");
    }
    // One without a mistake brings nothing, and a timer may run it.
    let good = ca.issue(&flaw("good", GOOD, ""));
    let words = format!("cert import good --cert {good} --private-ca {root}");
    assert_eq!(codes(&site.must(&words)), [""; 0]);
    assert_eq!(codes(&site.must("cert check good")), [""; 0]);
    let all = site.ends(2, "cert check");
    let about = all.json["findings"].as_array().unwrap().iter();
    let about: Vec<&str> = about
        .map(|one| one["certificate"].as_str().unwrap())
        .collect();
    assert!(
        about.contains(&"short") && !about.contains(&"good"),
        "{about:?}"
    );
    assert_eq!(site.ends(0, "cert check wild").exit, Some(0), "a warning");
    site.ends(2, "cert check wild --fail-on warning");
    site.ends(0, "cert check mute --fail-on fatal");
    site.ends(64, "cert check mute --fail-on loud");
}

/// Two names for one certificate are a muddle only as long as it is what both stand for.
#[test]
fn what_another_name_has_renewed_since_is_no_duplicate() {
    let site = Site::serving();
    let first = site.make("first", KeyType::EcdsaP256, &["a.box.test"]);
    let second = site.make("second", KeyType::EcdsaP256, &["a.box.test"]);
    site.must(&format!("cert import a --cert {first}"));
    let twice = site.must(&format!("cert import b --cert {first}"));
    is_told(&twice, "cert.duplicate", "import");
    site.must(&format!("cert import a --renew --cert {second}"));
    let checked = site.must("cert check");
    assert!(
        !codes(&checked).contains(&"cert.duplicate"),
        "{}",
        checked.stdout
    );
    // What is presented is what the name stands for, too.
    site.must("cert delete a --version 2");
    site.must("cert bind a --sni a.box.test");
    site.must("apply");
    site.must(&format!("cert import a --renew --cert {second}"));
    let checked = site.must("cert check b");
    is_told(&checked, "cert.duplicate", "cert check");
    assert!(
        checked.stdout.contains("a [version 1]"),
        "{}",
        checked.stdout
    );
}

#[test]
fn who_vouches_is_the_system_or_a_private_ca_that_was_said() {
    let site = Site::serving();
    let ca = Ca::new(&site);
    let both = ca.issue(&flaw("own", GOOD, ""));
    let alone = site.must(&format!("cert import alone --cert {both}"));
    is_told(&alone, "cert.chain-incomplete", "import");
    // The root that was pasted behind it is no reason to trust it.
    let pasted = site.must(&format!(
        "cert import pasted --cert {both} --chain {}",
        ca.root()
    ));
    is_told(&pasted, "cert.issuer-unknown", "import");
    assert!(
        !codes(&pasted).contains(&"cert.chain-incomplete"),
        "it signed by itself: {}",
        pasted.stdout
    );
    is_told(&pasted, "cert.duplicate", "import");
    let said = site.must(&format!(
        "cert import said --cert {both} --private-ca {}",
        ca.root()
    ));
    assert_eq!(codes(&said), ["cert.duplicate"]);
    site.must("cert bind said --sni mx.box.test");
    let plan = site.must("plan");
    assert!(
        !codes(&plan)
            .iter()
            .any(|code| code.starts_with("cert.issuer")),
        "{}",
        plan.stdout
    );
    site.must("discard");
    site.must("cert bind alone --sni mx.box.test");
    is_told(&site.must("plan"), "cert.chain-incomplete", "plan");
}

#[test]
fn names_and_files_are_judged_where_the_certificate_is_in_force() {
    let site = Site::serving();
    let other = Flaw {
        key: &["rsa", "rsa_keygen_bits:2048"],
        ..flaw(
            "other",
            "subjectAltName=DNS:other.test",
            "cert.name-mismatch",
        )
    };
    let ca = Ca::new(&site);
    let both = ca.issue(&other);
    let words = format!("cert import other --cert {both} --private-ca {}", ca.root());
    assert_eq!(
        codes(&site.must(&words)),
        ["cert.for-others"],
        "nobody presents it"
    );
    site.must("cert bind other");
    is_told(&site.must("plan"), "cert.name-mismatch", "plan");
    site.must("apply");
    is_told(
        &site.must("cert check other"),
        "cert.name-mismatch",
        "check",
    );
    assert!(!codes(&site.must("cert check mx")).contains(&"cert.name-mismatch"));

    let key = site.key_file("other");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    is_told(&site.ends(2, "cert check"), "cert.key-readable", "check");
    is_critical(&site, "cert.key-readable", &key);
    fs::remove_file(&key).unwrap();
    is_told(&site.ends(2, "cert check"), "cert.missing", "check");
    is_critical(&site, "cert.missing", &key);
    site.must("apply");
    assert!(!codes(&site.must("cert check")).contains(&"cert.missing"));
    site.must("verify");
}

/// Where `apply` would refuse a version too, no binding is offered: it would lead nowhere.
#[test]
fn what_apply_would_refuse_is_not_offered() {
    let site = Site::serving();
    let ca = Ca::new(&site);
    // Lost is the name, which who looks may mean; a key of 1024 bits nobody can mean.
    let weak = ca.issue(&Flaw {
        key: &["rsa", "rsa_keygen_bits:1024"],
        ..flaw("weak", "subjectAltName=DNS:www.box.test", "cert.weak-key")
    });
    site.must(&format!(
        "cert import mx --renew --cert {weak} --private-ca {}",
        ca.root()
    ));
    let shown = site.must("cert show mx").json["waits_for"].to_string();
    for code in ["cert.other-names", "cert.weak-key"] {
        assert!(shown.contains(code), "{shown}");
    }
    for words in ["cert list", "cert show mx", "cert check mx", "status"] {
        let words: Vec<&str> = words.split(' ').collect();
        let told = site.scene.say(&words).stdout;
        assert!(!told.contains("cert bind mx"), "{words:?}: {told}");
    }
    site.must("cert bind mx");
    assert_eq!(site.ends(65, "apply").code(), "cert.weak-key");
}

/// Old processes answer still, and the next one could not: to a monitor and to `status` a file is what it
/// is to `cert check`.
fn is_critical(site: &Site, code: &str, file: &Path) {
    let monitor = site.scene.say(&["status", "--nagios"]);
    assert_eq!(monitor.exit, Some(2), "{}", monitor.stdout);
    let file = file.display().to_string();
    assert_eq!(
        monitor.stdout.matches(&file).count(),
        1,
        "{}",
        monitor.stdout
    );
    let status = site.scene.say(&["status"]).stdout;
    assert!(status.contains(&format!("[{code}]")), "{status}");
}

#[test]
fn what_only_mail_clients_see_may_have_the_name_that_they_were_told() {
    let site = Site::serving();
    let ca = Ca::new(&site);
    let made = |name: &'static str, alternative: &'static str| {
        let key = &["rsa", "rsa_keygen_bits:2048"];
        let both = ca.issue(&Flaw {
            key,
            ..flaw(name, alternative, "")
        });
        let root = ca.root();
        site.must(&format!(
            "cert import {name} --cert {both} --private-ca {root}"
        ));
    };
    made("mail", "subjectAltName=DNS:smtp.box.test");
    made("web", "subjectAltName=DNS:www.box.test");
    made("own", "subjectAltName=DNS:mx.box.test");
    site.must("cert bind own");

    // As README has it, and what its cron line says of it.
    let bound = site.must("cert bind mail --service 587,465");
    assert_eq!(codes(&bound), ["cert.names-of-clients"]);
    site.must("cert bind web --sni www.box.test");
    let planned = site.must("plan");
    assert!(
        !codes(&planned).contains(&"cert.name-mismatch"),
        "{}",
        planned.stdout
    );
    site.must("apply");
    let daily = ["--quiet", "cert", "check", "--fail-on", "warning"];
    site.must("cert delete mx");
    let said = site.scene.say(&daily);
    assert_eq!((said.exit, said.stdout.as_str()), (Some(0), ""));
    let told = site.must("cert check mail");
    assert_eq!(codes(&told), ["cert.names-of-clients"]);
    let status = site.scene.say(&["status"]).stdout;
    assert!(!status.contains("cert.name"), "{status}");

    // On port 25 senders look for the server's own name, and for the name that they ask for.
    for (words, place) in [
        ("cert bind mail --service 25", "port 25"),
        ("cert bind web --sni mail.box.test", "mail.box.test"),
    ] {
        let bound = site.must(words);
        is_told(&bound, "cert.name-mismatch", words);
        assert!(bound.stdout.contains(place), "{}", bound.stdout);
        site.must("apply");
        let said = site.scene.say(&daily);
        assert_eq!(said.exit, Some(2), "{words}");
        assert!(
            said.stdout.contains("cert.name-mismatch"),
            "{}",
            said.stdout
        );
        let status = site.scene.say(&["status"]).stdout;
        assert!(status.contains("cert.name-mismatch"), "{status}");
        site.must("rollback");
    }
    // All services, but 25 has one of its own: only clients see it.
    site.must("cert bind own --service 25");
    site.must("cert unbind mail");
    assert_eq!(
        codes(&site.must("cert bind mail")),
        ["cert.names-of-clients"]
    );
}

#[test]
fn an_older_version_that_is_in_force_is_judged_too() {
    let site = Site::serving();
    let newer = site.make("newer", KeyType::Rsa2048, &["mx.box.test"]);
    site.must(&format!("cert deploy mx --cert {newer}"));
    site.must("rollback --yes");
    let key = site.key_file("mx");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let checked = site.ends(2, "cert check mx");
    assert!(
        checked.stdout.contains("version 1, which is in force"),
        "{}",
        checked.stdout
    );
}

#[test]
fn what_waits_stands_in_the_list() {
    let site = Site::serving();
    site.must("cert request web --domain web.box.test");
    let list = site.must("cert list").json;
    assert_eq!(list["requests"][0]["name"], "web");
    assert_eq!(list["requests"][0]["names"][0], "web.box.test");
    let rows = site.scene.say(&["cert", "list"]).stdout;
    let row = rows.lines().find(|row| row.starts_with("web\t")).unwrap();
    assert!(
        row.contains("requested") && row.contains("waits for its certificate"),
        "{row}"
    );
    let row = rows.lines().find(|row| row.starts_with("mx\t")).unwrap();
    assert!(row.ends_with(".both") && row.contains("smtpd"), "{row}");
}
