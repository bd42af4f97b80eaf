//! What ends the waiting. A wait that nothing ends lasts for minutes, and the runner ends the test.

use super::*;
use std::os::unix::fs::symlink;

const LONG: Duration = Duration::from_secs(3600);

/// Whether something ends the waiting that `happens` brings about.
fn is_woken_by(watcher: &mut Watcher, folder: &Path, happens: impl FnOnce() + Send) {
    thread::scope(|scope| {
        scope.spawn(happens);
        watcher.wait(&[folder.to_owned()], LONG);
    });
}

#[test]
fn changes_in_the_folder_and_where_its_links_lead_end_the_waiting() {
    let place = tempfile::tempdir().unwrap();
    let [live, archive] = ["live", "archive"].map(|name| place.path().join(name));
    fs::create_dir(&live).unwrap();
    fs::create_dir(&archive).unwrap();
    fs::write(archive.join("1.pem"), "one").unwrap();
    symlink(archive.join("1.pem"), live.join("fullchain.pem")).unwrap();
    let mut watcher = Watcher::new().unwrap();
    // It is new: something may have happened before.
    watcher.wait(std::slice::from_ref(&live), LONG);
    is_woken_by(&mut watcher, &live, || {
        fs::write(archive.join("1.pem"), "in place").unwrap();
    });
    is_woken_by(&mut watcher, &live, || {
        fs::write(live.join("new"), "a file").unwrap();
    });
    is_woken_by(&mut watcher, &live, || {
        fs::rename(live.join("new"), live.join("renamed")).unwrap();
    });
    // Gone, and back as another folder of the same name.
    fs::remove_dir_all(&live).unwrap();
    watcher.wait(std::slice::from_ref(&live), Duration::from_millis(1));
    fs::create_dir(&live).unwrap();
    watcher.wait(std::slice::from_ref(&live), LONG);
    is_woken_by(&mut watcher, &live, || {
        fs::write(live.join("again"), "a file").unwrap();
    });
}

#[test]
fn a_waker_ends_the_waiting_and_reading_does_not() {
    let place = tempfile::tempdir().unwrap();
    fs::write(place.path().join("file"), "text").unwrap();
    let mut watcher = Watcher::new().unwrap();
    watcher.wait(&[place.path().to_owned()], LONG);
    let mut waker = watcher.waker().unwrap();
    is_woken_by(&mut watcher, place.path(), || {
        waker.write_all(&[1]).unwrap();
    });
    assert!(changes(EventKind::Any));
    let read = AccessKind::Close(AccessMode::Read);
    assert!(!changes(EventKind::Access(read)));
    let opened = AccessKind::Open(AccessMode::Any);
    assert!(!changes(EventKind::Access(opened)));
}

#[test]
fn a_folder_that_is_not_there_is_waited_for() {
    let mut watcher = Watcher::new().unwrap();
    watcher.wait(
        &[PathBuf::from("/nonexistent/folder")],
        Duration::from_millis(1),
    );
    assert!(watcher.armed.is_empty());
}
