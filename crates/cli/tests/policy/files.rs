//! Files of rules: what comes back of them, and what is no file of rules.

use crate::place::{Place, builder};
use std::fs;

/// Mail for `hermes.example` leaves by a relay: a rule for it has to be forced.
fn place() -> Place {
    let routes =
        "inline:{ hermes.example=smtp:[r.example]:587, .hermes.example=smtp:[r.example]:587 }";
    let place = Place::unadopted(
        builder()
            .set("transport_maps", routes)
            .set("smtp_dns_support_level", "dnssec"),
    );
    place.must("init");
    place
}

/// Generated rules, the same in each run.
fn generated() -> String {
    let mut csv = String::from("destination,policy,scope,note,owner,tags,until,reason\n");
    let mut state = 7_u32;
    let mut one_of = |list: &[&str]| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        list[(state >> 16) as usize % list.len()].to_owned()
    };
    let policies = [
        "may",
        "none",
        "encrypt protocols=>=TLSv1.2 ciphers=high",
        "secure match=nexthop:dot-nexthop",
        "dane-only",
        "fingerprint match=00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    ];
    let notes = [
        "",
        "plain",
        "\"with, comma\"",
        "\"a \"\"quote\"\"\"",
        "# hash",
        "läuft aus",
        "a  b",
        "postseal: owner x",
    ];
    for n in 0..150 {
        let domain = match n % 5 {
            0 => format!("bücher{n}.example"),
            1 => format!("d{n}.hermes.example"),
            2 => format!("[mx{n}.example]:587"),
            _ => format!("d{n}.example"),
        };
        let scope = match n % 5 {
            2 => String::new(),
            _ => one_of(&["", "domain", "subdomains", "both"]),
        };
        let reason = if n % 5 == 1 { "it will move" } else { "" };
        let words = [
            domain,
            one_of(&policies),
            scope,
            one_of(&notes),
            one_of(&["", "alice", "Bob & Sons"]),
            one_of(&["", "a", "b a"]),
            one_of(&["", "2027-01-31"]),
            reason.to_owned(),
        ];
        csv.push_str(&(words.join(",") + "\n"));
    }
    csv
}

fn export(place: &Place, format: &str) -> String {
    place
        .scene
        .say(&["policy", "export", "--format", format])
        .stdout
}

#[test]
fn an_own_export_of_any_form_comes_back_as_it_was() {
    let place = place();
    let csv = place.write("rules.csv", &generated());
    let first = place.must(&format!("policy import {}", csv.display())).json;
    assert_eq!(first["added"], 150, "{first}");
    let told = first["findings"].as_array().unwrap();
    let (forced, told): (Vec<_>, Vec<_>) = told.iter().partition(|one| one["severity"] == "error");
    assert_eq!((forced.len(), told.len()), (30, 30), "{first}");
    let all =
        |found: &[&serde_json::Value], code: &str| found.iter().all(|one| one["code"] == code);
    assert!(all(&forced, "policy.never-matches"), "{first}");
    assert!(all(&told, "policy.never-asked"), "{first}");
    // One that is managed shares its key with one by hand.
    place.must("domain add relayed.example --next-hop [mx2.example]:587");
    place.must("domain add other.example --next-hop [other.example]:587");
    let other = self::place();
    for format in ["csv", "json", "map", "toml"] {
        let exported = export(&place, format);
        let file = place.write(&format!("out.{format}"), &exported);
        let again = format!("policy import {} --format {format}", file.display());
        let same = place.must(&again).json;
        assert_eq!(same["same"], 150, "{format}: {same}");
        assert_eq!(same["changed"], false, "{format}");
        // Elsewhere it makes the same rules.
        let there = other.must(&again).json;
        assert_eq!(there["added"], 150, "{format}: {there}");
        for form in ["csv", "json", "map", "toml"] {
            let ours = export(&place, form);
            let by_hand = ours.lines().filter(|line| !line.contains("managed"));
            let theirs = export(&other, form);
            assert!(by_hand.eq(theirs.lines()), "{format} as {form}");
        }
        other.must("discard");
    }
    let map = export(&place, "map");
    let managed: Vec<&str> = map
        .lines()
        .filter(|line| line.contains("managed"))
        .collect();
    assert_eq!(
        managed,
        [
            "#postseal: managed [mx2.example]:587 encrypt by domain relayed.example",
            "#postseal: managed [other.example]:587 encrypt by domain other.example"
        ]
    );
}

