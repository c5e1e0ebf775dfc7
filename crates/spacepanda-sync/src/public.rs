//! Groups that can be found: publishing one, taking it back, and joining one that was found (INT-08, INT-09).
//!
//! In: a live group. Out: its record, signed with the write key of its epoch, and what shows the service that it is that.
//! Always: only what is asked for is published; who joins by a record joins by external commit (RFC 9420, Section 12.4.3.2), which
//! the service lets in because of the token in the record, and the members because of their policy.

use mls_crypto::{Opaque, SignaturePrivateKey};
use mls_delivery::{
    GroupId,
    access::{WRITE_KEY_LABEL, WRITE_KEY_LEN, WriteKey, join_digest},
    ask,
    request::{CommitBundle, EpochStart, FetchGroupInfo},
};
use mls_discovery::{
    DirectoryCrypto, DiscoveryError, GroupName, GroupPublicInfo, Metadata, Trust, seal_name, wire::Publish,
};
use mls_engine::codec::encode;
use spacepanda_core::core_mls::{MlsError, MlsHandle};

use crate::{
    Account, SyncError, SyncResult,
    rows::{Rows, put_made},
};

/// What others learn of a group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by applications, with `..Listing::default()`")]
pub struct Listing {
    /// Its name is for everybody; else for members only.
    pub readable_name: bool,
    /// Whoever finds the group may join it, if the members' clients allow external commits. The GroupInfo, with the names of all
    /// members, is public then.
    pub joinable: bool,
}

/// The label under which members export the secret that seals a name.
const NAME_LABEL: &str = "SpacePanda discovery name";

/// The label under which members export the token that the service lets joiners in with.
pub(crate) const JOIN_TOKEN_LABEL: &str = "SpacePanda delivery join token";

const LEN: usize = 32;

impl Account {
    /// The record of a group in its present epoch, ready to be published: at an HTTP service with
    /// `mls_delivery_client::Remote::publish`.
    ///
    /// # Errors
    /// [`SyncError::NotAMember`]; [`SyncError::Discovery`] if the GroupInfo is too long for a record; [`SyncError::Group`].
    pub fn publication(&self, group: &MlsHandle, listing: Listing) -> SyncResult<Publish> {
        self.check_member(group)?;
        let crypto = self.directory_crypto()?;
        let metadata = group.metadata();
        let name = match metadata.name.as_deref() {
            None => GroupName::Absent,
            Some(name) if listing.readable_name => GroupName::public(name),
            Some(name) => {
                let secret = group.export_secret(NAME_LABEL, b"", LEN)?;
                seal_name(&crypto, self.random(), (&group.group_id(), &secret), name)?
            }
        };
        let public = Metadata {
            name,
            epoch: metadata.epoch,
            members: group.member_count(),
            created_at: metadata.created_at,
            group_info: listing.joinable.then(|| group.group_info()).transpose()?,
            join_token: listing.joinable.then(|| self.join_token(group)).transpose()?,
        };
        let (key, public_key) = self.publisher(group)?;
        let record = GroupPublicInfo::from_metadata(&crypto, &group.group_id(), &public, (&key, &public_key))?;
        self.shown(group, record)
    }

    /// A record that says that the group is not to be found any more, until it is published in a later epoch.
    ///
    /// # Errors
    /// [`SyncError::NotAMember`], [`SyncError::Group`].
    pub fn withdrawal(&self, group: &MlsHandle) -> SyncResult<Publish> {
        self.check_member(group)?;
        let (key, _) = self.publisher(group)?;
        let record = GroupPublicInfo::tombstone(&self.directory_crypto()?, &group.group_id(), group.epoch(), &key)?;
        self.shown(group, record)
    }

    /// The name in a record of a group that we are in, in the epoch of the record.
    ///
    /// # Errors
    /// [`SyncError::Discovery`] if it was sealed in another epoch.
    pub fn published_name(&self, group: &MlsHandle, record: &GroupPublicInfo) -> SyncResult<Option<String>> {
        let secret = group.export_secret(NAME_LABEL, b"", LEN)?;
        Ok(record.name().open(&self.directory_crypto()?, (&group.group_id(), &secret))?)
    }

