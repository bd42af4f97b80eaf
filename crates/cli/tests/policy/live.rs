//! The map of the rules under others' hands: told, asked, made anew.

use crate::place::{Place, builder, codes};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

fn place() -> Place {
    let place = Place::of(builder());
    for rule in [
        "a.example encrypt",
        "b.example secure",
        "bücher.example may",
    ] {
        place.must(&format!("policy add {rule}"));
    }
    place.must("apply --yes");
    place
}

fn source(place: &Place) -> PathBuf {
    let maps = place.maps();
    PathBuf::from(maps.split_once(':').unwrap().1)
}

/// Everything that looks tells of it, and `drift --restore` ends it.
#[track_caller]
fn is_told_and_mended(place: &Place, what: &str) {
    let source = source(place);
    let told = |found: &Value| {
        let files = found["drift_files"].as_array().unwrap();
        assert_eq!(files.len(), 1, "{found}");
        assert_eq!(files[0]["path"], source.to_str().unwrap());
        assert!(files[0]["what"].as_str().unwrap().contains(what), "{found}");
    };
    told(&place.ends(2, "drift").json);
    told(&place.must("status").json);
    told(&place.ends(1, "verify").json);
    let plan = place.must("plan").json;
    assert!(
        plan["sentences"][0].as_str().unwrap().contains(what),
        "{plan}"
    );
    let lint = place
        .ends(2, &format!("lint {}", place.config().display()))
        .json;
    assert!(codes(&lint).contains(&"policy.map-touched"), "{lint}");

    place.must("drift --restore --yes");
    for (key, policy) in [
        ("a.example", "encrypt"),
        ("b.example", "secure"),
        ("bücher.example", "may"),
        ("xn--bcher-kva.example", "may"),
    ] {
        assert_eq!(place.looked_up(key).as_deref(), Some(policy), "{key}");
    }
    place.must("drift");
    assert_eq!(place.must("plan").json["pending"], false);
    assert_eq!(place.installed().len(), 2, "{:?}", place.installed());
    let verified = place.must("verify").json;
    assert_eq!(verified["rules_asked"], 4);
    assert!(answered(place).iter().all(|yes| *yes));
}

fn answered(place: &Place) -> Vec<bool> {
    let listed = place.must("policy list").json;
    let rules = listed["rules"].as_array().unwrap().iter();
    rules
        .map(|rule| rule["answered"].as_bool().unwrap())
        .collect()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    let edited = text.replace(from, to);
    assert_ne!(edited, text);
    fs::write(path, edited).unwrap();
}

#[test]
fn a_source_that_was_edited() {
    let place = place();
    edit(&source(&place), "b.example secure", "b.example none");
    // Not compiled: the old rows answer.
    assert_eq!(answered(&place), [true, true, true]);
    is_told_and_mended(&place, "edited by hand");
}

#[test]
fn a_source_that_was_edited_and_compiled() {
    let place = place();
    edit(&source(&place), "b.example secure", "b.example none");
    crate::scene::run(
        "/usr/sbin/postmap",
        &["-c", &place.scene.config(), &place.maps()],
    );
    assert_eq!(answered(&place), [true, false, true]);
    let listed = place.scene.say(&["policy", "list"]).stdout;
    let row = listed
        .lines()
        .find(|row| row.starts_with("b.example"))
        .unwrap();
    assert!(!row.contains("in force"), "{row}");
    let verified = place.ends(1, "verify").json;
    assert!(
        codes(&verified).contains(&"policy.map-answers-wrong"),
        "{verified}"
    );
    is_told_and_mended(&place, "edited by hand");
}

#[test]
fn an_index_from_elsewhere_under_a_source_that_is_as_it_was() {
    let place = place();
    place.table("elsewhere", "a.example none\n");
    let index = format!("{}.db", source(&place).display());
    fs::copy(place.config().join("elsewhere.db"), index).unwrap();
    assert_eq!(answered(&place), [false, false, false]);
    is_told_and_mended(&place, "compiled anew");
}

#[test]
fn a_note_that_was_taken_out_or_added_to() {
    let place = place();
    let path = source(&place);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}x.example may\n")).unwrap();
    is_told_and_mended(&place, "edited by hand");
    let text = fs::read_to_string(&path).unwrap();
    let note = text.lines().last().unwrap();
    assert!(note.starts_with("# the compiled map: SHA-256 "), "{note}");
    fs::write(&path, format!("{text}{note}\n")).unwrap();
    is_told_and_mended(&place, "edited by hand");
}

#[test]
fn a_map_that_cannot_be_made_anew_is_left_as_it_is() {
    let place = place();
    edit(&source(&place), "b.example secure", "b.example none");
    let before = fs::read(source(&place)).unwrap();
    let commands = place.config().join("commands");
    fs::create_dir_all(&commands).unwrap();
    for entry in fs::read_dir("/usr/sbin").unwrap().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("post") && name != "postmap" {
            let _ = std::os::unix::fs::symlink(entry.path(), commands.join(name));
        }
    }
    let main = place.main_cf();
    let without = format!("{main}command_directory = {}\n", commands.display());
    place.write("main.cf", &without);
    let failed = place.run("drift --restore --yes");
    assert_eq!(failed.exit, Some(1), "{}{}", failed.stdout, failed.stderr);
    place.write("main.cf", &main);
    assert_eq!(fs::read(source(&place)).unwrap(), before);
    assert_eq!(place.looked_up("a.example").as_deref(), Some("encrypt"));
    assert_eq!(place.installed().len(), 2, "{:?}", place.installed());
}

