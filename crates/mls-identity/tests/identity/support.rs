//! Master keys, the same each time, and what they say.

use std::sync::Arc;

use mls_crypto::{KeySigner, Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::AwsLc;
use mls_identity::{DeviceClaim, IdentityCrypto, Validity};

pub(crate) fn crypto() -> IdentityCrypto {
    IdentityCrypto::new(&AwsLc::default()).unwrap()
}

pub(crate) fn master(seed: u8) -> Arc<KeySigner> {
    let private = SignaturePrivateKey::new(Secret::copy_from(&[seed; 32]));
    Arc::new(crypto().master_signer(private).unwrap())
}

pub(crate) const fn claim<'a>(user: &'a [u8], key: &'a [u8], serial: u64) -> DeviceClaim<'a> {
    let validity = Validity { not_before: 100, not_after: 200 };
    DeviceClaim { user, device: b"phone", signature_key: key, serial, validity }
}
