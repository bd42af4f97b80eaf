//! Good and bad records and policies.

use super::*;

fn records(texts: &[&str]) -> Result<Option<String>, StsRecordError> {
    let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    StsRecord::of(&texts).map(|found| found.map(|one| one.id))
}

#[test]
fn records_are_read_as_senders_have_to() {
    let id = |text: &str| Ok(Some(text.to_owned()));
    let longest = "a".repeat(32);
    let good: [(&[&str], _); 8] = [
        (&["v=STSv1; id=20160831085700Z;"], id("20160831085700Z")),
        (&["v=STSv1;id=1"], id("1")),
        (&["v=STSv1 ; id=1; other=2"], id("1")),
        (&["v=spf1 -all", "v=STSv1; id=2;", "token"], id("2")),
        (&[], Ok(None)),
        (&["v=STSv2; id=1"], Ok(None)),
        (&["id=1; v=STSv1"], Ok(None)),
        (&["v=STSv1x; id=1"], Ok(None)),
    ];
    for (texts, wanted) in good {
        assert_eq!(records(texts), wanted, "{texts:?}");
    }
    assert_eq!(records(&[&format!("v=STSv1; id={longest}")]), id(&longest));
}

#[test]
fn records_of_no_use_are_named() {
    let long = format!("v=STSv1; id={}", "a".repeat(33));
    let bad: [(&[&str], _); 6] = [
        (&["v=STSv1; id=1", "v=STSv1; id=2"], StsRecordError::Many),
        (&["v=STSv1;"], StsRecordError::NoId),
        (&["v=STSv1"], StsRecordError::NoId),
        (&["v=STSv1; id=;"], StsRecordError::BadId),
        (&["v=STSv1; id=a-b;"], StsRecordError::BadId),
        (&[&long], StsRecordError::BadId),
    ];
    for (texts, wanted) in bad {
        assert_eq!(records(texts), Err(wanted), "{texts:?}");
    }
    let not_text = StsRecord::of(&[b"v=STSv1; id=\xff\x1b".to_vec()]);
    assert_eq!(not_text, Err(StsRecordError::BadId));
}

const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\n\
                    mx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n";

#[test]
fn a_policy_is_read_and_covers_its_servers_only() {
    let policy = StsPolicy::parse(GOOD.as_bytes()).unwrap();
    assert_eq!((policy.mode, policy.max_age), (StsMode::Enforce, 604_800));
    assert_eq!(policy.mx.len(), 3);
    for host in ["mail.example.com", "MAIL.Example.Com.", "a.example.net"] {
        assert!(policy.covers(host), "{host}");
    }
    for host in [
        "example.net",
        "a.b.example.net",
        "example.com",
        "",
        "xmail.example.com",
    ] {
        assert!(!policy.covers(host), "{host}");
    }
}

#[test]
fn odd_policies_are_read_too() {
    let parse = |text: &str| StsPolicy::parse(text.as_bytes()).unwrap();
    let lf = parse("version:STSv1\nmode:testing\nmx:MX.Example.org.\nmax_age:0\n\n");
    assert_eq!(
        (lf.mode, lf.max_age, &*lf.mx[0]),
        (StsMode::Testing, 0, "mx.example.org")
    );
    let none = parse("version: STSv1\nmode: none\nmax_age: 86400");
    assert_eq!((none.mode, none.mx.len()), (StsMode::None, 0));
    let twice = parse(
        "version: STSv1\nmode: testing\nmode: enforce\nmx: a.b\nnews: x\nmax_age: 1\nmax_age: 2",
    );
    assert_eq!((twice.mode, twice.max_age), (StsMode::Testing, 1));
}

#[test]
fn what_is_no_policy_is_named() {
    use StsPolicyError as E;
    let bad: [(&str, E); 12] = [
        ("", E::Version),
        ("<html>not found</html>", E::Line(1)),
        ("version: STSv2\nmode: none\nmax_age: 1", E::Version),
        ("version: STSv1\nmx: a.b\nmax_age: 1", E::Mode),
        ("version: STSv1\nmode: strict\nmx: a.b\nmax_age: 1", E::Mode),
        ("version: STSv1\nmode: enforce\nmax_age: 1", E::NoMx),
        ("version: STSv1\nmode: enforce\nmx: a.b", E::MaxAge),
        (
            "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: -1",
            E::MaxAge,
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 31557601",
            E::MaxAge,
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a..b\nmax_age: 1",
            E::BadMx("a..b".to_owned()),
        ),
        (
            "version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1",
            E::BadMx("a.*.b".to_owned()),
        ),
        (
            "version: STSv1\nmode: enforce\nmx a.b\nmax_age: 1",
            E::Line(3),
        ),
    ];
    for (text, wanted) in bad {
        assert_eq!(StsPolicy::parse(text.as_bytes()), Err(wanted), "{text:?}");
    }
    assert_eq!(StsPolicy::parse(b"version: STSv1\xff"), Err(E::NotText));
    let many = format!(
        "version: STSv1\nmode: none\nmax_age: 1\n{}",
        "mx: a.b\n".repeat(1001)
    );
    assert_eq!(StsPolicy::parse(many.as_bytes()), Err(E::TooMany));
}
