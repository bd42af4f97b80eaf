//! Killed while a renewal is deployed: between the key, the map of names, main.cf and the reload.
//! All the while clients ask every service for a name, and each is shown the old or the new
//! certificate with its own key (OpenSSL verifies that in the handshake). `recover` ends in one
//! of the two worlds.

use crate::cut::{Cut, Ended, kill_at};
use crate::site::{PORTS, Site, World, all, by_name, look};
use mailtls::Fingerprint;
use postseal_issue::KeyType;
use postseal_planner::report::{Answered, Ask};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Clients that never stop asking.
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Seen>>,
}

/// What they came to.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) leaves: BTreeSet<Fingerprint>,
    pub(crate) handshakes: usize,
    pub(crate) failures: Vec<String>,
}

impl Clients {
    pub(crate) fn start(addresses: [SocketAddr; 3], asks: &[Ask]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let start = |address| {
            let (stop, asks) = (Arc::clone(&stop), asks.to_vec());
            thread::spawn(move || {
                let mut seen = Seen::default();
                while !stop.load(Ordering::Acquire) {
                    for answer in look(address, &asks) {
                        match answer {
                            Answered::Shown(Some(leaf)) => {
                                seen.handshakes += 1;
                                seen.leaves.insert(leaf);
                            }
                            other => seen.failures.push(format!("{address}: {other:?}")),
                        }
                    }
                    thread::sleep(Duration::from_millis(40));
                }
                seen
            })
        };
        let threads = addresses.map(start).into();
        Self { stop, threads }
    }

    pub(crate) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Release);
        let mut all = Seen::default();
        for thread in self.threads {
            let seen = thread.join().unwrap();
            all.leaves.extend(seen.leaves);
            all.handshakes += seen.handshakes;
            all.failures.extend(seen.failures);
        }
        all
    }
}

const fn at(line: &'static str, milliseconds: u64) -> Cut {
    Cut {
        line,
        after: Duration::from_millis(milliseconds),
    }
}

/// After the key, in the middle of compiling the map, after it, after main.cf, after the reload.
const CUTS: [Cut; 8] = [
    at("operation", 0),
    at("step 0: wrote key", 0),
    at("step 0: wrote key", 4),
    at("step 0: wrote key", 15),
    at("step 1: wrote the map", 0),
    at("step 1: wrote the map", 2),
    at("step 2: replaced main.cf", 0),
    at("step 3: reloaded", 0),
];

struct Renewal {
    site: Site,
    old: World,
    new: World,
}

impl Renewal {
    /// Both worlds seen once, unharmed; the old one is in force.
    fn begin() -> Self {
        let site = Site::serving();
        site.import("old", KeyType::EcdsaP256, &["a.box.test", "b.box.test"]);
        site.must("cert bind old --sni a.box.test,b.box.test");
        site.must("apply");
        let old = site.world();
        site.import("new", KeyType::EcdsaP256, &["a.box.test", "b.box.test"]);
        let mut renewal = Self {
            new: old.clone(),
            site,
            old,
        };
        renewal.wish();
        renewal.site.must("apply");
        renewal.new = renewal.site.world();
        renewal.site.must("rollback");
        assert_eq!(renewal.site.world(), renewal.old);
        renewal
    }

    fn wish(&self) {
        self.site.must("cert bind new --sni a.box.test,b.box.test");
    }

    fn kill(&self, cut: &Cut) {
        self.wish();
        let mut command = self.site.scene.command(&["apply", "--yes"]);
        command.args(["--json", "--verbose"]);
        let ended = kill_at(command, cut);
        assert!(matches!(ended, Ended::Killed), "{cut:?}: it was not killed");
        let ran = self.site.must("recover");
        let now = self.site.world();
        let (name, whole) = if now.files == self.old.files {
            ("old", &self.old)
        } else {
            ("new", &self.new)
        };
        // Keys of the old world stay for a rollback to it.
        assert_eq!(&now, whole, "{cut:?}: {ran:#?}");
        assert_eq!(
            self.site.shown(&by_name("b.box.test")),
            all(name),
            "{cut:?}"
        );
        let again = self.site.must("recover").json;
        assert_eq!(again["recovery"], "nothing", "{cut:?}: {again:#}");
        self.site.must("verify");
        self.site.must("discard");
        if name == "new" {
            self.site.must("rollback");
        }
        assert_eq!(self.site.world(), self.old, "{cut:?}");
    }
}

#[test]
fn killed_while_a_renewed_name_is_deployed() {
    let renewal = Renewal::begin();
    let addresses = PORTS.map(|port| renewal.site.scene.postfix.at(port));
    let clients = Clients::start(addresses, &[by_name("a.box.test"), by_name("b.box.test")]);
    for cut in &CUTS {
        renewal.kill(cut);
    }
    let seen = clients.stop();
    assert_eq!(seen.failures, Vec::<String>::new());
    assert!(seen.handshakes > 6 * CUTS.len(), "{}", seen.handshakes);
    let names: BTreeSet<String> = seen
        .leaves
        .iter()
        .map(|leaf| renewal.site.called(leaf))
        .collect();
    let known: BTreeSet<String> = ["new", "old"].map(str::to_owned).into();
    assert!(names.is_subset(&known), "{names:?}");
}
