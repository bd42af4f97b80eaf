//! What is a commented-out service, and what is prose.

use super::is_option_comment;
use crate::{EditError, MasterCf, Template};

fn templates(text: &str) -> Vec<Template> {
    MasterCf::parse(text.as_bytes()).templates()
}

#[test]
fn first_lines() {
    let good = [
        "#submission inet n - y - - smtpd",
        "# submission inet n - y - - smtpd",
        "  #submission inet n - y - - smtpd",
        "#127.0.0.1:submission inet n -   y       -       -       smtpd",
        "#smtp\tinet\tn\t-\ty\t-\t1\tpostscreen",
        "#tlsmgr fifo - - n 300? 1 tlsmgr",
        "#postlog unix-dgram n - n - 1 postlogd",
        "#smtp pass - - n - - smtpd -o a=b",
        "#old inet n n n - - smtpd",
    ];
    for text in good {
        assert_eq!(templates(text).len(), 1, "{text}");
    }
    let bad = [
        "submission inet n - y - - smtpd",
        "##submission inet n - y - - smtpd",
        "#submission inet n - y - -",
        "# service type  private unpriv  chroot  wakeup  maxproc command + args",
        "#               (yes)   (yes)   (no)    (never) (100)",
        "# the inet service is not a thing that you want here at all",
        "#submission tcp n - y - - smtpd",
        "#submission inet n - maybe - - smtpd",
        "#submission inet n - y - many smtpd",
        "#",
        "",
    ];
    for text in bad {
        assert_eq!(templates(text), [], "{text}");
    }
}

#[test]
fn options_and_prose() {
    let options = [
        "#  -o a=b",
        "#-o a=b",
        "#\t-o a=",
        "  #  -o{a=b}",
        "# -o { a = b }",
        "# -oa=b",
    ];
    for line in options {
        assert!(is_option_comment(line.as_bytes()), "{line}");
    }
    let prose = [
        "# -o is an option",
        "#  -o",
        "# -o =b",
        "-o a=b",
        "#  a=b",
        "#",
        "",
    ];
    for line in prose {
        assert!(!is_option_comment(line.as_bytes()), "{line}");
    }
}

#[test]
fn lines_and_values() {
    let text = "\
pickup unix n - y 60 1 pickup
#submission inet n - y - - smtpd
#  -o a=b
#     prose with a=b
#  -o c=d
#
#  -o e=f
#cyrus unix - n n - - pipe
#  flags=R
#  user=x argv=y
# prose
#  more=prose
";
    let found = templates(text);
    let lines: Vec<_> = found.iter().map(|t| &t.lines[..]).collect();
    assert_eq!(lines, [&[2, 3, 5][..], &[8, 9, 10]]);
    let service = &found[0].service;
    assert_eq!(
        (&service.name[..], &service.kind[..]),
        ("submission", "inet")
    );
    assert_eq!((service.first_line, service.last_line), (2, 5));
    let overrides: Vec<_> = service
        .overrides
        .iter()
        .map(|o| (&o.name[..], o.line))
        .collect();
    assert_eq!(overrides, [("a", 3), ("c", 5)]);
    assert_eq!(found[1].service.arguments.len(), 3);
}

#[test]
fn a_template_inside_a_service_is_left_alone() {
    let inside = "a inet n - y - - smtpd\n#b inet n - y - - smtpd\n#  -o c=d\n  -o e=f\n";
    let mut master = MasterCf::parse(inside.as_bytes());
    assert_eq!(master.templates().len(), 1);
    assert_eq!(master.uncomment_template(0), Err(EditError::InsideService));
    assert_eq!(master.uncomment_template(1), Err(EditError::NoSuchTemplate));
    assert_eq!(master.to_bytes(), inside.as_bytes());
    let free = format!("{inside}#x inet n - y - - smtpd\n");
    let mut master = MasterCf::parse(free.as_bytes());
    assert_eq!(master.uncomment_template(1), Ok(()));
    assert_eq!(master.uncomment_template(0), Err(EditError::InsideService));
}

#[test]
fn the_last_line_may_lack_its_newline() {
    let mut master = MasterCf::parse(b"#a inet n - y - - smtpd\n#  -o b=c");
    assert_eq!(master.uncomment_template(0), Ok(()));
    assert_eq!(master.to_bytes(), b"a inet n - y - - smtpd\n  -o b=c");
    assert_eq!(master.templates(), []);
}
