//! main.cf files of the corpus.

use crate::corpus::{Sample, enough, on_each, samples};
use crate::postconf::{Postconf, folded, printable};
use postfix_cf::{FindingCode, MainCf, Severity};
use std::collections::{BTreeMap, BTreeSet};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Our values, effective and folded as `postconf` prints them.
fn ours(main: &MainCf) -> BTreeMap<String, String> {
    let value = |bytes: &[u8]| folded(&text(bytes));
    let entries = main.entries();
    entries
        .map(|e| (e.name().into_owned(), value(&e.value())))
        .collect()
}

#[test]
fn print_is_the_inverse_of_parse() {
    for sample in samples("main.cf") {
        assert_eq!(
            MainCf::parse(&sample.bytes).to_bytes(),
            sample.bytes,
            "{}",
            sample.name
        );
    }
}

#[test]
fn postfix_refuses_exactly_what_has_a_fatal_finding() {
    let postconf = Postconf::new();
    let samples = samples("main.cf");
    let mut refused = Vec::new();
    for sample in &samples {
        postconf.main(&sample.bytes);
        let said = postconf.run(&["-n"]);
        assert_eq!(said.ok, !sample.refused, "{}: {}", sample.name, said.err);
        let findings = MainCf::parse(&sample.bytes).findings();
        let fatal = findings.iter().any(|f| f.severity() == Severity::Fatal);
        if sample.refused {
            assert!(fatal, "{}: {}", sample.name, said.err);
            refused.push(&sample.name);
        } else if fatal {
            // A bad `$` in a parameter that nothing reads is only a warning.
            assert!(
                said.err.contains("warning: "),
                "{}: {findings:?}",
                sample.name
            );
        }
    }
    enough(&samples, refused.len(), 4);
}

/// The output of a diff tool: no `=` on its first line.
#[test]
fn the_file_that_is_none_is_refused_at_the_same_line() {
    let samples = samples("main.cf");
    if samples.is_empty() {
        return;
    }
    let sample = samples
        .iter()
        .find(|s| s.name.ends_with("CamJN__dot-files__3"));
    let findings = MainCf::parse(&sample.expect("in the corpus").bytes).findings();
    let first = findings.first().expect("a finding");
    assert_eq!((first.code, first.line), (FindingCode::MissingEquals, 1));
}

/// `postconf -n` prints the names that are in main.cf and known: built in, made for a service
/// (`relay_destination_…`), or mentioned as `$name` by one that is. It warns of all others, and adds
/// `config_directory` when it was given `-c`.
#[test]
fn values_equal_those_of_postconf_n() {
    let samples = samples("main.cf");
    let compared = on_each(&samples, |sample, postconf| {
        if sample.refused {
            return 0;
        }
        postconf.main(&sample.bytes);
        let main = MainCf::parse(&sample.bytes);
        let ours = ours(&main);
        let said = postconf.run(&["-n"]);
        let mut printed = 0;
        let mut names = BTreeSet::new();
        for line in said.out.lines() {
            let (name, value) = line.split_once(" =").expect("name = value");
            if name == "config_directory" && !ours.contains_key(name) {
                continue;
            }
            let value = folded(value);
            assert_eq!(ours.get(name), Some(&value), "{}: {name}", sample.name);
            names.insert(name.to_owned());
            printed += 1;
        }
        for line in postconf.run(&["-d", "-H"]).out.lines() {
            let missing = ours.contains_key(line) && !names.contains(line);
            assert!(!missing, "{}: {line} is known and not printed", sample.name);
        }
        printed
    });
    println!("{compared} values compared with postconf -n");
    enough(&samples, compared, 3076);
}

/// Under names that nothing uses, `postconf` shows values as they are, blanks included.
#[test]
fn values_equal_to_the_last_blank() {
    let samples = samples("main.cf");
    let compared = on_each(&samples, |sample, postconf| {
        let mut bytes = Vec::new();
        for line in sample.bytes.split_inclusive(|&b| b == b'\n') {
            if !matches!(line[0], b'#' | b' ' | b'\t' | b'\r' | b'\n') {
                bytes.extend_from_slice(b"zz_");
            }
            bytes.extend_from_slice(line);
        }
        postconf.main(&bytes);
        let said = postconf.run(&["-n"]);
        let main = MainCf::parse(&bytes);
        if !said.ok {
            assert!(sample.refused, "{}: {}", sample.name, said.err);
            return 0;
        }
        let theirs: BTreeMap<_, _> = said.unused().into_iter().collect();
        let ours: BTreeMap<_, _> = main
            .entries()
            .map(|e| (e.name().into_owned(), printable(&e.value())))
            .collect();
        assert_eq!(ours, theirs, "{}", sample.name);
        ours.len()
    });
    println!("{compared} values compared byte for byte");
    enough(&samples, compared, 3270);
}

