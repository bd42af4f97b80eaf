//! Tests of `postfix`: postfix's own commands, typed.

use super::*;

#[test]
fn values_are_everything_after_the_first_equals_sign() {
    let values = parse_values("a = b = c\nempty =\nempty_too = \n x\n");
    assert_eq!(values["a"], "b = c");
    assert_eq!(values["empty"], "");
    assert_eq!(values["empty_too"], "");
    assert_eq!(values.len(), 3);
}

#[test]
fn messages_lose_the_program_that_said_them() {
    let said = "/usr/sbin/postconf: warning: x: unused parameter: a=b\n\n\
        postconf: fatal: /etc/postfix/main.cf, line 2: missing '='\n";
    assert_eq!(
        without_program(said),
        "/etc/postfix/main.cf, line 2: missing '='"
    );
    assert_eq!(without_program("odd"), "odd");
    assert_eq!(warnings(said.as_bytes())[0], "x: unused parameter: a=b");
}

#[test]
fn a_lookup_finds_or_not_or_fails() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.cf"), "").unwrap();
    std::fs::write(folder.path().join("master.cf"), "").unwrap();
    let root = Root::new(Path::new("/"));
    let postfix = Postfix::new(&root, &[], folder.path()).unwrap();
    let map = "inline:{ { key = some value } }";
    let found = postfix.lookup(map, "key").unwrap();
    assert_eq!(found.as_deref(), Some("some value"));
    assert_eq!(postfix.lookup(map, "other").unwrap(), None);
    assert!(postfix.lookup("hash:/nonexistent/map", "key").is_err());
    assert!(postfix.lookup("nosuchtype:x", "key").is_err());
}

#[test]
fn a_bad_row_of_a_table_is_none_and_the_others_answer() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("main.cf"), "").unwrap();
    std::fs::write(folder.path().join("master.cf"), "").unwrap();
    let postfix = Postfix::new(&Root::new(Path::new("/")), &[], folder.path()).unwrap();
    let path = folder.path().join("table");
    let tables = [
        (
            "regexp",
            "/^a(b/ one\n/^(c)/ $3\nodd\n/open two\n/^key$/ three\n",
        ),
        ("cidr", "127.0.0.300 one\nodd\n127.0.0.1 three\n"),
        (
            "texthash",
            " a b\nodd\nkey three\n127.0.0.1 three\nkey four\n",
        ),
    ];
    for (kind, rows) in tables {
        std::fs::write(&path, rows).unwrap();
        let map = format!("{kind}:{}", path.display());
        let key = if kind == "cidr" { "127.0.0.1" } else { "key" };
        assert!(postfix.lookup(&map, key).unwrap().is_some(), "{kind}");
        assert_eq!(postfix.lookup(&map, "10.0.0.1").unwrap(), None, "{kind}");
        let keys = [key.to_owned(), "10.0.0.1".to_owned()];
        let found = postfix.lookups(&map, &keys).unwrap();
        assert!(
            matches!(found.as_slice(), [Some(_), None]),
            "{kind}: {found:?}"
        );
    }
    assert!(postfix.lookup("regexp:/nonexistent/map", "key").is_err());
}

#[test]
fn without_postfix_the_message_says_where_it_was_looked_for() {
    let empty = tempfile::tempdir().unwrap();
    let error = find_postconf(&Root::new(empty.path())).unwrap_err();
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert!(why.contains("/usr/sbin/postconf"), "{why}");
}

#[test]
fn places_are_asked_again_when_main_cf_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let main_cf = folder.path().join("main.cf");
    // Old enough that postconf does not sleep.
    let write = |path: &Path, text: &str| {
        std::fs::write(path, text).unwrap();
        let then = std::time::SystemTime::now() - Duration::from_secs(3);
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(then).unwrap();
    };
    write(&main_cf, "queue_directory = /one\n");
    std::fs::write(folder.path().join("master.cf"), "").unwrap();
    let root = Root::new(Path::new("/"));
    let postfix = Postfix::new(&root, &[], folder.path()).unwrap();
    let queue = || postfix.places().unwrap().queue_directory;
    assert_eq!(queue(), Path::new("/one"));
    assert_eq!(queue(), Path::new("/one"));
    // Renamed over it, as Postseal and postconf do.
    let next = folder.path().join("next");
    write(&next, "queue_directory = /two\n");
    std::fs::rename(&next, &main_cf).unwrap();
    assert_eq!(queue(), Path::new("/two"));
    std::fs::remove_file(&main_cf).unwrap();
    assert_eq!(queue(), Path::new("/two"));
    // A value that refers to another one is not taken as it stands.
    write(&main_cf, "here = /three\nqueue_directory = $here/queue\n");
    let effective = postfix.effective().unwrap();
    assert_eq!(effective.values["queue_directory"], "$here/queue");
    assert_eq!(queue(), Path::new("/three/queue"));
}
