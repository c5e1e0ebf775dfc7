//! A burst, then the rate, then the cap on keys.

use super::{Quota, Rate};

const RATE: Rate = Rate { count: 10, period_ms: 1_000, burst: 3 };

#[test]
fn a_burst_and_then_the_rate() {
    let mut quota = Quota::new(RATE, 10);
    assert_eq!([0, 0, 0].map(|now| quota.take("a", now)), [Ok(()); 3]);
    assert_eq!(quota.take("a", 0), Err(100));
    assert_eq!(quota.take("a", 99), Err(1));
    assert_eq!(quota.take("a", 100), Ok(()));
    assert_eq!(quota.take("b", 100), Ok(()));
    // Refusals do not count, and a rest fills it up again.
    assert_eq!([5_000; 4].map(|now| quota.take("a", now).is_ok()), [true, true, true, false]);
}

#[test]
fn many_keys_do_not_grow_memory() {
    let mut quota = Quota::new(RATE, 2);
    quota.take(1, 0).unwrap();
    quota.take(2, 0).unwrap();
    assert_eq!(quota.take(3, 50), Err(1_000));
    assert_eq!(quota.take(1, 50), Ok(()));
    // The second has been quiet for long enough.
    assert_eq!(quota.take(3, 100), Ok(()));
}
