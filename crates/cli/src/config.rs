//! What is meant: options, environment and `postseal.toml` resolved.
//!
//! Owns: precedence (option, environment, file, default) and the keys of the file. Never: opens
//! an instance or a store (`session`).

use crate::args::{Color, GlobalArgs};
use crate::desk;
use crate::failure::{Exit, Failure};
use crate::remote::Server;
use postseal_probe::dns::{Named, NoResolver};
use postseal_store::PostgresPlace;
use serde::Deserialize;
use std::cell::RefCell;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// The file with the administrator's defaults.
const FILE: &str = "/etc/postseal/postseal.toml";
/// The default store.
const STORE: &str = "/var/lib/postseal";

/// Everything every command needs to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Global {
    /// The file that was named in place of the usual one.
    pub(crate) config: Option<PathBuf>,
    pub(crate) instance: Option<PathBuf>,
    pub(crate) store: PathBuf,
    pub(crate) prefix: Vec<String>,
    pub(crate) root: Option<PathBuf>,
    /// Who is asked about names.
    pub(crate) resolver: Named,
    /// The same as it was said.
    pub(crate) resolver_said: Option<String>,
    /// How certificates are ordered where nothing else is said.
    pub(crate) acme: Acme,
    pub(crate) output: Output,
    pub(crate) talk: Talk,
    pub(crate) color: Colored,
    /// Who carries commands out, where it is not this process.
    pub(crate) server: Option<Server>,
    /// In whose name the agent's child answers.
    pub(crate) behalf: Option<String>,
    /// Who opens the desk.
    pub(crate) console_user: Option<String>,
    /// The database of the desk, where it is on a server.
    pub(crate) desk_server: Option<PostgresPlace>,
    /// Whose word the console takes for where a request came from.
    pub(crate) trusted_proxies: Vec<String>,
    /// Whether what changes the mail server by the console waits for a second person.
    pub(crate) two_persons: bool,
    /// The certificate of the store that the console presents.
    pub(crate) console_certificate: Option<String>,
    /// Who is told by mail, as it was written.
    pub(crate) notify: NotifySection,
    /// What lint is not to tell of.
    pub(crate) ignore: Vec<Ignore>,
    /// What is to be told beside the answer.
    pub(crate) warnings: RefCell<Vec<Failure>>,
}

/// The form of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text: tables on a terminal, tab-separated when piped.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// How much is said beside the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Nothing.
    Quiet,
    /// Warnings, and progress on a terminal.
    #[default]
    Normal,
    /// Every event as a line.
    Verbose,
    /// Every event as a line of JSON, for the agent.
    Events,
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Colored {
    #[default]
    No,
    Yes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    instance: Option<PathBuf>,
    store: Option<String>,
    /// An address, `system` or `none`.
    resolver: Option<String>,
    #[serde(default)]
    json: bool,
    #[serde(default)]
    host: HostSection,
    #[serde(default)]
    acme: Acme,
    #[serde(default)]
    console: ConsoleSection,
    #[serde(default)]
    notify: NotifySection,
    #[serde(default)]
    lint: LintSection,
}

/// Who is told by mail when nobody looks. Here and nowhere else: whoever owns the console could silence what would tell
/// of it, or have it told elsewhere.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotifySection {
    /// Of every change.
    #[serde(default)]
    pub(crate) to: Vec<String>,
    /// Of what becomes critical, stays so, and is so no longer.
    #[serde(default)]
    pub(crate) critical: Vec<String>,
    /// How often the agent looks.
    pub(crate) every: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LintSection {
    #[serde(default)]
    ignore: Vec<Ignore>,
}

/// Findings that lint counts and does not tell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignore {
    /// Their code.
    pub(crate) code: String,
    /// Why, for those who read it later; none is an error of lint's.
    #[serde(default)]
    pub(crate) reason: String,
    /// Only those with these words in a place: `FILE:LINE: what stands there`.
    #[serde(rename = "where")]
    pub(crate) place: Option<String>,
}