#[test]
fn of_lines_that_contradict_each_other_none_is_stored() {
    let place = Place::new();
    let text = "destination,policy,owner\n\
                a.example,may,\nb.example,encrypt,\nA.example,encrypt,\na.example,may,\n\
                c.example,may,alice\nc.example,may,bob\nd.example,may,\nd.example,may,\n";
    let csv = place.write("rules.csv", text);
    let import = format!("policy import {}", csv.display());
    for (words, stored) in [
        (import.clone(), false),
        (format!("{import} --partial"), true),
    ] {
        let refused = place.ends(65, &words).json;
        assert_eq!(refused["stored"], stored);
        let lines: Vec<u64> = refused["refused"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                assert_eq!(one["findings"][0]["code"], "policy.duplicate", "{one}");
                one["line"].as_u64().unwrap()
            })
            .collect();
        assert_eq!(lines, [2, 4, 5, 6, 7]);
        let said = refused["refused"][0]["findings"][0]["message"]
            .as_str()
            .unwrap();
        assert!(said.contains("lines 2 and 4"), "{said}");
    }
    assert_eq!(
        place.listed("wanted"),
        ["b.example encrypt", "d.example may"]
    );
}

#[test]
fn what_a_file_does_not_say_stays_and_what_it_says_to_be_empty_goes() {
    let place = Place::new();
    place.must(
        "policy add a.example may --scope both --note n --owner o --tag t --until 2027-01-31",
    );
    place.must("apply --yes");
    let rule = || place.must("policy list a.example").json["rules"][0]["wanted"].clone();
    let before = rule();
    for (name, text) in [
        ("few.csv", "destination,policy\na.example,may\n"),
        ("bare.csv", "a.example,may\n"),
        (
            "short.csv",
            "destination,policy,scope,note,owner\na.example,may\n",
        ),
        (
            "few.json",
            r#"{"schema": 1, "rules": [{"destination": "a.example", "policy": "may"}]}"#,
        ),
        (
            "null.json",
            r#"{"rules": [{"destination": "a.example", "note": null, "policy": "may"}], "schema": 1}"#,
        ),
        (
            "map",
            "#postseal: scope both\na.example may\n#postseal: scope both\n.a.example may\n",
        ),
    ] {
        let file = place.write(name, text);
        let said = place
            .must(&format!("policy import {}", file.display()))
            .json;
        assert_eq!(
            (said["same"].as_u64(), said["changed_rules"].as_u64()),
            (Some(1), Some(0)),
            "{name}: {said}"
        );
        assert_eq!(rule(), before, "{name}");
    }
    let file = place.write(
        "level.csv",
        "destination,policy,owner\na.example,encrypt,\n",
    );
    place.must(&format!("policy import {}", file.display()));
    let mut after = before.clone();
    after["policy"] = "encrypt".into();
    after.as_object_mut().unwrap().remove("owner");
    assert_eq!(rule(), after);
    let all = "destination,policy,scope,note,owner,tags,until\na.example,encrypt,,,,,\n";
    let file = place.write("all.csv", all);
    place.must(&format!("policy import {}", file.display()));
    assert_eq!(
        rule(),
        serde_json::json!({"destination": "a.example", "manager": "", "both": "no", "policy": "encrypt"})
    );
}

