//! What is read, what is refused, and that nothing waits.

use super::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

fn code<T: std::fmt::Debug>(result: Result<T, SourceError>) -> &'static str {
    result.unwrap_err().code()
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from(0o600), 0).unwrap();
}

#[test]
fn what_is_no_regular_file_is_refused_at_once() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fifo(&at("fifo"));
    let _listener = UnixListener::bind(at("socket")).unwrap();
    symlink(at("loop"), at("loop")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    symlink(at("fifo"), at("to-fifo")).unwrap();
    for name in ["fifo", "socket", "to-fifo"] {
        let error = read_source(&at(name)).unwrap_err();
        assert_eq!(error.code(), "cert.unreadable", "{name}");
        assert!(error.remedy().contains("a regular file"), "{name}: {error}");
    }
    assert_eq!(code(read_source(&at("loop"))), "cert.unreadable");
    assert_eq!(code(read_source(&at("dangling"))), "cert.missing");
    assert_eq!(code(read_source(place.path())), "cert.is-directory");
    assert_eq!(code(read_source(Path::new("/dev/zero"))), "cert.unreadable");
    fs::write(at("large"), vec![b'a'; (1 << 20) + 1]).unwrap();
    assert_eq!(code(read_source(&at("large"))), "cert.too-large");
}

#[test]
fn a_folder_is_read_as_its_client_keeps_it() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fs::write(at("kept"), "certificate").unwrap();
    symlink("kept", at("fullchain.pem")).unwrap();
    fs::write(at("privkey.pem"), "key").unwrap();
    let files = read_folder(place.path(), None).unwrap();
    assert_eq!(files.cert, b"certificate");
    assert_eq!(files.key.unwrap().as_slice(), b"key");
    assert!(files.source.ends_with("(certbot)"), "{}", files.source);

    fs::remove_file(at("kept")).unwrap();
    assert_eq!(code(read_folder(place.path(), None)), "cert.missing");
    fs::write(at("kept"), "").unwrap();
    assert_eq!(code(read_folder(place.path(), None)), "layout.empty");
    fs::write(at("kept"), "certificate").unwrap();
    fs::remove_file(at("privkey.pem")).unwrap();
    fifo(&at("privkey.pem"));
    assert_eq!(code(read_folder(place.path(), None)), "cert.unreadable");
    for gone in ["gone", "kept/below"] {
        assert_eq!(code(read_folder(&at(gone), None)), "cert.missing", "{gone}");
    }
    // What is named is there, and no folder.
    for name in ["kept", "privkey.pem"] {
        let error = read_folder(&at(name), None).unwrap_err();
        assert_eq!(error.code(), "layout.no-folder", "{name}: {error}");
        assert!(error.remedy().contains("Name the folder"), "{name}");
    }
}

#[test]
fn root_is_not_told_to_become_root() {
    let path = Path::new("privkey.pem");
    let of = |errno: Errno| unreadable(&errno.into(), path);
    let refused = of(Errno::ACCESS);
    assert_eq!(refused.code(), "cert.unreadable");
    let told = refused.remedy().contains("Run this as root");
    assert_eq!(told, !rustix::process::geteuid().is_root());
    let broken = of(Errno::IO);
    assert_eq!(broken.code(), "cert.unreadable");
    assert!(!broken.remedy().contains("root"), "{}", broken.remedy());
}

#[test]
fn a_folder_of_too_many_files_is_not_read_to_its_end() {
    let place = tempfile::tempdir().unwrap();
    for n in 0..=MOST_FILES {
        let path = place.path().join(format!("{n}"));
        fs::hard_link(place.path().join("0"), &path)
            .or_else(|_| fs::write(path, ""))
            .unwrap();
    }
    assert_eq!(code(read_folder(place.path(), None)), "layout.too-many");
}

#[test]
fn a_password_is_the_first_line_as_text() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("password");
    for (bytes, expected) in [
        (&b"secret\nmore"[..], Ok("secret")),
        (b"secret\r\n", Ok("secret")),
        (b" kept ", Ok(" kept ")),
        (b"", Ok("")),
        (b"caf\xe9\n", Err("cert.password-not-text")),
    ] {
        fs::write(&path, bytes).unwrap();
        let read = read_password(&path);
        let seen = read.as_ref().map(|text| text.as_str());
        assert_eq!(seen.map_err(|error| error.code()), expected);
    }
}
