//! Certificates that are presented from files that are not the store's: as they were adopted, or as somebody
//! wrote them.
//!
//! Owns: which they are, and what is wrong with them and their keys' files now. Never: what is in the
//! store.

use crate::certificate::{
    SELFISH, Shown, certificate_finding, gravity_of_kept, only_clients, told_to_clients,
};
use crate::compile::{sni, stored_at};
use crate::expect::{Configured, configured, form_of, of_client, own_tables, speaker};
use crate::facts::{Facts, FileLook};
use crate::trust::{chain_problems, is_about_trust};
use crate::view::{Service, View};
use crate::{Finding, SystemTrust};
use mailtls::{CertProblem, Certificate, Gravity, KeyFile, Loaded, Trust};
use postfix_cf::{MainCf, MasterCf};
use std::path::{Path, PathBuf};

/// What time does to a certificate, and nothing but a new one mends.
const OF_TIME: [&str; 3] = ["cert.expired", "cert.expiring", "cert.issuer-ends-sooner"];

/// A certificate that servers present from a file that is not the store's.
#[derive(Clone, Debug)]
pub struct Adopted {
    /// Where it stands.
    pub path: PathBuf,
    /// The server's own; none where Postfix cannot use what the file holds.
    pub leaf: Option<Certificate>,
    /// The services that present it.
    pub services: Vec<String>,
    /// The certificates of the store that are the same one, by name. Whoever knows the store fills
    /// it in.
    pub same_as: Vec<String>,
    /// What is wrong with it now.
    pub problems: Vec<Finding>,
}

/// One file, or a pair, as Postfix would load it; and who does.
struct Own<'v> {
    path: PathBuf,
    key: PathBuf,
    /// All of them, where several files mean something only together.
    files: Vec<PathBuf>,
    loaded: Loaded,
    services: Vec<&'v Service>,
    whom: Whom,
}

/// Who is shown a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    /// Clients that ask for no name.
    All,
    /// Those that ask for this name, or for one below it (`.example.org`).
    Name(String),
    /// Servers that ask the SMTP client for one; by which line.
    Servers(String),
}

/// What all of them are judged by.
struct Ground<'a> {
    view: &'a View<'a>,
    facts: &'a Facts,
    now: i64,
    system: &'a SystemTrust,
    private_ca: PrivateCa<'a>,
}

/// The private CA that somebody said vouches for a leaf (DER, one certificate after the other); the
/// store knows.
pub type PrivateCa<'a> = &'a dyn Fn(&Certificate) -> Option<Vec<u8>>;

/// Those that the files of an instance name, by path. Who is trusted to vouch for them: the private CA of
/// a leaf, else `system`.
pub fn adopted(
    facts: &Facts,
    now_unix: i64,
    system: &SystemTrust,
    private_ca: PrivateCa<'_>,
) -> Vec<Adopted> {
    let main = MainCf::parse(&facts.main_cf.bytes);
    let master = MasterCf::parse(&facts.master_cf.bytes);
    let view = View::new(&main, &master, facts);
    let mut all = of_servers(&view, facts);
    all.extend(of_clients(&view, facts));
    all.sort_by(|one, other| one.path.cmp(&other.path));
    let ground = Ground {
        view: &view,
        facts,
        now: now_unix,
        system,
        private_ca,
    };
    all.iter().flat_map(|one| one.judged(&ground)).collect()
}

/// What servers present, to whoever asks and by an administrator's own maps of names.
fn of_servers<'v>(view: &'v View<'_>, facts: &Facts) -> Vec<Own<'v>> {
    let mut all: Vec<Own<'_>> = Vec::new();
    let own = own_tables(view);
    for service in view.servers() {
        let speaker = speaker(view, service);
        if !view.offers_tls(speaker) {
            continue;
        }
        let mut shown = each(&configured(view, speaker, facts), facts);
        let tables = view.list(Some(speaker), sni::PARAMETER);
        for table in tables.iter().filter(|table| own.contains(*table)) {
            for (name, files) in sni::own_rows(table, facts) {
                let of_name = each(&Configured::Chain(files), facts).into_iter();
                shown.extend(of_name.map(|one| Own {
                    whom: Whom::Name(name.clone()),
                    ..one
                }));
            }
        }
        for mut one in shown {
            match all.iter_mut().find(|known| known.is_like(&one)) {
                Some(known) => known.services.push(service),
                None => {
                    one.services.push(service);
                    all.push(one);
                }
            }
        }
    }
    all
}

/// What the SMTP client presents, by main.cf and by each of its services that says otherwise.
fn of_clients<'v>(view: &View<'_>, facts: &Facts) -> Vec<Own<'v>> {
    let mut all: Vec<Own<'_>> = Vec::new();
    let clients = view.services.iter().filter(|one| one.is_smtp_client());
    for at in std::iter::once(None).chain(clients.map(Some)) {
        for one in each(&of_client(view, at, facts), facts) {
            let is_known = |known: &Own<'_>| (&known.path, &known.key) == (&one.path, &one.key);
            if !all.iter().any(is_known) {
                let by = at.map_or("the SMTP client".to_owned(), |at| at.id.clone());
                let whom = Whom::Servers(by);
                all.push(Own { whom, ..one });
            }
        }
    }
    all
}

