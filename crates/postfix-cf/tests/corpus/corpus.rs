//! The files of the corpus and what its index says of them.

use postseal_testkit::beside;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file of the corpus.
pub(crate) struct Sample {
    /// Folder and file name.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether `postconf` ended with an error when the index was made.
    pub(crate) refused: bool,
}

/// All files in a folder, in order; none where there is no corpus, which is said. It may grow, and
/// must not shrink.
pub(crate) fn samples(folder: &str) -> Vec<Sample> {
    let least = if folder == "main.cf" { 84 } else { 49 };
    let files = beside::samples(&format!("corpus/{folder}"), least);
    let index = beside::samples("corpus", 2);
    let index = index.iter().find(|file| file.name == "INDEX.tsv");
    let index = index.map(|index| String::from_utf8_lossy(&index.bytes));
    let lines = index.iter().flat_map(|index| index.lines());
    let verdicts: BTreeMap<&str, bool> = lines
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|columns| (columns[0], columns[4] == "failed"))
        .collect();
    let sample = |file: beside::Sample| {
        let name = format!("{folder}/{}", file.name);
        let refused = verdicts.get(&*name);
        Sample {
            bytes: file.bytes,
            refused: *refused.unwrap_or_else(|| panic!("{name} is not in the index")),
            name,
        }
    };
    files.into_iter().map(sample).collect()
}

/// Holds a count to what it once was; it may grow, and must not shrink.
pub(crate) fn enough(samples: &[Sample], count: usize, least: usize) {
    assert!(samples.is_empty() || count >= least, "only {count}");
}

/// Runs `check` on all samples in two threads, each with a scratch folder, and sums what it counts.
pub(crate) fn on_each(
    samples: &[Sample],
    check: fn(&Sample, &super::postconf::Postconf) -> usize,
) -> usize {
    let (next, total) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let postconf = super::postconf::Postconf::new();
                while let Some(sample) = samples.get(next.fetch_add(1, Ordering::Relaxed)) {
                    total.fetch_add(check(sample, &postconf), Ordering::Relaxed);
                }
            });
        }
    });
    total.into_inner()
}
