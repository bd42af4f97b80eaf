//! The host alone: snapshot, publish, restore, in a folder of its own. Nothing reads the file, so
//! it may be as broken as it likes.

use crate::place::{Placed, Whole, corpus};
use postseal_host::{Host, HostOptions, PostfixHost};
use postseal_planner::Digest;
use postseal_planner::plan::Cf;
use std::fs;
use tempfile::TempDir;

#[test]
fn the_host_publishes_and_restores_every_file_whole() {
    let folder = TempDir::with_prefix("postseal-corpus-").unwrap();
    let host = PostfixHost::new(HostOptions::new(folder.path())).unwrap();
    for file in [Cf::Main, Cf::Master] {
        for (n, sample) in corpus(file).iter().enumerate() {
            let placed = Placed::put(folder.path(), file, &sample.bytes, n, [4321, 1234]);
            let before = placed.whole();
            let snapshot = host.snapshot(file).unwrap();
            let changed = [sample.bytes.as_slice(), b"\n# changed\n"].concat();
            host.publish(file, &changed, Digest::of(&sample.bytes))
                .unwrap();
            let expected = Whole {
                bytes: changed.clone(),
                owner: before.owner,
                mode: before.mode,
                note: before.note.clone(),
                link: before.link.clone(),
            };
            assert_eq!(placed.whole(), expected, "{}", sample.name);
            host.restore(&snapshot, Digest::of(&changed)).unwrap();
            assert_eq!(placed.whole(), before, "{}", sample.name);
            host.sweep(file).unwrap();
        }
    }
    let left: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !["main.cf", "master.cf", "real"].contains(&name.as_str()))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