#[test]
fn a_table_that_was_replaced_is_watched_until_its_rows_are_rules() {
    let place = Place::unadopted(builder().set("smtp_tls_policy_maps", "hash:{base}/config/own"));
    place.table("own", "a.example encrypt\nb.example may\n");
    place.must("init");
    place.must("policy edit b.example encrypt");
    place.must("apply --yes");
    let told = |place: &Place| {
        let status = place.must("status").json;
        let found = status["replaced_tables"].as_array().unwrap().clone();
        let lint = place
            .run(&format!("lint {}", place.config().display()))
            .json;
        let linted = codes(&lint).contains(&"policy.replaced-table-edited");
        assert_eq!(linted, !found.is_empty(), "{lint}");
        found
    };
    assert!(told(&place).is_empty());
    place.table(
        "own",
        "a.example encrypt\nb.example encrypt\nc.example may\n",
    );
    let found = told(&place);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["code"], "policy.replaced-table-edited");
    let path = place.config().join("own");
    let offered = "`postseal policy add 'c.example' may`";
    assert!(
        found[0]["remedy"].as_str().unwrap().contains(offered),
        "{found:?}"
    );
    assert_eq!(found[0]["evidence"][0]["line"], 3);
    place.must("policy add c.example may");
    place.must("apply --yes");
    assert!(told(&place).is_empty());
    assert_eq!(place.looked_up("c.example").as_deref(), Some("may"));
    place.table("own", "a.example encrypt\n");
    assert_eq!(told(&place).len(), 1);
    fs::remove_file(path).unwrap();
    assert!(told(&place).is_empty());
}

#[test]
fn another_rule_does_not_take_an_edit_away_unsaid() {
    let place = place();
    edit(&source(&place), "b.example secure", "b.example none");
    let edited = fs::read(source(&place)).unwrap();
    place.must("policy add d.example may");
    for verb in ["plan", "apply --yes"] {
        let refused = place.ends(65, verb);
        assert_eq!(refused.code(), "policy.map-touched", "{verb}");
    }
    assert_eq!(fs::read(source(&place)).unwrap(), edited);
    // As the remedy says.
    place.must("drift --restore --yes");
    place.must("apply --yes");
    assert_eq!(answered(&place), [true; 4]);
    assert_eq!(place.looked_up("d.example").as_deref(), Some("may"));
}

#[test]
fn a_rollback_to_a_map_that_was_touched_makes_it_anew() {
    let place = place();
    let earlier = source(&place);
    place.must("policy add c.example encrypt");
    place.must("apply --yes");
    edit(&earlier, "b.example secure", "b.example none");
    place.must("rollback --yes");
    assert_eq!(place.looked_up("b.example").as_deref(), Some("secure"));
    assert_eq!(place.looked_up("c.example"), None);
    place.must("drift");
}

#[test]
fn rules_that_no_client_asks_any_more_are_told() {
    let place = place();
    let named = place.maps();
    let other = place.table("other", "elsewhere.example may\n");
    for value in [None, Some(""), Some("$nosuch"), Some(&other)] {
        match value {
            None => place.scene.postconf(&["-X", "smtp_tls_policy_maps"]),
            Some(value) => {
                let set = format!("smtp_tls_policy_maps={value}");
                place.scene.postconf(&["-e", &set])
            }
        };
        let listed = place.must("policy list").json;
        for rule in listed["rules"].as_array().unwrap() {
            assert_eq!(rule["holds"], false, "{value:?}: {rule}");
            assert_eq!(rule["hindered"]["by"], "not-asked", "{value:?}: {rule}");
        }
        let shown = place.scene.say(&["policy", "list"]).stdout;
        assert!(
            shown.contains("not asked, see `postseal drift`"),
            "{value:?}: {shown}"
        );
        let lint = format!("lint {}", place.config().display());
        for (exit, words) in [(1, "verify"), (2, lint.as_str())] {
            let told = place.ends(exit, words).json;
            let not_asked = codes(&told).contains(&"policy.map-not-asked");
            assert!(not_asked, "{value:?}: {words}: {told}");
        }
        let verified = place.scene.say(&["verify"]).stdout;
        assert!(
            !verified.contains("answered as the rules say"),
            "{value:?}: {verified}"
        );
    }
    place.must("drift --restore --yes");
    assert_eq!(place.maps(), named);
    place.must("verify");
    let listed = place.must("policy list").json;
    let rules = listed["rules"].as_array().unwrap();
    assert!(rules.iter().all(|rule| rule["holds"] == true), "{listed}");
}
