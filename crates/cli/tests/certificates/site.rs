//! A private Postfix with certificates of a CA of its own, and clients that say how they ask.
//!
//! Owns: making and importing certificates, looking at the three services, and at what Postseal
//! has installed. Never: judges; a look answers with the name of the certificate it was shown.

pub(crate) use crate::scene::POSTSEAL;
use crate::scene::{Files, Ran, Scene};
use mailtls::{Bundle, Fingerprint};
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::report::{Answered, Ask, KeyAlgorithm};
use postseal_probe::{Start, Target, probe_all};
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The three services.
pub(crate) const PORTS: [u16; 3] = [25, 587, 465];
/// How long a look may take.
const LOOK: Duration = Duration::from_secs(8);

pub(crate) struct Site {
    pub(crate) scene: Scene,
    ca: PrivateCa,
    known: RefCell<BTreeMap<Fingerprint, String>>,
}

/// Everything that a change may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) files: Files,
    pub(crate) installed: BTreeSet<PathBuf>,
}

impl Site {
    /// Adopted, nothing bound.
    pub(crate) fn adopted() -> Self {
        Self::of(builder())
    }

    pub(crate) fn of(builder: BoxBuilder) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "this test starts a Postfix and needs root"
        );
        let site = Self {
            scene: Scene::bare(builder),
            ca: PrivateCa::new("Certificates Root CA", KeyType::EcdsaP256, validity()).unwrap(),
            known: RefCell::default(),
        };
        site.must("init");
        site
    }

    /// In force: `mx`, an RSA certificate, on all three services.
    pub(crate) fn serving() -> Self {
        Self::adopted().served()
    }

    /// Imports `mx`, binds it, and switches all three services on.
    pub(crate) fn served(self) -> Self {
        self.import("mx", KeyType::Rsa2048, &["mx.box.test"]);
        self.must("cert bind mx");
        self.must("set mode=may submission=on smtps=on");
        self.must("apply");
        self
    }

    /// Makes a certificate and its key, in one file.
    pub(crate) fn make(&self, name: &str, key_type: KeyType, names: &[&str]) -> String {
        self.make_valid(name, key_type, names, validity())
    }

    /// The same, beginning so many days from now.
    pub(crate) fn make_at(&self, name: &str, days: i64) -> String {
        let now = validity();
        let shifted = Validity {
            not_before: now.not_before + days * 86_400,
            not_after: now.not_after,
        };
        self.make_valid(name, KeyType::Rsa2048, &["mx.box.test"], shifted)
    }

    pub(crate) fn make_valid(
        &self,
        name: &str,
        key_type: KeyType,
        names: &[&str],
        validity: Validity,
    ) -> String {
        let leaf = self
            .ca
            .issue(&LeafRequest {
                names: names.iter().copied().map(str::to_owned).collect(),
                key_type,
                validity,
            })
            .unwrap();
        let path = self.scene.named(&format!("{name}.both"));
        let text = format!("{}{}", &*leaf.key_pem, leaf.fullchain_pem());
        let leaf = Bundle::read(text.as_bytes(), None, None).unwrap().chain[0].fingerprint();
        self.known.borrow_mut().insert(leaf, name.to_owned());
        crate::scene::write_private(&path, text);
        path
    }

    /// Makes it and puts it into the store.
    pub(crate) fn import(&self, name: &str, key_type: KeyType, names: &[&str]) {
        let path = self.make(name, key_type, names);
        self.scene.must(&["cert", "import", name, "--cert", &path]);
    }

    /// The file of the CA that issues here.
    pub(crate) fn root(&self) -> String {
        let path = self.scene.named("site-root.pem");
        fs::write(&path, self.ca.certificate_pem()).unwrap();
        path
    }

    /// Remembers a certificate that was not made here.
    pub(crate) fn know(&self, leaf: Fingerprint, name: &str) {
        self.known.borrow_mut().insert(leaf, name.to_owned());
    }

    /// Runs the program with these words; it must end with 0.
    pub(crate) fn must(&self, words: &str) -> Ran {
        self.ends(0, words)
    }

    /// Runs the program with these words.
    pub(crate) fn run(&self, words: &str) -> Ran {
        let words: Vec<&str> = words.split(' ').collect();
        self.scene.run(&words)
    }

    /// Runs the program with these words; it must end with `exit`.
    pub(crate) fn ends(&self, exit: i32, words: &str) -> Ran {
        let words: Vec<&str> = words.split(' ').collect();
        self.scene.ends(exit, &words)
    }

    /// The certificate that each service shows to a client which asks so.
    pub(crate) fn shown(&self, ask: &Ask) -> [String; 3] {
        PORTS.map(|port| self.looked(port, std::slice::from_ref(ask)).remove(0))
    }

    /// The same for a client that asks for no name and takes everything.
    pub(crate) fn plainly(&self) -> [String; 3] {
        self.shown(&Ask::default())
    }

    /// What one service shows, for each way of asking.
    pub(crate) fn looked(&self, port: u16, asks: &[Ask]) -> Vec<String> {
        let address = self.scene.postfix.at(port);
        let answers = look(address, asks);
        let word = |answer: Answered| match answer {
            Answered::Shown(Some(leaf)) => self.called(&leaf),
            other => format!("{other:?}"),
        };
        answers.into_iter().map(word).collect()
    }

    /// The name that a certificate was made under.
    pub(crate) fn called(&self, leaf: &Fingerprint) -> String {
        let known = self.known.borrow();
        let stranger = || format!("a stranger's {leaf}");
        known.get(leaf).cloned().unwrap_or_else(stranger)
    }

    /// Both files, and what stands in the folder of installed files.
    pub(crate) fn world(&self) -> World {
        World {
            files: self.scene.files(),
            installed: self.installed(),
        }
    }

    pub(crate) fn main_cf(&self) -> String {
        String::from_utf8(self.scene.files().main).unwrap()
    }

    /// The installed files; all of them are root's alone, and so is their folder.
    pub(crate) fn installed(&self) -> BTreeSet<PathBuf> {
        let folder = self.scene.path_of("postseal.d");
        let Ok(entries) = fs::read_dir(&folder) else {
            return BTreeSet::new();
        };
        let paths: BTreeSet<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        for path in &paths {
            let seen = fs::symlink_metadata(path).unwrap();
            let mode = seen.mode() & 0o7777;
            assert_eq!((mode, seen.uid()), (0o600, 0), "{}", path.display());
        }
        paths
    }

    /// The source and the compiled form of the map of names, where there is one.
    pub(crate) fn maps(&self) -> Vec<PathBuf> {
        let is_map = |path: &PathBuf| name_of(path).starts_with("sni-");
        self.installed().into_iter().filter(is_map).collect()
    }

    /// Where the key of a certificate is installed.
    pub(crate) fn key_file(&self, name: &str) -> PathBuf {
        let prefix = format!("{name}-");
        let is_its = |path: &PathBuf| name_of(path).starts_with(&prefix);
        self.installed().into_iter().find(is_its).unwrap()
    }

    /// `postfix reload`, as an administrator does, until the processes from before it are gone:
    /// clients which ask so are shown these, twice.
    pub(crate) fn reload_until(&self, ask: &Ask, wanted: [String; 3]) {
        crate::scene::run("/usr/sbin/postfix", &["-c", &self.scene.config(), "reload"]);
        let end = Instant::now() + LOOK;
        let mut good = 0;
        while good < 2 {
            let seen = self.shown(ask);
            good = if seen == wanted { good + 1 } else { 0 };
            assert!(good > 0 || Instant::now() < end, "{seen:?} {wanted:?}");
        }
    }
}

