//! A private Postfix for one test: its own folders, loopback ports, one process to end.
//!
//! Owns: starting master(8) on smtpd services that differ by their `-o`, and ending it. Never:
//! touches the host's own Postfix.

use super::PATIENT;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// smtpd(8) services on free loopback ports.
pub(crate) struct Postfix {
    folder: TempDir,
    master: Child,
    addresses: Vec<SocketAddr>,
}

impl Postfix {
    /// Starts one smtpd for each of `services`; each is a list of `name=value`, where `ETC` is
    /// the folder with `chain.pem` (as it must be) and `cert-first.pem` (as it must not).
    pub(crate) fn start(cert_pem: &str, key_pem: &str, services: &[&[&str]]) -> Self {
        assert!(
            geteuid().is_root(),
            "a private Postfix can be started by root only"
        );
        let folder = tempfile::Builder::new()
            .prefix("probe-postfix-")
            .tempdir()
            .unwrap();
        let at = folder.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        let addresses: Vec<_> = services.iter().map(|_| free_address()).collect();
        lay_out(at);
        let write = |name: &str, text: String| fs::write(at.join(name), text).unwrap();
        write("etc/chain.pem", format!("{key_pem}{cert_pem}"));
        write("etc/cert-first.pem", format!("{cert_pem}{key_pem}"));
        write("etc/main.cf", main_cf(at));
        write("etc/master.cf", master_cf(at, services, &addresses));
        // A main.cf younger than two seconds makes every Postfix program wait.
        let old = std::time::SystemTime::now() - Duration::from_secs(10);
        for name in ["etc/main.cf", "etc/master.cf"] {
            fs::File::options()
                .write(true)
                .open(at.join(name))
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        let master = Command::new("/usr/lib/postfix/sbin/master")
            .arg("-c")
            .arg(at.join("etc"))
            // Whatever becomes of this test.
            .args(["-e", "300"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Debian's postfix package is installed");
        let this = Self {
            folder,
            master,
            addresses,
        };
        this.wait();
        this
    }

    /// Where the service listens.
    pub(crate) fn address(&self, service: usize) -> SocketAddr {
        self.addresses[service]
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn wait(&self) {
        let until = Instant::now() + PATIENT;
        for address in &self.addresses {
            while TcpStream::connect(address).is_err() {
                assert!(
                    Instant::now() < until,
                    "Postfix did not start: {}",
                    self.log()
                );
                sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let pid = i32::try_from(self.master.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.master.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

fn lay_out(at: &Path) {
    fs::create_dir_all(at.join("etc")).unwrap();
    fs::create_dir_all(at.join("queue/pid")).unwrap();
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let uid = passwd
        .lines()
        .find_map(|line| line.strip_prefix("postfix:x:")?.split(':').next());
    let uid = uid.expect("Postfix's user exists").parse().ok();
    for name in [
        "data",
        "queue/active",
        "queue/bounce",
        "queue/corrupt",
        "queue/defer",
        "queue/deferred",
        "queue/flush",
        "queue/hold",
        "queue/incoming",
        "queue/private",
        "queue/public",
        "queue/saved",
        "queue/trace",
        "queue/maildrop",
    ] {
        fs::create_dir(at.join(name)).unwrap();
        chown(at.join(name), uid, None).unwrap();
    }
}

fn main_cf(at: &Path) -> String {
    let at = at.display();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {at}/queue\ndata_directory = {at}/data\n\
         maillog_file = {at}/log\nmaillog_file_prefixes = {at}\nmyhostname = mx.example\n\
         mydestination = mx.example\nmynetworks =\ninet_interfaces = loopback-only\n\
         inet_protocols = ipv4\nalias_maps =\nlocal_recipient_maps =\n\
         smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {at}/etc/chain.pem\n\
         smtpd_tls_loglevel = 1\nsmtpd_peername_lookup = no\n\
         smtpd_relay_restrictions = reject_unauth_destination\n"
    )
}

fn master_cf(at: &Path, services: &[&[&str]], addresses: &[SocketAddr]) -> String {
    let mut text = String::from(
        "postlog unix-dgram n - n - 1 postlogd\ncleanup unix n - n - 0 cleanup\n\
         qmgr unix n - n 300 1 qmgr\nrewrite unix - - n - - trivial-rewrite\n\
         tlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n\
         bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n\
         local unix - n n - - discard\nerror unix - - n - - error\n",
    );
    for (options, address) in services.iter().zip(addresses) {
        write!(text, "{address} inet n - n - - smtpd").unwrap();
        for option in *options {
            let option = option.replace("ETC", &at.join("etc").display().to_string());
            write!(text, "\n  -o {{ {option} }}").unwrap();
        }
        text.push('\n');
    }
    text
}
