//! A wire that shows what the files of a [`FakeHost`] would make Postfix show.
//!
//! Owns: the little of smtpd(8) that matters here: main.cf is read from the disk, master.cf is as
//! the master has last read it, a certificate that cannot be loaded makes STARTTLS answer 454.
//! Never: asks the planner what it expects.

use mailtls::{TlsVersion, pem_certificates};
use postfix_cf::{MainCf, MasterCf, Service};
use postseal_engine::Wire;
use postseal_planner::facts::MasterState;
use postseal_planner::report::{FloorTest, Handshake, Report, Stage, StageName, StageOutcome};
use postseal_probe::{Start, Target};
use postseal_testkit::fake_host::{FakeHost, World};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use zeroize::Zeroizing;

/// Scratch instances listen on ports from here on.
pub(crate) const SCRATCH: u16 = 20_000;

pub(crate) struct FakeWire {
    pub(crate) host: FakeHost,
    /// Port 25 of the live instance speaks no TLS, whatever its files say.
    pub(crate) deaf: AtomicBool,
}

/// What one instance serves from.
struct Served {
    main: MainCf,
    master: MasterCf,
    files: BTreeMap<PathBuf, Zeroizing<Vec<u8>>>,
}

impl Wire for FakeWire {
    fn probe(&self, targets: &[Target], _: Duration) -> Vec<Report> {
        let world = self.host.world();
        targets
            .iter()
            .map(|target| {
                let scratch = target.address.port() >= SCRATCH;
                let served = if scratch {
                    Served::scratch(&world)
                } else {
                    Served::live(&world)
                };
                let mut report = shown(served.as_ref(), target);
                if !scratch && target.address.port() == 25 && self.deaf.load(Ordering::Relaxed) {
                    report.ehlo_before.clear();
                    report.handshake = None;
                }
                report
            })
            .collect()
    }
}

impl Served {
    fn live(world: &World) -> Option<Self> {
        (world.master != MasterState::Stopped && !world.is_dead()).then(|| Self {
            main: MainCf::parse(&world.main_cf),
            master: MasterCf::parse(&world.effective_master_cf),
            files: world.files.clone(),
        })
    }

    fn scratch(world: &World) -> Option<Self> {
        let staged = world.rehearsed.last().filter(|_| world.scratches() > 0)?;
        let mut files = world.files.clone();
        files.extend(staged.private.clone());
        Some(Self {
            main: MainCf::parse(&staged.main_cf),
            master: MasterCf::parse(&staged.master_cf),
            files,
        })
    }

    fn service(&self, id: &str) -> Option<Service> {
        let mut services = self.master.services();
        services.find(|service| service.key().to_string() == id)
    }

    fn value(&self, service: &Service, name: &str) -> String {
        let own = service.get_override(name).map(<[u8]>::to_vec);
        let value = own.or_else(|| self.main.get(name).map(|value| value.into_owned()));
        String::from_utf8(value.unwrap_or_default()).unwrap()
    }

    /// The leaf of the configured chain, if it can be loaded.
    fn leaf(&self, service: &Service) -> Option<Vec<u8>> {
        let path = self.value(service, "smtpd_tls_chain_files");
        let bytes = self.files.get(&PathBuf::from(path))?;
        Some(pem_certificates(bytes).ok()?.into_iter().next()?.der)
    }
}

fn shown(served: Option<&Served>, target: &Target) -> Report {
    let mut report = Report::unseen(target.service.clone(), target.address);
    let found = served.and_then(|served| Some((served, served.service(&target.service)?)));
    let Some((served, service)) = found else {
        note(&mut report, StageName::Connect, StageOutcome::Closed);
        return report;
    };
    note(&mut report, StageName::Connect, StageOutcome::Ok);
    note(&mut report, StageName::Banner, StageOutcome::Ok);
    speak(&mut report, served, &service, target);
    report
}

fn speak(report: &mut Report, served: &Served, service: &Service, target: &Target) {
    let wrapper = served.value(service, "smtpd_tls_wrappermode") == "yes";
    let level = served.value(service, "smtpd_tls_security_level");
    let offers = wrapper || matches!(level.as_str(), "may" | "encrypt");
    let auth = served.value(service, "smtpd_sasl_auth_enable") == "yes";
    let shy = served.value(service, "smtpd_tls_auth_only") == "yes" || level == "encrypt";
    if !wrapper {
        note(report, StageName::Ehlo, StageOutcome::Ok);
        if offers {
            report.ehlo_before.push("STARTTLS".to_owned());
        }
        if auth && !shy {
            report.ehlo_before.push("AUTH PLAIN".to_owned());
        }
        let answer = if level == "encrypt" { "530" } else { "250" };
        report.mail_before_tls = Some(format!("{answer} 5.7.0 so it is"));
    }
    if target.tls == Start::Clear || !offers {
        return;
    }
    let Some(leaf) = served.leaf(service) else {
        let refused = StageOutcome::Refused("454 4.7.0 TLS not available".to_owned());
        note(report, StageName::StartTls, refused);
        return;
    };
    note(report, StageName::StartTls, StageOutcome::Ok);
    note(report, StageName::Handshake, StageOutcome::Ok);
    note(report, StageName::EhloUnderTls, StageOutcome::Ok);
    if auth {
        report.ehlo_after.push("AUTH PLAIN".to_owned());
    }
    report.below_floor = Some(FloorTest::Refused("alert protocol version".to_owned()));
    report.handshake = Some(Handshake {
        version: TlsVersion::Tls1_3,
        cipher: "TLS_AES_256_GCM_SHA384".to_owned(),
        group: None,
        fingerprint: Some(mailtls::Fingerprint::of(&leaf)),
        chain: vec![leaf],
    });
}

fn note(report: &mut Report, name: StageName, outcome: StageOutcome) {
    report.stages.push(Stage {
        name,
        outcome,
        micros: 1,
    });
}
