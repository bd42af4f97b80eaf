//! A stage for a preflight: what main.cf, DNS and servers say, in a line each.
//!
//! `unusable FILE` (of anchors), `gone FILE`, `hop X`, `policy X`, `transport X`, `main LINE`, `dns …` (as in `support::dns`), `trust NAME…` (`none`), `openssl VERSION`, `banner ADDRESS NAME`, `own ADDRESS`,
//! `at ADDRESS[:PORT] WHAT`, where WHAT is `clear`, `454`, `broken`, `421`, `554`, `500` (to EHLO), `silent`,
//! `refused` (the connection), `late` (gone after the handshake), `anonymous`, or `tls NAME [1.1|1.2]`.

use crate::support::{self, Host, NOW, dns};
use mailtls::policy::{Dialect, Policy};
use mailtls::{Anchors, Certificate, Fingerprint, TlsVersion, pem_certificates};
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::Preflight;
use postseal_planner::facts::FileLook;
use postseal_planner::preflight::{self, Client, HostsFile, Known, NextHop, Visits, Wanted};
use postseal_planner::report::{Handshake, Limits, Report, Stage as Step, StageName, StageOutcome};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::LazyLock;

const MASTER: &str = "smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\n\
                      jailed unix - - y - - smtp\n\
                      store unix - - n - - lmtp\n\
                      wrap unix - - n - - smtp -o smtp_tls_wrappermode=yes\n";

/// A second CA, and its certificate for mail.example.org.
static OTHER: LazyLock<[String; 2]> = LazyLock::new(|| {
    const DAY: i64 = 86_400;
    let validity = Validity {
        not_before: NOW - DAY,
        not_after: NOW + DAY,
    };
    let ca = PrivateCa::new("Other CA", KeyType::EcdsaP256, validity).expect("a CA");
    let request = LeafRequest {
        names: vec!["mail.example.org".to_owned()],
        key_type: KeyType::EcdsaP256,
        validity,
    };
    let leaf = ca.issue(&request).expect("a certificate");
    [ca.certificate_pem(), leaf.cert_pem]
});

/// The certificates of this name, of the support's or of the other CA.
fn pem(name: &str) -> Vec<u8> {
    let [ca, mail] = &*OTHER;
    match name {
        "other" => ca.clone().into_bytes(),
        "mail" => mail.clone().into_bytes(),
        name => support::pem(name),
    }
}

/// `3-1-1-…` of the key of a certificate, for a line of DNS.
pub(crate) fn tlsa(name: &str) -> String {
    let chain = pem_certificates(&pem(name)).expect("a chain");
    let record = mailtls::tlsa::TlsaRecord::for_certificate(&chain[0]);
    record.to_string().replace(' ', "-")
}

pub(crate) struct Stage {
    pub(crate) wanted: Wanted,
    pub(crate) host: Host,
    servers: BTreeMap<SocketAddr, Report>,
    trusted: Vec<String>,
    unusable: BTreeMap<PathBuf, String>,
}

impl Stage {
    pub(crate) fn read(text: &str) -> Self {
        let of = |word: &str| -> Vec<String> {
            let lines = text.lines().filter_map(|line| line.split_once(' '));
            let own = lines.filter(|(first, _)| *first == word);
            own.map(|(_, rest)| rest.to_owned()).collect()
        };
        let one = |word: &str, default: &str| -> String {
            of(word)
                .first()
                .cloned()
                .unwrap_or_else(|| default.to_owned())
        };
        let main = of("main").join("\n") + "\n";
        let mut host = Host::new(main.as_bytes(), MASTER.as_bytes());
        for line in of("dns") {
            dns::said(&mut host, &line);
        }
        let gone = of("gone").into_iter();
        let gone = gone.map(|path| (path.into(), FileLook::Missing));
        host.facts.files.extend(gone);
        let own = of("own").into_iter();
        host.facts
            .addresses
            .extend(own.map(|one| one.parse::<IpAddr>().expect("an address")));
        if let Some(openssl) = of("openssl").pop() {
            host.facts.openssl = openssl;
        }
        let mut client = Client::of(&host.facts, &one("transport", "smtp"));
        let hosts = of("hosts").join("\n");
        client.lookups.listed = HostsFile::parse(hosts.as_bytes());
        let dialect = Dialect { major: 3, minor: 7 };
        let wanted = Wanted {
            hop: NextHop::parse(&one("hop", "example.org"), client.port).expect("a next hop"),
            policy: Policy::parse(&one("policy", "encrypt"), dialect).expect("a policy"),
            client,
        };
        let mut servers: BTreeMap<SocketAddr, Report> =
            of("at").iter().map(|line| server(line)).collect();
        for line in of("banner") {
            let (at, name) = line.split_once(' ').expect("an address and a name");
            let at = (at.parse::<IpAddr>().expect("an address"), 25).into();
            let banner = format!("220 {name} ESMTP");
            servers.get_mut(&at).expect("a server").banner = Some(banner);
        }
        let trust = one("trust", "root other");
        let trusted = trust
            .split(' ')
            .filter(|name| *name != "none")
            .map(str::to_owned);
        Self {
            wanted,
            host,
            servers,
            trusted: trusted.collect(),
            unusable: of("unusable")
                .into_iter()
                .map(|path| (path.into(), "it is not there".to_owned()))
                .collect(),
        }
    }