/// File by file, or pair by pair: those that are not the store's. Files of a chain that mean
/// something only together (a key in one, its certificate in the next) are taken as one.
fn each<'v>(named: &Configured, facts: &Facts) -> Vec<Own<'v>> {
    let files: Vec<(&PathBuf, &PathBuf, Configured)> = match named {
        Configured::Anonymous | Configured::Nothing => Vec::new(),
        Configured::Chain(files) => {
            let alone = |path: &PathBuf| Configured::Chain(vec![path.clone()]);
            files.iter().map(|path| (path, path, alone(path))).collect()
        }
        Configured::Pairs(pairs) => pairs
            .iter()
            .map(|pair| (&pair.cert, &pair.key, Configured::Pairs(vec![pair.clone()])))
            .collect(),
    };
    let all = files.len();
    let own = files.into_iter();
    let own: Vec<_> = own
        .filter(|(path, ..)| stored_at(facts, path).is_none())
        .collect();
    let has_others = own.len() < all;
    let mut alone = Vec::new();
    for (path, key, form) in own {
        for loaded in form_of(&form, facts).unwrap_or_default() {
            alone.push(Own::new(path, key, loaded));
        }
    }
    match named {
        Configured::Chain(files) if !has_others => {
            as_one_stream(files, alone, form_of(named, facts))
        }
        // Beside files of the store each has to be whole in itself.
        _ => alone,
    }
}

/// The files of a chain, or what they are only together; where Postfix cannot use them, those that
/// it cannot use.
fn as_one_stream<'v>(
    files: &[PathBuf],
    alone: Vec<Own<'v>>,
    together: Option<Vec<Loaded>>,
) -> Vec<Own<'v>> {
    let whole = together.and_then(|all| all.into_iter().next());
    let (Some(whole), Some(first)) = (whole, files.first()) else {
        return alone;
    };
    if is_unusable(&whole) {
        let culprits = whole.apart().into_iter();
        let culprits = culprits.filter(|(_, loaded)| is_unusable(loaded));
        let at = |(file, loaded): (usize, _)| Some((files.get(file)?, loaded));
        return culprits
            .filter_map(at)
            .map(|(path, loaded)| Own::new(path, path, loaded))
            .collect();
    }
    match alone.iter().any(Own::is_unusable) {
        false => alone,
        true => vec![Own {
            files: files.to_vec(),
            ..Own::new(first, first, whole)
        }],
    }
}

/// Whether Postfix switches TLS off over it.
fn is_unusable(loaded: &Loaded) -> bool {
    let mut problems = loaded.problems.iter();
    problems.any(|problem| problem.gravity == Gravity::Error)
}

