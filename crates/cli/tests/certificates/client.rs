//! The SMTP client's own certificate, as a server sees it that asks for one.

use crate::site::{Site, builder, validity};
use mailtls::Fingerprint;
use postseal_issue::{KeyType, LeafRequest, self_signed};
use postseal_probe::{
    Asks, Envelope, Sink, SinkCertificate, SinkOptions, SinkTls, Start, Target, send,
};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that asks for a certificate, and a Postfix with a client of its own for partner.test.
struct Outbound {
    site: Site,
    sink: Sink,
}

impl Outbound {
    fn new() -> Self {
        let sink = asking();
        let to = format!("[127.0.0.1]:{}", sink.address().port());
        let master = format!(
            "{}partner unix - - y - - smtp\n",
            crate::scene::stock_master()
        );
        let site = Site::of(
            builder()
                .set("default_transport", "smtp")
                .set("relayhost", &to)
                .set(
                    "transport_maps",
                    &format!("inline:{{ partner.test=partner:{to} }}"),
                )
                .set("smtp_host_lookup", "native")
                .set("smtp_dns_support_level", "disabled")
                .master_cf(master),
        );
        site.must("set outbound=may");
        site.must("apply");
        Self { site, sink }
    }

    /// Sends a message; the certificate that its delivery showed.
    fn delivered_to(&self, recipient: &str) -> Option<String> {
        let target = Target::new("smtp", self.site.scene.postfix.at(25), Start::Clear);
        let envelope = Envelope {
            mail_from: "a@box.test".to_owned(),
            rcpt_to: vec![recipient.to_owned()],
        };
        let before = self.sink.delivered().len();
        send(&target, &envelope, b"Subject: a\r\n\r\nb\r\n", PATIENCE).unwrap();
        let log = || self.site.scene.postfix.log();
        assert_eq!(
            self.sink.wait_for(before + 1, PATIENCE),
            before + 1,
            "{}",
            log()
        );
        let message = self.sink.delivered().pop().unwrap();
        assert_eq!(message.rcpt_to, [recipient]);
        let shown: Option<Fingerprint> = message.tls.expect("delivered in clear").client;
        shown.map(|leaf| self.site.called(&leaf))
    }

    /// What each client shows: the default one, and that of partner.test.
    fn shown(&self) -> [Option<String>; 2] {
        ["x@example.test", "y@partner.test"].map(|recipient| self.delivered_to(recipient))
    }
}

/// A sink that asks clients for a certificate.
fn asking() -> Sink {
    let leaf = self_signed(&LeafRequest {
        names: vec!["sink.test".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity: validity(),
    })
    .unwrap();
    let certificate = SinkCertificate {
        asks: Asks::ForCertificate,
        ..SinkCertificate::new(leaf.cert_pem, leaf.key_pem.as_bytes())
    };
    Sink::start(SinkOptions::new(SinkTls::StartTls(certificate))).unwrap()
}

fn words(shown: [Option<&str>; 2]) -> [Option<String>; 2] {
    shown.map(|name| name.map(str::to_owned))
}

#[test]
fn a_server_that_asks_sees_the_clients_certificate() {
    let outbound = Outbound::new();
    let site = &outbound.site;
    assert_eq!(outbound.shown(), words([None, None]));
    let before = site.world();

    // For one transport only.
    site.import("partner", KeyType::Rsa2048, &["mx.box.test"]);
    site.must("cert bind partner --client --transport partner");
    site.must("apply");
    assert_eq!(outbound.shown(), words([None, Some("partner")]));
    assert_eq!(site.world().files.main, before.files.main);
    let one = site.world();

    // A default beside it, and one kind of key in place of another's.
    site.import("all", KeyType::EcdsaP256, &["mx.box.test"]);
    site.must("cert bind all --client");
    site.must("apply");
    assert_eq!(outbound.shown(), words([Some("all"), Some("partner")]));
    // It is on purpose, and what undoes it is no line of main.cf.
    let told = site.run("lint").json["findings"].to_string();
    assert!(told.contains("outbound.client-certificate"), "{told}");
    assert!(told.contains("cert unbind NAME --client"), "{told}");

    site.must("cert unbind partner --client --transport partner");
    site.must("apply");
    assert_eq!(outbound.shown(), words([Some("all"), Some("all")]));

    site.must("cert unbind all");
    site.must("apply");
    assert_eq!(outbound.shown(), words([None, None]));
    assert_eq!(site.world().files, before.files);

    for _ in 0..3 {
        site.must("rollback");
    }
    assert_eq!(site.world().files, one.files);
    assert_eq!(outbound.shown(), words([None, Some("partner")]));
}
