//! Certificates, keys and trust anchors that the files name.
//!
//! Owns: which files belong together, how grave a certificate's fault is for mail. Never: reads a
//! file (they are in the facts, or nothing is said), judges a certificate itself (mailtls does).

mod elsewhere;
mod files;
mod table;

pub(super) use elsewhere::EXPLAINED;
pub(super) use table::RULES;

use super::context::{Context, ServerTls, Service, Setting};
use super::rule::Place as _;
use crate::catalog::Kind;
use crate::certificate::Shown;
use crate::facts::FileLook;
use crate::{Finding, Severity};
use files::{Read, problem, read};
use mailtls::{CertError, Trust, chain_files_problems, pair_problems};

/// The legacy pairs: certificate and key.
const PAIRS: [(&str, &str); 3] = [
    ("tls_cert_file", "tls_key_file"),
    ("tls_eccert_file", "tls_eckey_file"),
    ("tls_dcert_file", "tls_dkey_file"),
];

/// One program that presents or trusts certificates.
#[derive(Clone, Copy)]
struct Side<'s, 'a> {
    context: &'s Context<'a>,
    service: Option<&'s Service<'a>>,
    /// `smtpd_` or `smtp_`.
    prefix: &'static str,
    /// By any of those that share its files.
    shown: Shown,
}

/// Looks at every server that speaks TLS, and at the client.
pub(super) fn run(context: &Context<'_>, out: &mut Vec<Finding>) {
    for side in sides(context) {
        side.look(out);
    }
    if context.facts.is_none()
        && let Some(first) = names_a_file(context)
    {
        out.push(table::UNDETERMINED.found().on(Some(first)));
    }
}

/// Every server that speaks TLS, and the client. Services share main.cf's files: each set of them is
/// there once.
fn sides<'s, 'a>(context: &'s Context<'a>) -> Vec<Side<'s, 'a>> {
    let mut sides: Vec<Side<'s, 'a>> = Vec::new();
    for service in context.servers() {
        let shown = match context.server_tls(service) {
            ServerTls::Off | ServerTls::Unknown => continue,
            ServerTls::May => Shown::Optionally,
            ServerTls::Encrypt | ServerTls::Wrapper => Shown::Demanded,
        };
        let prefix = "smtpd_";
        let side = Side {
            context,
            service,
            prefix,
            shown,
        };
        let names = side.names();
        match sides.iter_mut().find(|known| known.names() == names) {
            Some(known) if shown == Shown::Demanded => known.shown = shown,
            Some(_) => {}
            None => sides.push(side),
        }
    }
    let client = Side {
        context,
        service: None,
        prefix: "smtp_",
        shown: Shown::Optionally,
    };
    let is_news = sides.iter().all(|known| known.names() != client.names());
    if context.main.is_some() && is_news {
        sides.push(client);
    }
    sides
}

impl<'s, 'a> Side<'s, 'a> {
    fn look(self, out: &mut Vec<Finding>) {
        self.forms(out);
        match self.text("tls_chain_files").as_deref() {
            Some("") => PAIRS
                .iter()
                .for_each(|(cert, key)| self.pair(cert, key, out)),
            Some(list) => self.chain_files(list, out),
            None => {}
        }
        self.trust(out);
    }

    /// All that says which files it uses.
    fn names(self) -> Vec<Option<String>> {
        let pairs = PAIRS.iter().flat_map(|(cert, key)| [*cert, *key]);
        let others = ["tls_chain_files", "tls_CAfile", "tls_CApath"];
        pairs.chain(others).map(|stem| self.text(stem)).collect()
    }

    fn name(self, stem: &str) -> String {
        format!("{}{stem}", self.prefix)
    }

    fn text(self, stem: &str) -> Option<String> {
        self.context.text(self.service, &self.name(stem))
    }

    fn place(self, stem: &str) -> Option<&'s Setting<'a>> {
        self.context.set(self.service, &self.name(stem))
    }

    fn given(self, stem: &str) -> bool {
        self.place(stem).is_some_and(|s| !s.value.is_empty())
    }

