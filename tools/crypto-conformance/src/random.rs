//! A random source that fails (RFC 9420, Section 6.3.1: nothing may be sent then).

use std::sync::atomic::{AtomicUsize, Ordering};

use mls_crypto::{CryptoError, HpkeContext, Random, SealJob, SuiteCrypto};

/// Passes draws on until `left` of them are spent, then fails for ever.
struct Failing<'a> {
    inner: &'a dyn Random,
    left: AtomicUsize,
}

impl Random for Failing<'_> {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        let spend = |left: usize| left.checked_sub(1);
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        spent.map_err(|_| CryptoError::Random)?;
        self.inner.fill(out)
    }
}

/// Runs one operation with a source and gives its error.
type Operation<'a> = &'a dyn Fn(&dyn Random) -> Option<CryptoError>;

/// Every operation that draws: at once it fails with [`CryptoError::Random`]; later it fails so or does not at all.
pub(crate) fn check(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let (_, public_key) = suite.hpke_generate(random).unwrap();
    let job = SealJob { public_key: &public_key, plaintext: b"x" };
    let base = HpkeContext::base(b"");
    let operations: [(&str, Operation<'_>); 5] = [
        ("hpke_generate", &|random| suite.hpke_generate(random).err()),
        ("hpke_seal", &|random| suite.hpke_seal(&base, b"", job, random).err()),
        ("hpke_seal_many", &|random| suite.hpke_seal_many(b"", &[job; 3], random).err()),
        ("hpke_export_sender", &|random| suite.hpke_export_sender(&public_key, (b"", b""), 32, random).err()),
        ("signature_generate", &|random| suite.signature_generate(random).err()),
    ];
    for (name, operation) in operations {
        let id = suite.cipher_suite();
        let error_after = |draws| operation(&Failing { inner: random, left: AtomicUsize::new(draws) });
        assert_eq!(error_after(0), Some(CryptoError::Random), "{id:?}: {name}");
        for draws in 1..4 {
            assert!(matches!(error_after(draws), None | Some(CryptoError::Random)), "{id:?}: {name} after {draws}");
        }
    }
}
