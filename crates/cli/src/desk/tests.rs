//! The desk's folder, made by several at once.

use super::prepared;
use crate::users::Ids;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

#[test]
fn whoever_is_first_nobody_finds_the_folder_half_made() {
    let nobody = Ids {
        uid: 65_534,
        gid: 65_534,
    };
    for _ in 0..200 {
        let store = tempfile::tempdir().unwrap();
        let path = store.path().join("console");
        std::thread::scope(|scope| {
            let at_once = [(); 4].map(|()| scope.spawn(|| prepared(&path, &nobody)));
            for one in at_once {
                one.join().unwrap().unwrap();
            }
        });
        let made = path.metadata().unwrap();
        assert_eq!((made.uid(), made.mode() & 0o7777), (65_534, 0o700));
        assert_eq!(fs::read_dir(store.path()).unwrap().count(), 1);
    }
}
