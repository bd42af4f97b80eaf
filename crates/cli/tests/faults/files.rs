//! main.cf and master.cf as administrators have them.

use crate::site::{Site, run};
use postseal_testkit::postfix_box::PostfixBox;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::process::Command;

#[test]
fn a_main_cf_without_write_bits_is_changed_and_keeps_its_mode() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    fs::set_permissions(site.main_cf(), Permissions::from_mode(0o444)).unwrap();
    site.expect(0, &["apply"]);
    assert_eq!(site.serves_tls(), Some(true));
    let mode = || site.main_cf().metadata().unwrap().mode() & 0o7777;
    assert_eq!(mode(), 0o444);
    site.expect(0, &["rollback"]);
    assert_eq!(mode(), 0o444);
    site.is_as_before_but_for_keys(&old);
}

#[test]
fn an_immutable_main_cf_is_left_alone() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let path = site.main_cf().display().to_string();
    let frozen = Command::new("chattr").args(["+i", &path]).status().unwrap();
    if !frozen.success() {
        postseal_testkit::beside::missing("this file system has no immutable files");
        return;
    }
    let ran = site.run(&["apply"]);
    run("chattr", &["-i", &path]);
    assert_eq!(ran.exit, Some(1), "{ran:?}");
    assert_eq!(ran.code(), "host.file");
    assert!(ran.message().contains("not permitted"), "{ran:?}");
    site.is_as_before(&old);
    site.expect(0, &["apply"]);
}

#[test]
fn a_main_cf_that_is_a_symbolic_link_stays_one() {
    let site = Site::new();
    site.wish();
    let real = site.folder.path().join("main.cf in git");
    fs::rename(site.main_cf(), &real).unwrap();
    symlink(&real, site.main_cf()).unwrap();
    let old = site.files();
    let inode = real.metadata().unwrap().ino();
    let is_link = || site.main_cf().read_link().unwrap() == real;
    site.expect(0, &["apply"]);
    assert!(is_link());
    assert_ne!(real.metadata().unwrap().ino(), inode);
    assert_ne!(fs::read(&real).unwrap(), old.main);
    assert_eq!(site.serves_tls(), Some(true));
    site.expect(0, &["rollback"]);
    assert!(is_link());
    assert_eq!(fs::read(&real).unwrap(), old.main);
    let beside = fs::read_dir(site.folder.path()).unwrap().flatten();
    let names: Vec<_> = beside.map(|entry| entry.file_name()).collect();
    assert!(
        !names.iter().any(|name| name == "main.cf in git.tmp"),
        "{names:?}"
    );
    site.is_as_before_but_for_keys(&old);
}

#[test]
fn no_final_newline_and_a_parameter_twice() {
    let text = "# the first one does not count\nsmtpd_tls_loglevel = 0\nbiff = no\n\
                smtpd_tls_loglevel = 1\n# end\nmessage_size_limit = 1000000";
    let site = Site::of(PostfixBox::builder().append_main_cf(text));
    site.wish();
    site.expect(0, &["set", "loglevel.inbound=2"]);
    let old = site.files();
    assert!(!old.main.ends_with(b"\n"));
    site.expect(0, &["apply"]);
    let main = String::from_utf8(site.files().main).unwrap();
    let first = main.find("smtpd_tls_loglevel = 0").unwrap();
    let second = main.find("smtpd_tls_loglevel = 2").unwrap();
    assert!(first < second, "{main}");
    assert!(main.contains("message_size_limit = 1000000\n"), "{main}");
    assert_eq!(value(&site, "message_size_limit"), "1000000");
    assert_eq!(value(&site, "smtpd_tls_loglevel"), "2");
    site.expect(0, &["rollback"]);
    site.is_as_before_but_for_keys(&old);
}

fn value(site: &Site, name: &str) -> String {
    let output = Command::new("postconf")
        .arg("-c")
        .arg(site.postfix.config_directory())
        .args(["-h", name])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_thousand_services() {
    let site = Site::unadopted(PostfixBox::builder().sasl_user("alice", "in the jail"));
    // postconf(1) takes half a second for so many `-o`; a few tell as much.
    let mut more = String::from("# one a customer\n");
    for n in 0..1000 {
        more.push_str(&format!("customer{n} unix - - n - - smtp\n"));
    }
    more.push_str("  -o syslog_name=the-last-one\n");
    site.append(&site.master_cf(), &more);
    site.postfix.start().unwrap();
    site.adopt();
    site.wish();
    site.expect(0, &["set", "smtps=on"]);
    let old = site.files();
    site.expect(0, &["apply"]);
    let new = String::from_utf8(site.files().master).unwrap();
    assert!(new.ends_with(&more));
    site.expect(0, &["verify"]);
    site.expect(0, &["rollback"]);
    site.is_as_before_but_for_keys(&old);
}

#[test]
fn a_key_file_deleted_under_us_is_told_and_written_again() {
    let site = Site::new();
    site.wish();
    site.expect(0, &["apply"]);
    let keys = site.keys();
    let [key] = &keys[..] else { panic!("{keys:?}") };
    fs::remove_file(key).unwrap();
    run(
        "postfix",
        &[
            "-c",
            &site.postfix.config_directory().display().to_string(),
            "reload",
        ],
    );
    crate::site::wait_for("the loss to show", || site.serves_tls() == Some(false));
    let name = key.file_name().unwrap().to_str().unwrap();
    let ran = site.expect(1, &["verify"]);
    assert!(
        ran.json.to_string().contains("wire.no-certificate"),
        "{:#}",
        ran.json
    );
    let ran = site.expect(2, &["lint"]);
    assert!(ran.json.to_string().contains(name), "{:#}", ran.json);
    let ran = site.expect(0, &["status"]);
    assert!(
        ran.json.to_string().contains("wire.no-certificate"),
        "{:#}",
        ran.json
    );
    let ran = site.expect(2, &["apply", "--check"]);
    assert!(ran.json.to_string().contains(name), "{:#}", ran.json);
    let files = site.files();
    site.expect(0, &["apply"]);
    assert_eq!(site.files(), files);
    assert_eq!(site.keys(), keys);
    site.expect(0, &["verify"]);
    fs::remove_file(key).unwrap();
    site.expect(0, &["drift", "--restore"]);
    assert_eq!(site.keys(), keys);
    site.expect(0, &["verify"]);
}
