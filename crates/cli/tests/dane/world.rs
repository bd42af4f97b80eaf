//! A private Postfix whose names stand in a DNS of the test's own.
//!
//! Owns: the zones' lines, and running the program with that resolver. Never: judges.

use crate::scene::Ran;
use crate::site::{Site, builder};
use postseal_issue::KeyType;
use postseal_testkit::resolver::{Resolver, SIGNED};
use serde_json::Value;

pub(crate) struct World {
    pub(crate) site: Site,
    pub(crate) dns: Resolver,
    zone: &'static str,
}

impl World {
    /// `mx.signed.test`, a mail exchanger of `signed.test`, which has `mail` as another name.
    pub(crate) fn signed() -> Self {
        Self::of(SIGNED)
    }

    /// The same in another zone.
    pub(crate) fn of(zone: &'static str) -> Self {
        let postfix = builder()
            .set("myhostname", &format!("mx.{zone}"))
            .set("virtual_mailbox_domains", zone);
        let site = Site::of(postfix);
        let address = site.scene.postfix.address();
        let dns = Resolver::start(&hosts(&address.to_string())).unwrap();
        Self { site, dns, zone }
    }

    /// In force on all three services: `mx`, an RSA certificate with both names.
    pub(crate) fn serving(self) -> Self {
        self.import("mx", KeyType::Rsa2048);
        self.must("cert bind mx");
        self.must("set mode=may submission=on smtps=on");
        self.must("apply");
        self
    }

    /// A certificate of the site's CA with both names.
    pub(crate) fn import(&self, name: &str, key_type: KeyType) {
        let names = [self.host("mx"), self.host("mail")];
        let names = names.each_ref().map(String::as_str);
        self.site.import(name, key_type, &names);
    }

    pub(crate) fn host(&self, label: &str) -> String {
        format!("{label}.{}", self.zone)
    }

    /// Publishes these lines beside the addresses.
    pub(crate) fn publish(&self, lines: &str) {
        let address = self.site.scene.postfix.address().to_string();
        let all = format!("{}{lines}", hosts(&address));
        self.dns.publish(self.zone, &all).unwrap();
    }

    /// Runs the program with the resolver; it must end with 0.
    pub(crate) fn must(&self, words: &str) -> Ran {
        self.ends(0, words)
    }

    /// The same; it must end with `exit`.
    pub(crate) fn ends(&self, exit: i32, words: &str) -> Ran {
        let resolver = self.dns.address();
        self.site
            .ends(exit, &format!("{words} --resolver {resolver}"))
    }

    /// `verify` and `cert check` say that what is presented matches none of its records.
    pub(crate) fn tells_of_a_mismatch(&self) {
        for (exit, words) in [(1, "verify"), (2, "cert check")] {
            let told = dane(&self.ends(exit, words));
            assert_eq!(told, one("dane.mismatch", "error"), "{words}");
        }
    }

    /// For people, piped; what it printed.
    pub(crate) fn say(&self, words: &str) -> String {
        let resolver = self.dns.address().to_string();
        let mut words: Vec<&str> = words.split(' ').collect();
        words.extend(["--resolver", &resolver]);
        let ran = self.site.scene.say(&words);
        assert_eq!(ran.exit, Some(0), "{ran:#?}");
        ran.stdout
    }

    /// The lines that `cert tlsa` gives for a certificate; those of what is not presented left out.
    pub(crate) fn lines(&self, name: &str, of: &[&str]) -> String {
        let rows = records(&self.must(&format!("cert tlsa {name}")));
        let chosen = rows
            .iter()
            .filter(|row| of.contains(&row["of"].as_str().unwrap()));
        chosen
            .map(|row| format!("{}\n", row["line"].as_str().unwrap()))
            .collect()
    }

    /// Refused, and the files are as they were.
    pub(crate) fn refused(&self, words: &str) -> Ran {
        let before = self.site.world();
        let ran = self.ends(65, words);
        assert_eq!(self.site.world(), before);
        ran
    }
}

fn hosts(address: &str) -> String {
    format!(
        "@ MX 10 mail\n@ MX 20 elsewhere\nmx A {address}\nmail A {address}\nelsewhere A 192.0.2.1\n"
    )
}

/// The records of `cert tlsa`.
pub(crate) fn records(ran: &Ran) -> Vec<Value> {
    ran.json["records"].as_array().unwrap().clone()
}

/// The findings of a result, of a plan or of a refusal: code and severity.
pub(crate) fn dane(ran: &Ran) -> Vec<[String; 2]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = ran.json["findings"].as_array().cloned().unwrap_or_default();
    findings
        .iter()
        .map(|finding| {
            if finding["finding"].is_object() {
                &finding["finding"]
            } else {
                finding
            }
        })
        .map(|finding| [text(&finding["code"]), text(&finding["severity"])])
        .filter(|[code, _]| code.starts_with("dane."))
        .collect()
}

/// One finding, in the form of [`dane`].
pub(crate) fn one(code: &str, severity: &str) -> Vec<[String; 2]> {
    vec![[code.to_owned(), severity.to_owned()]]
}
