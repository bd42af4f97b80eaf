//! A private Postfix instance in a folder of its own, for a trial and for tests.
//!
//! Owns: [`Instance`]: its folders, an address of its own on loopback (so that the real ports 25,
//! 465 and 587 and their names can be used side by side), its users, its master process, and the
//! end of them all. Never: touches another instance, delivers outside its folder, leaves a process
//! or a file behind.
//!
//! If its owner is killed, the master and the address end by themselves after [`LIFETIME`].

mod address;
mod sasl;

use crate::command::Call;
use crate::file::{failed, place_cf};
use crate::postfix::Postfix;
use crate::queue::{self, Owners, folder};
use crate::root::Root;
use crate::{HostError, process};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, Permissions};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a master and its address live at most, whatever becomes of their owner.
pub const LIFETIME: Duration = Duration::from_secs(4 * 3600);
/// How long a start, or an orderly end, may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The stock master.cf: Debian's package has it in both places.
const STOCK: [&str; 2] = [
    "/usr/share/postfix/master.cf.dist",
    "/etc/postfix/master.cf.proto",
];

/// A private Postfix; on drop it is stopped and removed.
#[derive(Debug)]
pub struct Instance {
    folder: TempDir,
    postfix: Postfix,
    address: Ipv4Addr,
    owners: Owners,
    end: End,
}

/// What a drop does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Remove,
    Leave,
}

impl Instance {
    /// Makes the folders in `folder` and takes an address; nothing is configured or started.
    ///
    /// # Errors
    /// When root, Postfix or iproute2 is missing, or a folder cannot be made.
    pub fn make(folder: TempDir) -> Result<Self, HostError> {
        if !rustix::process::geteuid().is_root() {
            let what = "a private Postfix has daemons, folders and an address of its own";
            return Err(HostError::Permission(what.to_owned()));
        }
        let postfix = Postfix::new(
            &Root::new(Path::new("/")),
            &[],
            &folder.path().join("config"),
        )?;
        let owners = accounts()?;
        furnish(folder.path(), owners).map_err(failed("make", folder.path()))?;
        Ok(Self {
            address: address::take()?,
            folder,
            postfix,
            owners,
            end: End::Remove,
        })
    }

    /// The address at which its services listen.
    pub fn address(&self) -> IpAddr {
        IpAddr::V4(self.address)
    }

    /// Its address with a port.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.address(), port)
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration directory.
    pub fn config_directory(&self) -> PathBuf {
        self.path().join("config")
    }

    /// `queue_directory`.
    pub fn queue_directory(&self) -> PathBuf {
        self.path().join("queue")
    }

    /// The lines of main.cf that keep it to itself: its folders and its address, and one mailbox,
    /// [`Self::received`], for everything to `domain`.
    pub fn settings(&self, domain: &str) -> String {
        let (base, address, mail) = (self.path().display(), self.address, self.owners.mail);
        format!(
            "queue_directory = {base}/queue
data_directory = {base}/data
maillog_file = {base}/log/mail.log
maillog_file_prefixes = {base}/log
inet_interfaces = {address}
inet_protocols = ipv4
mydestination =
alias_maps =
local_recipient_maps =
local_transport = error:no local users
default_transport = error:a private Postfix
relay_transport = error:a private Postfix
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {base}/mailboxes
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:{mail}
virtual_gid_maps = static:{mail}
"
        )
    }

    /// Writes main.cf and master.cf; without one of its own, the stock one of the installed
    /// Postfix.
    ///
    /// # Errors
    /// When one cannot be written, or no stock one is there.
    pub fn configure(&self, main_cf: &[u8], master_cf: Option<&[u8]>) -> Result<(), HostError> {
        let stock = || STOCK.iter().find_map(|path| fs::read(path).ok());
        let master_cf = master_cf.map(<[u8]>::to_vec).or_else(stock);
        let missing = || failed("read", Path::new(STOCK[0]))(io::ErrorKind::NotFound.into());
        let folder = self.config_directory();
        place_cf(&folder.join("main.cf"), main_cf)?;
        place_cf(&folder.join("master.cf"), &master_cf.ok_or_else(missing)?)
    }

    /// A user of Cyrus SASL that can log in (`235`), also inside the jail; main.cf names the
    /// folder `sasl` of the configuration directory as `cyrus_sasl_config_path`.
    ///
    /// # Errors
    /// When saslpasswd2 is missing, or a file cannot be written.
    pub fn add_user(&self, realm: &str, name: &str, password: &str) -> Result<(), HostError> {
        sasl::add(self, realm, name, password)
    }

