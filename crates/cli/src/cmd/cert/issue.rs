//! `cert issue`: a certificate from a CA that speaks ACME.
//!
//! Owns: its words and defaults, and that a pair of RSA and ECDSA is two certificates. Never: asks
//! a CA; keeps a secret that it read.

use super::import::read;
use super::make::Kind;
use super::{fingerprint, line};
use crate::answer::{Answer, findings_text};
use crate::answerer::Local;
use crate::change::Change;
use crate::cmd::apply::duration;
use crate::config::{Acme, Global};
use crate::failure::{Exit, Failure};
use crate::session::Session;
use postseal_engine::{Engine, EngineError, Freshly, Issue, Means, Terms};
use postseal_issue::acme::ExternalAccount;
use postseal_planner::Finding;
use postseal_planner::renewal::{Method, NextKey, Way};
use postseal_store::Succession;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";
const HTTP: u16 = 80;
const DNS: u16 = 53;

/// Arguments of `cert issue`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct IssueArgs {
    /// Your name for it; with a pair of kinds of keys, the RSA one is NAME-rsa
    name: String,
    /// Host names (`*.` for a wildcard) and addresses, with commas; the first is the common name too
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    domain: Vec<String>,
    /// The kind of key; two with a comma, RSA and another, make a pair
    #[arg(long, value_enum, value_delimiter = ',', default_value = "ecdsa-p256")]
    key_type: Vec<Kind>,
    /// Keep the key at each renewal (for published TLSA records)
    #[arg(long)]
    reuse_key: bool,
    /// It takes the place of the certificate that has this name now (`cert deploy` presents it)
    #[arg(long)]
    renew: bool,
    #[command(flatten)]
    order: OrderArgs,
    #[command(flatten)]
    ca: CaArgs,
    #[command(flatten)]
    way: WayArgs,
}

/// Who issues it.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "The CA")]
struct CaArgs {
    /// The CA's directory (RFC 8555) [default: Let's Encrypt]
    #[arg(long, value_name = "URL", conflicts_with = "staging")]
    ca: Option<String>,
    /// Let's Encrypt's CA for trying things out, which nobody trusts
    #[arg(long)]
    staging: bool,
    /// The root of a private CA's server, PEM
    #[arg(long, value_name = "FILE", requires = "ca")]
    ca_root: Option<PathBuf>,
    /// The private CA that the certificates are to be trusted by, now and at each renewal
    #[arg(long, value_name = "FILE")]
    private_ca: Option<PathBuf>,
    /// Yes, I agree to the CA's terms (for the first certificate of a CA)
    #[arg(long)]
    agree_terms: bool,
    /// Whom the CA may write to; takes the place of what an account there has now
    #[arg(long, value_name = "MAIL", value_delimiter = ',')]
    contact: Vec<String>,
    /// The key id of an external account (RFC 8555, 7.3.4), where the CA wants one for a new account
    #[arg(long, value_name = "ID", requires = "eab_hmac_key_file")]
    eab_kid: Option<String>,
    /// The file with its HMAC key, base64url
    #[arg(long, value_name = "FILE", requires = "eab_kid")]
    eab_hmac_key_file: Option<PathBuf>,
}

/// Who answers its challenges [default: an unprivileged child on port 80, for the life of an order].
#[derive(Clone, Debug, clap::Args)]
#[command(
    next_help_heading = "Who answers its challenges (where none is said: this program, on port 80)"
)]
struct WayArgs {
    /// Answer HTTP-01 on these addresses, where port 80 of the name leads there
    #[arg(long, value_name = "ADDR[:PORT]", value_delimiter = ',', value_parser = http_address)]
    http: Vec<SocketAddr>,
    /// Answer HTTP-01 through the web server of this folder
    #[arg(long, value_name = "DIR", conflicts_with = "http")]
    webroot: Option<PathBuf>,
    /// Answer DNS-01 through this program: `PROGRAM present|cleanup NAME. VALUE`
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["http", "webroot"])]
    dns_hook: Option<PathBuf>,
    /// Answer DNS-01 by dynamic updates (RFC 2136) of this name server
    #[arg(long, value_name = "ADDR[:PORT]", value_parser = dns_address,
        requires = "tsig_key_file", conflicts_with_all = ["http", "webroot", "dns_hook"])]
    dns_update: Option<SocketAddr>,
    /// The file with the TSIG key for it, as tsig-keygen(8) makes it
    #[arg(long, value_name = "FILE", requires = "dns_update")]
    tsig_key_file: Option<PathBuf>,
}

/// How an order is made.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct OrderArgs {
    /// How long one order may take, e.g. 90s or 10m; taking its answers away comes after
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,
}

