//! Proposals from outside: new members, and external senders.
//!
//! In: a GroupInfo. Out: a proposal.
//! Always: an external sender has the index of its entry in the group's list.

use std::fmt;

use interop::{Answer, Change, Failure, Outside, Published};
use mls_rs::{
    ExtensionList,
    external_client::{ExternalClient, ExternalGroup, builder::MlsConfig},
    identity::{SigningIdentity, basic::BasicIdentityProvider},
    mls_rs_codec::MlsEncode,
};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;

use super::{
    Crypto,
    change::Resolved,
    client::{Common, Keys, MlsRsJoiner, NewClient, decoded, encoded, ratchet_tree, suite_of},
};

impl<C: Crypto> MlsRsJoiner<C> {
    pub(super) fn propose_self(common: &Common<C>, info: &[u8], identity: &[u8]) -> Answer<(Self, Published)> {
        let info = decoded(info)?;
        let client = NewClient::new(common, suite_of(&info)?, identity)?;
        let (package, leaf) = (ExtensionList::new(), ExtensionList::new());
        let proposal = client.client.external_add_proposal(&info, None, Vec::new(), package, leaf, None);
        let published = client.published(&proposal.map_err(Failure::refused)?)?;
        Ok((Self { client }, published))
    }
}

/// An external sender with mls-rs.
pub struct MlsRsSigner<C = RustCryptoProvider> {
    provider: C,
    keys: Keys,
    entry: SigningIdentity,
}

impl<C: Crypto> MlsRsSigner<C> {
    /// A sender, and its encoded entry.
    pub(super) fn new(common: &Common<C>, suite: u16, identity: &[u8]) -> Answer<(Self, Vec<u8>)> {
        let keys = common.fresh_keys(suite.into())?;
        let entry = keys.signing_identity(identity);
        let encoded = entry.mls_encode_to_vec().map_err(Failure::refused)?;
        Ok((Self { provider: common.provider.clone(), keys, entry }, encoded))
    }

    pub(super) fn propose(&self, group: Outside<'_>, change: Change) -> Answer<Vec<u8>> {
        if matches!(change, Change::ExternalSender(_)) {
            return Err(Failure::Malformed("not for an external sender"));
        }
        let client = ExternalClient::builder()
            .crypto_provider(self.provider.clone())
            .identity_provider(BasicIdentityProvider::new())
            .signer(self.keys.secret(), self.entry.clone())
            .build();
        let mut group = observed(&client, group)?;
        let context = group.group_context().extensions().clone();
        let resolved = Resolved::new(change, &context, |identity| leaf_of(&group, identity))?;
        encoded(&resolved.propose_to(&mut group)?)
    }
}

impl<C> fmt::Debug for MlsRsSigner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MlsRsSigner(..)")
    }
}

/// The leaf of the member with this identity, seen from outside.
pub(super) fn leaf_outside(provider: &impl Crypto, group: Outside<'_>, identity: &[u8]) -> Answer<u32> {
    let client = ExternalClient::builder()
        .crypto_provider(provider.clone())
        .identity_provider(BasicIdentityProvider::new())
        .build();
    leaf_of(&observed(&client, group)?, identity)
}

fn observed<M: MlsConfig>(client: &ExternalClient<M>, group: Outside<'_>) -> Answer<ExternalGroup<M>> {
    let (info, tree) = (decoded(group.group_info)?, ratchet_tree(group.ratchet_tree)?);
    client.observe_group(info, tree, None).map_err(Failure::refused)
}

fn leaf_of(group: &ExternalGroup<impl MlsConfig>, identity: &[u8]) -> Answer<u32> {
    let mut members = group.roster().members_iter();
    let found = members.find(|member| {
        let basic = member.signing_identity.credential.as_basic();
        basic.is_some_and(|basic| basic.identifier() == identity)
    });
    found.map(|member| member.index).ok_or(Failure::Malformed("no member has this identity"))
}
