//! A certbot that renews: `live` with links into `archive`, which are swapped.

use crate::site::Site;
use postseal_issue::KeyType;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) struct Certbot {
    live: PathBuf,
    archive: PathBuf,
}

impl Certbot {
    pub(crate) fn new(site: &Site, name: &str) -> Self {
        let live = PathBuf::from(site.scene.named(name));
        let archive = PathBuf::from(site.scene.named(&format!("{name}-archive")));
        fs::create_dir_all(&live).unwrap();
        fs::create_dir_all(&archive).unwrap();
        Self { live, archive }
    }

    pub(crate) fn live(&self) -> String {
        self.live.display().to_string()
    }

    /// Makes a certificate and puts it there.
    pub(crate) fn make(&self, site: &Site, name: &str) {
        self.make_of(site, name, KeyType::Rsa2048, &["mx.box.test"]);
    }

    pub(crate) fn make_of(&self, site: &Site, name: &str, key: KeyType, names: &[&str]) {
        site.make(name, key, names);
        self.renew(site, name);
    }

    /// One that began a month ago.
    pub(crate) fn make_older(&self, site: &Site, name: &str) {
        site.make_at(name, -30);
        self.renew(site, name);
    }

    /// Puts a certificate that was made into `archive`, and leads the links to it.
    pub(crate) fn renew(&self, site: &Site, name: &str) {
        let (key, chain) = parts(site, name);
        for (file, bytes) in [("privkey", key), ("fullchain", chain)] {
            let kept = self.archive.join(format!("{file}-{name}.pem"));
            fs::write(&kept, bytes).unwrap();
            lead(&self.live.join(format!("{file}.pem")), &kept);
        }
    }

    /// The certificate first, then the key in two halves; `between` each.
    pub(crate) fn write_in_halves(&self, site: &Site, name: &str, between: impl Fn()) {
        site.make(name, KeyType::Rsa2048, &["mx.box.test"]);
        let (key, chain) = parts(site, name);
        let at = |file: &str| fs::canonicalize(self.live.join(file)).unwrap();
        fs::write(at("fullchain.pem"), chain).unwrap();
        between();
        fs::write(at("privkey.pem"), &key[..key.len() / 2]).unwrap();
        // Longer than what is new has to settle.
        std::thread::sleep(Duration::from_secs(3));
        between();
        fs::write(at("privkey.pem"), key).unwrap();
    }

    /// Where the links lead.
    pub(crate) fn archive(&self) -> &Path {
        &self.archive
    }

    pub(crate) fn vanish(&self) {
        fs::remove_dir_all(&self.live).unwrap();
        fs::remove_dir_all(&self.archive).unwrap();
    }
}

/// The key and the chain of a certificate that was made.
fn parts(site: &Site, name: &str) -> (String, String) {
    let path = site.scene.named(&format!("{name}.both"));
    let text = fs::read_to_string(path).unwrap();
    let at = text.find("-----BEGIN CERTIFICATE").unwrap();
    let (key, chain) = text.split_at(at);
    (key.to_owned(), chain.to_owned())
}

/// As `ln -sfn` does: beside, then over it.
fn lead(link: &Path, target: &Path) {
    let beside = link.with_extension("new");
    let _ = fs::remove_file(&beside);
    symlink(target, &beside).unwrap();
    fs::rename(&beside, link).unwrap();
}
