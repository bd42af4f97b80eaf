//! A table that the map of the rules has replaced, and that somebody edits out of habit; and words about
//! rules that no rule has got.

use crate::place::{Place, builder};
use serde_json::Value;

const CODE: &str = "policy.replaced-table-edited";

fn place(rows: &str) -> Place {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", rows);
    place.must("init");
    place
}

fn found(place: &Place, code: &str) -> Option<Value> {
    let lint = place.run("lint").json;
    let mut findings = lint["findings"].as_array().unwrap().iter();
    findings.find(|one| one["code"] == code).cloned()
}

fn evidence(finding: &Value) -> Vec<String> {
    let all = finding["evidence"].as_array().unwrap().iter();
    all.map(|one| one["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Runs the commands that a remedy offers, as they are written.
fn run_offered(place: &Place, remedy: &str) -> usize {
    let offered: Vec<&str> = remedy.split('`').skip(1).step_by(2).collect();
    for command in &offered {
        let words = command.strip_prefix("postseal ").unwrap().replace('\'', "");
        let more = match words.starts_with("policy remove") || words == "apply" {
            true => "",
            false => " --no-preflight",
        };
        place.must(&format!("{words}{more}"));
    }
    offered.len()
}

#[test]
fn only_rows_that_were_edited_are_named_and_what_is_offered_reverts_no_newer_rule() {
    let rows = "a.example encrypt\nb.example may\nc.example may\nd.example may\n.e.example may\n";
    let place = place(rows);
    // Rules go on: the table is older then, not edited.
    place.must("policy edit a.example secure --no-preflight");
    place.must("apply --yes");
    place.must("policy remove d.example");
    place.must("policy add n.example encrypt --no-preflight");
    place.must("apply --yes");
    assert_eq!(found(&place, CODE), None);
    place.write("own", &format!("# seen\n{rows}"));
    assert_eq!(found(&place, CODE), None, "another comment is no other row");

    // A row changed, one new, one taken out; the newer rule of a.example stays unnamed.
    place.write(
        "own",
        "a.example encrypt\nb.example encrypt ciphers=high\nd.example may\n.e.example may\nz.example dane-only\n",
    );
    let finding = found(&place, CODE).unwrap();
    let told = [
        "b.example encrypt ciphers=high (the rule is may)",
        "z.example dane-only (there is no rule)",
        "c.example (the rule is there)",
    ];
    assert_eq!(evidence(&finding), told, "{finding}");
    assert_eq!(finding["evidence"][0]["line"], 2);
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(!remedy.contains("import"), "{remedy}");
    // What this host cannot keep is refused like any other wish: it is made able first.
    let able = ["-e", "smtp_dns_support_level = dnssec"];
    place.scene.postconf(&able);
    place.must("drift --adopt");
    assert_eq!(run_offered(&place, remedy), 4);
    assert_eq!(found(&place, CODE), None);
    let rules = [
        ".e.example may",
        "a.example secure",
        "b.example encrypt ciphers=high",
        "n.example encrypt",
        "z.example dane-only",
    ];
    assert_eq!(place.listed("in_force"), rules);
    assert_eq!(place.looked_up("c.example"), None);
}

#[test]
fn a_row_whose_rule_is_newer_is_told_without_a_command() {
    let place = place("a.example encrypt\nb.example may\n");
    place.must("policy edit a.example secure --no-preflight");
    place.must("apply --yes");
    place.write("own", "a.example none\nb.example may\n*.c.example may\n");
    let finding = found(&place, CODE).unwrap();
    let told = evidence(&finding);
    assert_eq!(
        told[0],
        "a.example none (the rule was changed since, too: secure)"
    );
    assert!(told[1].starts_with("*.c.example is no rule: "), "{told:?}");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(!remedy.contains('`'), "{remedy}");
    place.write("own", "a.example encrypt\nb.example may\n");
    assert_eq!(found(&place, CODE), None);
}

#[test]
fn of_two_tables_the_first_made_the_rule() {
    let place = Place::unadopted(builder().set(
        "smtp_tls_policy_maps",
        "hash:{base}/config/own, hash:{base}/config/second",
    ));
    place.table("own", "a.example encrypt\n");
    place.table("second", "a.example may\nb.example may\n");
    place.must("init");
    place.must("policy add c.example may --no-preflight");
    place.must("apply --yes");
    // Its first row was never a rule.
    place.write("second", "a.example may\nb.example encrypt\n");
    let finding = found(&place, CODE).unwrap();
    assert_eq!(evidence(&finding), ["b.example encrypt (the rule is may)"]);
    assert_eq!(run_offered(&place, finding["remedy"].as_str().unwrap()), 2);
    assert_eq!(found(&place, CODE), None);
}

/// A note, words, and lines that are of no row.
const WORDS: &str = "#postseal: owner head\n\n#postseal: owner team\na.example encrypt\n#postseal: \
                     colour red\n#postseal:owner x\nb.example may\n#postseal: tags lost\n\nc.example \
                     may\n#postseal: managed d.example may by domain d.example\n#postseal: until \
                     2099-01-01\n";
const LOST: [(u64, &str); 5] = [
    (1, "no row stands right below it"),
    (5, "becomes a note"),
    (6, "becomes a note"),
    (8, "no row stands right below it"),
    (12, "no row stands right below it"),
];

fn told(findings: &Value, file: &str) {
    let findings = findings.as_array().unwrap().iter();
    let unread: Vec<&Value> = findings
        .filter(|one| one["code"] == "policy.word-unread")
        .collect();
    assert_eq!(unread.len(), LOST.len(), "{unread:?}");
    for (line, why) in LOST {
        let is_at = |one: &&&Value| one["evidence"][0]["line"] == line;
        let one = unread.iter().find(is_at).unwrap();
        assert!(one["message"].as_str().unwrap().contains(why), "{one}");
        assert_eq!(one["evidence"][0]["file"], file, "{one}");
    }
}

#[test]
fn words_of_no_rule_are_told_with_their_lines() {
    let place = place(WORDS);
    let path = place.config().join("own").display().to_string();
    place.must("release");
    told(&place.must("init").json["findings"], &path);
    let listed = place.must("policy list").json;
    assert_eq!(listed["rules"][0]["in_force"]["owner"], "team");
    let note = "postseal: colour red postseal:owner x";
    assert_eq!(listed["rules"][1]["in_force"]["note"], note);

    let place = Place::new();
    let file = place.write("rows", WORDS).display().to_string();
    let imported = place.must(&format!("policy import {file}")).json;
    assert_eq!(imported["added"], 3);
    told(&imported["findings"], &file);
    // What export writes has none of them.
    place.must("policy add both.example encrypt --scope both --note n --no-preflight");
    let export = place.scene.say(&["policy", "export"]).stdout;
    let file = place.write("again", &export);
    let again = place
        .must(&format!("policy import {}", file.display()))
        .json;
    assert_eq!(again["findings"], serde_json::json!([]), "{export}");
    assert_eq!(again["changed"], false);
}

#[test]
fn findings_of_an_import_have_the_line_that_they_speak_of() {
    let place = Place::of(builder().set("smtp_dns_support_level", "disabled"));
    let rows = "destination,policy,reason\na.example,encrypt,\nb.example,dane,the resolver comes \
                tomorrow\nc.example,dane-only,\n*.d.example,may,\n";
    let file = place.write("rows.csv", rows).display().to_string();
    let told = place.ends(65, &format!("policy import {file}")).json;
    let at = |finding: &Value, line: u64, destination: &str| {
        let evidence = finding["evidence"].as_array().unwrap();
        let there = evidence.iter().any(|one| {
            one["line"] == line && one["file"] == file.as_str() && one["text"] == destination
        });
        assert!(there, "{finding}");
    };
    at(&told["findings"][0], 3, "b.example");
    assert_eq!(told["findings"][0]["code"], "policy.dane-without-dnssec");
    for (refused, (line, destination)) in [(4, "c.example"), (5, "*.d.example")].iter().enumerate()
    {
        let refused = &told["refused"][refused];
        assert_eq!(refused["line"], *line);
        at(&refused["findings"][0], *line, destination);
    }
    // From standard input the line has no file.
    let fed = place.scene.fed(
        &["policy", "import", "-", "--format", "csv"],
        rows.as_bytes(),
    );
    let evidence = fed.json["findings"][0]["evidence"].as_array().unwrap();
    assert!(
        evidence
            .iter()
            .any(|one| one["line"] == 3 && one["file"].is_null()),
        "{evidence:?}"
    );
}