/// The box: users can log in, so that 587 and 465 are of use.
pub(crate) fn builder() -> BoxBuilder {
    PostfixBox::builder().sasl_user("alice", "in the jail")
}

/// How long every certificate here is good.
pub(crate) fn validity() -> Validity {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Validity::days(i64::try_from(now.as_secs()).unwrap(), 90)
}

pub(crate) fn by_name(name: &str) -> Ask {
    Ask {
        name: Some(name.to_owned()),
        algorithm: None,
    }
}

pub(crate) fn only(algorithm: KeyAlgorithm) -> Ask {
    Ask {
        name: None,
        algorithm: Some(algorithm),
    }
}

/// One look at a port, and then one for each way of asking.
pub(crate) fn look(address: SocketAddr, asks: &[Ask]) -> Vec<Answered> {
    let tls = match address.port() {
        465 => Start::Implicit,
        _ => Start::StartTls,
    };
    let mut target = Target::new("a service", address, tls);
    target.asks = asks.to_vec();
    let report = probe_all(&[target], LOOK).remove(0);
    if report.asked.len() == asks.len() {
        return report.asked.into_iter().map(|asked| asked.answer).collect();
    }
    let why = format!("{:?}", report.stages);
    vec![Answered::Unknown(why); asks.len()]
}

pub(crate) fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// The same certificate on every service.
pub(crate) fn all(name: &str) -> [String; 3] {
    [name; 3].map(str::to_owned)
}
