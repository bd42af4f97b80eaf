//! Ctrl-C, a hang-up, a polite kill.

use crate::site::Site;
use rustix::process::Signal;

#[test]
fn ctrl_c_while_rehearsing_changes_nothing() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    let mut apply = site.start(&["apply"]);
    apply.until("rehearsing");
    apply.signal(Signal::INT);
    let ran = apply.end();
    assert_eq!(ran.exit, Some(1), "{ran:?}");
    assert_eq!(ran.code(), "interrupted");
    site.is_as_before(&old);
}

#[test]
fn ctrl_c_a_hang_up_or_a_kill_while_writing_puts_the_old_state_back() {
    let site = Site::new();
    site.wish();
    let old = site.files();
    for signal in [Signal::INT, Signal::HUP, Signal::TERM] {
        let mut apply = site.start(&["apply"]);
        apply.until("journal and snapshots are on disk");
        apply.signal(signal);
        let ran = apply.end();
        // Nothing was written yet (1), or what was written is put back (4).
        assert!(matches!(ran.exit, Some(1 | 4)), "{signal:?}: {ran:?}");
        let told = ran.message().contains("interrupted");
        assert!(told, "{signal:?}: {ran:?}");
        site.is_as_before(&old);
    }
    site.expect(0, &["apply"]);
}
