//! Whoever owns the console: its files, its database, its process.
//!
//! They can file typed tasks that hold no path, no command and no map. Nothing else.

use crate::scene::run;
use crate::site::Site;
use postseal_store::desk::JobState;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

#[test]
fn no_text_at_the_desk_becomes_more_than_a_task() {
    let site = Site::up();
    let before = site.scene.files();
    let canary = site.scene.named("canary");
    let tasks = [
        "not JSON".to_owned(),
        r#"{"task": "run", "words": ["cert", "export", "mx", "--key"]}"#.to_owned(),
        r#"{"task": "cert-export", "name": "mx", "key": true, "yes_export_private_key": true}"#.to_owned(),
        r#"{"task": "cert-export", "name": "--key"}"#.to_owned(),
        r#"{"task": "set", "pairs": ["param.smtpd_tls_chain_files=/etc/shadow"]}"#.to_owned(),
        r#"{"task": "set", "pairs": ["param.smtpd_banner=x"]}"#.to_owned(),
        r#"{"task": "set", "pairs": ["trust.outbound=/etc/shadow"]}"#.to_owned(),
        r#"{"task": "set", "pairs": ["mode=may\nsmtpd_banner = x"]}"#.to_owned(),
        r#"{"task": "policy-add", "destination": "a.example", "level": "secure tafile=/etc/shadow"}"#.to_owned(),
        r#"{"task": "policy-import", "format": "map", "text": "a.example secure tafile=/etc/shadow\n"}"#.to_owned(),
        format!(r#"{{"task": "explain", "what": "$(touch {canary})"}}"#),
        format!(r#"{{"task": "explain", "what": "a@b; touch {canary}"}}"#),
        format!(r#"{{"task": "show", "service": "--config={canary}"}}"#),
        r#"{"task": "apply", "plan": "--file=/etc/shadow"}"#.to_owned(),
        r#"{"task": "probe", "targets": ["127.0.0.1:22"]}"#.to_owned(),
        r#"{"task": "probe", "targets": ["--targets=/etc/shadow"]}"#.to_owned(),
    ];
    for task in &tasks {
        let job = site.ended(site.file(task));
        let answer = job.end.unwrap_or_else(|| panic!("{task}")).answer;
        assert!(!answer.contains("PRIVATE KEY"), "{task}: {answer}");
        assert!(!answer.contains("root:"), "{task}: {answer}");
    }
    assert_eq!(site.scene.files(), before);
    assert!(!Path::new(&canary).exists());
    let plan = site.local(&["plan"]);
    assert_eq!(plan.json["diff"], "", "{plan:#?}");
}

#[test]
fn what_lies_in_place_of_the_desk_is_opened_with_no_more_rights_than_the_consoles() {
    let mut site = Site::up();
    site.kill();
    let folder = site.console_folder();
    let victim = site.scene.folder().join("victim");
    fs::write(&victim, "what is root's").unwrap();
    let theirs = |path: &Path| {
        run(
            "/bin/chown",
            &["-h", "65534:65534", &path.display().to_string()],
        );
    };
    for name in [
        "console.db",
        "console.db-wal",
        "console.db-shm",
        "console.db-journal",
    ] {
        let path = folder.join(name);
        drop(fs::remove_file(&path));
        symlink(&victim, &path).unwrap();
        theirs(&path);
    }
    site.up_again();
    site.wait("a complaint", |site| site.log().contains("warning: "));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "what is root's");
    assert_eq!(victim.metadata().unwrap().uid(), 0);
    let status = site.local(&["status"]);
    assert_eq!(status.exit, Some(0), "{status:#?}");
}

#[test]
fn the_console_reads_nothing_of_the_store() {
    let site = Site::up();
    let may = |program: &str, path: &str| {
        let mut command = Command::new(program);
        let ran = command.arg(path).uid(65_534).gid(65_534).output().unwrap();
        ran.status.success()
    };
    assert!(may("/bin/ls", &site.scene.named("store/console")));
    assert!(!may("/bin/ls", &site.scene.named("store")));
    for name in ["store/agent.db", "store/identity", "store/agent.lock"] {
        assert!(
            !may("/bin/cat", &site.scene.named(name)),
            "{name} can be read"
        );
    }
    for child in site.children("console") {
        let status =
            fs::read_to_string(format!("/proc/{}/status", child.as_raw_nonzero())).unwrap();
        let line = |name: &str| {
            let found = status.lines().find(|line| line.starts_with(name));
            found.unwrap().to_owned()
        };
        assert_eq!(line("Uid:"), "Uid:\t65534\t65534\t65534\t65534");
        assert_eq!(line("Groups:").trim(), "Groups:");
        assert_eq!(line("NoNewPrivs:"), "NoNewPrivs:\t1");
        assert_eq!(line("CapEff:"), "CapEff:\t0000000000000000");
    }
}

#[test]
fn a_job_that_was_forged_as_done_or_for_another_instance_changes_nothing() {
    let site = Site::up();
    let job = site.at_desk(|desk, _| {
        use postseal_store::desk::{Desk, Filed, NewJob};
        let job = NewJob {
            instance: "/etc/postfix".to_owned(),
            actor: "mallory".to_owned(),
            filed_ms: 1,
            task: r#"{"task": "release"}"#.to_owned(),
            request: None,
        };
        match desk.file(&job).unwrap() {
            Filed::New(id) => id,
            other => panic!("{other:?}"),
        }
    });
    let done = site.ended(site.file(r#"{"task": "history"}"#));
    assert_eq!(done.state, JobState::Done);
    assert_eq!(site.job(job).state, JobState::Waiting);
}

#[test]
fn the_audit_log_takes_in_what_happened_and_shows_what_was_changed() {
    let site = Site::up();
    site.remote(&["status"]);
    site.local(&["user", "add", "eve", "--role=auditor"]);
    site.wait("the note of a new user", |site| {
        site.local(&["audit", "list"]).stdout.contains("eve")
    });
    let whole = site.local(&["audit", "verify"]);
    assert_eq!(whole.exit, Some(0), "{whole:#?}");
    let head = whole.text("head").to_owned();
    let later = site.local(&["audit", "verify", "--head", &head]);
    assert_eq!(later.exit, Some(0), "{later:#?}");
    let other = site.local(&["audit", "verify", "--head", "00"]);
    assert_eq!(other.json["findings"][0]["code"], "audit.cut-off");
    assert_eq!(other.exit, Some(2));
    let store = site.scene.named("store/agent.db");
    run(
        "/usr/bin/sqlite3",
        &[
            &store,
            "DROP TRIGGER audit_is_not_changed; UPDATE audit SET actor = 'nobody' WHERE id = 1;",
        ],
    );
    let changed = site.local(&["audit", "verify"]);
    assert_eq!(changed.json["findings"][0]["code"], "audit.broken");
    assert_eq!(changed.exit, Some(2));
}
