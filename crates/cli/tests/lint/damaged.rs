//! Real files and ten thousand damaged ones through the program: it ends as it should, says what it
//! always says, and takes no more than 100 ms of processor time for any of them. (Time by the clock
//! is other processes' as well; a bound that a busy machine cannot break is the process's own.)
//!
//! Files, not folders: of a folder an installed Postfix is asked, and Postfix itself sleeps a second
//! before it dies of a bad main.cf. What the rules make of pairs is in the planner's `mutated.rs`.

use postseal_testkit::beside::samples;
use postseal_testkit::dice::Dice;
use serde_json::Value;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;
use wait4::Wait4;

const COUNT: usize = 10_000;
/// Of the program for one file.
const LIMIT: Duration = Duration::from_millis(100);
/// So many files are linted by one process: where all of them take no longer than one may, none does.
const AT_ONCE: usize = 25;

/// Real files under names that say which they are; where `../shared` is absent, the stock ones.
fn real() -> Vec<(&'static str, Vec<u8>)> {
    let stock = crate::scene::stock_master();
    let main = "compatibility_level = 3.6\nsmtpd_tls_security_level = may\n";
    let mut all = vec![
        ("main.cf", main.as_bytes().to_vec()),
        ("master.cf", stock.into_bytes()),
    ];
    let of = |kind, folder, least| {
        let samples = samples(folder, least).into_iter();
        samples.map(move |sample| (kind, sample.bytes))
    };
    all.extend(of("main.cf", "corpus/main.cf", 84));
    all.extend(of("master.cf", "corpus/master.cf", 49));
    all
}

#[test]
fn real_and_damaged_files_are_linted_to_the_end_and_soon() {
    let folder = TempDir::with_prefix("postseal-damaged-").unwrap();
    fs::write(folder.path().join("postseal.toml"), "").unwrap();
    let real = real();
    let whole = real.iter().map(|(kind, bytes)| (*kind, bytes.clone()));
    let broken = (0..COUNT).map(|number| {
        let (kind, bytes) = &real[number % real.len()];
        (*kind, Dice::new(number as u64).damaged(bytes))
    });
    let named = whole.chain(broken).enumerate();
    let paths: Vec<PathBuf> = named
        .map(|(number, (kind, bytes))| {
            let path = folder.path().join(format!("{kind}.{number}"));
            fs::write(&path, bytes).unwrap();
            path
        })
        .collect();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let take = || {
                    paths
                        .chunks(AT_ONCE)
                        .nth(next.fetch_add(1, Ordering::Relaxed))
                };
                while let Some(some) = take() {
                    judged(folder.path(), some);
                }
            });
        }
    });
}

/// All of them at once; each by itself where that takes longer than one may.
fn judged(folder: &Path, paths: &[PathBuf]) {
    if used(folder, paths) > LIMIT {
        for path in paths {
            let one = used(folder, std::slice::from_ref(path));
            let kept = path.display();
            assert!(
                one <= LIMIT,
                "{kept}: {one:?}:\n{}",
                String::from_utf8_lossy(&fs::read(path).unwrap())
            );
        }
    }
}

/// Lints them; the processor time that the program took.
fn used(folder: &Path, paths: &[PathBuf]) -> Duration {
    let name = paths[0].file_name().unwrap().to_string_lossy().into_owned();
    let [out, err] = ["out", "err"].map(|end| folder.join(format!("{name}.{end}")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_postseal"));
    command
        .env_clear()
        .env("POSTSEAL_CONFIG", folder.join("postseal.toml"))
        .args(["--resolver", "none", "lint", "--json"])
        .args(paths)
        .stdin(Stdio::null())
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&err).unwrap());
    let ended = command.spawn().unwrap().wait4().unwrap();
    let said = fs::read_to_string(&err).unwrap();
    assert!(said.is_empty(), "{name} and those after it: {said}");
    assert!(
        matches!(ended.status.code(), Some(0 | 2)),
        "{name}: {:?}",
        ended.status
    );
    let document: Value = serde_json::from_slice(&fs::read(&out).unwrap()).unwrap();
    for finding in document["findings"].as_array().unwrap() {
        let has = |field: &str| finding[field].as_str().is_some_and(|text| !text.is_empty());
        assert!(
            ["code", "message", "remedy"].into_iter().all(has),
            "{name}: {finding:#}"
        );
    }
    fs::remove_file(out).unwrap();
    fs::remove_file(err).unwrap();
    ended.rusage.utime + ended.rusage.stime
}