impl OrderArgs {
    /// What the engine needs for ordering.
    pub(super) fn with<T>(
        &self,
        global: &Global,
        work: impl FnOnce(&Means<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        work(&Means {
            answerers: &Local::new(global, self.timeout),
            chance: &chance,
            allowed: self.timeout,
        })
    }
}

/// One of the certificates that are asked for.
struct Wish {
    name: String,
    key_type: Kind,
}

/// Where a certificate is ordered where no CA is named.
pub(super) fn directory(global: &Global) -> &str {
    global.acme.ca.as_deref().unwrap_or(LETS_ENCRYPT)
}

pub(super) fn run(args: &IssueArgs, global: &Global) -> Result<Answer, Failure> {
    let args = &args.with_defaults(&global.acme)?;
    if args.domain.is_empty() {
        return Err(
            Failure::new(Exit::Usage, "cert.no-names", "no name is said".to_owned())
                .hint("Say whom it is for: --domain mx.example.org[,mail.example.org]."),
        );
    }
    let wishes = args.wishes()?;
    let external = args.ca.external()?;
    let trusted = args.ca.private_ca.as_deref().map(read).transpose()?;
    let method = args.method()?;
    let mut session = Session::open(global)?;
    session.heed_interrupts()?;
    let mut engine = session.engine();
    args.order.with(global, |means| {
        let mut change = Change::default();
        let mut fresh = Vec::new();
        let issues = wishes.iter();
        let issues = issues.map(|wish| Issue {
            private_ca: trusted.as_ref().map(|file| file.to_vec()),
            ..args.issue(wish, &method, external.clone())
        });
        let issues: Vec<Issue> = issues.collect();
        // What is wrong with the second is said before the first is ordered.
        for issue in &issues {
            let checked = engine.check_issue(issue);
            checked.map_err(|error| args.ca.named(error))?;
        }
        let unused = engine.unused_external(&issues[0])?;
        for issue in issues {
            let name = issue.name.clone();
            let before = before(&engine, &name);
            let issued = engine.issue(issue, means);
            let issued = issued.map_err(|error| also(error.into(), &fresh))?;
            change = change.of(name, before, fingerprint(&issued.view));
            fresh.push(issued);
        }
        Ok(answer(change, &fresh, unused))
    })
}

impl IssueArgs {
    /// With what the configuration says, where nothing else is said.
    fn with_defaults(&self, acme: &Acme) -> Result<Self, Failure> {
        let mut args = self.clone();
        if args.ca.ca.is_none() && !args.ca.staging && acme.ca.is_some() {
            args.ca.ca.clone_from(&acme.ca);
            args.ca.ca_root.clone_from(&acme.ca_root);
            args.ca.private_ca = args.ca.private_ca.or_else(|| acme.private_ca.clone());
        }
        if args.way.is_unsaid() {
            let addresses = acme.http.iter().map(|address| http_address(address));
            args.way.http = addresses.collect::<Result<_, _>>().map_err(|why| {
                Failure::new(Exit::Data, "config.bad", format!("[acme] http: {why}"))
            })?;
        }
        Ok(args)
    }

    fn wishes(&self) -> Result<Vec<Wish>, Failure> {
        let wish = |name: String, key_type: &Kind| Wish {
            name,
            key_type: *key_type,
        };
        let is_rsa = |kind: &Kind| kind.key_type().is_rsa();
        let name = || self.name.clone();
        match &self.key_type[..] {
            [one] => Ok(vec![wish(name(), one)]),
            [a, b] if is_rsa(a) != is_rsa(b) => {
                let (rsa, other) = if is_rsa(a) { (a, b) } else { (b, a) };
                let pair = [wish(name(), other), wish(format!("{}-rsa", self.name), rsa)];
                Ok(pair.into())
            }
            _ => Err(Failure::new(
                Exit::Usage,
                "cert.no-pair",
                "Postfix presents one RSA certificate and one other beside it".to_owned(),
            )
            .hint("Say one kind of key, or a pair as --key-type ecdsa-p256,rsa-2048.")),
        }
    }

    fn issue(&self, wish: &Wish, method: &Method, external: Option<ExternalAccount>) -> Issue {
        let mailto = |contact: &String| match contact.contains(':') {
            true => contact.clone(),
            false => format!("mailto:{contact}"),
        };
        Issue {
            name: wish.name.clone(),
            method: Method {
                key_type: wish.key_type.key_type().word().to_owned(),
                ..method.clone()
            },
            succession: match self.renew {
                true => Succession::Renewal,
                false => Succession::First,
            },
            terms: match self.ca.agree_terms {
                true => Terms::Agreed,
                false => Terms::NotSaid,
            },
            contacts: self.ca.contact.iter().map(mailto).collect(),
            private_ca: None,
            external,
        }
    }

