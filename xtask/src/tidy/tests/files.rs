//! Rules on files as text and on their size.

use super::{found, offences};
use crate::tidy::{File, Tree};
use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

fn lines(count: usize) -> String {
    format!("//! x\n{}", "//\n".repeat(count - 1))
}

/// A function `name` of so many lines.
fn function(name: &str, length: usize) -> String {
    format!("fn {name}() {{\n{}}}\n", "    a();\n".repeat(length - 2))
}

#[test]
fn a_file_ends_at_400_lines() {
    assert!(found("crates/cli/src/a.rs", &lines(400)).is_empty());
    let wanted = ["401: 401 lines, more than 400"];
    assert_eq!(found("crates/cli/src/a.rs", &lines(401)), wanted);
}

#[test]
fn tests_and_benches_may_be_long() {
    let text = lines(900) + &function("long", 90);
    for path in [
        "src/a/tests.rs",
        "tests/a.rs",
        "benches/b.rs",
        "src/tests/c.rs",
    ] {
        assert!(
            found(&format!("crates/cli/{path}"), &text).is_empty(),
            "{path}"
        );
    }
}

#[test]
fn the_front_door_is_narrow() {
    let wanted = ["51: 51 lines, more than 50"];
    assert_eq!(found("crates/cli/src/main.rs", &lines(51)), wanted);
    assert!(found("crates/cli/src/main.rs", &lines(50)).is_empty());
}

#[test]
fn a_function_ends_at_60_lines() {
    let text = format!("//! x\n{}", function("fits", 60));
    assert!(found("crates/cli/src/a.rs", &text).is_empty());
    let text = format!("//! x\n\n#[inline]\n{}", function("long", 61));
    let wanted = ["4: fn long has 61 lines, more than 60"];
    assert_eq!(found("crates/cli/src/a.rs", &text), wanted);
}

#[test]
fn a_long_function_may_have_a_reason() {
    let long = function("long", 61);
    let excuse = "// tidy: long because it is one table\n#[inline]\n#[must_use]\n";
    let text = format!("//! x\n\n{excuse}{long}");
    assert!(found("crates/cli/src/a.rs", &text).is_empty());
    for wrong in [
        "// tidy: long because \n",
        "// tidy: long\n",
        "// tidy: long because of x\n\nstruct Between;\n",
    ] {
        let text = format!("//! x\n\n{wrong}{long}");
        assert_eq!(found("crates/cli/src/a.rs", &text).len(), 1, "{wrong}");
    }
}

#[test]
fn braces_in_text_do_not_end_a_function() {
    let body = "    let a = \"}\"; // }\n    let b = '}'; /* } /* } */ */\n    r#\"}\"# ;\n";
    let text = format!(
        "//! x\nfn a<'a>() {{\n{body}{}}}\n",
        "    a();\n".repeat(57)
    );
    assert_eq!(
        found("crates/cli/src/a.rs", &text),
        ["2: fn a has 62 lines, more than 60"]
    );
}

#[test]
fn a_signature_without_a_body_is_no_function() {
    let text = format!(
        "//! x\ntrait T {{\n    fn a(&self);\n{}}}\n",
        "\n".repeat(70)
    );
    assert!(found("crates/cli/src/a.rs", &text).is_empty());
}

#[test]
fn nine_functions_in_ten_are_short() {
    let mut text = "//! x\n".to_owned();
    for number in 0..18 {
        let _ = writeln!(text, "fn f{number}() {{}}");
    }
    text += &function("one", 31);
    text += &function("two", 31);
    assert!(found("crates/cli/src/a.rs", &text).is_empty());
    text += &function("three", 31);
    let wanted = "20: fn one has 31 lines (3 of 21 functions of postseal are over 30)";
    let list = found("crates/cli/src/a.rs", &text);
    assert_eq!(list.len(), 3);
    assert_eq!(list[0], wanted);
}

#[test]
fn a_path_of_one_machine_is_found_in_any_file() {
    let path = concat!("see /wo", "rk/main/x\n");
    for file in ["docs/a.md", "run", "crates/cli/src/a/tests.rs"] {
        let list = found(file, &format!("//! x\n//! {path}"));
        assert!(
            list[0].starts_with("2: names a path of one machine"),
            "{file}: {list:?}"
        );
    }
    assert!(found("docs/a.md", "framework/ and /tmp/x\n").is_empty());
}

#[test]
fn a_file_of_more_than_512_kib_is_too_large() {
    let file = |size: usize| File::new("docs/a.bin", vec![0; size]);
    assert!(offences(vec![file(512 * 1024)]).is_empty());
    let list = offences(vec![file(600 * 1024)]);
    assert!(list[0].to_string().starts_with("docs/a.bin:1: 600 KiB;"));
}

#[test]
fn scripts_and_only_scripts_are_executable() {
    let script = || File::new("run", "#!/bin/sh\n");
    let text = || File::new("README.md", "# Title\n");
    assert!(offences(vec![script().executable(), text()]).is_empty());
    assert_eq!(offences(vec![script()])[0].remedy, "chmod +x");
    assert_eq!(offences(vec![text().executable()])[0].remedy, "chmod -x");
    let inner = File::new(
        "crates/cli/src/a/tests.rs",
        "#![allow(x, reason = \"y\")]\n",
    );
    let list = offences(vec![inner]);
    assert_eq!(list.len(), 1, "only the missing `//!`: {list:?}");
}

#[test]
fn the_tree_is_read_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (path, text) in [
        ("a/b.rs", "//! x\n"),
        ("run", "#!/bin/sh\n"),
        ("target/c", "c"),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    std::fs::set_permissions(root.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
    symlink("run", root.join("link")).unwrap();
    let tree = Tree::read(root).unwrap();
    let paths: Vec<&Path> = tree.files().iter().map(File::path).collect();
    assert_eq!(paths, [Path::new("a/b.rs"), Path::new("run")]);
    assert!(tree.file("run").unwrap().is_executable());
    assert!(!tree.file("a/b.rs").unwrap().is_executable());
    assert!(Tree::read(&root.join("missing")).is_err());
}
