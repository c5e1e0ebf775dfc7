use mls_crypto::{CryptoError, Random};

use super::{Grease, is_grease};
use crate::message::{Capabilities, ExtensionType, Extensions};

/// Counts up, so that every draw differs from the one before.
struct Counter(std::sync::atomic::AtomicU8);

impl Random for Counter {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        for byte in out {
            *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

fn draws(count: usize) -> Vec<Grease> {
    let random = Counter(0.into());
    (0..count).map(|_| Grease::draw(&random).unwrap()).collect()
}

#[test]
fn every_list_has_one_value_however_often_it_is_greased() {
    let mut capabilities = Capabilities::default();
    for grease in draws(40) {
        grease.capabilities(&mut capabilities);
    }
    assert_eq!(capabilities.cipher_suites.iter().filter(|suite| is_grease(suite.0)).count(), 1);
    assert_eq!(capabilities.extensions.iter().filter(|kind| is_grease(kind.0)).count(), 1);
    assert_eq!(capabilities.proposals.iter().filter(|kind| is_grease(kind.0)).count(), 1);
    assert_eq!(capabilities.credentials.iter().filter(|kind| is_grease(kind.0)).count(), 1);
}

#[test]
fn one_extension_and_its_type_is_listed() {
    let mut extensions = Extensions::new();
    extensions.set(ExtensionType(0xF000), vec![1]);
    // GRS-05: also after new capabilities took the place of those that listed the old type.
    for grease in draws(40) {
        let mut capabilities = Capabilities::default();
        grease.capabilities(&mut capabilities);
        grease.member_extension(true, &capabilities, &mut extensions);
        let greased: Vec<_> = extensions.types().filter(|kind| is_grease(kind.0)).collect();
        assert_eq!(greased, capabilities.extensions);
    }
    assert_eq!(extensions.get(ExtensionType(0xF000)), Some([1].as_slice()));
}

#[test]
fn no_extension_when_none_is_wanted() {
    let (mut capabilities, mut extensions) = (Capabilities::default(), Extensions::new());
    for (grease, wanted) in draws(2).into_iter().zip([true, false]) {
        grease.capabilities(&mut capabilities);
        grease.member_extension(wanted, &capabilities, &mut extensions);
        assert_eq!(extensions.iter().count(), usize::from(wanted));
    }
}

#[test]
fn the_fifteen_values() {
    let values: Vec<_> = (0..=u16::MAX).filter(|value| is_grease(*value)).collect();
    assert_eq!(values.len(), 15);
    // GRS-09: 0xFAFA is private use.
    assert_eq!((values[0], values[14]), (0x0A0A, 0xEAEA));
}