impl Own<'_> {
    fn new(path: &Path, key: &Path, loaded: Loaded) -> Self {
        Self {
            path: path.to_owned(),
            key: key.to_owned(),
            files: Vec::new(),
            loaded,
            services: Vec::new(),
            whom: Whom::All,
        }
    }

    fn is_unusable(&self) -> bool {
        is_unusable(&self.loaded)
    }

    fn is_like(&self, other: &Self) -> bool {
        let leaves = |own: &Self| {
            let chains = own.loaded.chains.iter();
            chains
                .filter_map(|chain| chain.first().map(Certificate::fingerprint))
                .collect::<Vec<_>>()
        };
        (self.whom == other.whom)
            && (&self.path, &self.key) == (&other.path, &other.key)
            && leaves(self) == leaves(other)
    }

    /// A row for each certificate of the file. What is wrong with the file stands with the first.
    fn judged(&self, ground: &Ground<'_>) -> Vec<Adopted> {
        let of_file = self.loaded.by_file();
        let of_file = of_file.map(|(file, problem)| self.of_file(file, problem));
        let of_file = of_file.chain(self.of_key_file(ground.facts)).collect();
        if self.is_unusable() || self.loaded.chains.is_empty() {
            return vec![self.row(None, of_file)];
        }
        let mut rows: Vec<Adopted> = Vec::new();
        for chain in self.loaded.chains.iter().filter(|chain| !chain.is_empty()) {
            let problems = self.of_chain(chain, ground);
            rows.push(self.row(chain.first(), problems));
        }
        if let Some(first) = rows.first_mut() {
            first.problems.extend(of_file);
        }
        rows
    }

    /// What is wrong with the files, with the one that it is about where that is the key's.
    fn of_file(&self, file: usize, problem: &CertProblem) -> Finding {
        let finding = certificate_finding(problem);
        match file > 0 && self.key != self.path {
            true => finding.seen(self.key.display().to_string()),
            false => finding,
        }
    }

    fn row(&self, leaf: Option<&Certificate>, problems: Vec<Finding>) -> Adopted {
        let mut services: Vec<String> = Vec::new();
        for service in &self.services {
            if !services.contains(&service.id) {
                services.push(service.id.clone());
            }
        }
        match &self.whom {
            Whom::All => {}
            Whom::Name(name) => services.push(format!("for {name}")),
            Whom::Servers(by) => services.push(by.clone()),
        }
        Adopted {
            path: self.path.clone(),
            leaf: leaf.cloned(),
            services,
            same_as: Vec::new(),
            problems,
        }
    }

    fn of_chain(&self, chain: &[Certificate], ground: &Ground<'_>) -> Vec<Finding> {
        let host = match &self.whom {
            Whom::All => ground.view.value(None, "myhostname"),
            Whom::Name(name) if name.starts_with('.') => format!("any{name}"),
            Whom::Name(name) => name.clone(),
            Whom::Servers(_) => return self.to_servers(chain, ground),
        };
        let hosts: Vec<&str> = match host.is_empty() || host.contains('$') {
            true => Vec::new(),
            false => vec![&host],
        };
        let clients = only_clients(&self.services);
        let ca = chain.first().and_then(ground.private_ca);
        let problems = chain_problems(chain, ground.now, &hosts, ca.as_deref(), ground.system);
        let told = problems
            .iter()
            .map(|problem| match (problem.code, chain.first()) {
                ("cert.name-mismatch", Some(leaf)) if clients => told_to_clients(leaf, &host),
                _ => self.finding(problem, chain, ground),
            });
        told.collect()
    }

    /// A server that asks for a client's certificate knows it by its fingerprint or its CA.
    fn to_servers(&self, chain: &[Certificate], ground: &Ground<'_>) -> Vec<Finding> {
        let of_servers = ["cert.no-server-auth", "cert.no-alternative-name"];
        let problems = mailtls::problems(chain, ground.now, &[], Trust::Unknown);
        let counts =
            |one: &&CertProblem| !of_servers.contains(&one.code) && !SELFISH.contains(&one.code);
        let problems = problems.iter().filter(counts);
        problems
            .map(|one| self.finding(one, chain, ground))
            .collect()
    }

    /// A problem in the words of who keeps the file by hand.
    fn finding(
        &self,
        problem: &CertProblem,
        chain: &[Certificate],
        ground: &Ground<'_>,
    ) -> Finding {
        let path = self.file_of(chain, ground.facts).display();
        let mut finding = certificate_finding(problem);
        let mut services = self.services.iter();
        let shown = match services.any(|service| ground.view.demands_tls(service)) {
            true => Shown::Demanded,
            false => Shown::Optionally,
        };
        finding.severity = gravity_of_kept(problem, shown);
        let code = problem.code;
        if OF_TIME.contains(&code) {
            finding.remedy = format!(
                "Renew it in {path} and reload, or `postseal cert import` and `postseal cert bind` one \
                 that Postseal keeps."
            );
        } else if code != "cert.chain-incomplete" && is_about_trust(code) {
            finding.remedy = format!(
                "If a CA of your own issued it, say so: `postseal cert import NAME … --private-ca FILE`, and \
                 bind it. Else put what the CA issued with it behind it in {path}, and reload, or get one \
                 from a public CA."
            );
        } else if code == "cert.chain-incomplete" {
            let from = chain.last().and_then(|top| top.issuer_url.as_ref());
            let from = from.map(|url| format!(" (from {url})")).unwrap_or_default();
            finding.remedy = format!(
                "Put the CA's intermediate certificate{from} behind it in {path}, and reload; if a CA of \
                 your own issued it, say so: `postseal cert import NAME … --private-ca FILE`, and bind it."
            );
        } else if SELFISH.contains(&code) {
            finding.remedy = "Get a certificate from a CA, import and bind it.".to_owned();
        }
        finding
    }

    /// Where the chain ends: its key may stand in a file of its own.
    fn file_of(&self, chain: &[Certificate], facts: &Facts) -> &Path {
        let holds = |path: &&PathBuf| {
            let Some(FileLook::File { bytes, .. }) = facts.files.get(*path) else {
                return false;
            };
            let there = mailtls::pem_certificates(bytes).unwrap_or_default();
            there
                .iter()
                .any(|one| chain.last().is_some_and(|last| last.der == one.der))
        };
        self.files.iter().find(holds).unwrap_or(&self.path)
    }

    /// Who can read the key, and exchange it.
    fn of_key_file(&self, facts: &Facts) -> Vec<Finding> {
        let Some(FileLook::File { mode, uid, .. }) = facts.files.get(&self.key) else {
            return Vec::new();
        };
        let path = self.key.display().to_string();
        let file = KeyFile {
            path: &path,
            mode: *mode,
            uid: *uid,
        };
        file.problems().iter().map(certificate_finding).collect()
    }
}