#[test]
fn words_that_nobody_sees_are_refused() {
    let place = Place::new();
    for hidden in [
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{200f}",
        "\u{feff}",
        "\u{1b}[2J",
    ] {
        let words = format!("policy add a.example may --note x{hidden}y");
        assert_eq!(
            place.ends(65, &words).code(),
            "policy.bad-word",
            "{hidden:?}"
        );
        let csv = format!("destination,policy,owner\na.example,may,x{hidden}y\n");
        let file = place.write("hidden.csv", &csv);
        let refused = place
            .ends(65, &format!("policy import {}", file.display()))
            .json;
        assert_eq!(
            refused["refused"][0]["findings"][0]["code"],
            "policy.bad-word"
        );
        assert_eq!(refused["refused"][0]["line"], 2);
        // Nor is it told as it stands.
        let csv = format!("a{hidden}{}.example,may\n", "x".repeat(5_000));
        let file = place.write("hidden.csv", &csv);
        let said = place
            .scene
            .say(&["policy", "import", file.to_str().unwrap()]);
        assert!(!said.stdout.contains(hidden), "{}", said.stdout);
        assert!(said.stdout.len() < 1_000, "{}", said.stdout);
    }
}

#[test]
fn only_a_file_of_sensible_size_is_read() {
    let place = Place::new();
    let folder = place.config();
    let fifo = folder.join("fifo");
    crate::scene::run("/usr/bin/mkfifo", &[fifo.to_str().unwrap()]);
    let huge = folder.join("huge");
    fs::File::create(&huge).unwrap().set_len(10 << 30).unwrap();
    let paths = [
        folder.as_path(),
        fifo.as_path(),
        huge.as_path(),
        "/dev/full".as_ref(),
        "/dev/zero".as_ref(),
    ];
    for path in paths {
        for format in ["map", "json"] {
            let refused = place.ends(
                65,
                &format!("policy import {} --format {format}", path.display()),
            );
            assert_eq!(refused.code(), "policy.unreadable", "{}", refused.stdout);
        }
    }
    // CSV is a stream; a line is not.
    let refused = place
        .ends(
            65,
            &format!("policy import {} --format csv", huge.display()),
        )
        .json;
    assert_eq!(refused["stored"], false);
    assert!(refused.to_string().contains("1 MiB"), "{refused}");
    let quoted = place.write("quoted.csv", &format!("\"{}", "a\n".repeat(1 << 20)));
    let refused = place
        .ends(65, &format!("policy import {}", quoted.display()))
        .json;
    assert!(refused.to_string().contains("1 MiB"), "{refused}");
    for (name, text) in [
        ("nul", "a.example may\0\n"),
        ("nul.csv", "a.exam\0ple,may\n"),
        ("nul.json", "{\"schema\": 1, \"rules\": [\0]}"),
    ] {
        let file = place.write(name, text);
        place.ends(65, &format!("policy import {} --partial", file.display()));
    }
    assert_eq!(place.listed("wanted"), [] as [&str; 0]);
}

#[test]
fn a_quote_that_is_not_closed_takes_no_line_away_unsaid() {
    let place = Place::new();
    for (text, destination, why) in [
        (
            "destination,policy,note\na.example,may,\no1.example,may,\"open\no2.example,may,\no3.example,may,\n",
            "o1.example",
            "lines 3 to 5 are read as one",
        ),
        ("a.example,may\nb.example,\"may", "b.example", "not closed"),
        (
            "a.example,may\nb.example,\"may\n",
            "b.example",
            "not closed",
        ),
        ("a.example,may\nb.example;may\n", "b.example;may", "commas"),
    ] {
        let file = place.write("open.csv", text);
        let import = format!("policy import --partial {}", file.display());
        let said = place.ends(65, &import).json;
        let refused = said["refused"].as_array().unwrap();
        assert_eq!(refused.len(), 1, "{said}");
        assert_eq!(refused[0]["destination"], destination, "{said}");
        let message = refused[0]["findings"][0]["message"].as_str().unwrap();
        assert!(message.contains(why), "{message}");
        assert_eq!(place.listed("wanted"), ["a.example may"]);
        place.must("discard");
    }
    let closed = place.write("closed.csv", "\"a.example\",\"may\" ");
    place.must(&format!("policy import {}", closed.display()));
    assert_eq!(place.listed("wanted"), ["a.example may"]);
}

