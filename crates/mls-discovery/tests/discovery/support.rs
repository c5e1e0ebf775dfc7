//! Publishers with keys that are known.

use mls_crypto::{CryptoProvider, Secret, SignaturePrivateKey, SuiteCrypto};
use mls_crypto_aws_lc::AwsLc;
use mls_discovery::{DirectoryCrypto, GroupName, GroupPublicInfo, Metadata, Trust};

pub(crate) const GROUP: &[u8] = b"the group of this test";

pub(crate) fn crypto() -> DirectoryCrypto {
    DirectoryCrypto::new(&AwsLc::default()).unwrap()
}

fn suite() -> std::sync::Arc<dyn SuiteCrypto> {
    AwsLc::default().suite(mls_crypto::CipherSuite::X25519_AES128).unwrap()
}

pub(crate) fn key(number: u8) -> SignaturePrivateKey {
    SignaturePrivateKey::new(Secret::copy_from(&[number; 32]))
}

pub(crate) fn public(number: u8) -> Vec<u8> {
    suite().signature_public_key(&key(number)).unwrap().as_slice().to_vec()
}

/// The service that tests trust has key 200; the founder of [`GROUP`] has key 1.
pub(crate) const SERVICE: u8 = 200;

pub(crate) fn trust() -> Trust {
    Trust::nobody().in_service(&public(SERVICE)).in_publisher(GROUP, &public(1))
}

pub(crate) fn metadata(epoch: u64) -> Metadata {
    Metadata {
        name: GroupName::public("Tea at five"),
        epoch,
        members: 7,
        created_at: 1_700_000_000,
        ..Metadata::default()
    }
}

/// The record of an epoch by the publisher of this key; the next one is the following number.
pub(crate) fn record(epoch: u64, by: u8) -> GroupPublicInfo {
    GroupPublicInfo::from_metadata(&crypto(), GROUP, &metadata(epoch), (&key(by), &public(by + 1))).unwrap()
}

pub(crate) fn witnessed(record: GroupPublicInfo) -> GroupPublicInfo {
    record.witnessed(&crypto(), &key(SERVICE)).unwrap()
}
