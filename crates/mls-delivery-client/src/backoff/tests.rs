//! Pauses grow, stop growing, and are spread.

use std::time::Duration;

use mls_crypto::{CryptoError, Random};

use super::Backoff;

struct Always(u8);

impl Random for Always {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(self.0);
        Ok(())
    }
}

#[test]
fn pauses_grow_up_to_the_longest() {
    let backoff = Backoff { tries: 9, first: Duration::from_millis(100), longest: Duration::from_secs(1) };
    let pause = |tried| backoff.pause(tried, Duration::ZERO, &Always(0xff)).unwrap().as_millis();
    assert_eq!([0, 1, 2, 3, 4, 40].map(pause), [100, 200, 400, 800, 1_000, 1_000]);
}

#[test]
fn pauses_are_spread_and_as_long_as_the_service_says() {
    let backoff = Backoff::default();
    let asked = Duration::from_millis(700);
    assert_eq!(backoff.pause(3, asked, &Always(0)), Some(asked));
    assert!(backoff.pause(3, asked, &Always(0x80)) > Some(asked));
    // A service cannot make a client wait for ever.
    assert_eq!(backoff.pause(0, backoff.longest, &Always(0)), Some(backoff.longest));
    assert_eq!(backoff.pause(0, Duration::from_secs(1_000_000), &Always(0)), None);
}
