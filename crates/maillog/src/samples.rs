//! Real logs that stand beside the project, for tests. Never part of it.

use std::fs;
use std::path::{Path, PathBuf};

/// Logs of Postfix 3.7.11 and 3.11.6, made with every level and fault.
pub(crate) fn logs() -> Vec<(String, Vec<u8>)> {
    read("samples", |name| name.ends_with(".log"))
}

/// Pieces of logs as people published them: many versions, many collectors, some cut.
pub(crate) fn corpus() -> Vec<(String, Vec<u8>)> {
    read("corpus/maillog", |_| true)
}

fn read(folder: &str, wanted: fn(&str) -> bool) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(folder);
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("NOT TESTED: {} is absent", folder.display());
        assert!(
            std::env::var_os("CI").is_none(),
            "{} must be there in CI",
            folder.display()
        );
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let files: Vec<_> = paths
        .iter()
        .filter(|path| wanted(&name(path)))
        .map(|path| (name(path), fs::read(path).unwrap()))
        .collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}
