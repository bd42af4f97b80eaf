//! Whoever owns the console: its files, its database, its process.
//!
//! They can file typed tasks that hold no path, no command and no map. Nothing else.

use crate::scene::run;
use crate::site::Site;
use postseal_store::desk::{Desk as _, JobState};
use rustix::process::{Signal, getsid, kill_process};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

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

/// However it is written: in the words of a rule, and in each form of a list.
#[test]
fn no_policy_from_afar_names_a_file() {
    let site = Site::up();
    let checks = r#""checks": {"no_preflight": true, "force_reason": "none"}"#;
    let domain = r#""next_hop": "[127.0.0.1]:25""#;
    let hidden = "secure taf\\\\u0069le=/etc/shadow";
    for task in [
        format!(r#"{{"task": "policy-add", "destination": "[127.0.0.1]:25", "level": "secure tafile=/etc/shadow", {checks}}}"#),
        format!(r#"{{"task": "policy-add", "destination": "[127.0.0.1]:25", "level": "secure", "rule": {{"match": "a tafile=/etc/shadow"}}, {checks}}}"#),
        format!(r#"{{"task": "policy-edit", "destination": "[127.0.0.1]:25", "level": "secure TAfile=/etc/shadow", {checks}}}"#),
        r#"{"task": "policy-check", "destinations": ["[127.0.0.1]:25"], "policy": "secure tafile=/etc/shadow"}"#.to_owned(),
        format!(r#"{{"task": "domain-add", "domain": "a.example", "words": {{{domain}, "level": "secure tafile=/etc/shadow", {checks}}}}}"#),
        format!(r#"{{"task": "policy-import", "format": "json", "text": "{{\"schema\": 1, \"rules\": [{{\"destination\": \"[127.0.0.1]:25\", \"policy\": \"{hidden}\", \"reason\": \"none\"}}]}}"}}"#),
        format!(r#"{{"task": "policy-import", "format": "toml", "text": "schema = 1\n[[rules]]\ndestination = \"[127.0.0.1]:25\"\npolicy = \"{hidden}\"\nreason = \"none\"\n"}}"#),
    ] {
        let job = site.ended(site.file(&task));
        let answer = job.end.unwrap_or_else(|| panic!("{task}")).answer;
        assert!(answer.contains("task.local-only"), "{task}: {answer}");
        assert!(!answer.contains("no certificate in it"), "{task}: {answer}");
    }
    let rules = site.local(&["policy", "list"]);
    assert_eq!(rules.json["rules"], serde_json::json!([]), "{rules:#?}");
}

/// Whoever takes one over neither types at the terminal of whoever started it, nor reads there.
#[test]
fn no_process_of_the_console_has_a_part_in_the_terminal() {
    let site = Site::up();
    let log = fs::canonicalize(site.scene.named("up.log")).unwrap();
    for verb in ["console", "clerk"] {
        let children = site.children(verb);
        assert!(!children.is_empty(), "{verb}");
        for child in children {
            let pid = child.as_raw_nonzero();
            assert_eq!(getsid(Some(child)).unwrap(), child, "{verb}");
            for fd in 0..3 {
                let to = fs::read_link(format!("/proc/{pid}/fd/{fd}")).unwrap();
                let to_nobody = to == Path::new("/dev/null");
                let to_up = to.display().to_string().starts_with("pipe:");
                assert!(to != log && (to_nobody || to_up), "{verb} {fd}: {to:?}");
            }
        }
    }
    // Nor does another process of the same user steer one of them.
    let console = site.children("console")[0].as_raw_nonzero();
    let memory = format!("/proc/{console}/maps");
    let mut command = Command::new("/bin/cat");
    let read = command
        .arg(memory)
        .uid(65_534)
        .gid(65_534)
        .output()
        .unwrap();
    assert!(!read.status.success());
}

#[test]
fn nothing_at_the_desk_ends_the_agent() {
    let site = Site::up();
    let name = format!("\"{}.example\"", "x".repeat(1_900));
    let names = vec![name; 1_000].join(",");
    let beside = format!(r#""unset": [{names}], "bind": [{names}], "unbind": [{names}]"#);
    let task = format!(r#"{{"task": "set", "pairs": [{names}], "beside": {{{beside}}}}}"#);
    let job = site.ended(site.file(&task));
    let answer = job.end.unwrap().answer;
    assert!(answer.contains("task.too-long"), "{answer}");
    let long = "x".repeat(10_000);
    site.at_desk(|desk, _| desk.note("mallory", i64::MAX, &long).unwrap());
    site.wait("a note", |site| {
        site.local(&["audit", "list"]).stdout.contains("mallory")
    });
    let audit = site.local(&["audit", "list"]);
    assert!(!audit.stdout.contains(&"x".repeat(1_000)), "{audit:#?}");
    assert_eq!(site.remote(&["status"]).exit, Some(0));
}

#[test]
fn no_task_at_the_desk_takes_the_mail_servers_memory() {
    let site = Site::up();
    let list = "\"\",".repeat(10 << 20);
    let task = format!(r#"{{"task": "policy-remove", "destinations": [{list}""]}}"#);
    let answer = site.ended(site.file(&task)).end.unwrap().answer;
    assert!(answer.contains("task.too-long"), "{answer}");
    assert!(site.peak() < 400, "{} MiB", site.peak());
}

#[test]
fn a_console_that_will_not_end_keeps_nobody_from_ending() {
    let mut site = Site::up();
    for console in site.children("console") {
        kill_process(console, Signal::STOP).unwrap();
    }
    assert!(site.ends(Duration::from_secs(30)));
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
        use postseal_store::desk::{Filed, NewJob};
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
    let mut site = Site::up();
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
    // Nobody adds to it from here on.
    site.kill();
    let store = site.scene.named("store/agent.db");
    let last = "DROP TRIGGER audit_is_not_deleted; DROP TRIGGER audit_chain_is_not_deleted; \
        DELETE FROM audit_chain WHERE id = (SELECT max(id) FROM audit_chain); \
        DELETE FROM audit WHERE id = (SELECT max(id) FROM audit);";
    run("/usr/bin/sqlite3", &[&store, last]);
    let shorter = site.local(&["audit", "verify"]);
    assert_eq!(shorter.json["findings"][0]["code"], "audit.cut-off");
    assert_eq!(shorter.exit, Some(2));
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
