//! Tests of `fake_host`: a host in memory that fails, or dies, at any step.

use super::*;

fn steps(host: &FakeHost) -> Result<(), HostError> {
    let _lock = host.lock()?;
    let look = host.look()?;
    let snapshot = host.snapshot(Cf::Main)?;
    host.publish(Cf::Main, b"a = 2\n", look.main_cf.digest)?;
    host.reload()?;
    host.restore(&snapshot, Digest::of(b"a = 2\n"))
}

#[test]
fn every_step_can_fail_or_die_before_or_after_its_effect() {
    let good = FakeHost::new(b"a = 1\n", b"");
    steps(&good).unwrap();
    assert_eq!(good.steps(), 6);
    for n in 0..good.steps() {
        for fault in [Fault::Fail, Fault::DieBefore, Fault::DieAfter] {
            let host = FakeHost::new(b"a = 1\n", b"");
            host.fault_at(n, fault);
            let error = steps(&host).unwrap_err();
            assert_eq!(FakeHost::has_died(&error), fault != Fault::Fail);
            assert_eq!(host.look().is_err(), fault != Fault::Fail);
            let published = match fault {
                Fault::DieAfter => (3..5).contains(&n),
                Fault::Fail | Fault::DieBefore => n > 3,
            };
            let bytes: &[u8] = if published { b"a = 2\n" } else { b"a = 1\n" };
            assert_eq!(host.world().main_cf, bytes, "{n} {fault:?}");
            host.revive();
            assert!(host.lock().is_ok());
            assert!(host.look().is_ok());
        }
    }
}

#[test]
fn a_master_reads_master_cf_at_a_reload_only() {
    let host = FakeHost::new(b"", b"old");
    host.publish(Cf::Master, b"new", Digest::of(b"old"))
        .unwrap();
    assert_eq!(host.world().effective_master_cf, b"old");
    host.reload().unwrap();
    assert_eq!(host.world().effective_master_cf, b"new");
}

#[test]
fn the_lock_is_held_once_and_an_old_handle_frees_nothing() {
    let host = FakeHost::new(b"", b"");
    let old = host.lock().unwrap();
    assert!(matches!(host.lock(), Err(HostError::Locked { .. })));
    host.revive();
    let new = host.lock().unwrap();
    drop(old);
    assert!(host.world().is_locked());
    drop(new);
    assert!(!host.world().is_locked());
}

#[test]
fn a_changed_file_is_stale() {
    let host = FakeHost::new(b"a = 1\n", b"");
    let digest = host.look().unwrap().main_cf.digest;
    host.world().main_cf = b"a = 3\n".to_vec();
    let stale = host.publish(Cf::Main, b"a = 2\n", digest);
    assert!(matches!(stale, Err(HostError::Stale { .. })));
    assert_eq!(host.look().unwrap().values["a"], "3");
}

#[test]
fn scratch_instances_are_counted_and_told() {
    let host = FakeHost::new(b"", b"");
    let address = "127.0.0.1:2525".parse().unwrap();
    host.world().rehearsal.endpoints = BTreeMap::from([("smtp/inet".to_owned(), address)]);
    let staged = Staged {
        main_cf: b"x = 1\n".to_vec(),
        master_cf: Vec::new(),
        private: BTreeMap::new(),
        sni_maps: Vec::new(),
        transports: BTreeMap::new(),
    };
    let mut scratch = host.rehearse(&staged).unwrap();
    assert_eq!(scratch.endpoints()["smtp/inet"], address);
    scratch.replace(Cf::Main, b"x = 2\n").unwrap();
    assert_eq!(host.world().rehearsed[1].main_cf, b"x = 2\n");
    assert_eq!(host.world().scratches(), 1);
    scratch.stop().unwrap();
    assert_eq!(host.world().scratches(), 0);
    host.world().rehearsal.refusal = Some("no".to_owned());
    assert!(host.rehearse(&staged).is_err());
}
