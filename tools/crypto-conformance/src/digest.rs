//! Hash, MAC and KDF (RFC 9420, Sections 5.1 and 8).

use mls_crypto::{CryptoError, SuiteCrypto};

pub(crate) fn check(suite: &dyn SuiteCrypto) {
    lengths(suite);
    parts_are_concatenated(suite);
    expand_limit(suite);
}

fn lengths(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    let len = suite.parameters().hash.output_len();
    assert_eq!(suite.hash_len(), len, "{id:?}");
    assert_eq!(suite.hash(&[]).as_slice().len(), len, "{id:?}");
    assert_eq!(suite.mac(b"key", &[]).as_slice().len(), len, "{id:?}");
    assert_eq!(suite.kdf_extract(b"", b"ikm").len(), len, "{id:?}");
}

fn parts_are_concatenated(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    assert_eq!(suite.hash(&[b"ab", b"", b"c"]), suite.hash(&[b"abc"]), "{id:?}");
    assert_ne!(suite.hash(&[b"abc"]), suite.hash(&[b"abd"]), "{id:?}");
    for key_len in [0, 1, 32, 64, 65, 128, 129, 300] {
        let key = vec![7; key_len];
        let whole = suite.mac(&key, &[b"abc"]);
        assert!(suite.mac(&key, &[b"a", b"bc"]).ct_eq(&whole), "{id:?}");
        assert!(!suite.mac(&key, &[b"abd"]).ct_eq(&whole), "{id:?}");
        assert!(!suite.mac(&[&key[..], &[1]].concat(), &[b"abc"]).ct_eq(&whole), "{id:?}");
    }
}

/// CRY-10
fn expand_limit(suite: &dyn SuiteCrypto) {
    let id = suite.cipher_suite();
    let prk = suite.kdf_extract(b"salt", b"ikm");
    let limit = 255 * suite.hash_len();
    for len in [0, 1, suite.hash_len(), suite.hash_len() + 1, limit] {
        assert_eq!(suite.kdf_expand(prk.as_slice(), b"info", len).unwrap().len(), len, "{id:?}");
    }
    for len in [limit + 1, 65_536, usize::MAX] {
        let result = suite.kdf_expand(prk.as_slice(), b"info", len);
        assert_eq!(result.err(), Some(CryptoError::OutputTooLong(len)), "{id:?}");
    }
    let short = suite.kdf_expand(prk.as_slice(), b"info", 20).unwrap();
    let long = suite.kdf_expand(prk.as_slice(), b"info", limit).unwrap();
    assert_eq!(short.as_slice(), &long.as_slice()[..20], "{id:?}");
    assert!(!suite.kdf_expand(prk.as_slice(), b"other", 20).unwrap().ct_eq(&short), "{id:?}");
}
