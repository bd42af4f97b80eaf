//! Every folder of `bad-certs` has the codes that it expects; and no file of them, whole, cut or
//! changed, makes anything panic. `src/bad_certs.rs` makes the folders.

#![allow(clippy::unwrap_used, reason = "a test")]

mod exercise;

use mailtls::{Bundle, Certificate, Files, Trust, pem_certificates, problems};
use std::fs;
use std::path::{Path, PathBuf};

/// The second at which the folders were made to be judged.
const NOW: i64 = 1_800_000_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad-certs")
}

fn folders() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// The file of this stem, whatever its ending.
fn file(folder: &Path, stem: &str) -> Option<Vec<u8>> {
    let mut entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let path = entries.find(|path| path.file_stem().is_some_and(|name| name == stem))?;
    Some(fs::read(path).unwrap())
}

/// The codes of everything wrong with the files of a folder, worst first.
fn codes(folder: &Path, anchors: &[Certificate]) -> String {
    let (key, chain) = (file(folder, "key"), file(folder, "chain"));
    let password = file(folder, "password").map(|bytes| String::from_utf8(bytes).unwrap());
    let bundle = Bundle::from_files(Files {
        cert: &file(folder, "cert").unwrap(),
        key: key.as_deref(),
        chain: chain.as_deref(),
        password: password.as_deref(),
    });
    let bundle = match bundle {
        Err(error) => return error.code().to_owned(),
        Ok(bundle) => bundle,
    };
    let found = problems(
        &bundle.chain,
        NOW,
        &["mx.example.com"],
        Trust::Anchors(anchors),
    );
    let codes: Vec<&str> = found.iter().map(|problem| problem.code).collect();
    match codes.as_slice() {
        [] => "ok".to_owned(),
        codes => codes.join(" "),
    }
}

#[test]
fn every_folder_has_the_codes_that_it_expects() {
    let anchors = pem_certificates(&fs::read(folder().join("root.pem")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    let folders = folders();
    for folder in &folders {
        let expected = fs::read_to_string(folder.join("expected")).unwrap();
        let found = codes(folder, &anchors);
        if found != expected.trim_end() {
            let name = folder.file_name().unwrap().to_string_lossy();
            wrong.push(format!(
                "{name}: expected {}, found {found}",
                expected.trim_end()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(folders.len() >= 40, "{} folders", folders.len());
}

#[test]
fn no_file_makes_anything_panic_whole_cut_or_changed() {
    let mut total = 0;
    for folder in folders() {
        for entry in fs::read_dir(folder).unwrap() {
            let bytes = fs::read(entry.unwrap().path()).unwrap();
            total += bytes.len();
            exercise::exercise(&bytes);
            let step = (bytes.len() / 7).max(1);
            for at in (0..bytes.len()).step_by(step) {
                exercise::exercise(&bytes[..at]);
                let mut changed = bytes.clone();
                changed[at] ^= 0x41;
                exercise::exercise(&changed);
            }
        }
    }
    // Half of it is one certificate with ten thousand names.
    assert!(total < 500_000, "the folders hold {total} bytes");
}
