//! Tests of `file`: reading and writing single files so that a crash leaves the old or the new one.

use super::*;

#[test]
fn a_configuration_file_is_read_whole_or_not_at_all() {
    let base = tempfile::tempdir().unwrap();
    let path = base.path().join("main.cf");
    let large = vec![b'#'; 3 << 20];
    std::fs::write(&path, &large).unwrap();
    assert_eq!(read_cf(&path).unwrap(), large);
    File::create(&path)
        .unwrap()
        .set_len((16 << 20) + 1)
        .unwrap();
    assert!(read_cf(&path).is_err());
    assert!(read_cf(base.path()).is_err());
    assert!(read_cf(&base.path().join("none")).is_err());
}

#[test]
fn attributes_are_made_equal() {
    let base = tempfile::tempdir().unwrap();
    let file = File::create(base.path().join("x")).unwrap();
    let wanted = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
        owned.collect::<BTreeMap<_, _>>()
    };
    let first = wanted(&[("user.a", "1"), ("user.b", "2")]);
    set_xattrs(&file, &first).unwrap();
    assert_eq!(xattrs(&file).unwrap(), first);
    let second = wanted(&[("user.b", "3"), ("user.c", "")]);
    set_xattrs(&file, &second).unwrap();
    assert_eq!(xattrs(&file).unwrap(), second);
    assert!(is_own(b"security.ima") && !is_own(b"security.selinux"));
}
