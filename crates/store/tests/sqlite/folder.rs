//! The folder: who may touch it, and what is made in it.

use crate::child;
use crate::fixture::{KEY, MX, all, certificate, operation, state};
use postseal_store::{SqliteStore, Store, StoreError};
use std::error::Error;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A place and a folder in it that is not there yet.
fn place() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("store");
    (place, folder)
}

/// Both ways of opening refuse, change nothing, and say why.
fn refused(folder: &Path, why: &str) {
    for result in [
        SqliteStore::open(folder).map(Some),
        SqliteStore::open_existing(folder),
    ] {
        let Err(error) = result else {
            panic!("{} was opened", folder.display())
        };
        assert!(matches!(error, StoreError::Folder { .. }), "{error:?}");
        let source = error.source().unwrap().to_string();
        assert!(source.contains(why), "{error}: {source}");
    }
}

#[test]
fn nothing_is_made_by_looking() {
    let (place, folder) = place();
    assert!(SqliteStore::open_existing(&folder).unwrap().is_none());
    assert_eq!(names(place.path()), [""; 0]);
    fs::create_dir(&folder).unwrap();
    assert!(SqliteStore::open_existing(&folder).unwrap().is_none());
    assert_eq!(names(&folder), [""; 0]);
}

#[test]
fn a_new_store_is_for_us_alone() {
    let (_place, folder) = place();
    let mut store = SqliteStore::open(&folder).unwrap();
    store.adopt(MX, &state("a")).unwrap();
    assert_eq!(
        names(&folder),
        ["agent.db", "agent.db-shm", "agent.db-wal", "identity"]
    );
    assert_eq!(mode(&folder), 0o700);
    for name in names(&folder) {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
    assert_eq!(store.folder(), folder.canonicalize().unwrap());
}

#[test]
fn what_was_stored_is_there_again() {
    let (_place, folder) = place();
    SqliteStore::open(&folder)
        .unwrap()
        .adopt(MX, &state("a"))
        .unwrap();
    let looked = SqliteStore::open_existing(&folder).unwrap().unwrap();
    assert_eq!(looked.instance(MX).unwrap(), Some(state("a")));
    let again = SqliteStore::open(&folder).unwrap();
    assert_eq!(again.instance(MX).unwrap(), Some(state("a")));
}

#[test]
fn the_umask_does_not_matter() {
    for umask in ["0", "777", "27"] {
        let (place, _) = place();
        let mut child = child::command("folder::under_an_umask", place.path());
        child::succeeds({
            child.env("STORE_TEST_UMASK", umask);
            child
        });
    }
}

#[test]
#[ignore = "the child of the_umask_does_not_matter"]
fn under_an_umask() {
    let umask = u32::from_str_radix(&std::env::var("STORE_TEST_UMASK").unwrap(), 8).unwrap();
    rustix::process::umask(umask.into());
    let folder = child::place().join("store");
    let mut store = SqliteStore::open(&folder).unwrap();
    store.put_certificate(&certificate("mx")).unwrap();
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(names(&folder).len(), 4);
    for name in names(&folder) {
        assert_eq!(mode(&folder.join(&name)), 0o600, "{name}");
    }
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let (_place, folder) = place();
    drop(SqliteStore::open(&folder).unwrap());
    for open_to in [0o777, 0o1777, 0o720, 0o702] {
        set_mode(&folder, open_to);
        refused(&folder, "others may write");
    }
    set_mode(&folder, 0o750);
    drop(SqliteStore::open(&folder).unwrap());
    assert_eq!(
        mode(&folder),
        0o750,
        "an administrator may let a group look"
    );
}

#[test]
fn a_folder_below_one_that_others_can_write_is_refused() {
    let (place, folder) = place();
    drop(SqliteStore::open(&folder).unwrap());
    set_mode(place.path(), 0o777);
    refused(&folder, "others may write");
    set_mode(place.path(), 0o1777);
    drop(SqliteStore::open(&folder).unwrap());
}

#[test]
fn what_belongs_to_another_is_refused() {
    child::needs_root();
    let (place, folder) = place();
    drop(SqliteStore::open(&folder).unwrap());
    let agent = folder.join("agent.db");
    for theirs in [&folder, &agent, &place.path().to_owned()] {
        std::os::unix::fs::chown(theirs, Some(4711), None).unwrap();
        refused(&folder, "belongs to uid 4711");
        std::os::unix::fs::chown(theirs, Some(0), None).unwrap();
    }
    drop(SqliteStore::open(&folder).unwrap());
}

#[test]
fn files_that_others_can_open_are_refused() {
    let (_place, folder) = place();
    drop(SqliteStore::open(&folder).unwrap());
    let agent = folder.join("agent.db");
    for open_to in [0o644, 0o660, 0o601] {
        set_mode(&agent, open_to);
        refused(&folder, "others may open it");
        assert_eq!(mode(&agent), open_to, "what leaked is not covered up");
    }
}

#[test]
fn links_are_followed_only_where_nobody_else_can_lay_them() {
    child::needs_root();
    let (place, folder) = place();
    drop(SqliteStore::open(&folder).unwrap());
    let link = place.path().join("link");
    symlink(&folder, &link).unwrap();
    let through = SqliteStore::open(&link).unwrap();
    assert_eq!(through.folder(), folder.canonicalize().unwrap());
    std::os::unix::fs::lchown(&link, Some(4711), None).unwrap();
    refused(&link, "belongs to uid 4711");
}

#[test]
fn a_file_that_is_a_link_is_refused() {
    let (place, folder) = place();
    drop(SqliteStore::open(&folder).unwrap());
    let (agent, elsewhere) = (folder.join("agent.db"), place.path().join("elsewhere"));
    fs::rename(&agent, &elsewhere).unwrap();
    symlink(&elsewhere, &agent).unwrap();
    refused(&folder, "not a plain file");
    fs::remove_file(&elsewhere).unwrap();
    refused(&folder, "not a plain file");
    assert!(
        !elsewhere.exists(),
        "nothing is written through a dangling link"
    );
}

#[test]
fn places_where_no_folder_can_be() {
    let (place, folder) = place();
    let missing = SqliteStore::open(&folder.join("deep")).err().unwrap();
    assert!(
        missing
            .to_string()
            .starts_with("cannot create the store at "),
        "{missing}"
    );
    assert!(!folder.exists(), "folders above are not made");
    let file = place.path().join("file");
    fs::write(&file, "").unwrap();
    refused(&file, "not a directory");
}

#[test]
fn a_log_without_its_database_is_not_taken_for_a_new_store() {
    let (_place, folder) = place();
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, 0o700);
    fs::write(folder.join("agent.db-wal"), "frames").unwrap();
    refused(&folder, "agent.db is missing");
    assert_eq!(names(&folder), ["agent.db-wal"]);
}