#[test]
fn set_changes_one_value_and_only_its_lines() {
    let samples = samples("main.cf");
    let edits = on_each(&samples, |sample, postconf| {
        postconf.main(&sample.bytes);
        let Some(before) = postconf.parameters() else {
            assert!(sample.refused, "{} is refused", sample.name);
            return 0;
        };
        let main = MainCf::parse(&sample.bytes);
        let names: BTreeSet<_> = main.entries().map(|e| e.name().into_owned()).collect();
        for name in &names {
            set_one(sample, postconf, name, &before);
        }
        names.len()
    });
    println!("{edits} parameters set, each alone");
    enough(&samples, edits, 3118);
}

/// Another value that Postfix can read. Most names take anything here; a few are read by `postconf`
/// itself, which ends at a value it cannot read.
fn another(name: &str, old: &[u8]) -> Vec<u8> {
    let two: [&[u8]; 2] = match name {
        "compatibility_level" => [b"3.5", b"3.6"],
        "inet_interfaces" => [b"127.0.0.1", b"all"],
        "inet_protocols" => [b"ipv4", b"all"],
        "mynetworks_style" => [b"host", b"subnet"],
        // References stay, or parameters that only this one mentions would not be printed.
        _ => return [old, b" zz-new"].concat(),
    };
    two[usize::from(old == two[0])].to_vec()
}

fn set_one(sample: &Sample, postconf: &Postconf, name: &str, before: &BTreeMap<String, String>) {
    let place = || format!("{}: {name}", sample.name);
    let main = MainCf::parse(&sample.bytes);
    let old = main.get(name).expect("the name of an entry").into_owned();
    let old_raw = main.raw(name).expect("the name of an entry").to_vec();
    let value = another(name, &old);
    let mut edited = MainCf::parse(&sample.bytes);
    edited.set(name, &value).expect("a plain value");
    let bytes = edited.to_bytes();
    postconf.main(&bytes);
    let after = postconf.parameters();
    let after = after.unwrap_or_else(|| panic!("{}: Postfix refuses the new value", place()));
    let mut expected = before.clone();
    // Of what nothing uses, only warnings speak, and these hide what is not ASCII.
    let unused = expected[name] == folded(&printable(&old));
    let shown = if unused {
        printable(&value)
    } else {
        text(&value)
    };
    expected.insert(name.to_owned(), folded(&shown));
    assert_eq!(after, expected, "{}", place());
    only_its_lines(&sample.bytes, &bytes, name);
    let mut back = MainCf::parse(&bytes);
    back.set_raw(name, &old_raw).expect("what raw gave");
    assert_eq!(back.to_bytes(), sample.bytes, "{}", place());
}

/// By physical lines: all lines outside the entry are the same, and those inside that are comments
/// or blank are still there, in order. The value has one line, and the name another only when no
/// value stood beside it before.
fn only_its_lines(before: &[u8], after: &[u8], name: &str) {
    let is_content = |line: &&[u8]| {
        let text = line.trim_ascii_start();
        !text.is_empty() && !text.starts_with(b"#")
    };
    let main = MainCf::parse(before);
    let entry = main.entries().filter(|e| e.name() == name).last();
    let entry = entry.expect("an entry");
    let lines: Vec<_> = before.split_inclusive(|&b| b == b'\n').collect();
    let (head, rest) = lines.split_at(entry.first_line() - 1);
    let (inside, tail) = rest.split_at(entry.last_line() + 1 - entry.first_line());
    let comments = inside.iter().filter(|line| !is_content(line));
    let kept: Vec<&[u8]> = comments.chain(tail).copied().collect();
    let after: Vec<_> = after.split_inclusive(|&b| b == b'\n').collect();
    assert_eq!(&after[..head.len()], head, "{name}");
    let mut rest = after[head.len()..].to_vec();
    rest.remove(0);
    let beside = inside[0].trim_ascii_end().ends_with(b"=");
    if rest.len() > kept.len() && beside {
        let value = rest.iter().position(is_content).expect("a value");
        rest.remove(value);
    }
    assert_eq!(rest, kept, "{name}");
}
