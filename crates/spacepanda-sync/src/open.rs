//! Joining while nobody of the group is there: members say beforehand who may, and the service keeps what that takes (RFC 9420,
//! Section 12.4.3.2).
//!
//! ```text
//! policy grants `Join` to outsiders ──> each commit brings its GroupInfo to the service
//! code ──> token ──> pass at the service: until when, how often, for whom
//! joiner: token ──> GroupInfo ──> external commit, judged by every member ──> in
//! ```
//!
//! Always: a group is open only if its own policy says so, and then the service can see who is in it; whoever has a code still
//! has to be one whom the policy lets in.

use mls_crypto::{Secret, SuiteCrypto};
use mls_delivery::{
    GroupId, Rejection, UserId,
    access::{WRITE_KEY_LABEL, WRITE_KEY_LEN, WriteKey},
    ask,
    request::{CommitBundle, EpochStart, FetchGroupInfo, Pass, SetPass},
};
use mls_engine::{codec::decode_exact, message::MlsMessage};
use mls_roles::{Denied, GroupPolicy, Rank, Right};
use spacepanda_core::core_mls::{MlsError, MlsHandle};

use crate::{
    Account, Invite, InviteCode, SyncError, SyncResult,
    invite::put_invite,
    rows::{Rows, put_made},
};

impl Account {
    /// A policy like that of the group, under which whoever has a code of [`Account::invite_open`] may join while no member is
    /// there. The service can see who is in the group from then on.
    ///
    /// # Errors
    /// [`SyncError::NoRoles`] for a group without a policy; [`SyncError::Group`].
    pub fn open_policy(&self, group: &MlsHandle) -> SyncResult<GroupPolicy> {
        let mut policy = group.policy()?.ok_or(SyncError::NoRoles)?;
        let rights = policy.table.rights(Rank::Outsider).with(Right::Join).with(Right::Rejoin);
        policy.table.set(Rank::Outsider, rights);
        Ok(policy)
    }

    /// Makes an invite with which others join by themselves. The service counts its uses.
    ///
    /// # Errors
    /// [`SyncError::NotAMember`]; [`SyncError::Group`] as [`MlsError::Denied`] if the group's policy lets nobody in that way;
    /// [`SyncError::Service`].
    pub async fn invite_open(
        &self,
        group: &MlsHandle,
        uses: u32,
        expires: u64,
        target: Option<&[u8]>,
    ) -> SyncResult<(Invite, InviteCode)> {
        self.check_member(group)?;
        if !group.policy()?.is_some_and(|policy| is_open(&policy)) {
            return Err(SyncError::Group(MlsError::Denied(Denied::Right(Right::Join))));
        }
        let (invite, code) = self.draw_invite(group, (uses, expires), (target, 1))?;
        self.set_pass(group, &invite, uses).await?;
        group.write_application_rows(vec![put_invite(&invite)?])?;
        Ok((invite, code))
    }

    /// Takes such an invite back, here and at the service. Whether there was one of this name that was not.
    ///
    /// # Errors
    /// [`SyncError::Service`], [`SyncError::Group`], [`SyncError::InvalidRow`].
    pub async fn revoke_open(&self, group: &MlsHandle, id: &[u8]) -> SyncResult<bool> {
        let found = self.invites(group)?.into_iter().find(|invite| invite.id == id && invite.open == 1);
        let Some(invite) = found.filter(|invite| invite.revoked == 0) else { return Ok(false) };
        self.set_pass(group, &invite, 0).await?;
        self.revoke_invite(group, id)
    }

    /// What the service is to know of an invite. With no uses it is taken back.
    async fn set_pass(&self, group: &MlsHandle, invite: &Invite, uses: u32) -> SyncResult<()> {
        let token = token(self.crypto().own(), invite.secret.as_slice())?;
        let mut pass = Pass::new(self.crypto(), token.as_slice(), invite.expires, uses.into())?;
        let target = invite.target.as_slice();
        pass.user = (!target.is_empty()).then(|| UserId::new(target));
        let at = (GroupId::new(group.group_id()), group.epoch());
        let set = SetPass::by_member(self.crypto(), &self.write_key(group)?, at, pass)?;
        ask(self.service().as_ref(), self.device(), set).await?;
        Ok(())
    }

    /// Joins with such an invite. If the process ends between the service's yes and ours, do it again: our device takes the
    /// place of itself.
    ///
    /// # Errors
    /// [`SyncError::Service`], as [`Rejection::Forbidden`] for an invite that is over, used up, taken back or for others;
    /// [`SyncError::Group`] if the group's policy does not let us in; [`SyncError::Busy`] if others changed the group each time.
    pub async fn join_open(&self, code: &InviteCode) -> SyncResult<MlsHandle> {
        let token = token(self.crypto().own(), code.secret.as_slice())?;
        for _ in 0..TRIES {
            let fetch = FetchGroupInfo::by_joiner(GroupId::new(code.group_id()), token.as_slice());
            let found = ask(self.service().as_ref(), self.device(), fetch).await?;
            let tree = found.ratchet_tree.as_ref().map(|tree| tree.as_slice());
            let join = self.client().join_external(found.group_info.as_slice(), tree)?;
            let exported = join.export_secret(WRITE_KEY_LABEL, b"", WRITE_KEY_LEN)?;
            let write_key = WriteKey::new(self.crypto(), exported)?.public_key().clone();
            let group_info = Some(join.group_info()?.into());
            let join_token = self.join_digest(|label| join.export_secret(label, b"", WRITE_KEY_LEN))?;
            let next = EpochStart { write_key, join_token, group_info, ratchet_tree: None };
            let commit = join.commit().payload().into();
            let bundle = CommitBundle { commit, next, invitations: Vec::new(), removed: Vec::new() };
            match ask(self.service().as_ref(), self.device(), bundle.by_joiner(token.as_slice())?).await {
                Ok(_) => {
                    let group = join.accepted()?;
                    Rows(&group).write(vec![put_made()])?;
                    return Ok(group);
                }
                Err(Rejection::EpochTaken { .. } | Rejection::EpochPast { .. }) => {}
                Err(rejection) => return Err(rejection.into()),
            }
        }
        Err(SyncError::Busy)
    }
}

/// What goes to the service with a commit: the group info of the epoch that it begins, if the policy of that epoch opens the group.
pub(crate) fn published(group_info: Vec<u8>) -> SyncResult<Option<Vec<u8>>> {
    let Ok(MlsMessage::GroupInfo(info)) = decode_exact(&group_info) else { return Ok(None) };
    let policy = GroupPolicy::of(&info.group_context.extensions).map_err(MlsError::from)?;
    Ok(policy.is_some_and(|policy| is_open(&policy)).then_some(group_info))
}

fn is_open(policy: &GroupPolicy) -> bool {
    policy.rights(Rank::Outsider).has(Right::Join)
}

fn token(suite: &dyn SuiteCrypto, secret: &[u8]) -> SyncResult<Secret> {
    let prk = suite.kdf_extract(LABEL, secret);
    Ok(suite.kdf_expand(prk.as_slice(), LABEL, 32)?)
}

const LABEL: &[u8] = b"SpacePanda open invite 1";
/// How often somebody else may be first.
const TRIES: u32 = 20;