#[test]
fn records_of_json_are_refused_one_by_one() {
    let place = Place::new();
    let text = "{\n \"rules\": [\n  {\"destination\": \"a.example\", \"policy\": \"may\"},\n  7,\n  {\n   \"destination\": \"b.example\",\n   \"colour\": \"red\"},\n  [[[]]], {\"destination\": \"c.example\", \"policy\": \"bogus\"}\n ],\n \"schema\": 1}\n";
    let file = place.write("rules.json", text);
    let refused = place
        .ends(65, &format!("policy import {} --partial", file.display()))
        .json;
    let told: Vec<(u64, &str)> = refused["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["line"].as_u64().unwrap(),
                one["findings"][0]["code"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (4, "policy.bad-file"),
            (7, "policy.bad-file"),
            (8, "policy.bad-file"),
            (8, "policy.bad-policy")
        ],
        "{refused}"
    );
    assert_eq!(place.listed("wanted"), ["a.example may"]);
    for text in [
        "{\"schema\": 1, \"rules\": {}}",
        "{\"schema\": 1, \"rules\": [}",
        "{\"schema\": 1}",
        "",
        "[1",
    ] {
        let file = place.write("bad.json", text);
        let refused = place.ends(65, &format!("policy import {}", file.display()));
        assert_eq!(refused.code(), "policy.bad-file", "{text}");
    }
    let deep = place.write(
        "deep.json",
        &format!("{{\"schema\": 1, \"rules\": [{}", "[".repeat(1 << 20)),
    );
    place.ends(65, &format!("policy import {}", deep.display()));
}

#[test]
fn standard_input_is_read_in_each_form() {
    let place = Place::new();
    for (n, (format, text)) in [
        ("map", "m.example may\n"),
        ("csv", "c.example,may\n"),
        (
            "json",
            "{\"schema\": 1, \"rules\": [{\"destination\": \"j.example\", \"policy\": \"may\"}]}",
        ),
    ]
    .iter()
    .enumerate()
    {
        let words = ["policy", "import", "-", "--format", format];
        let said = place.scene.fed(&words, text.as_bytes()).json;
        assert_eq!(said["added"], 1, "{format}: {said}");
        assert_eq!(place.listed("wanted").len(), n + 1);
    }
}

/// What a terminal shows of an import; `script` is one.
fn on_a_terminal(place: &Place, file: &std::path::Path, variables: &[(&str, &str)]) -> String {
    let (config, store) = (place.scene.config(), place.scene.store());
    let program = crate::scene::POSTSEAL;
    let line = format!(
        "{program} --instance {config} --store {store} policy import {} 2>&1",
        file.display()
    );
    let mut script = std::process::Command::new("/usr/bin/script");
    script.args(["-qec", &line, "/dev/null"]);
    script.env_clear().env("TERM", "xterm");
    script.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    script.envs(variables.iter().copied());
    let output = script.output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_terminal_shows_how_far_an_import_is() {
    let place = Place::new();
    let lines: String = (0..20_000).map(|n| format!("d{n}.example,may\n")).collect();
    let csv = place.write("rules.csv", &lines);
    let map = place.write("rules", &lines.replace(',', " "));
    let shown = on_a_terminal(&place, &csv, &[]);
    assert!(
        shown.contains("10000 rules") && shown.contains("/s,"),
        "{shown}"
    );
    let shown = on_a_terminal(&place, &map, &[]);
    assert!(shown.contains("10,000/20,000 lines"), "{shown}");
    let shown = on_a_terminal(&place, &csv, &[("NO_COLOR", "1")]);
    assert_eq!(shown, "0 added, 0 changed, 20000 the same, 0 refused\r\n");
    let piped = place
        .scene
        .say(&["policy", "import", csv.to_str().unwrap()]);
    assert_eq!(piped.stderr, "");
}
