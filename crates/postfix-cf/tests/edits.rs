//! Golden edits: `edits/NN-name/{before.cf,edit,after.cf}`.
//!
//! Owns: the little language of `edit`. Its first word says whether the file is a main.cf (`set`,
//! `unset`, `restore`) or a master.cf (all others). `restore` sets a parameter to something else,
//! prints, parses, and puts the text that stood there back. `append` and `insert-after` take all
//! lines that follow as their text.

#![expect(
    clippy::expect_used,
    reason = "a test ends where its ground is missing"
)]

use postfix_cf::{Braces, Field, MainCf, MasterCf, ServiceKey};
use std::path::Path;

#[test]
fn every_folder() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/edits");
    let folders = std::fs::read_dir(&root).expect("the folder of golden edits");
    let mut folders: Vec<_> = folders
        .map(|entry| entry.expect("an entry").path())
        .collect();
    folders.retain(|path| path.is_dir());
    folders.sort();
    assert!(folders.len() >= 50, "{} folders", folders.len());
    let mut wrong = Vec::new();
    for folder in folders {
        let read = |name: &str| std::fs::read(folder.join(name)).expect("a file of a golden edit");
        let edit = String::from_utf8(read("edit")).expect("text");
        let got = apply(&read("before.cf"), &edit);
        if got != read("after.cf") {
            let name = folder.file_name().expect("a name").to_string_lossy();
            wrong.push(format!("{name}:\n{}", String::from_utf8_lossy(&got)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn apply(before: &[u8], edit: &str) -> Vec<u8> {
    let verb = edit.split_whitespace().next().expect("a verb");
    if matches!(verb, "set" | "unset" | "restore") {
        let mut main = MainCf::parse(before);
        edit.lines().for_each(|line| edit_main(&mut main, line));
        return main.to_bytes();
    }
    let mut master = MasterCf::parse(before);
    if matches!(verb, "append" | "insert-after") {
        let (line, block) = edit.split_once('\n').expect("a block");
        let done = match line.split_once(' ') {
            Some((_, service)) => master.insert_after(key(service), block.as_bytes()),
            None => master.append_service(block.as_bytes()),
        };
        done.expect("a complete service");
    } else {
        edit.lines().for_each(|line| edit_master(&mut master, line));
    }
    master.to_bytes()
}

fn edit_main(main: &mut MainCf, line: &str) {
    let (verb, rest) = line.split_once(' ').expect("a verb and a name");
    match verb {
        "set" => {
            let (name, value) = pair(rest);
            main.set(name, value.as_bytes()).expect("a plain value");
        }
        "unset" => {
            main.unset(rest);
        }
        "restore" => {
            let raw = main.raw(rest).expect("a parameter of the file").to_vec();
            main.set(rest, b"something else").expect("a plain value");
            *main = MainCf::parse(&main.to_bytes());
            main.set_raw(rest, &raw).expect("what raw gave");
        }
        _ => panic!("{verb}?"),
    }
}

fn edit_master(master: &mut MasterCf, line: &str) {
    let mut words = line.splitn(3, ' ');
    let verb = words.next().expect("a verb");
    let service = key(words.next().expect("a service"));
    let rest = words.next().unwrap_or_default();
    match verb {
        "override" => {
            let (name, value) = pair(rest);
            let set = master.set_override(service, name, value.as_bytes(), Braces::Allowed);
            set.expect("a plain value");
        }
        "unset-override" => {
            assert!(master.unset_override(service, rest).expect("a service") > 0);
        }
        "field" => {
            let (name, value) = pair(rest);
            master
                .set_field(service, field(name), value)
                .expect("a word");
        }
        "remove" => assert!(master.remove_service(service) > 0),
        "comment-out" => assert!(master.comment_out_service(service) > 0),
        "uncomment" => {
            let templates = master.templates();
            let index = templates.iter().position(|t| t.service.key() == service);
            let index = index.expect("a commented-out service");
            master.uncomment_template(index).expect("a free one");
        }
        _ => panic!("{verb}?"),
    }
}

fn pair(text: &str) -> (&str, &str) {
    let (name, value) = text.split_once(" =").expect("name = value");
    (name, value.trim_start())
}

fn key(text: &str) -> ServiceKey<'_> {
    let (name, kind) = text.split_once('/').expect("name/type");
    ServiceKey::new(name, kind)
}

fn field(name: &str) -> Field {
    match name {
        "chroot" => Field::Chroot,
        "process-limit" => Field::ProcessLimit,
        "wakeup" => Field::Wakeup,
        "command" => Field::Command,
        _ => panic!("{name}?"),
    }
}