    /// Chain files beside the legacy form, keys without certificates.
    fn forms(self, out: &mut Vec<Finding>) {
        let chain = self.given("tls_chain_files");
        for (cert, key) in PAIRS {
            let (has_cert, has_key) = (self.given(cert), self.given(key));
            if chain && (has_cert || has_key) {
                let old = self.place(if has_cert { cert } else { key });
                let new = self.place("tls_chain_files");
                out.push(table::BOTH_FORMS.found().on(old).on(new));
            } else if has_key && self.text(cert).is_some_and(|v| v.is_empty()) {
                out.push(table::KEY_ALONE.found().on(self.place(key)));
            }
        }
    }

    fn chain_files(self, list: &str, out: &mut Vec<Finding>) {
        let place = self.place("tls_chain_files");
        let mut contents = Vec::new();
        let paths = || list.split([',', ' ', '\t']).filter(|p| !p.is_empty());
        paths().for_each(|path| self.permissions(path, place, out));
        for path in paths() {
            match read(self.context, path) {
                Read::Bytes(bytes) => contents.push(bytes),
                Read::Fault(error) => {
                    out.push(problem(&(&error).into(), Some(path), place, self.shown));
                    return;
                }
                Read::Denied => return out.push(denied(path, place)),
                Read::NotLookedAt => return,
            }
        }
        if !contents.is_empty() {
            let files: Vec<_> = paths().map(|path| (path, place)).collect();
            self.judge(&chain_files_problems(&contents), &files, out);
        }
    }

    fn pair(self, cert: &str, key: &str, out: &mut Vec<Finding>) {
        let (Some(cert_path), Some(key_path)) = (self.text(cert), self.text(key)) else {
            return;
        };
        if cert_path.is_empty() || cert_path.eq_ignore_ascii_case("none") {
            return;
        }
        let place = self.place(cert);
        let key_place = self.place(key).or(place);
        self.permissions(&key_path, key_place, out);
        let mut fault = |error: CertError, path: &str, at| {
            out.push(problem(&(&error).into(), Some(path), at, self.shown));
        };
        let (certificate, private) = match (
            read(self.context, &cert_path),
            read(self.context, &key_path),
        ) {
            (Read::Fault(error), _) => return fault(error, &cert_path, place),
            (_, Read::Fault(error)) => return fault(error, &key_path, key_place),
            (Read::Denied, _) => return out.push(denied(&cert_path, place)),
            (Read::Bytes(cert), Read::Denied) => {
                out.push(denied(&key_path, key_place));
                return self.judge(&alone(cert), &[(&cert_path, place)], out);
            }
            (_, Read::Denied) => return out.push(denied(&key_path, key_place)),
            (Read::Bytes(cert), Read::Bytes(key)) => (cert, key),
            _ => return,
        };
        let files = [(&*cert_path, place), (&*key_path, key_place)];
        self.judge(&pair_problems(certificate, private), &files, out);
    }