#[test]
fn an_identity_that_is_there_is_kept() {
    let (_place, folder) = place();
    let mut store = SqliteStore::open(&folder).unwrap();
    store.put_certificate(&certificate("mx")).unwrap();
    let identity = fs::read(folder.join("identity")).unwrap();
    drop(store);
    for lost in ["agent.db", "agent.db-wal", "agent.db-shm"] {
        drop(fs::remove_file(folder.join(lost)));
    }
    let mut store = SqliteStore::open(&folder).unwrap();
    assert_eq!(fs::read(folder.join("identity")).unwrap(), identity);
    store.put_certificate(&certificate("mx")).unwrap();
    assert_eq!(store.private_key("mx", 1).unwrap().unwrap().as_slice(), KEY);
}

#[test]
fn many_may_create_at_once() {
    let (_place, folder) = place();
    std::thread::scope(|scope| {
        for n in 0..6 {
            let folder = &folder;
            scope.spawn(move || {
                let mut store = SqliteStore::open(folder).unwrap();
                store
                    .put_certificate(&certificate(&format!("mx{n}")))
                    .unwrap();
            });
        }
    });
    let store = SqliteStore::open_existing(&folder).unwrap().unwrap();
    assert_eq!(all(&store).len(), 6);
    for n in 0..6 {
        assert!(store.private_key(&format!("mx{n}"), 1).unwrap().is_some());
    }
    assert!(
        names(&folder).iter().all(|name| !name.starts_with('.')),
        "{:?}",
        names(&folder)
    );
}

#[test]
fn of_many_who_open_an_operation_one_wins() {
    let (_place, folder) = place();
    SqliteStore::open(&folder)
        .unwrap()
        .adopt(MX, &state("a"))
        .unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        let open = || {
            SqliteStore::open(&folder)
                .unwrap()
                .open_operation(&operation(MX, "x"))
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    let winners: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().ok())
        .collect();
    assert_eq!(winners, [&1]);
    let losers = results
        .iter()
        .filter(|result| matches!(result, Err(StoreError::Busy(1))));
    assert_eq!(losers.count(), 5);
}
