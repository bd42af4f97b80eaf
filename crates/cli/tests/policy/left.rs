//! Tables that are left alone: what they say is in force, and they are never the program's end.

use crate::adopted::{own, place};
use crate::place::{Place, builder};
use postseal_testkit::beside;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

/// What `init` says of the one table that it leaves alone.
#[track_caller]
fn left(place: &Place, code: &str) -> Value {
    let adopted = place.must("init").json;
    assert_eq!(adopted["tables"], Value::Array(Vec::new()), "{adopted}");
    assert_eq!(place.listed("in_force"), [] as [&str; 0]);
    assert_eq!(place.must("plan").json["pending"], false);
    let findings = adopted["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["code"] == code);
    found
        .unwrap_or_else(|| panic!("no {code}: {adopted}"))
        .clone()
}

#[test]
fn one_row_that_is_no_rule_leaves_the_whole_table_alone() {
    let place = place("");
    let cases = [
        ("*.c.example may", "wildcard"),
        ("c.example bogus", "bogus"),
        ("c.example encrypt frob=x", "frob"),
        ("c.example encrypt enable_rpk=yes", "enable_rpk"),
        (
            "c.example may\n d.example may",
            "line 3 begins with a blank",
        ),
        ("c.example", "no policy"),
        ("c.example may\nC.example encrypt", "stands twice"),
        (
            "bücher.example may\nxn--bcher-kva.example dane",
            "two spellings",
        ),
        ("someone@c.example may", "address"),
        ("192.0.2.1 may", "brackets"),
    ];
    for (rows, why) in cases {
        let path = place.write("own", &format!("a.example encrypt\n{rows}\n"));
        let table = format!("hash:{}", path.display());
        // It warns of some of these.
        let compiled = Command::new("/usr/sbin/postmap")
            .args(["-c", &place.scene.config(), &table])
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{compiled:?}");
        let finding = left(&place, "policy.table-left");
        let line = finding["evidence"][0]["line"].as_u64().unwrap();
        assert!(line == 2 || line == 3, "{finding}");
        assert!(
            finding["evidence"][0]["text"]
                .as_str()
                .unwrap()
                .contains(why),
            "{rows}: {finding}"
        );
    }
    // It is asked after the rules, as ever.
    place.must("policy add z.example encrypt");
    place.must("apply --yes");
    assert!(place.maps().ends_with(&format!(", {}", own(&place))));
}

#[test]
fn a_source_that_was_not_compiled_since_is_left_alone() {
    let place = place("a.example encrypt\nb.example may\n");
    place.write("own", "a.example none\nc.example dane\n");
    let finding = left(&place, "policy.table-not-compiled");
    let seen: Vec<&str> = finding["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|seen| seen["text"].as_str())
        .collect();
    assert_eq!(seen.len(), 3, "{seen:?}");
    for part in [
        "a.example: Postfix finds “encrypt”",
        "b.example: Postfix finds “may”",
        "c.example: Postfix does not find it",
    ] {
        assert!(
            seen.iter().any(|seen| seen.starts_with(part)),
            "{part}: {seen:?}"
        );
    }
    assert_eq!(told_by_all(&place), 3);
    crate::scene::run(
        "/usr/sbin/postmap",
        &["-c", &place.scene.config(), &own(&place)],
    );
    assert_eq!(told_by_all(&place), 0);
    assert_eq!(place.must("init").json["tables"][0]["rows"], 2);
    assert_eq!(
        place.listed("in_force"),
        ["a.example none", "c.example dane"]
    );
}

/// How many differences between a source and its table `lint` and `status` tell, the same.
fn told_by_all(place: &Place) -> usize {
    let lint = place.run("lint").json;
    let found = lint["findings"].as_array().unwrap().iter();
    let found: Vec<&Value> = found
        .filter(|one| one["code"] == "policy.table-not-compiled")
        .collect();
    assert!(found.len() < 2, "{lint}");
    let status = place.run("status").json;
    let shown = status["shadowed_rules"].as_array().unwrap().iter();
    let shown: Vec<&Value> = shown
        .filter(|one| one["code"] == "policy.table-not-compiled")
        .collect();
    assert_eq!(found, shown, "{status}");
    let differences = |one: &&Value| one["evidence"].as_array().unwrap().len();
    found.first().map_or(0, differences)
}

#[test]
fn of_a_table_of_many_rows_a_sample_tells_that_it_was_not_compiled() {
    let rows = |policy: &str| -> String {
        (0..12_000)
            .map(|n| format!("d{n}.example {policy}\n"))
            .collect()
    };
    let place = place(&rows("may"));
    place.write("own", &rows("encrypt"));
    left(&place, "policy.table-not-compiled");
    assert_eq!(told_by_all(&place), 10);
}

#[test]
fn a_service_with_tables_of_its_own_keeps_them() {
    let place = place("a.example encrypt\n");
    let master = place.config().join("master.cf");
    let text = fs::read_to_string(&master).unwrap();
    let strict = place.table("strict", "s.example secure\n");
    let same = own(&place);
    let more = format!(
        "{text}strict unix - - n - - smtp\n  -o smtp_tls_policy_maps={strict}\nsame unix - - n - - smtp\n  -o smtp_tls_policy_maps={same}\n"
    );
    fs::write(&master, &more).unwrap();
    place.reload();
    let adopted = place.must("init").json;
    let findings = adopted["findings"].as_array().unwrap();
    let told = findings
        .iter()
        .filter(|finding| finding["code"] == "policy.service-tables-left");
    let told: Vec<String> = told.map(Value::to_string).collect();
    assert!(
        told.len() == 1 && told[0].contains("strict/unix"),
        "{told:?}"
    );
    place.must("policy add b.example may");
    place.must("apply --yes");
    let text = fs::read_to_string(&master).unwrap();
    assert!(
        text.contains(&format!("  -o smtp_tls_policy_maps={strict}\n")),
        "{text}"
    );
    assert!(
        text.contains(&format!("  -o smtp_tls_policy_maps={}\n", place.maps())),
        "{text}"
    );
    place.must("rollback --yes");
    assert_eq!(fs::read_to_string(&master).unwrap(), more);
}

#[test]
fn rules_in_force_stay_before_a_table_that_comes_later() {
    let place = Place::new();
    place.must("policy add a.example encrypt");
    place.must("apply --yes");
    let own = place.table("own", "o.example may\n");
    let main = place.main_cf();
    let maps = place.maps();
    place.write("main.cf", &main.replace(&maps, &format!("{maps}, {own}")));
    place.must("init");
    assert_eq!(place.listed("in_force"), ["a.example encrypt"]);
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
}

#[test]
fn hostile_sources_end_nothing() {
    let place = place("a.example encrypt\n");
    let path = place.config().join("own");
    let fill = |bytes: &[u8]| {
        let _ = fs::remove_file(&path);
        fs::write(&path, bytes).unwrap();
    };
    let make = |program: &str| {
        let _ = fs::remove_file(&path);
        crate::scene::run(program, &[path.to_str().unwrap()]);
    };
    let left = |why: &str| {
        let finding = left(&place, "policy.table-left");
        assert!(finding.to_string().contains(why), "{why}: {finding}");
    };
    make("/usr/bin/mkfifo");
    left("not a regular file");
    make("/usr/bin/mkdir");
    left("not a regular file");
    fs::remove_dir(&path).unwrap();
    symlink(&path, &path).unwrap();
    left("cannot be read");
    fs::remove_file(&path).unwrap();
    left("cannot be read");
    let junk: Vec<u8> = (0..200_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    fill(&junk);
    left("no rules");
    fill(&b"a\n".repeat(32 << 20));
    left("no rules");
    fill(&b"#\n".repeat(32 << 20));
    left("MiB");
    fill(&vec![b'x'; 64 << 20]);
    left("MiB");
    fill(b"");
    left_differs(&place);
    // Root may read it all the same.
    fill(b"a.example encrypt\n");
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    assert_eq!(place.must("init").json["tables"][0]["rows"], 1);
    assert_eq!(place.listed("in_force"), ["a.example encrypt"]);
    // Adopted, and then spoilt: that is drift, and nothing that hangs.
    make("/usr/bin/mkfifo");
    assert_eq!(
        place.ends(2, "drift").json["drift_tables"][0]["table"],
        own(&place)
    );
    assert_eq!(place.ends(65, "drift --adopt").code(), "policy.table-left");
    assert_eq!(place.listed("in_force"), ["a.example encrypt"]);
}

fn left_differs(place: &Place) {
    left(place, "policy.table-not-compiled");
}

#[test]
fn tables_of_others_are_adopted_as_postfix_reads_them() {
    let samples = beside::samples("corpus/tls_policy", 20);
    let Some(_) = samples.first() else { return };
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    let (mut adopted, mut left) = (0, 0);
    for sample in samples {
        let path = place.config().join("own");
        fs::write(&path, &sample.bytes).unwrap();
        // It warns of some of them.
        let compiled = Command::new("/usr/sbin/postmap")
            .args(["-c", &place.scene.config(), &own(&place)])
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}: {compiled:?}", sample.name);
        let said = place.must("init").json;
        assert_eq!(place.must("plan").json["pending"], false, "{}", sample.name);
        match said["tables"].as_array().unwrap().len() {
            0 => {
                left += 1;
                let words = said["findings"].to_string();
                assert!(
                    words.contains("policy.table-left"),
                    "{}: {words}",
                    sample.name
                );
            }
            _ => {
                adopted += 1;
                let mut listed = place.listed("in_force");
                listed.sort();
                assert_eq!(listed, answers(&place), "{}", sample.name);
            }
        }
        place.must("release");
    }
    eprintln!("{adopted} adopted, {left} left alone");
    assert!(adopted >= 10, "{adopted} adopted, {left} left alone");
}

/// What Postfix finds in the table, as rules are written.
fn answers(place: &Place) -> Vec<String> {
    let listed = Command::new("/usr/sbin/postmap")
        .args(["-c", &place.scene.config(), "-s", &own(place)])
        .output()
        .unwrap();
    let text = String::from_utf8(listed.stdout).unwrap();
    let rule = |line: &str| {
        let (key, value) = line.split_once('\t').unwrap();
        let dialect = mailtls::policy::Dialect { major: 3, minor: 7 };
        let policy = mailtls::policy::Policy::parse(value, dialect).unwrap();
        format!("{key} {policy}")
    };
    let mut rows: Vec<String> = text.lines().map(rule).collect();
    rows.sort();
    rows
}
