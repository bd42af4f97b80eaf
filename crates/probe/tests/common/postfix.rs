//! A private Postfix for one test, with smtpd services that differ by their `-o`.

use postseal_issue::Issued;
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;

/// The first service's port; the others follow.
const PORT: u16 = 2500;
/// What the services need around them.
const MASTER_CF: &str = "\
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
local unix - n n - - discard
error unix - - n - - error
";

/// smtpd(8) services.
pub(crate) struct Postfix(PostfixBox);

#[allow(dead_code, reason = "each test file uses its part")]
impl Postfix {
    /// Starts one smtpd for each of `services`; each is a list of `name=value`, where `ETC` is
    /// the folder with `chain.pem` (as it must be) and `cert-first.pem` (as it must not).
    pub(crate) fn start(issued: &Issued, services: &[&[&str]]) -> Self {
        Self::start_with(PostfixBox::builder(), issued, services)
    }

    /// The same on top of what `builder` has.
    pub(crate) fn start_with(builder: BoxBuilder, issued: &Issued, services: &[&[&str]]) -> Self {
        let made = builder
            .set("myhostname", "mx.example")
            .set("mydestination", "mx.example")
            .set("local_transport", "local")
            .set("mynetworks", "")
            .set("smtpd_peername_lookup", "no")
            .set("smtpd_relay_restrictions", "reject_unauth_destination")
            .set("smtpd_tls_security_level", "may")
            .set("smtpd_tls_chain_files", "{base}/config/chain.pem")
            .set("smtpd_tls_loglevel", "1")
            .master_cf(master_cf(services))
            .build()
            .unwrap();
        let (key, chain) = (&*issued.key_pem, issued.fullchain_pem());
        let write = |name, text| fs::write(made.config_directory().join(name), text).unwrap();
        write("chain.pem", format!("{key}{chain}"));
        write("cert-first.pem", format!("{chain}{key}"));
        made.start().unwrap();
        Self(made)
    }

    /// Where the service listens.
    pub(crate) fn address(&self, service: usize) -> SocketAddr {
        self.0.at(PORT + u16::try_from(service).unwrap())
    }

    /// Writes a file beside the chain.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.config_directory().join(name), text).unwrap();
    }

    /// Its log so far.
    pub(crate) fn log(&self) -> String {
        self.0.log()
    }
}

fn master_cf(services: &[&[&str]]) -> String {
    let mut text = MASTER_CF.to_owned();
    for (port, options) in (PORT..).zip(services) {
        write!(text, "{port} inet n - n - - smtpd").unwrap();
        for option in *options {
            let option = option.replace("ETC", "{base}/config");
            write!(text, "\n  -o {{ {option} }}").unwrap();
        }
        text.push('\n');
    }
    text
}