    /// The looks, each answered by the server at its address.
    pub(crate) fn visits(&self) -> Visits {
        let wanted = preflight::visits(&self.wanted, &self.host.facts.dns);
        let seen = wanted.into_iter().filter_map(|visit| {
            let mut report = self.servers.get(&visit.address)?.clone();
            if let Some(limits) = &visit.limits {
                hold(&mut report, limits);
            }
            Some((visit, report))
        });
        seen.collect()
    }

    pub(crate) fn judged(&self) -> Preflight {
        let anchors: Vec<Anchors> = self
            .trusted
            .iter()
            .map(|name| Anchors::read(&pem(name)).expect("anchors"))
            .collect();
        let anchors: Vec<&Anchors> = anchors.iter().collect();
        let known = Known {
            answers: &self.host.facts.dns,
            visits: &self.visits(),
            anchors: &anchors,
            unusable: &self.unusable,
            now: NOW,
        };
        preflight::judge(&self.wanted, known)
    }
}

/// What a server shows to one who holds it to limits: the ones of the stage speak older versions,
/// too, and one cipher below TLS 1.3, which a list leaves out that has `!ECDHE` or `!ALL`.
fn hold(report: &mut Report, limits: &Limits) {
    let Some(seen) = &mut report.handshake else {
        return;
    };
    let own = limits
        .versions
        .iter()
        .rev()
        .find(|one| **one <= seen.version);
    let new = own == Some(&TlsVersion::Tls1_3);
    let left_out = limits.ciphers.contains(":!ALL") || (limits.ciphers.contains(":!ECDHE") && !new);
    match own {
        Some(version) if !left_out => seen.version = *version,
        _ => {
            report.handshake = None;
            report.stages.push(Step {
                name: StageName::Handshake,
                outcome: StageOutcome::Refused("TLS alert: no match".to_owned()),
                micros: 1,
            });
        }
    }
}

fn server(line: &str) -> (SocketAddr, Report) {
    let (at, what) = line.split_once(' ').expect("an address and a server");
    let address = at.parse::<SocketAddr>();
    let address =
        address.unwrap_or_else(|_| (at.parse::<IpAddr>().expect("an address"), 25).into());
    (address, report(address, what))
}

fn report(address: SocketAddr, what: &str) -> Report {
    use StageName::{Banner, Connect, Ehlo, EhloUnderTls, StartTls};
    let refused = |words: &str| StageOutcome::Refused(words.to_owned());
    let unknown = |words: &str| StageOutcome::Unknown(words.to_owned());
    let words: Vec<&str> = what.split(' ').collect();
    let (last, outcome) = match words.first().copied().unwrap_or_default() {
        "refused" => (Connect, StageOutcome::Closed),
        "silent" => (Banner, unknown("no answer within the deadline")),
        "421" => (Banner, refused("421 4.3.2 later")),
        "554" => (Banner, refused("554 5.7.1 not you")),
        "500" => (Ehlo, refused("500 5.5.1 what?")),
        "450" => (Ehlo, refused("450 4.3.2 later")),
        "clear" => (StartTls, refused("STARTTLS is not offered")),
        "454" => (StartTls, refused("454 4.7.0 TLS not available")),
        "gone" => (StartTls, refused("421 4.3.2 going down")),
        "broken" => (
            StageName::Handshake,
            refused("TLS alert: handshake failure"),
        ),
        "late" => (EhloUnderTls, refused("421 4.7.1 no certificate of yours")),
        "anonymous" | "tls" => (EhloUnderTls, StageOutcome::Ok),
        other => panic!("no such server: {other}"),
    };
    let handshake = match words.as_slice() {
        ["anonymous"] => Some(handshake(None, TlsVersion::Tls1_2)),
        ["late"] => Some(handshake(Some("mx"), TlsVersion::Tls1_2)),
        ["tls", name] => Some(handshake(Some(name), TlsVersion::Tls1_3)),
        ["tls", name, "1.1"] => Some(handshake(Some(name), TlsVersion::Tls1_1)),
        ["tls", name, "1.2"] => Some(handshake(Some(name), TlsVersion::Tls1_2)),
        _ => None,
    };
    let offers = !matches!(words.as_slice(), ["clear" | "500"]);
    Report {
        stages: vec![Step {
            name: last,
            outcome,
            micros: 1,
        }],
        ehlo_before: Vec::from_iter(offers.then(|| "STARTTLS".to_owned())),
        handshake,
        ..Report::unseen("", address)
    }
}

fn handshake(name: Option<&str>, version: TlsVersion) -> Handshake {
    let chain: Vec<Certificate> = name
        .map(|name| pem_certificates(&pem(name)).expect("a chain"))
        .unwrap_or_default();
    let chain: Vec<Vec<u8>> = chain.into_iter().map(|one| one.der).collect();
    Handshake {
        version,
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        group: None,
        fingerprint: chain.first().map(|leaf| Fingerprint::of(leaf)),
        chain,
    }
}