/// The CA of this host, and how its challenges are answered, where `cert issue` names neither.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acme {
    /// Who answers the challenges of HTTP-01, in place of nobody.
    pub(crate) user: Option<String>,
    /// The CA's directory (RFC 8555), in place of Let's Encrypt's.
    pub(crate) ca: Option<String>,
    /// The root of its server, PEM.
    pub(crate) ca_root: Option<PathBuf>,
    /// The private CA that its certificates are to be trusted by.
    pub(crate) private_ca: Option<PathBuf>,
    /// The addresses on which HTTP-01 is answered.
    #[serde(default)]
    pub(crate) http: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsoleSection {
    /// Who the console is, in place of the user `postseal`.
    user: Option<String>,
    /// The desk's database on PostgreSQL, in place of `console.db`.
    desk: Option<String>,
    /// The file with the password for it.
    desk_password_file: Option<PathBuf>,
    /// Addresses and networks of proxies before the console.
    #[serde(default)]
    trusted_proxies: Vec<String>,
    /// Whether somebody else approves what changes the mail server.
    #[serde(default)]
    two_persons: bool,
    /// A certificate of the store, which the console presents.
    certificate: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct HostSection {
    /// An argv prefix for Postfix's commands, for a Postfix in a container.
    #[serde(default)]
    prefix: Vec<String>,
    /// Where that Postfix's file tree is seen from here, e.g. `/proc/4711/root`.
    root: Option<PathBuf>,
}

impl Global {
    /// As much as the options alone tell, to say why the rest could not be resolved.
    pub(crate) fn unresolved(args: &GlobalArgs) -> Self {
        Self {
            output: output(args.json),
            ..Self::default()
        }
    }

    /// As much as is needed to tell the agent that its words could not be read.
    pub(crate) fn for_the_agent() -> Self {
        Self {
            output: Output::Json,
            behalf: Some("agent".to_owned()),
            ..Self::default()
        }
    }

    /// Options and environment first (clap has merged those), then the file, then defaults.
    pub(crate) fn resolve(args: &GlobalArgs) -> Result<Self, Failure> {
        let file = match &args.config {
            Some(named) => read(named)?,
            None if Path::new(FILE).exists() => read(Path::new(FILE))?,
            None => File::default(),
        };
        let store = args
            .store
            .clone()
            .or(file.store)
            .unwrap_or_else(|| format!("sqlite:{STORE}"));
        Ok(Self {
            config: args.config.clone(),
            instance: args.instance.clone().or(file.instance),
            store: store_folder(&store)?,
            prefix: file.host.prefix,
            root: file.host.root,
            resolver: resolver(args.resolver.clone().or(file.resolver))?,
            resolver_said: args.resolver.clone(),
            acme: file.acme,
            desk_server: desk_server(&file.console)?,
            console_user: file.console.user,
            trusted_proxies: file.console.trusted_proxies,
            two_persons: file.console.two_persons,
            console_certificate: file.console.certificate,
            server: server(args)?,
            behalf: args.on_behalf_of.clone(),
            output: output(args.json || file.json || args.on_behalf_of.is_some()),
            talk: match (args.quiet, args.verbose) {
                _ if args.on_behalf_of.is_some() => Talk::Events,
                (true, _) => Talk::Quiet,
                (_, true) => Talk::Verbose,
                _ => Talk::Normal,
            },
            color: colored(args.color.unwrap_or_default()),
            notify: file.notify,
            ignore: file.lint.ignore,
            warnings: RefCell::default(),
        })
    }
}

impl Global {
    /// Whether the instance's machine is not the one that Postseal runs on.
    pub(crate) fn is_elsewhere(&self) -> bool {
        !self.prefix.is_empty() || self.root.is_some()
    }

    /// The options with which this program, started again, means the same instance and store.
    pub(crate) fn options(&self) -> Vec<OsString> {
        let mut options: Vec<OsString> = Vec::new();
        if let Some(config) = &self.config {
            options.extend(["--config".into(), config.into()]);
        }
        if let Some(instance) = &self.instance {
            options.extend(["--instance".into(), instance.into()]);
        }
        if let Some(resolver) = &self.resolver_said {
            options.extend(["--resolver".into(), resolver.into()]);
        }
        let store = format!("sqlite:{}", self.store.display());
        options.extend(["--store".into(), store.into()]);
        options
    }

    /// Tells of a trouble that keeps nobody from an answer.
    pub(crate) fn warn(&self, trouble: Failure) {
        self.warnings.borrow_mut().push(trouble);
    }
}

fn resolver(said: Option<String>) -> Result<Named, Failure> {
    let Some(text) = said else {
        return Ok(Named::System);
    };
    text.parse().map_err(|error: NoResolver| {
        Failure::new(Exit::Usage, "resolver.bad-address", error.to_string())
            .hint("Say --resolver 127.0.0.1, or resolver = \"127.0.0.1\" in postseal.toml.")
    })
}

/// The address and the token, which may stand in a file.
fn server(args: &GlobalArgs) -> Result<Option<Server>, Failure> {
    let (Some(url), Some(token)) = (&args.server, &args.token) else {
        return Ok(None);
    };
    let token = match token.strip_prefix('@') {
        None => token.clone(),
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            Failure::new(Exit::Usage, "server.no-token", format!("{path}: {error}"))
                .hint("Name the file that `postseal token add` was written to.")
        })?,
    };
    Ok(Some(Server {
        url: url.clone(),
        token: token.trim().to_owned(),
    }))
}

