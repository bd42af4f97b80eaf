//! The files of the corpus and what its index says of them.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A file of the corpus.
pub(crate) struct Sample {
    /// Folder and file name.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// Whether `postconf` ended with an error when the index was made.
    pub(crate) refused: bool,
}

/// All files in a folder, in order.
pub(crate) fn samples(folder: &str) -> Vec<Sample> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let index = std::fs::read_to_string(root.join("INDEX.tsv")).unwrap_or_else(|error| {
        panic!(
            "the corpus of real-world files is needed at {}: {error}",
            root.display()
        )
    });
    let samples: Vec<Sample> = index
        .lines()
        .skip(1)
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|columns| columns[0].starts_with(&format!("{folder}/")))
        .map(|columns| Sample {
            name: columns[0].to_owned(),
            bytes: std::fs::read(root.join(columns[0])).expect("a file that the index names"),
            refused: columns[4] == "failed",
        })
        .collect();
    assert!(samples.len() >= 40, "{} files in {folder}", samples.len());
    samples
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
