use std::sync::atomic::{AtomicUsize, Ordering};

use rand_core::Rng;

use super::*;

/// Works this many times, then fails.
struct Failing(AtomicUsize);

impl Random for Failing {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(7);
        let spend = |left: usize| left.checked_sub(1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).map(|_| ()).map_err(|_| CryptoError::Random)
    }
}

fn draw_twice(random: &dyn Random) -> Result<(u32, u64), CryptoError> {
    with_generator(random, |generator| Ok((generator.next_u32(), generator.next_u64())))
}

#[test]
fn gives_the_bytes_of_the_source() {
    assert_eq!(draw_twice(&Failing(AtomicUsize::new(2))), Ok((0x0707_0707, 0x0707_0707_0707_0707)));
}

#[test]
fn reports_a_failure_at_any_draw() {
    assert_eq!(draw_twice(&Failing(AtomicUsize::new(1))), Err(CryptoError::Random));
    assert_eq!(draw_twice(&Failing(AtomicUsize::new(0))), Err(CryptoError::Random));
}

#[test]
fn failure_outranks_the_operations_error() {
    let operation = |generator: &mut Generator<'_>| {
        generator.next_u32();
        Err::<(), _>(CryptoError::ZeroSharedSecret)
    };
    assert_eq!(with_generator(&Failing(AtomicUsize::new(0)), operation), Err(CryptoError::Random));
}

#[test]
fn the_operating_system_gives_different_bytes() {
    let (mut first, mut second) = ([0; 32], [0; 32]);
    OsRandom.fill(&mut first).unwrap();
    OsRandom.fill(&mut second).unwrap();
    assert_ne!(first, second);
}
