//! Reading services, and refusing edits.

use super::{Braces, Field, MasterCf, OverrideForm, ServiceKey};
use crate::EditError;

const SMTP: ServiceKey<'static> = ServiceKey {
    name: "smtp",
    kind: "inet",
};

fn words(bytes: &[u8]) -> Vec<String> {
    let text = |argument: Vec<u8>| String::from_utf8_lossy(&argument).into_owned();
    let service = MasterCf::parse(bytes).services().next();
    let arguments = service.map(|s| s.arguments).unwrap_or_default();
    arguments.into_iter().map(text).collect()
}

#[test]
fn arguments_are_those_of_postconf() {
    // Each row was seen with `postconf -M` of Postfix 3.7.11.
    let table: &[(&str, &[&str])] = &[
        ("smtpd", &[]),
        ("smtpd -o a=b", &["-o", "a=b"]),
        ("smtpd -oa=b -v", &["-o", "a=b", "-v"]),
        ("smtpd -o{c=d}", &["-o", "c=d"]),
        ("smtpd -o { e = f g }", &["-o", "e=f g"]),
        ("smtpd -vo j=k", &["-v", "-o", "j=k"]),
        ("smtpd -vol=m", &["-v", "-o", "l=m"]),
        ("smtpd stray -o n=o", &["stray", "-o", "n=o"]),
        ("smtpd -- -o n=o", &["--", "-o", "n=o"]),
        ("smtpd -o { a = b\n# c\n  c }", &["-o", "a=b  c"]),
        ("smtpd -o a={b c} -o d", &["-o", "a={b c}", "-o", "d"]),
        ("smtpd -o a=b}c d{e f}", &["-o", "a=b}c", "d{e f}"]),
        ("smtpd -o { a = b }c\n -o { d }", &["-o", "a=b", "-o", "d"]),
        ("smtpd -o { a = b", &["-o", "a=b"]),
        ("smtpd -o\n# c\n   a=b", &["-o", "a=b"]),
        ("smtpd -o a = b", &["-o", "a", "=", "b"]),
        ("smtpd -o", &["-o"]),
        ("smtpd\0x -o a=b", &[]),
        ("smtpd\r\n  -o a=b\r", &["-o", "a=b"]),
        (
            "pipe flags=R { a b } argv=x -o y",
            &["flags=R", "a b", "argv=x", "-o", "y"],
        ),
    ];
    for (text, expected) in table {
        let bytes = format!("smtp inet n - y - - {text}\n");
        assert_eq!(words(bytes.as_bytes()), *expected, "{text:?}");
    }
}

#[test]
fn overrides_in_both_forms() {
    let bytes = b"\n# c\nsmtp inet n - y - - smtpd -o a=b=c\n  -o { d = e  f }\n# x\n  -oa=\n  -o g\n  -o =h\n";
    let service = MasterCf::parse(bytes).service(SMTP).expect("a service");
    let found: Vec<_> = service
        .overrides
        .iter()
        .map(|o| (&o.name[..], &o.value[..], o.line, o.form))
        .collect();
    let expected = [
        ("a", &b"b=c"[..], 3, OverrideForm::Plain),
        ("d", &b"e  f"[..], 4, OverrideForm::Braces),
        ("a", &b""[..], 6, OverrideForm::Plain),
    ];
    assert_eq!(found, expected);
    assert_eq!((service.first_line, service.last_line), (3, 8));
    assert_eq!(service.get_override("a"), Some(&b""[..]));
    assert_eq!(service.get_override("g"), None);
    assert_eq!(service.key().to_string(), "smtp/inet");
}

#[test]
fn fields_may_stand_on_several_lines() {
    let bytes = b"smtp\n# z\n inet n - y\n - 1000? smtpd -o\n# c\n   a=b\n";
    let service = MasterCf::parse(bytes).service(SMTP).expect("a service");
    let fields = [
        &service.private[..],
        &service.unprivileged,
        &service.chroot,
        &service.wakeup,
        &service.process_limit,
        &service.command,
    ];
    assert_eq!(fields, ["n", "-", "y", "-", "1000?", "smtpd"]);
    assert_eq!(service.get_override("a"), Some(&b"b"[..]));
}

#[test]
fn the_last_service_of_a_name_and_type_wins() {
    let master = MasterCf::parse(
        b"smtp inet n - y - - smtpd\nsmtp inet n - n - - smtpd\nsmtp unix - - y - - smtp\nfew inet n\n",
    );
    assert_eq!(master.services().count(), 3);
    assert_eq!(master.service(SMTP).map(|s| s.first_line), Some(2));
    let unix = ServiceKey::new("smtp", "unix");
    assert_eq!(master.service(unix).map(|s| s.command), Some("smtp".into()));
    assert!(master.service(ServiceKey::new("few", "inet")).is_none());
    assert_eq!(master.get_override(SMTP, "a"), None);
}

