//! Rules on a file as text: its size in bytes, its executable bit, paths of one machine.

use super::{File, Offence};

/// The largest file, in bytes.
const LARGEST: usize = 512 * 1024;

/// Paths that mean one developer's machine. Put together here, so that this file passes.
const MACHINE: [&str; 2] = [concat!("/wo", "rk/"), concat!("/tmp", "/t-")];

pub(super) fn judge(file: &File, offences: &mut Vec<Offence>) {
    let bytes = file.bytes();
    if bytes.len() > LARGEST {
        let what = format!("{} KiB", bytes.len() / 1024);
        let remedy = "keep files under 512 KiB: generate it, or cut it down";
        offences.push(Offence::new(file.path(), 1, what, remedy));
    }
    judge_bit(file, offences);
    for (place, line) in file.text().lines().enumerate() {
        if let Some(found) = MACHINE.iter().find(|found| line.contains(**found)) {
            let what = format!("names a path of one machine, {found}");
            let remedy = "make it relative to CARGO_MANIFEST_DIR, or a temporary folder";
            offences.push(Offence::new(file.path(), place + 1, what, remedy));
        }
    }
}

fn judge_bit(file: &File, offences: &mut Vec<Offence>) {
    let script = file.bytes().starts_with(b"#!") && !file.bytes().starts_with(b"#![");
    let (what, remedy) = match (script, file.is_executable()) {
        (true, false) => ("a script without the executable bit", "chmod +x"),
        (false, true) => ("executable, but no script", "chmod -x"),
        _ => return,
    };
    offences.push(Offence::new(file.path(), 1, what, remedy));
}
