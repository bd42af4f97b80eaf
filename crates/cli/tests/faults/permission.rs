//! Anybody but root.

use crate::site::{POSTSEAL, Site};
use std::fs;
use std::process::Command;

#[test]
fn everything_but_lint_needs_root() {
    let site = Site::new();
    let folder = tempfile::Builder::new()
        .prefix("postseal-nobody-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempdir()
        .unwrap();
    let program = folder.path().join("postseal");
    fs::copy(POSTSEAL, &program).unwrap();
    let config = site.postfix.config_directory();
    let as_nobody = |words: &[&str]| {
        Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&program)
            .arg("--instance")
            .arg(&config)
            .arg("--store")
            .arg(format!("sqlite:{}", site.named("store/db")))
            .args(words)
            .output()
            .unwrap()
    };
    let verbs: [&[&str]; 18] = [
        &["init"],
        &["release"],
        &["status"],
        &["set", "inbound=may"],
        &["unset", "inbound"],
        &["discard"],
        &["cert", "list"],
        &["plan"],
        &["apply"],
        &["confirm"],
        &["rollback"],
        &["history"],
        &["diff", "1"],
        &["drift"],
        &["verify"],
        &["recover"],
        &["guard", "1"],
        &["try"],
    ];
    for words in verbs {
        let output = as_nobody(words);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(77), "{words:?}: {told}");
        assert!(told.contains("needs root"), "{words:?}: {told}");
        assert!(!told.contains("panicked"), "{words:?}: {told}");
    }
    let lint = as_nobody(&["lint", &config.display().to_string()]);
    assert_eq!(lint.status.code(), Some(0), "{lint:?}");
    let show = as_nobody(&["show"]);
    assert_eq!(show.status.code(), Some(0), "{show:?}");
}