    /// What keeps Postfix from loading the files, each with the setting that names it; else what peers
    /// will think of the certificates in them.
    fn judge(
        self,
        loaded: &mailtls::Loaded,
        files: &[(&str, Option<&Setting<'_>>)],
        out: &mut Vec<Finding>,
    ) {
        if !loaded.problems.is_empty() {
            let told = loaded.by_file().filter_map(|(file, one)| {
                let (path, place) = files.get(file)?;
                Some(problem(one, Some(path), *place, self.shown))
            });
            out.extend(told);
            return;
        }
        // A client's certificate is checked by whoever asked for it, by rules of its own.
        let (Some(now), "smtpd_") = (self.context.now, self.prefix) else {
            return;
        };
        let host = self.context.text(self.service, "myhostname");
        let host: Vec<&str> = host
            .as_deref()
            .into_iter()
            .filter(|h| !h.is_empty())
            .collect();
        for (at, chain) in loaded.chains.iter().enumerate() {
            let problems = mailtls::problems(chain, now, &host, Trust::Unknown);
            out.extend(problems.iter().filter_map(|one| {
                let standing = loaded.standing(at, one.at)?;
                let (path, place) = files.get(standing.file)?;
                let path = match standing.number {
                    1 => (*path).to_owned(),
                    number => format!("{path} (certificate {number})"),
                };
                Some(problem(one, Some(&path), *place, self.shown))
            }));
        }
    }

    fn permissions(self, path: &str, place: Option<&Setting<'_>>, out: &mut Vec<Finding>) {
        let Some(FileLook::File { bytes, mode, .. }) = self.context.look(path) else {
            return;
        };
        let (everyone, group) = (mode & 0o006 != 0, mode & 0o060 != 0);
        if !holds_key(bytes) || !(everyone || group) {
            return;
        }
        let who = if everyone { "everyone" } else { "its group" };
        let severity = if everyone {
            Severity::Error
        } else {
            Severity::Info
        };
        let message = format!("{path} holds a private key that {who} can read (mode {mode:04o}).");
        let finding = table::KEY_READABLE.says(message).on(place);
        out.push(finding.severe(severity));
    }

    fn trust(self, out: &mut Vec<Finding>) {
        if let Some(file) = self.text("tls_CAfile").filter(|v| !v.is_empty()) {
            let fault = match read(self.context, &file) {
                Read::Fault(error) => Some(error.to_string()),
                Read::Bytes(bytes) => unusable(bytes),
                Read::NotLookedAt => None,
                Read::Denied => {
                    let message = format!(
                        "{file} may not be read by this user; whether it holds CAs is undetermined."
                    );
                    let place = self.place("tls_CAfile");
                    out.push(table::UNDETERMINED.says(message).on(place));
                    None
                }
            };
            if let Some(fault) = fault {
                let why = match self.prefix {
                    "smtp_" => table::CA_FILE_OF_CLIENT,
                    _ => table::CA_FILE_OF_SERVER,
                };
                let message = format!("{file}: {fault}. {why}");
                out.push(table::CA_FILE.says(message).on(self.place("tls_CAfile")));
            }
        }
        if let Some(path) = self.text("tls_CApath").filter(|v| v.starts_with('/'))
            && let Some(look) = self.context.look(&path)
            && !matches!(look, FileLook::Directory | FileLook::Denied(_))
        {
            let message = format!("{path} is not a directory. {}", table::CA_PATH.why);
            out.push(table::CA_PATH.says(message).on(self.place("tls_CApath")));
        }
    }
}

/// Of a file that root alone may read, as Postfix does.
fn denied(path: &str, place: Option<&Setting<'_>>) -> Finding {
    let message = format!(
        "{path} may not be read by this user; whether certificate and key are right is undetermined."
    );
    table::UNDETERMINED.says(message).on(place)
}

/// A certificate whose key may not be read: what is wrong with it whatever its key is.
fn alone(cert: &[u8]) -> mailtls::Loaded {
    let mut loaded = pair_problems(cert, b"");
    // What is said of the certificate comes before what is said of the key.
    loaded
        .problems
        .truncate(usize::from(loaded.chains.is_empty()));
    loaded
}

/// Why a CA file holds no CA.
fn unusable(bytes: &[u8]) -> Option<String> {
    match mailtls::pem_certificates(bytes) {
        Ok(found) if found.is_empty() => Some(CertError::NoCertificate.to_string()),
        Ok(_) => None,
        // A bundle of all CAs is larger than a chain may be, and good.
        Err(CertError::TooMany(_) | CertError::TooLarge(_)) => None,
        Err(error) => Some(error.to_string()),
    }
}

fn holds_key(bytes: &[u8]) -> bool {
    let label = b"PRIVATE KEY-----";
    bytes.windows(label.len()).any(|window| window == label)
}

fn names_a_file<'s, 'a>(context: &'s Context<'a>) -> Option<&'s Setting<'a>> {
    context.settings.iter().find(|s| {
        let file = s.parameter.is_some_and(|p| {
            p.ends.is_empty() && matches!(p.kind, Kind::File | Kind::FileOrNone | Kind::FileList)
        });
        file && s.value.starts_with(['/', '$'])
    })
}