fn output(json: bool) -> Output {
    if json { Output::Json } else { Output::Text }
}

fn read(path: &Path) -> Result<File, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return Err(Failure::new(
                Exit::Data,
                "config.unreadable",
                format!("cannot read {}: {error}", path.display()),
            )
            .hint("Make it readable, or remove it."));
        }
    };
    toml::from_str(&text).map_err(|error| {
        Failure::new(
            Exit::Data,
            "config.bad",
            format!("{}: {error}", path.display()),
        )
        .hint("Known keys: instance, store, resolver, json, under [host] prefix and root, under [acme] and [console] user, under [acme] ca, ca_root, private_ca and http, under [console] certificate, desk, desk_password_file, trusted_proxies and two_persons, under [notify] to, critical and every, under [lint] ignore.")
    })
}

/// Its address is not repeated: somebody may have put a password into it.
fn desk_server(console: &ConsoleSection) -> Result<Option<PostgresPlace>, Failure> {
    let Some(url) = &console.desk else {
        return Ok(None);
    };
    let user = console.user.as_deref().unwrap_or(desk::USER);
    let place = PostgresPlace::new(url, user, console.desk_password_file.clone());
    place.map(Some).map_err(|error| {
        let text = format!("[console] desk cannot be used: {error}");
        Failure::new(Exit::Data, "desk.bad-url", text).hint(
            "Say desk = \"postgres:///postseal?host=/run/postgresql\" or \"postgres://HOST/DATABASE\" in postseal.toml; a password stands in a file of its own: desk_password_file.",
        )
    })
}

fn store_folder(url: &str) -> Result<PathBuf, Failure> {
    match url.split_once(':') {
        Some(("sqlite", folder)) if !folder.is_empty() => Ok(PathBuf::from(folder)),
        Some(("postgres" | "postgresql", _)) => Err(Failure::new(
            Exit::Usage,
            "store.unsupported",
            "this version keeps its memory in SQLite only".to_owned(),
        )
        .hint("Use --store sqlite:DIR; what console and agent share may be on PostgreSQL: [console] desk in postseal.toml.")),
        _ => Err(Failure::new(
            Exit::Usage,
            "store.bad-url",
            format!("{url:?} is not a store"),
        )
        .hint("Use --store sqlite:DIR.")),
    }
}

fn colored(wanted: Color) -> Colored {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match wanted {
        Color::Always => Colored::Yes,
        Color::Auto if !plain && std::io::stdout().is_terminal() => Colored::Yes,
        _ => Colored::No,
    }
}
