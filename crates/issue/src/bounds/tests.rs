//! Deadlines and interruption.

use super::*;

#[test]
fn a_call_ends_at_its_deadline_or_when_asked() {
    let flag = AtomicBool::new(false);
    let bounds = Bounds::new(1_000, Duration::from_secs(600), &flag);
    assert_eq!(bounds.check(), Ok(()));
    assert_eq!(bounds.sleep(Duration::from_millis(1)), Ok(()));
    assert!(bounds.now() >= 1_000);
    let short = bounds.at_most(Duration::ZERO);
    assert_eq!(short.check(), Err(Halt::Deadline));
    assert_eq!(short.sleep(Duration::from_secs(60)), Err(Halt::Deadline));
    flag.store(true, Ordering::Relaxed);
    assert_eq!(
        bounds.sleep(Duration::from_secs(60)),
        Err(Halt::Interrupted)
    );
    // What puts things in order is neither out of time nor interrupted.
    assert_eq!(short.afterwards(Duration::from_secs(60)).check(), Ok(()));
}
