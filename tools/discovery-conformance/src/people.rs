//! Publishers with keys that are known.

use mls_crypto::{CipherSuite, CryptoProvider, Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::AwsLc;
use mls_discovery::{DirectoryCrypto, GroupName, GroupPublicInfo, Metadata, Trust};

/// The key of the service that is one's own.
pub const SERVICE: u8 = 200;

/// The key of a peer.
pub const OTHER: u8 = 201;

/// Cryptography.
pub fn crypto() -> DirectoryCrypto {
    DirectoryCrypto::new(&AwsLc::default()).unwrap()
}

/// The key of this number.
pub fn key(number: u8) -> SignaturePrivateKey {
    SignaturePrivateKey::new(Secret::copy_from(&[number; 32]))
}

/// Its public half.
pub fn public(number: u8) -> Vec<u8> {
    let suite = AwsLc::default().suite(CipherSuite::X25519_AES128).unwrap();
    suite.signature_public_key(&key(number)).unwrap().as_slice().to_vec()
}

pub(crate) fn trust() -> Trust {
    Trust::nobody().in_service(&public(SERVICE)).in_peer(&public(OTHER))
}

/// What a group of this name tells.
pub fn metadata(name: &str, epoch: u64) -> Metadata {
    Metadata { name: GroupName::public(name), epoch, members: 7, created_at: 100, ..Metadata::default() }
}

/// A record that the service has witnessed.
pub fn record(group_id: &[u8], metadata: &Metadata) -> GroupPublicInfo {
    witnessed((group_id, metadata), 1, SERVICE)
}

/// A record of this publisher that this service has witnessed.
pub fn witnessed((group_id, metadata): (&[u8], &Metadata), by: u8, service: u8) -> GroupPublicInfo {
    let keys = (&key(by), &public(by)[..]);
    let record = GroupPublicInfo::from_metadata(&crypto(), group_id, metadata, keys).unwrap();
    record.witnessed(&crypto(), &key(service)).unwrap()
}
