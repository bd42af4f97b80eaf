//! The site: both instances, the certificate, and the store.
//!
//! Owns: building it and leaving nothing of it. Never: reuses a folder that holds something.

use super::command::Cli;
use super::configuration;
use super::files::Files;
use mailtls::Fingerprint;
use postseal_host::{HostError, Instance, LIFETIME};
use postseal_issue::{KeyType, LeafRequest, PrivateCa, Validity};
use postseal_planner::whole_chain;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The SASL realm.
pub(super) const REALM: &str = "try.test";
const DAY: i64 = 86_400;

/// Everything the steps work on.
pub(super) struct Site {
    pub(super) mx: Instance,
    pub(super) peer: Instance,
    pub(super) cli: Cli,
    /// The files as the administrator left them.
    pub(super) original: Files,
    /// The certificate that mx is to present.
    pub(super) fingerprint: Fingerprint,
    pub(super) user: String,
    pub(super) password: String,
    /// The operation that the main job came to.
    pub(super) operation: Option<u64>,
    folder: Folder,
}

/// Where it lies.
enum Folder {
    Temporary(TempDir),
    Named(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Named(path) => path,
        }
    }
}

impl Site {
    /// Builds and starts both instances.
    pub(super) fn build(named: Option<&Path>) -> Result<Self, String> {
        let folder = folder(named)?;
        let mx = instance(folder.path(), "mx")?;
        let peer = instance(folder.path(), "peer")?;
        let fingerprint = certificates(folder.path())?;
        let (user, password) = ("alice".to_owned(), random_word()?);
        let peer_pem = folder.path().join("peer.pem");
        mx.configure(configuration::mx_main(&mx, &peer).as_bytes(), None)
            .and_then(|()| mx.add_user(REALM, &user, &password))
            .and_then(|()| mx.start())
            .map_err(told)?;
        let main = configuration::peer_main(&peer, &mx, &peer_pem);
        peer.configure(main.as_bytes(), None)
            .and_then(|()| peer.start())
            .map_err(told)?;
        Ok(Self {
            cli: Cli {
                instance: mx.config_directory(),
                store: folder.path().join("store"),
            },
            original: Files::of(&mx.config_directory())?,
            fingerprint,
            user,
            password,
            operation: None,
            mx,
            peer,
            folder,
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// How a person goes on from here.
    pub(super) fn how_to_look(&self) -> String {
        let (config, store) = (self.cli.instance.display(), self.cli.store.display());
        let [(mx, mx_ip), (peer, peer_ip)] =
            [&self.mx, &self.peer].map(|one| (one.path().display(), one.address()));
        format!(
            "Both instances are still running, for {} hours. For a look:\n  postseal --instance {config} --store sqlite:{store} status\n  openssl s_client -starttls smtp -connect {mx_ip}:587\n  tail {mx}/log/mail.log\nTo end them:\n  postfix -c {mx}/config stop; postfix -c {peer}/config stop; rm -r {}\n  ip addr del {mx_ip}/32 dev lo; ip addr del {peer_ip}/32 dev lo\n",
            LIFETIME.as_secs() / 3600,
            self.folder().display(),
        )
    }

    /// Leaves everything running.
    pub(super) fn keep(mut self) {
        if let Folder::Temporary(folder) = self.folder {
            let _ = folder.keep();
        }
        self.mx.leave();
        self.peer.leave();
    }

    /// Stops both and removes the folder; says what could not be removed.
    pub(super) fn remove(self) -> Result<(), String> {
        self.mx.remove().map_err(told)?;
        self.peer.remove().map_err(told)?;
        let path = self.folder.path().to_path_buf();
        match self.folder {
            Folder::Temporary(folder) => folder.close().map_err(|error| error.to_string())?,
            Folder::Named(path) => fs::remove_dir_all(path).map_err(|error| error.to_string())?,
        }
        if path.exists() {
            Err(path.display().to_string())
        } else {
            Ok(())
        }
    }
}

fn instance(site: &Path, name: &str) -> Result<Instance, String> {
    let folder = tempfile::Builder::new()
        .prefix(name)
        .rand_bytes(0)
        .tempdir_in(site)
        .map_err(|error| error.to_string())?;
    Instance::make(folder).map_err(told)
}

fn told(error: HostError) -> String {
    whole_chain(&error)
}

fn folder(named: Option<&Path>) -> Result<Folder, String> {
    let folder = match named {
        None => Folder::Temporary(
            TempDir::with_prefix("postseal-try-").map_err(|error| error.to_string())?,
        ),
        Some(path) => {
            let path = std::path::absolute(path).map_err(|error| error.to_string())?;
            if fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some()) {
                return Err(format!("{} is not empty", path.display()));
            }
            fs::create_dir_all(&path).map_err(|error| error.to_string())?;
            Folder::Named(path)
        }
    };
    // Postfix's daemons pass through it, with other users' rights.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
        .map_err(|error| error.to_string())?;
    Ok(folder)
}

/// A private CA with an intermediate; mx.pem and mx.key for the import, peer.pem for the peer.
fn certificates(folder: &Path) -> Result<Fingerprint, String> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    let now = i64::try_from(now.as_secs()).map_err(|error| error.to_string())?;
    let validity = Validity {
        not_before: now - DAY,
        not_after: now + 90 * DAY,
    };
    let text = |error: postseal_issue::IssueError| error.to_string();
    let root = PrivateCa::new("Try Root CA", KeyType::EcdsaP256, validity).map_err(text)?;
    let ca = root
        .intermediate("Try Issuing CA", KeyType::EcdsaP256, validity)
        .map_err(text)?;
    let leaf = |name: &str| {
        ca.issue(&LeafRequest {
            names: vec![name.to_owned()],
            key_type: KeyType::EcdsaP256,
            validity,
        })
    };
    let mx = leaf("mx.try.test").map_err(text)?;
    let peer = leaf("peer.try.test").map_err(text)?;
    private(&folder.join("mx-fullchain.pem"), &mx.fullchain_pem())?;
    private(&folder.join("mx-privkey.pem"), &mx.key_pem)?;
    private(
        &folder.join("peer.pem"),
        &format!("{}{}", &*peer.key_pem, peer.fullchain_pem()),
    )?;
    private(&folder.join("ca.pem"), &root.certificate_pem())?;
    let made =
        mailtls::pem_certificates(mx.cert_pem.as_bytes()).map_err(|error| error.to_string())?;
    made.first()
        .map(mailtls::Certificate::fingerprint)
        .ok_or_else(|| "no certificate was made".to_owned())
}

fn private(path: &Path, text: &str) -> Result<(), String> {
    let io = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    fs::write(path, text).map_err(io)?;
    fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(io)
}

/// A password that nobody else knows, for an account that lives a minute.
fn random_word() -> Result<String, String> {
    let mut bytes = [0_u8; 12];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| error.to_string())?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
