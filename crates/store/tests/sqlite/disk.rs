//! Disks: full, and read-only. Each on a small file system of its own, mounted for one child.

use crate::child;
use crate::fixture::{MX, kept, operation, snapshot, state};
use postseal_planner::plan::Cf;
use postseal_store::{Hindrance, NewOperation, RuleTake, SqliteStore, Store, StoreError};
use std::error::Error;
use std::path::Path;
use std::process::Command;

#[test]
fn no_room_for_a_store() {
    let place = tempfile::tempdir().unwrap();
    child::succeeds(child::command_with_own_mounts("disk::tiny", place.path()));
}

#[test]
fn the_disk_fills_up() {
    let place = tempfile::tempdir().unwrap();
    child::succeeds(child::command_with_own_mounts("disk::small", place.path()));
}

#[test]
fn the_disk_is_read_only() {
    let place = tempfile::tempdir().unwrap();
    child::succeeds(child::command_with_own_mounts(
        "disk::read_only",
        place.path(),
    ));
}

fn mount(place: &Path, options: &str) {
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", options, "tmpfs"])
        .arg(place);
    assert!(mount.status().unwrap().success());
}

fn last_cause(error: &StoreError) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[test]
#[ignore = "the child of no_room_for_a_store"]
fn tiny() {
    let place = child::place();
    mount(&place, "size=64k,mode=700");
    let folder = place.join("store");
    let error = SqliteStore::open(&folder).err().unwrap();
    let cause = last_cause(&error);
    assert!(
        cause.contains("full") || cause.contains("No space"),
        "{error}: {cause}"
    );
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert!(left.iter().all(|name| name == "identity"), "{left:?}");
    assert!(SqliteStore::open_existing(&folder).unwrap().is_none());
    mount(&place, "remount,size=4m");
    SqliteStore::open(&folder)
        .unwrap()
        .adopt(MX, &state("a"))
        .unwrap();
}

fn bulky(n: u32) -> NewOperation {
    let main = format!("# {n}\n").repeat(4000).into_bytes();
    NewOperation {
        rules: RuleTake::None,
        snapshots: vec![snapshot(Cf::Main, &main)],
        ..operation(MX, &n.to_string())
    }
}

#[test]
#[ignore = "the child of the_disk_fills_up"]
fn small() {
    let place = child::place();
    mount(&place, "size=1m,mode=700");
    let mut store = SqliteStore::open(&place.join("store")).unwrap();
    store.adopt(MX, &state("a")).unwrap();
    let Full {
        stored,
        open,
        error,
    } = fill(&mut store);
    assert!(
        stored > 3 && last_cause(&error).contains("full"),
        "{stored}: {}",
        last_cause(&error)
    );
    let whole = |store: &SqliteStore| {
        assert_eq!(store.open(MX).unwrap().map(|operation| operation.id), open);
        assert_eq!(store.history(MX, 99).unwrap().len() as u32, stored);
        let newest = store.operation(u64::from(stored)).unwrap().unwrap();
        assert_eq!(newest.new.snapshots, bulky(stored).snapshots);
    };
    whole(&store);
    whole(&SqliteStore::open(&place.join("store")).unwrap());
    mount(&place, "remount,size=8m");
    // The same connection goes on when there is room again.
    if let Some(id) = open {
        store.close_operation(id, &kept("x")).unwrap();
    }
    store.open_operation(&bulky(99)).unwrap();
    assert_eq!(
        store.open(MX).unwrap().unwrap().new.snapshots,
        bulky(99).snapshots
    );
}

struct Full {
    stored: u32,
    open: Option<u64>,
    error: StoreError,
}

/// Stores until there is no room.
fn fill(store: &mut SqliteStore) -> Full {
    for n in 1.. {
        let id = match store.open_operation(&bulky(n)) {
            Ok(id) => id,
            Err(error) => {
                return Full {
                    stored: n - 1,
                    open: None,
                    error,
                };
            }
        };
        if let Err(error) = store.close_operation(id, &kept("x")) {
            return Full {
                stored: n,
                open: Some(id),
                error,
            };
        }
    }
    unreachable!()
}

#[test]
#[ignore = "the child of the_disk_is_read_only"]
fn read_only() {
    let place = child::place();
    mount(&place, "size=4m,mode=700");
    let folder = place.join("store");
    SqliteStore::open(&folder)
        .unwrap()
        .adopt(MX, &state("a"))
        .unwrap();
    std::fs::create_dir(place.join("empty")).unwrap();
    mount(&place, "remount,ro");
    let error = SqliteStore::open(&place.join("empty")).err().unwrap();
    assert!(is_read_only(&error), "{error:?}");
    assert!(
        SqliteStore::open_existing(&place.join("empty"))
            .unwrap()
            .is_none()
    );
    for store in [
        SqliteStore::open(&folder),
        SqliteStore::open_existing(&folder).map(Option::unwrap),
    ] {
        let mut store = store.unwrap();
        assert_eq!(store.hindrance(), Some(Hindrance::ReadOnly));
        assert_eq!(store.instance(MX).unwrap(), Some(state("a")));
        let error = store.adopt(MX, &state("b")).unwrap_err();
        assert!(is_read_only(&error), "{error:?}");
    }
    mount(&place, "remount,rw");
    let store = SqliteStore::open(&folder).unwrap();
    assert_eq!(store.hindrance(), None);
    assert_eq!(store.instance(MX).unwrap(), Some(state("a")));
}

fn is_read_only(error: &StoreError) -> bool {
    let hindrance = Hindrance::ReadOnly;
    matches!(error, StoreError::Disk { hindrance: seen, .. } if *seen == hindrance)
}
