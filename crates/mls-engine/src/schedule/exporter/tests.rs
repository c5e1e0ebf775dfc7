use mls_crypto::CryptoError;

use super::{EpochAuthenticator, ExporterSecret, check_exporter_label};
use crate::{
    error::OperationError,
    schedule::testing::{Counting, secret},
};

#[test]
fn label_context_and_length_are_bound() {
    let suite = Counting::new();
    let exporter = ExporterSecret::from_secret(secret(1));
    let export = |label, context: &[u8], len| exporter.export(&suite, label, context, len).unwrap();
    let reference = export("app", b"context", 32);
    assert!(export("app", b"context", 32).ct_eq(&reference));
    assert!(!export("other", b"context", 32).ct_eq(&reference));
    assert!(!export("app", b"other", 32).ct_eq(&reference));
    assert_ne!(&export("app", b"context", 64).as_slice()[..32], reference.as_slice());
}

/// CRY-10
#[test]
fn too_long_an_export_is_refused() {
    let suite = Counting::new();
    let exporter = ExporterSecret::from_secret(secret(1));
    assert_eq!(exporter.export(&suite, "app", b"", 255 * 32).unwrap().len(), 255 * 32);
    for len in [255 * 32 + 1, 65_535, 65_536, usize::MAX] {
        let error = exporter.export(&suite, "app", b"", len).unwrap_err();
        assert_eq!(error, CryptoError::OutputTooLong(len));
    }
}

/// KS-06
#[test]
fn empty_and_protocol_labels_are_refused() {
    assert_eq!(check_exporter_label("app key"), Ok(()));
    for label in ["", "MLS 1.0 exported", "MLS 2.0 x"] {
        assert_eq!(check_exporter_label(label), Err(OperationError::ReservedLabel));
    }
}

/// KS-09
#[test]
fn authenticators_are_compared_whole() {
    let authenticator = EpochAuthenticator::from_secret(secret(1));
    assert!(authenticator.ct_eq(&[1; 32]));
    assert!(!authenticator.ct_eq(&[1; 31]));
    assert!(!authenticator.ct_eq(&[1; 33]));
    assert!(!authenticator.ct_eq(&[[1; 31].as_slice(), &[2]].concat()));
    assert!(!authenticator.ct_eq(&[]));
}
