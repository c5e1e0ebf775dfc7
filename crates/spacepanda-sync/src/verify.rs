//! Comparing keys with people: safety numbers of two, and what is known of somebody's keys.
//!
//! In: a name. Out: digits and bytes for a QR code, the same on both sides while nobody stands between them.
//! Always: the number covers every device of both in the groups that they share; one device more is another number.

use std::collections::BTreeSet;

use mls_crypto::CryptoProvider;
use mls_identity::{IdentityCrypto, SafetyNumber};
use spacepanda_core::core_mls::{MlsError, MlsHandle, PinState};

use crate::{Account, DeviceTrust, SyncError, SyncResult};

/// What is known of a person's keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Compared {
    /// Nobody has: they were believed when they were first seen.
    Unverified,
    /// People have compared all of them.
    Verified,
    /// People have compared some of them, and others came since.
    Changed,
}

/// The keys of a person's devices, and of ours, in the groups that both are in.
#[derive(Debug)]
pub struct Shared {
    own: BTreeSet<Vec<u8>>,
    theirs: BTreeSet<Vec<u8>>,
}

impl Account {
    /// The keys by which we and somebody else know each other.
    ///
    /// # Errors
    /// [`SyncError::NoSuchMember`] if we share no group; [`SyncError::Group`].
    pub fn shared_keys(&self, user: &[u8]) -> SyncResult<Shared> {
        let mut shared = Shared { own: BTreeSet::new(), theirs: BTreeSet::new() };
        for id in self.client().groups()? {
            let group = self.client().group(&id)?;
            if !self.is_member(&group) {
                continue;
            }
            let theirs = keys_in(&group, user);
            if !theirs.is_empty() {
                shared.theirs.extend(theirs);
                shared.own.extend(keys_in(&group, self.client().identity()));
            }
        }
        if shared.theirs.is_empty() { Err(SyncError::NoSuchMember) } else { Ok(shared) }
    }

    /// The safety number that we and somebody else compare.
    ///
    /// # Errors
    /// As [`Account::shared_keys`].
    pub fn safety_number_with(&self, crypto: &dyn CryptoProvider, user: &[u8]) -> SyncResult<SafetyNumber> {
        let Shared { own, theirs } = self.shared_keys(user)?;
        let crypto = IdentityCrypto::new(crypto).map_err(MlsError::from)?;
        let (own, theirs) = (joined(&own), joined(&theirs));
        let numbers = SafetyNumber::new(&crypto, (self.client().identity(), &own), (user, &theirs));
        numbers.map_err(|_| SyncError::NoSuchMember)
    }
}

impl Shared {
    /// Notes that people have compared the keys.
    ///
    /// # Errors
    /// [`SyncError::Group`].
    pub fn verify(&self, trust: &DeviceTrust, user: &[u8]) -> SyncResult<()> {
        self.theirs.iter().try_for_each(|key| Ok(trust.verify(user, key).map_err(MlsError::from)?))
    }

    /// What is known of them.
    pub fn compared(&self, trust: &DeviceTrust, user: &[u8]) -> Compared {
        trust.compared(user, self.theirs.iter().map(Vec::as_slice))
    }
}

impl DeviceTrust {
    /// What is known of a person with these keys.
    pub fn compared<'a>(&self, user: &[u8], keys: impl IntoIterator<Item = &'a [u8]>) -> Compared {
        // A key that was compared, of a device that is gone, tells that those which are there are others.
        let compared = |key: &[u8]| self.state(user, key) == PinState::Verified;
        let known = self.pins().into_iter().any(|(identity, key)| identity == user && compared(&key));
        let all = keys.into_iter().all(compared);
        match (known, all) {
            (true, true) => Compared::Verified,
            (true, false) => Compared::Changed,
            (false, _) => Compared::Unverified,
        }
    }

    /// What is known of a person by the devices that are in a group.
    pub fn compared_in(&self, group: &MlsHandle, user: &[u8]) -> Compared {
        let keys = keys_in(group, user);
        self.compared(user, keys.iter().map(Vec::as_slice))
    }
}

fn keys_in(group: &MlsHandle, user: &[u8]) -> Vec<Vec<u8>> {
    group.devices_of(user).into_iter().map(|member| member.signature_key).collect()
}

/// In order, each with its length before it.
fn joined(keys: &BTreeSet<Vec<u8>>) -> Vec<u8> {
    let with_length =
        |key: &Vec<u8>| [&u64::try_from(key.len()).unwrap_or(u64::MAX).to_be_bytes(), key.as_slice()].concat();
    keys.iter().flat_map(with_length).collect()
}