    /// Joins a group that was found. The record is verified: it has to rest on the word of our service.
    ///
    /// # Errors
    /// [`SyncError::Discovery`] for a record that is not believed, or that lets nobody in; [`SyncError::Group`] if our
    /// configuration allows no external commits, or the GroupInfo breaks a rule; [`SyncError::Service`] if the group has moved on:
    /// look for its record again.
    pub async fn join_found(&self, record: &GroupPublicInfo) -> SyncResult<MlsHandle> {
        let service_key = self.service().capabilities().service_key;
        record.verify(&self.directory_crypto()?, &Trust::nobody().in_service(service_key.as_slice()))?;
        let (Some(group_info), Some(token), false) = (record.group_info(), record.join_token(), record.is_tombstone())
        else {
            return Err(SyncError::Discovery(DiscoveryError::Mismatch("way in")));
        };
        let join = self.client().join_external(group_info, None)?;
        let write_key = WriteKey::new(self.crypto(), join.export_secret(WRITE_KEY_LABEL, b"", WRITE_KEY_LEN)?)?;
        let token_of_next = join.export_secret(JOIN_TOKEN_LABEL, b"", LEN)?;
        let next = EpochStart {
            write_key: write_key.public_key().clone(),
            join_token: Some(join_digest(self.crypto(), token_of_next.as_slice())?),
            group_info: None,
            ratchet_tree: None,
        };
        let commit = join.commit().payload().into();
        let bundle = CommitBundle { commit, next, invitations: Vec::new(), removed: Vec::new() };
        let submit = bundle.by_joiner(token)?;
        if submit.group_id.as_slice() != record.group_id() {
            return Err(SyncError::Discovery(DiscoveryError::Mismatch("group")));
        }
        ask(self.service().as_ref(), self.device(), submit).await?;
        let group = join.accepted()?;
        Rows(&group).write(vec![put_made()])?;
        Ok(group)
    }

    /// What an epoch that begins lets in by record: everybody, if our configuration allows external commits; the members' policy
    /// still has to agree.
    pub(crate) fn join_digest(
        &self,
        export: impl FnOnce(&str) -> Result<mls_crypto::Secret, MlsError>,
    ) -> SyncResult<Option<mls_delivery::Digest>> {
        if !self.client().config().external_joins {
            return Ok(None);
        }
        Ok(Some(join_digest(self.crypto(), export(JOIN_TOKEN_LABEL)?.as_slice())?))
    }

    fn join_token(&self, group: &MlsHandle) -> Result<Vec<u8>, MlsError> {
        if !self.client().config().external_joins {
            return Err(MlsError::ExternalJoinsDisabled);
        }
        Ok(group.export_secret(JOIN_TOKEN_LABEL, b"", LEN)?.as_slice().to_vec())
    }

    fn shown(&self, group: &MlsHandle, record: GroupPublicInfo) -> SyncResult<Publish> {
        let group_id = GroupId::new(group.group_id());
        let fetch = FetchGroupInfo::by_member(self.crypto(), &self.write_key(group)?, group_id, record.epoch())?;
        let access: Opaque = encode(&fetch.access).map_err(|_| SyncError::InvalidRow)?.into();
        Ok(Publish { record, access })
    }

    /// The write key of the epoch signs records too, under labels of their own.
    fn publisher(&self, group: &MlsHandle) -> SyncResult<(SignaturePrivateKey, Vec<u8>)> {
        let key = SignaturePrivateKey::new(group.export_secret(WRITE_KEY_LABEL, b"", WRITE_KEY_LEN)?);
        Ok((key, self.write_key(group)?.public_key().as_slice().to_vec()))
    }

    fn directory_crypto(&self) -> SyncResult<DirectoryCrypto> {
        Ok(DirectoryCrypto::new(self.crypto().provider())?)
    }
}
