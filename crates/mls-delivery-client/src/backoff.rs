//! How long to wait before the next try: full jitter, so that many clients do not come back together.

use std::time::Duration;

use mls_crypto::Random;

/// How often to try, and how long to wait in between.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// Tries in all.
    pub tries: u32,
    /// The longest pause after the first try; it doubles each time.
    pub first: Duration,
    /// The longest pause of all. Where a service asks for a longer one, its rejection is the answer: whoever called knows better
    /// than to wait.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { tries: 6, first: Duration::from_millis(100), longest: Duration::from_secs(10) }
    }
}

impl Backoff {
    /// The pause after this try, counted from 0; `at_least` is what the service asked for. None if that is too long.
    pub(crate) fn pause(&self, tried: u32, at_least: Duration, random: &dyn Random) -> Option<Duration> {
        if at_least > self.longest {
            return None;
        }
        let ceiling = self.first.saturating_mul(2_u32.saturating_pow(tried)).min(self.longest);
        let mut bytes = [0xff; 4];
        // Without randomness the whole pause is waited.
        let _whole = random.fill(&mut bytes);
        let part = f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX);
        Some(at_least.saturating_add(ceiling.mul_f64(part)))
    }
}

#[cfg(test)]
mod tests;
