//! A private Postfix and a store for the scenarios; gone when dropped.

use crate::Outcome;
use postseal_testkit::postfix_box::{BoxBuilder, PostfixBox};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use xtask::bench::Task;

/// An instance, a store, and the program to be measured.
pub(crate) struct Site {
    pub(crate) postfix: PostfixBox,
    store: TempDir,
    program: PathBuf,
}

impl Site {
    /// A box with the stock master.cf, not started.
    pub(crate) fn new(program: &Path) -> Outcome<Self> {
        Self::with(PostfixBox::builder(), program)
    }

    /// A box of one's own, not started.
    pub(crate) fn with(builder: BoxBuilder, program: &Path) -> Outcome<Self> {
        Ok(Self {
            postfix: builder.build()?,
            store: tempfile::tempdir()?,
            program: program.to_owned(),
        })
    }

    /// The store's folder.
    pub(crate) fn store(&self) -> PathBuf {
        self.store.path().join("store")
    }

    /// `postseal WORDS` on this instance and store.
    pub(crate) fn postseal(&self, words: &[&str]) -> Task {
        let mut store = OsString::from("sqlite:");
        store.push(self.store());
        let mut argv: Vec<OsString> = vec![
            self.program.clone().into(),
            "--instance".into(),
            self.postfix.config_directory().into(),
            "--store".into(),
            store,
            // The machine's DNS is not what is measured.
            "--resolver".into(),
            "none".into(),
        ];
        argv.extend(words.iter().map(OsString::from));
        Task::new(argv)
    }

    /// `postconf -c DIR WORDS`.
    pub(crate) fn postconf(&self, words: &[&str]) -> Task {
        self.command("/usr/sbin/postconf", words)
    }

    /// A command of Postfix: `PROGRAM -c DIR WORDS`.
    pub(crate) fn command(&self, program: &str, words: &[&str]) -> Task {
        let mut argv: Vec<OsString> = vec![program.into(), "-c".into()];
        argv.push(self.postfix.config_directory().into());
        argv.extend(words.iter().map(OsString::from));
        Task::new(argv)
    }
}
