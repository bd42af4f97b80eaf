//! A real private Postfix in a temporary folder.
//!
//! Owns: [`PostfixBox`]: an [`Instance`] with a configuration that a test describes. Never:
//! touches the host's Postfix, delivers outside the folder.
//!
//! The folder is kept when the test panics and `POSTSEAL_KEEP` is set.

use postfix_cf::MainCf;
use postseal_host::{HostError, Instance};
use std::io;
use std::ops::Deref;
use std::path::PathBuf;
use std::thread;

/// Its mail domain: everything for it lands in one mailbox.
const DOMAIN: &str = "box.test";
/// Its name, and the realm of its users.
pub const HOST: &str = "mx.box.test";

/// What a box is made from.
#[derive(Clone, Debug, Default)]
pub struct BoxBuilder {
    set: Vec<(String, String)>,
    main_cf: Option<Vec<u8>>,
    appended: String,
    master_cf: Option<Vec<u8>>,
    sasl: Option<(String, String)>,
    parent: Option<PathBuf>,
}

/// A private Postfix; stopped and removed on drop. What it can do is its [`Instance`]'s.
#[derive(Debug)]
pub struct PostfixBox(Instance);

impl BoxBuilder {
    /// Sets a parameter of main.cf, in place of the box's own value where it has one.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.set.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Appends text to main.cf as it stands: comments, odd spacing, mistakes.
    #[must_use]
    pub fn append_main_cf(mut self, text: &str) -> Self {
        self.appended.push_str(text);
        self
    }

    /// The whole of main.cf; `{base}` and `{address}` in it become the box's folder and address.
    #[must_use]
    pub fn main_cf(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.main_cf = Some(bytes.into());
        self
    }

    /// The whole of master.cf; otherwise it is the stock one of the installed Postfix.
    #[must_use]
    pub fn master_cf(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.master_cf = Some(bytes.into());
        self
    }

    /// Cyrus SASL with one user that can log in (`235`), inside the jail.
    #[must_use]
    pub fn sasl_user(mut self, name: &str, password: &str) -> Self {
        self.sasl = Some((name.to_owned(), password.to_owned()));
        self
    }

    /// Makes the box's folder in `parent` instead of the system's temporary folder.
    #[must_use]
    pub fn parent(mut self, parent: impl Into<PathBuf>) -> Self {
        self.parent = Some(parent.into());
        self
    }

    /// Makes the folders and writes the files; nothing is started.
    ///
    /// # Errors
    /// When root is missing, Postfix is not installed, or a file cannot be written.
    pub fn build(self) -> io::Result<PostfixBox> {
        let folder = tempfile::Builder::new()
            .prefix("postseal-box-")
            .tempdir_in(self.parent.clone().unwrap_or_else(std::env::temp_dir))?;
        let made = PostfixBox(Instance::make(folder).map_err(io::Error::other)?);
        self.furnish(&made).map_err(io::Error::other)?;
        Ok(made)
    }

    fn furnish(&self, made: &Instance) -> Result<(), HostError> {
        let main_cf = self.main_cf.clone().unwrap_or_else(|| self.own(made));
        let master_cf = self.master_cf.as_ref().map(|bytes| filled(bytes, made));
        made.configure(&filled(&main_cf, made), master_cf.as_deref())?;
        match &self.sasl {
            Some((name, password)) => made.add_user(HOST, name, password),
            None => Ok(()),
        }
    }

    /// The box's own main.cf, with what was set and appended.
    fn own(&self, made: &Instance) -> Vec<u8> {
        let mut text = format!(
            "# A private Postfix.\ncompatibility_level = 3.6\n{}myhostname = {HOST}\n\
             mynetworks = 127.0.0.0/8\n",
            made.settings(DOMAIN)
        );
        if self.sasl.is_some() {
            text.push_str("cyrus_sasl_config_path = {base}/config/sasl\n");
        }
        let mut cf = MainCf::parse(text.as_bytes());
        for (name, value) in &self.set {
            if let Err(error) = cf.set(name, value.as_bytes()) {
                panic!("{name} = {value:?}: {error}; use append_main_cf");
            }
        }
        let mut bytes = cf.to_bytes();
        bytes.extend_from_slice(self.appended.as_bytes());
        bytes
    }
}

impl PostfixBox {
    /// A builder with the box's own settings.
    pub fn builder() -> BoxBuilder {
        BoxBuilder::default()
    }

    /// The mail domain whose mail the box takes into its own mailbox.
    pub fn domain(&self) -> &'static str {
        DOMAIN
    }
}

impl Deref for PostfixBox {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        &self.0
    }
}

impl Drop for PostfixBox {
    fn drop(&mut self) {
        let ended = if thread::panicking() && std::env::var_os("POSTSEAL_KEEP").is_some() {
            eprintln!(
                "postseal: kept {} at {}",
                self.path().display(),
                self.address()
            );
            self.0.leave();
            self.stop()
        } else {
            self.remove()
        };
        if let (Err(error), false) = (ended, thread::panicking()) {
            panic!("{error}");
        }
    }
}

fn filled(text: &[u8], made: &Instance) -> Vec<u8> {
    let base = made.path().display().to_string();
    let with = replaced(text, b"{base}", base.as_bytes());
    replaced(&with, b"{address}", made.address().to_string().as_bytes())
}

fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests;
