//! People with master keys, and stores to look into.

use std::{collections::BTreeSet, sync::Arc};

use spacepanda_core::core_mls::{
    AwsLc, Client, MlsConfig, PinnedIdentities, Secret,
    policy::{CertifiedDevices, DeviceCertificate, DeviceClaim, IdentityCrypto, RevocationList, Validity},
    signer::{KeySigner, SignaturePrivateKey, Signer},
    store::{Key, MemoryStore, Space, StateStore},
};

pub(crate) fn crypto() -> IdentityCrypto {
    IdentityCrypto::new(&AwsLc::default()).unwrap()
}

/// The master key of a user, the same each time.
pub(crate) fn master(user: &str) -> KeySigner {
    let seed = [user.as_bytes()[0]; 32];
    crypto().master_signer(SignaturePrivateKey::new(Secret::copy_from(&seed))).unwrap()
}

/// Knows the master keys of these people.
pub(crate) fn policy() -> Arc<CertifiedDevices> {
    let masters = PinnedIdentities::new();
    for user in ["alice", "bob", "carol"] {
        masters.pin(user.as_bytes(), master(user).public_key().as_slice());
    }
    Arc::new(CertifiedDevices::new(crypto(), Arc::new(masters)))
}

pub(crate) fn config() -> MlsConfig {
    let mut config = MlsConfig::interop();
    config.external_joins = true;
    config
}

pub(crate) fn certificate(user: &str, device: &str, serial: u64, key: &[u8]) -> DeviceCertificate {
    let claim = DeviceClaim {
        user: user.as_bytes(),
        device: device.as_bytes(),
        signature_key: key,
        serial,
        validity: Validity { not_before: 0, not_after: u64::MAX },
    };
    DeviceCertificate::issue(&master(user), &claim).unwrap()
}

/// A certified device of a user, over a store.
pub(crate) fn device_in(
    user: &str,
    (device, serial): (&str, u64),
    policy: Arc<CertifiedDevices>,
    store: Arc<dyn StateStore>,
) -> Client {
    let client = Client::builder(user.as_bytes(), policy).config(config()).store(store).open().unwrap();
    if client.certificate().is_none() {
        client.set_certificate(&certificate(user, device, serial, client.signature_key())).unwrap();
    }
    client
}

pub(crate) fn device(user: &str, policy: Arc<CertifiedDevices>) -> Client {
    device_in(user, ("phone", 1), policy, Arc::new(MemoryStore::new()))
}

/// A list that revokes these certificates of a user.
pub(crate) fn revocation(user: &str, serials: &[u64]) -> Vec<u8> {
    let serials = BTreeSet::from_iter(serials.iter().copied());
    RevocationList::issue(&master(user), user.as_bytes(), 1, &serials).unwrap().to_bytes().unwrap()
}

/// Every record there is.
pub(crate) fn dump(store: &dyn StateStore) -> Vec<(Space, Key, Vec<u8>)> {
    let mut records = Vec::new();
    for (space, _) in store.spaces(None).unwrap() {
        for class in 0..=u8::MAX {
            for (key, value) in store.scan(&space, class, None).unwrap() {
                records.push((space.clone(), key, value.as_slice().to_vec()));
            }
        }
    }
    records
}
