//! The harness: it runs what it says, refuses wrong runs, counts right and writes one section.

use super::record::replaced;
use super::{
    BannerWatch, BenchError, Contender, Machine, Rounds, Sample, Section, Series, Task, Throughput,
    compare, seconds, throughputs,
};
use std::cell::RefCell;
use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

fn series(walls: &[u64]) -> Series {
    let samples = walls.iter().map(|wall| Sample {
        wall: Duration::from_millis(*wall),
        ..Sample::default()
    });
    Series {
        name: "s".to_owned(),
        samples: samples.collect(),
    }
}

#[test]
fn fewer_than_five_rounds_are_refused() {
    assert!(matches!(Rounds::new(4), Err(BenchError::Rounds(4))));
    assert!(Rounds::new(5).is_ok());
}

#[test]
fn rounds_are_interleaved_and_the_order_turns() {
    let seen = RefCell::new(String::new());
    let note = |name: char| {
        let seen = &seen;
        move || {
            seen.borrow_mut().push(name);
            Ok(())
        }
    };
    let mut both = [
        Contender::new("a", [Task::new(["true"])]).prepare(note('a')),
        Contender::new("b", [Task::new(["true"])]).prepare(note('b')),
    ];
    let found = compare(&mut both, Rounds::new(5).unwrap()).unwrap();
    assert_eq!(found[0].samples.len(), 5);
    assert_eq!(found[1].samples.len(), 5);
    drop(both);
    assert_eq!(
        seen.into_inner(),
        "abbaabbaabba",
        "the first pair is the warming one"
    );
}

#[test]
fn tasks_add_up_and_memory_is_the_largest() {
    let tasks = [Task::new(["sleep", "0.02"]), Task::new(["sleep", "0.03"])];
    let mut one = [Contender::new("sleep", tasks)];
    let found = compare(&mut one, Rounds::new(5).unwrap()).unwrap();
    assert!(found[0].wall() >= Duration::from_millis(50));
    assert!(
        found[0].peak() > 100_000,
        "bytes, not KiB: {}",
        found[0].peak()
    );
    assert_eq!(found[0].banner(), None);
}

#[test]
fn a_bad_ending_is_no_measurement() {
    let mut one = [Contender::new(
        "false",
        [Task::new(["ls", "/nowhere/at/all"])],
    )];
    let error = compare(&mut one, Rounds::new(5).unwrap()).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("ls /nowhere/at/all: exit status: 2"),
        "{text}"
    );
    assert!(text.contains("No such file"), "{text}");
}

#[test]
fn other_endings_and_input_can_be_asked_for() {
    let grep = Task::new(["grep", "-q", "x"]).input(b"abc\n").or_exit(1);
    let mut one = [Contender::new("grep", [grep])];
    assert!(compare(&mut one, Rounds::new(5).unwrap()).is_ok());
}

#[test]
fn a_missing_command_is_named() {
    let mut one = [Contender::new("none", [Task::new(["/nowhere/command"])])];
    let error = compare(&mut one, Rounds::new(5).unwrap()).unwrap_err();
    assert!(
        error.to_string().starts_with("/nowhere/command: "),
        "{error}"
    );
}

#[test]
fn ratios_are_taken_round_by_round() {
    let (own, base) = (series(&[10, 20, 90]), series(&[10, 10, 30]));
    assert!((own.wall_ratio(&base) - 2.0).abs() < 1e-9);
    assert_eq!(own.wall(), Duration::from_millis(20));
}

#[test]
fn a_banner_is_waited_for() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap();
    let watch = BannerWatch::start(&[port]);
    // The first client is dropped without a word: its wait goes on.
    drop(server.accept().unwrap());
    let (mut second, _) = server.accept().unwrap();
    second.write_all(b"220 mx.example ESMTP\r\n").unwrap();
    let (mut third, _) = server.accept().unwrap();
    third.write_all(b"220 mx.example ESMTP\r\n").unwrap();
    drop(server);
    let longest = watch.stop();
    assert!(longest > Duration::ZERO && longest < Duration::from_secs(60));
}

#[test]
fn times_show_three_digits() {
    let table = [
        (1_234_567, "1.23 s"),
        (45_600, "45.6 ms"),
        (789, "789 µs"),
        (5, "5.00 µs"),
    ];
    for (micros, wanted) in table {
        assert_eq!(seconds(Duration::from_micros(micros)), wanted);
    }
}

fn section() -> Section {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect();
    Section {
        name: "lint".to_owned(),
        about: "A long main.cf.".to_owned(),
        head: words("command cpu"),
        rows: vec![words("lint 4ms"), words("postconf 12ms")],
    }
}

#[test]
fn a_section_says_when_where_and_how() {
    let machine = Machine {
        cores: 2,
        processor: "Fast".to_owned(),
        postfix: "3.7.11".to_owned(),
        openssl: "OpenSSL 3".to_owned(),
    };
    let text = section().markdown("2026-11-21", "cargo xtask bench lint", &machine);
    assert!(
        text.contains("2026-11-21 · 2 cores (Fast), Postfix 3.7.11, OpenSSL 3\n"),
        "{text}"
    );
    assert!(text.contains("`cargo xtask bench lint`"), "{text}");
    assert!(
        text.contains("| command | cpu |\n| --- | --- |\n| lint | 4ms |\n"),
        "{text}"
    );
    assert_eq!(
        section().plain(),
        "command   cpu\nlint      4ms\npostconf  12ms\n"
    );
}

#[test]
fn a_new_run_replaces_only_its_section() {
    let old = "# T\n\n<!-- begin cf -->\nkept\n<!-- end cf -->\n";
    let mark = |text: &str| format!("<!-- begin lint -->\n{text}\n<!-- end lint -->\n");
    let first = replaced(old, "lint", &mark("one"));
    assert_eq!(first, format!("{old}\n{}", mark("one")));
    let second = replaced(&first, "lint", &mark("two"));
    assert_eq!(second, format!("{old}\n{}", mark("two")));
}

#[test]
fn the_record_is_made_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BENCHMARKS.md");
    section()
        .write(&path, "<!-- begin lint -->\n1\n<!-- end lint -->\n")
        .unwrap();
    section()
        .write(&path, "<!-- begin lint -->\n2\n<!-- end lint -->\n")
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# Benchmarks\n"), "{text}");
    assert!(
        text.ends_with("\n<!-- begin lint -->\n2\n<!-- end lint -->\n"),
        "{text}"
    );
}

#[test]
fn criterion_is_read_where_it_counts_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, throughput: &str| {
        let place = folder.path().join(name).join("new");
        std::fs::create_dir_all(&place).unwrap();
        let benchmark = format!("{{\"full_id\":\"{name}\",\"throughput\":{throughput}}}");
        std::fs::write(place.join("benchmark.json"), benchmark).unwrap();
        let estimates = "{\"median\":{\"point_estimate\":2000.0}}";
        std::fs::write(place.join("estimates.json"), estimates).unwrap();
    };
    write("parse", "{\"Bytes\":1000}");
    write("count", "{\"Elements\":7}");
    write("bare", "null");
    let found = throughputs(folder.path()).unwrap();
    let wanted = Throughput {
        name: "parse".to_owned(),
        bytes: 1000,
        nanoseconds: 2000.0,
    };
    assert_eq!(found, [wanted]);
    assert!((found[0].megabytes() - 500.0).abs() < 1e-9);
}

#[test]
fn no_measurement_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        throughputs(folder.path()),
        Err(BenchError::Empty(_))
    ));
}
