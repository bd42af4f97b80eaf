//! The files of the workspace as values.
//!
//! Owns: which files count, which of them are tests, and their tokens. Never: judges. The tree is
//! walked, not asked of git, because root in another user's clone may not ask git.

use super::TidyError;
use super::token::{Token, test_modules, tokens};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// What is not the project's. `.git` is a file in a second work tree.
const SKIPPED: [&str; 4] = [".git", ".cache", "node_modules", "target"];

/// All files, by path.
#[derive(Debug)]
pub struct Tree {
    files: Vec<File>,
}

/// A file: where it stands in the workspace, what it holds.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    bytes: Vec<u8>,
    executable: bool,
    test: bool,
    tokens: Result<Vec<Token>, String>,
}

impl Tree {
    /// Reads every file below `root`; symbolic links are not followed.
    ///
    /// # Errors
    /// When a file or folder cannot be read.
    pub fn read(root: &Path) -> Result<Self, TidyError> {
        let mut files = Vec::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).map_err(|source| fault(&folder, source))?;
            for entry in entries {
                let entry = entry.map_err(|source| fault(&folder, source))?;
                let look = entry
                    .metadata()
                    .map_err(|source| fault(&entry.path(), source))?;
                if SKIPPED.iter().any(|name| entry.file_name() == *name) {
                    continue;
                }
                if look.is_dir() {
                    folders.push(entry.path());
                } else if look.is_file() {
                    let executable = look.permissions().mode() & 0o111 != 0;
                    files.push(read_file(root, &entry.path(), executable)?);
                }
            }
        }
        Ok(Self::new(files))
    }

    /// A tree of these files.
    #[must_use]
    pub fn new(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let places: Vec<PathBuf> = files.iter().flat_map(test_places).collect();
        for file in &mut files {
            let place = file.path.with_extension("");
            file.test |= places.iter().any(|test| place.starts_with(test));
        }
        Self { files }
    }

    /// All files, by path.
    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// The file at `path`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == Path::new(path))
    }
}

impl File {
    /// A file that is not executable.
    #[must_use]
    pub fn new(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let (path, bytes) = (PathBuf::from(path), bytes.into());
        Self {
            executable: false,
            test: stands_with_tests(&path),
            tokens: lex(&path, &bytes),
            path,
            bytes,
        }
    }

    /// The same file with the executable bit.
    #[must_use]
    pub fn executable(mut self) -> Self {
        self.executable = true;
        self
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn is_executable(&self) -> bool {
        self.executable
    }

    /// The text; what is not UTF-8 (golden data may be so) is replaced.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// The tokens of Rust source, empty for every other file.
    pub(super) fn tokens(&self) -> Result<&[Token], &str> {
        match &self.tokens {
            Ok(tokens) => Ok(tokens),
            Err(message) => Err(message),
        }
    }

    pub(super) fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|end| end == "rs")
    }

    /// Whether it is a test or benchmark: `tests.rs`, anything below `tests/`, `benches/`,
    /// `examples/`, `fuzz/`, or a module that is declared under `#[cfg(test)]`.
    pub(super) fn is_test(&self) -> bool {
        self.test
    }
}

fn stands_with_tests(path: &Path) -> bool {
    let folders = ["tests", "benches", "examples", "fuzz"];
    let named = path.file_name().is_some_and(|name| name == "tests.rs");
    named
        || path
            .iter()
            .any(|part| folders.iter().any(|folder| part == *folder))
}

/// Where the modules stand that `file` declares for tests only, without `.rs`.
fn test_places(file: &File) -> Vec<PathBuf> {
    let stem = file.path.file_stem().unwrap_or_default();
    let roots = ["lib", "main", "mod"];
    let folder = match roots.iter().any(|root| stem == *root) {
        true => file.path.parent().unwrap_or(&file.path).to_path_buf(),
        false => file.path.with_extension(""),
    };
    let modules = test_modules(file.tokens().unwrap_or_default());
    modules.iter().map(|name| folder.join(name)).collect()
}

fn read_file(root: &Path, path: &Path, executable: bool) -> Result<File, TidyError> {
    let bytes = std::fs::read(path).map_err(|source| fault(path, source))?;
    let path = path.strip_prefix(root).unwrap_or(path).to_path_buf();
    Ok(File {
        executable,
        test: stands_with_tests(&path),
        tokens: lex(&path, &bytes),
        path,
        bytes,
    })
}

fn lex(path: &Path, bytes: &[u8]) -> Result<Vec<Token>, String> {
    if path.extension().is_none_or(|end| end != "rs") {
        return Ok(Vec::new());
    }
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    tokens(text)
}

fn fault(path: &Path, source: std::io::Error) -> TidyError {
    let path = path.to_path_buf();
    TidyError::Read { path, source }
}
