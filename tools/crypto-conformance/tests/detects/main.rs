//! The conformance suite fails when it has to: each fault of a provider is put in and found.

#![allow(clippy::unwrap_used, reason = "tests")]

mod faulty;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crypto_conformance::{agree, conformance, ed25519_accept_set, rfc9180, wycheproof};
use faulty::{Fault, Faulty};
use mls_crypto::CryptoProvider;
use mls_crypto_rust::{OsRandom, RustCrypto};

/// A check of one provider.
type Check = fn(&dyn CryptoProvider);

const CONFORMANCE: Check = |provider| conformance(provider, &OsRandom);
const AGREE: Check = |provider| agree(provider, &RustCrypto::default(), &OsRandom);
const ACCEPT_SET: Check = |provider| ed25519_accept_set(&[provider]);
const WYCHEPROOF: Check = |provider| assert!(wycheproof(provider) > 0);

/// Whether the check panics on a provider with this fault.
fn finds(check: Check, fault: Fault) -> bool {
    let provider = Faulty::new(fault);
    catch_unwind(AssertUnwindSafe(|| check(&provider))).is_err()
}

#[test]
fn a_provider_without_fault_passes() {
    for check in [CONFORMANCE, AGREE, ACCEPT_SET, WYCHEPROOF, rfc9180] {
        assert!(!finds(check, Fault::None));
    }
}

#[test]
fn conformance_finds_faults() {
    let faults = [
        Fault::HashOfFirstPart,
        Fault::ExpandWithoutLimit,
        Fault::AeadIgnoresAad,
        Fault::AeadCutsNonce,
        Fault::HpkeIgnoresAad,
        Fault::SealManyReversed,
        Fault::ExportIgnoresContext,
        Fault::AnyHpkeKeyIsValid,
        Fault::ZeroSecretAsOpenFailed,
        Fault::AnySignatureKeyIsValid,
        Fault::SignatureTailIgnored,
        Fault::BatchAcceptsAll,
        Fault::BatchNamesLast,
        Fault::RandomFailureIgnored,
    ];
    for fault in faults {
        assert!(finds(CONFORMANCE, fault), "{fault:?}");
    }
}

/// X-AUTH-05
#[test]
fn accept_set_finds_faults() {
    for fault in [
        Fault::BatchAcceptsAll,
        Fault::BatchNamesLast,
        Fault::SmallOrderRefused,
        Fault::StrictBatch,
        Fault::NewKeysUnchecked,
    ] {
        assert!(finds(ACCEPT_SET, fault), "{fault:?}");
    }
}

#[test]
fn known_answers_find_faults() {
    for fault in [Fault::DerivesFromPaddedInput, Fault::HpkeIgnoresAad, Fault::ExportIgnoresContext] {
        assert!(finds(rfc9180, fault), "{fault:?}");
    }
    for fault in [Fault::AeadIgnoresAad, Fault::AnyHpkeKeyIsValid, Fault::SignatureTailIgnored] {
        assert!(finds(WYCHEPROOF, fault), "{fault:?}");
    }
}

#[test]
fn agreement_finds_faults() {
    let faults = [
        Fault::DerivesFromPaddedInput,
        Fault::AeadIgnoresAad,
        Fault::HpkeIgnoresAad,
        Fault::ExportIgnoresContext,
        Fault::AnySignatureKeyIsValid,
    ];
    for fault in faults {
        assert!(finds(AGREE, fault), "{fault:?}");
    }
}