#[test]
fn refused_overrides_change_nothing() {
    let before = b"smtp inet n - y - - smtpd\n  -o a=b\n";
    let table: &[(&str, &str, EditError)] = &[
        ("a", "x\n  -o c=d", EditError::ControlByte),
        ("a", "x\r", EditError::ControlByte),
        ("a", "x\0", EditError::ControlByte),
        ("a", "{", EditError::Unbalanced),
        ("a", "}{", EditError::Unbalanced),
        ("a", "b c", EditError::NeedsBraces),
        ("", "b", EditError::BadName),
        ("a b", "c", EditError::BadName),
        ("a=", "c", EditError::BadName),
        ("{a", "c", EditError::BadName),
        ("a\n", "c", EditError::BadName),
    ];
    for (name, value, error) in table {
        let mut master = MasterCf::parse(before);
        let set = master.set_override(SMTP, name, value.as_bytes(), Braces::Refused);
        assert_eq!(set, Err(*error), "{name:?} {value:?}");
        assert_eq!(master.to_bytes(), before, "{name:?} {value:?}");
    }
    let mut master = MasterCf::parse(before);
    let other = ServiceKey::new("smtps", "inet");
    let set = master.set_override(other, "a", b"b", Braces::Allowed);
    assert_eq!(set, Err(EditError::NoSuchService));
    assert_eq!(
        master.unset_override(other, "a"),
        Err(EditError::NoSuchService)
    );
    let set = master.set_field(other, Field::Chroot, "n");
    assert_eq!(set, Err(EditError::NoSuchService));
    assert_eq!(master.remove_service(other), 0);
    assert_eq!(master.comment_out_service(other), 0);
    assert_eq!(master.to_bytes(), before);
}

#[test]
fn a_broken_entry_is_not_edited_into_silence() {
    let broken: [&[u8]; 2] = [
        b"smtp inet n - y - - smtpd -o { a = b\n",
        b"smtp inet n - y - - smtpd -o a=b{\n",
    ];
    for before in broken {
        let mut master = MasterCf::parse(before);
        let set = master.set_override(SMTP, "c", b"d", Braces::Allowed);
        assert_eq!(set, Err(EditError::MalformedEntry));
        assert_eq!(master.to_bytes(), before);
    }
}

#[test]
fn a_dangling_o_does_not_take_the_new_one() {
    let mut master = MasterCf::parse(b"smtp inet n - y - - smtpd -o\n");
    master
        .set_override(SMTP, "c", b"d", Braces::Allowed)
        .expect("a plain value");
    assert_eq!(master.to_bytes(), b"smtp inet n - y - - smtpd -o c=d -o\n");
}

#[test]
fn what_is_left_of_a_line_does_not_become_a_comment() {
    let before = b"smtp inet n - y - - smtpd\n  -o a=b #c -o d=e\n";
    let mut master = MasterCf::parse(before);
    let unset = master.unset_override(SMTP, "a");
    assert_eq!(unset, Err(EditError::WouldBecomeComment));
    assert_eq!(master.to_bytes(), before);
}

#[test]
fn fields_are_one_word() {
    let before = b"smtp inet n - y - - smtpd\n";
    for value in ["", " ", "a b", "n\n", "#", "{", "\0", "n\t"] {
        let mut master = MasterCf::parse(before);
        let set = master.set_field(SMTP, Field::Chroot, value);
        assert_eq!(set, Err(EditError::NotOneWord), "{value:?}");
        assert_eq!(master.to_bytes(), before, "{value:?}");
    }
}

#[test]
fn only_whole_services_are_added() {
    let before = b"smtp inet n - y - - smtpd";
    let bad: [&[u8]; 8] = [
        b"",
        b"\n",
        b"# c\n",
        b"smtps inet n - y - -\n",
        b"  -o a=b\n",
        b"  -o a=b\nsmtps inet n - y - - smtpd\n",
        b"smtps inet n - y - - smtpd\nx\n",
        b"smtps inet n - y - - smtpd\0\n",
    ];
    for block in bad {
        let mut master = MasterCf::parse(before);
        let shown = String::from_utf8_lossy(block);
        assert_eq!(
            master.append_service(block),
            Err(EditError::NotAService),
            "{shown:?}"
        );
        assert_eq!(
            master.insert_after(SMTP, block),
            Err(EditError::NotAService),
            "{shown:?}"
        );
        assert_eq!(master.to_bytes(), before, "{shown:?}");
    }
    let mut master = MasterCf::parse(before);
    let block = b"# two\na inet n - y - - smtpd\nb inet n - y - - smtpd";
    let other = ServiceKey::new("none", "inet");
    assert_eq!(
        master.insert_after(other, block),
        Err(EditError::NoSuchService)
    );
    master.insert_after(SMTP, block).expect("two services");
    assert_eq!(master.services().count(), 3);
    assert_eq!(
        master.to_bytes(),
        [before, &b"\n"[..], block, b"\n"].concat()
    );
}

#[test]
fn a_thousand_services() {
    let entry = |i: usize| format!("s{i} inet n - y - - smtpd\n  -o a=b\n# c\n  -o c=d\n");
    let bytes: String = (0..1000).map(entry).collect();
    let mut master = MasterCf::parse(bytes.as_bytes());
    for i in 0..1000 {
        let name = format!("s{i}");
        let key = ServiceKey::new(&name, "inet");
        master
            .set_override(key, "a", b"x", Braces::Allowed)
            .expect("a plain value");
        master
            .set_override(key, "new", b"y z", Braces::Allowed)
            .expect("a plain value");
        master.set_field(key, Field::Chroot, "n").expect("a word");
        assert_eq!(master.unset_override(key, "c"), Ok(1));
        assert_eq!(master.get_override(key, "a").as_deref(), Some(&b"x"[..]));
    }
    let entry =
        |i: usize| format!("s{i} inet n - n - - smtpd\n  -o a=x\n# c\n  -o {{ new = y z }}\n");
    let after: String = (0..1000).map(entry).collect();
    assert_eq!(String::from_utf8_lossy(&master.to_bytes()), after);
    assert_eq!(master.findings(), []);
}