    fn method(&self) -> Result<Method, Failure> {
        let directory = match (&self.ca.ca, self.ca.staging) {
            (Some(url), _) => url.clone(),
            (None, true) => LETS_ENCRYPT_STAGING.to_owned(),
            (None, false) => LETS_ENCRYPT.to_owned(),
        };
        let roots = self.ca.ca_root.as_deref().map(|path| text(path, "ca.root"));
        Ok(Method {
            directory,
            roots_pem: roots.transpose()?.map(|pem| pem.as_str().to_owned()),
            names: self.domain.clone(),
            key_type: String::new(),
            key: match self.reuse_key {
                true => NextKey::Reused,
                false => NextKey::New,
            },
            way: self.way.way()?,
        })
    }
}

impl CaArgs {
    /// An error that says which file names no CA.
    fn named(&self, error: EngineError) -> Failure {
        match (&error, &self.private_ca) {
            (EngineError::ChosenCa(_), Some(path)) => Failure::from(error).file(path),
            _ => error.into(),
        }
    }

    fn external(&self) -> Result<Option<ExternalAccount>, Failure> {
        let (Some(key_id), Some(file)) = (&self.eab_kid, &self.eab_hmac_key_file) else {
            return Ok(None);
        };
        let key = text(file, "acme.eab-key")?;
        Ok(Some(ExternalAccount {
            key_id: key_id.clone(),
            hmac_key: Zeroizing::new(key.trim().to_owned()),
        }))
    }
}

impl WayArgs {
    fn is_unsaid(&self) -> bool {
        let others = [&self.webroot, &self.dns_hook, &self.tsig_key_file];
        self.http.is_empty() && others.iter().all(|other| other.is_none())
    }

    fn way(&self) -> Result<Way, Failure> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| {
                let text = format!("{}: {error}", path.display());
                Failure::new(Exit::Usage, "file.bad-path", text)
            })
        };
        Ok(match (&self.webroot, &self.dns_hook, &self.dns_update) {
            (Some(folder), _, _) => Way::Webroot {
                folder: absolute(folder)?,
            },
            (_, Some(program), _) => Way::Hook {
                program: absolute(program)?,
            },
            (_, _, Some(server)) => Way::Update {
                server: *server,
                key_file: absolute(self.tsig_key_file.as_deref().unwrap_or(Path::new("")))?,
            },
            // Nothing can listen twice at one address.
            _ => Way::Http {
                addresses: BTreeSet::from_iter(self.http.iter().copied())
                    .into_iter()
                    .collect(),
            },
        })
    }
}

fn before(engine: &Engine<'_>, name: &str) -> Option<String> {
    let view = engine.certificate(name).ok()?;
    fingerprint(&view)
}

/// What failed, with what was done before it.
fn also(failure: Failure, fresh: &[Freshly]) -> Failure {
    match fresh.first() {
        None => failure,
        Some(done) => failure.note(&format!(
            "{} was issued and is in the store",
            done.view.name
        )),
    }
}

fn answer(change: Change, fresh: &[Freshly], unused: Option<Finding>) -> Answer {
    let mut text = String::new();
    let mut findings: Vec<Finding> = unused.into_iter().collect();
    for issued in fresh {
        text.push_str(&line(&issued.view));
        text.push_str(&super::renew::shown(&issued.view));
        findings.extend(issued.view.problems.clone());
        findings.extend(issued.findings.clone());
    }
    text.push_str(&findings_text(&findings));
    text.push_str(match fresh.len() {
        1 => "It is in the store, its key sealed. `postseal cert renew`, by a timer, renews it.\n",
        _ => "They are in the store, their keys sealed. `postseal cert renew`, by a timer, renews them.\n",
    });
    text.extend(fresh.iter().map(|issued| super::list::before(&issued.view)));
    let views = fresh.iter().map(|issued| super::document(&issued.view));
    let own = json!({"certificates": views.collect::<Vec<_>>()});
    Answer::new(text, change.findings(&findings).document(own))
}

/// A file of text.
fn text(path: &Path, code: &str) -> Result<Zeroizing<String>, Failure> {
    let bytes = read(path)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => {
            let message = format!("{}: it is not text", path.display());
            Err(Failure::new(Exit::Data, code, message))
        }
    }
}

fn http_address(text: &str) -> Result<SocketAddr, String> {
    address(text, HTTP)
}

fn dns_address(text: &str) -> Result<SocketAddr, String> {
    address(text, DNS)
}

fn address(text: &str, port: u16) -> Result<SocketAddr, String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let whole = text.parse::<SocketAddr>();
    whole
        .or_else(|_| bare.parse::<IpAddr>().map(|ip| (ip, port).into()))
        .map_err(|_| format!("expected an address as 192.0.2.1, 192.0.2.1:{port} or [::1]:{port}"))
}

/// A number that nobody foresees. Where the kernel gives none, all hosts draw the same: that is
/// less polite to the CA, and no reason not to renew.
fn chance() -> u64 {
    let mut bytes = [0; 8];
    let _ = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty());
    u64::from_le_bytes(bytes)
}