    /// Everything it logged so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.path().join("log/mail.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The messages in its mailbox.
    pub fn received(&self) -> Vec<Vec<u8>> {
        let entries = fs::read_dir(self.path().join("mailboxes/inbox/new"));
        let files = entries.into_iter().flatten().flatten();
        files
            .filter_map(|entry| fs::read(entry.path()).ok())
            .collect()
    }

    /// Starts the master and waits until its ports are open.
    ///
    /// # Errors
    /// When it does not start; its log is in the message.
    pub fn start(&self) -> Result<(), HostError> {
        let master = self.postfix.places()?.daemon_directory.join("master");
        let call = Call::new(&[], &master, PATIENCE)
            .arg("-c")
            .arg(self.config_directory())
            .args(["-w", "-e", &LIFETIME.as_secs().to_string()]);
        let output = call.run()?;
        if output.status.success() && self.master().is_some() {
            return Ok(());
        }
        Err(HostError::Command {
            command: call.line(),
            status: output.status.to_string(),
            output: output.message() + &self.log(),
        })
    }

    /// Ends the master and everything it started; what does not go is killed.
    ///
    /// # Errors
    /// When a process outlives even that.
    pub fn stop(&self) -> Result<(), HostError> {
        let master = self.master().and_then(|pid| i32::try_from(pid).ok());
        if let Some(pid) = master.and_then(Pid::from_raw) {
            // Gone meanwhile is what is wanted.
            let _ = kill_process(pid, Signal::TERM);
            let end = Instant::now() + PATIENCE;
            while !self.processes().is_empty() && Instant::now() < end {
                thread::sleep(Duration::from_millis(10));
            }
        }
        self.kill();
        match self.processes().as_slice() {
            [] => Ok(()),
            left => Err(HostError::Deadline {
                command: format!("the Postfix in {} ({left:?})", self.path().display()),
                deadline: PATIENCE,
            }),
        }
    }

    /// Kills the master and everything it started, as a power cut would.
    pub fn kill(&self) {
        process::end_working_in(&self.queue_directory());
    }

    /// The master's process id, while it runs.
    pub fn master(&self) -> Option<u32> {
        process::master_of(&Root::new(Path::new("/")), &self.queue_directory())
    }

    /// The living processes that work in its queue: all of Postfix's do.
    pub fn processes(&self) -> Vec<u32> {
        process::working_in(&self.queue_directory())
    }

    /// Stops it and removes its folder; the address goes with the drop.
    ///
    /// # Errors
    /// When a process or a file stays behind.
    pub fn remove(&self) -> Result<(), HostError> {
        self.stop()?;
        match fs::remove_dir_all(self.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", self.path())(error))
            }
            _ => Ok(()),
        }
    }

    /// Leaves everything where it is: files, processes (until [`LIFETIME`] is over), address.
    pub fn leave(&mut self) {
        self.end = End::Leave;
        self.folder.disable_cleanup(true);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.end == End::Remove {
            // Who wants to know asks `remove` before; the folder goes with its handle.
            let _ = self.stop();
            address::give_back(self.address);
        }
    }
}

fn furnish(base: &Path, owners: Owners) -> io::Result<()> {
    // Daemons pass through it, with other users' rights.
    fs::set_permissions(base, Permissions::from_mode(0o755))?;
    for name in ["config", "log"] {
        folder(&base.join(name), 0o755, None)?;
    }
    for name in ["data", "mailboxes"] {
        folder(&base.join(name), 0o700, Some((owners.mail, 0)))?;
    }
    let queue = base.join("queue");
    queue::make(&queue, owners)?;
    folder(&queue.join("etc"), 0o755, None)
}

/// The accounts that Postfix's package makes.
fn accounts() -> Result<Owners, HostError> {
    Ok(Owners {
        mail: number("/etc/passwd", "postfix")?,
        drop: number("/etc/group", "postdrop")?,
    })
}

/// A row of passwd(5) or group(5): name, password, number.
fn number(table: &str, name: &str) -> Result<u32, HostError> {
    let path = Path::new(table);
    let text = fs::read_to_string(path).map_err(failed("read", path))?;
    let mut rows = text.lines().map(|line| line.split(':'));
    let number =
        rows.find_map(|mut row| (row.next()? == name).then(|| row.nth(1)?.parse().ok())?);
    let missing = || io::Error::other(format!("it has no {name}: is Postfix installed?"));
    number.ok_or_else(|| failed("use", path)(missing()))
}

/// Names the package of a program that is missing.
fn of_package(package: &str) -> impl Fn(HostError) -> HostError + '_ {
    move |error| match error {
        HostError::Spawn { command, source } => HostError::Spawn {
            command: format!("{command} (package {package})"),
            source,
        },
        other => other,
    }
}
