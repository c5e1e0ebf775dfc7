//! Commits: staged durably, submitted as one bundle, and made anew when another one was first (RFC 9420, Section 14).
//!
//! Always: a commit that was submitted stays until its epoch has ended, because it may still win; what travels with it is
//! worked out from the commit itself, so that after a restart it is the same.

use std::collections::BTreeSet;

use mls_delivery::{
    DeviceId, Rejection,
    access::{WRITE_KEY_LABEL, WRITE_KEY_LEN, WriteKey},
    ask,
    request::{CommitBundle, EpochStart, Invitation, SubmitMessage},
};
use mls_engine::group::CommitId;
use mls_roles::{GroupPolicy, Right};
use spacepanda_core::core_mls::{
    GroupChange, MemberInfo, MlsError, MlsHandle, ProposalSummary, ReceivedProposal, store::StoreError,
};

use crate::{
    Account, SyncError, SyncResult,
    open::published,
    queue::{RoleForm, WishForm, WishKind},
    rows::{Rows, SealedForm, delete_queued, delete_wish, put_queued, put_wish},
};

/// What a wish takes.
enum Plan {
    /// It holds.
    Done,
    /// A commit with these changes.
    Commit(Vec<GroupChange>),
    /// A proposal to remove ourselves, which somebody else commits.
    AskToLeave,
    /// Nothing but waiting.
    Wait,
}

impl Account {
    /// One step towards what is wanted; whether something was submitted.
    pub(crate) async fn commit_step(&self, group: &MlsHandle) -> SyncResult<bool> {
        if let Some(id) = group.pending_commits()?.first() {
            self.submit(group, id).await?;
            return Ok(true);
        }
        let rows = Rows(group);
        while let Some((number, wish)) = rows.wishes()?.into_iter().next() {
            let planned = self.plan(group, number, &wish).await;
            let changes = match self.or_drop(group, planned)? {
                Plan::Done => {
                    rows.write(vec![delete_wish(number)])?;
                    continue;
                }
                Plan::Wait => break,
                Plan::AskToLeave => return self.ask_to_leave(group).await.map(|()| true),
                Plan::Commit(changes) => changes,
            };
            let staged = self.or_drop(group, group.stage_changes(&changes).map_err(SyncError::from))?;
            if matches!(wish.kind, WishKind::Rotate | WishKind::Replace(_)) {
                let digest = self.crypto().digest(staged.commit.payload());
                let claimed = Some(vec![digest.as_slice().into()]);
                rows.write(vec![put_wish(number, &WishForm { claimed, ..wish })?])?;
            }
            self.submit(group, &staged.id).await?;
            return Ok(true);
        }
        let own = group.own_index();
        let of_others = |proposal: &ReceivedProposal| !removes(proposal, own);
        if !group.pending_proposals()?.iter().any(of_others) || !group.may(Right::Commit)? {
            return Ok(false);
        }
        // Somebody asked for something, mostly to leave: whoever is here does it, also while it waits to be let go itself.
        let staged = group.stage_changes(&[])?;
        self.submit(group, &staged.id).await?;
        Ok(true)
    }

    /// Sends what waits; whether there was anything.
    pub(crate) async fn message_step(&self, group: &MlsHandle) -> SyncResult<bool> {
        let rows = Rows(group);
        let queued = rows.queued()?;
        // What is proposed has to be committed first (RFC 9420, Section 12.4); if it is our own leaving, nothing is left to say.
        if queued.is_empty() || !group.pending_proposals()?.is_empty() {
            return Ok(false);
        }
        let (epoch, key) = (group.epoch(), self.write_key(group)?);
        for (number, mut message) in queued {
            let envelope = match message.envelope.take().filter(|sealed| sealed.epoch == epoch) {
                Some(sealed) => sealed.message,
                None => {
                    let envelope = match group.send_message_with(message.text.as_slice(), &message.id) {
                        Err(MlsError::Denied(denied)) => {
                            // Our role is another one since it was queued: it would wait for ever.
                            rows.write(vec![delete_queued(number)])?;
                            return Err(MlsError::Denied(denied).into());
                        }
                        sealed => sealed?,
                    };
                    let sealed = SealedForm { epoch, message: envelope.payload().into() };
                    let bytes = sealed.message.clone();
                    message.sealed.push(self.crypto().digest(bytes.as_slice()));
                    message.envelope = Some(sealed);
                    rows.write(vec![put_queued(number, &message)?])?;
                    bytes
                }
            };
            let submit = SubmitMessage::by_member(self.crypto(), &key, envelope)?;
            match ask(self.service().as_ref(), self.device(), submit).await {
                Ok(_placed) => {}
                // The group has moved on meanwhile: it is sealed anew there.
                Err(Rejection::EpochPast { .. }) => break,
                Err(rejection) => return Err(rejection.into()),
            }
        }
        Ok(true)
    }

    /// Offers a staged commit. If another one was first, that is found in the log.
    async fn submit(&self, group: &MlsHandle, id: &CommitId) -> SyncResult<()> {
        let Some(bundle) = self.bundle(group, id)? else {
            return Ok(group.clear_pending_commit(id)?);
        };
        let submit = bundle.by_member(self.crypto(), &self.write_key(group)?)?;
        match ask(self.service().as_ref(), self.device(), submit).await {
            // Which one is the first is found in the log, and followed there.
            Ok(_) | Err(Rejection::EpochTaken { .. }) => Ok(()),
            Err(rejection) if rejection.retryable() => Err(rejection.into()),
            Err(rejection) => {
                group.clear_pending_commit(id)?;
                self.or_drop(group, Err(rejection.into()))
            }
        }
    }

    /// What travels with a pending commit: worked out from it alone.
    fn bundle(&self, group: &MlsHandle, id: &CommitId) -> SyncResult<Option<CommitBundle>> {
        let Some(entry) = group.outbox()?.into_iter().find(|entry| entry.id == *id) else { return Ok(None) };
        let exported = group.pending_export_secret(id, WRITE_KEY_LABEL, b"", WRITE_KEY_LEN)?;
        let write_key = WriteKey::new(self.crypto(), exported)?.public_key().clone();
        let join_token = self.join_digest(|label| group.pending_export_secret(id, label, b"", WRITE_KEY_LEN))?;
        let before = self.devices(group, &group.members())?;
        let after = self.devices(group, &group.pending_members(id)?)?;
        let invitations = match group.pending_welcome(id)? {
            Some(welcome) => {
                let new = after.difference(&before).copied();
                let recipients = new.chain(self.replaced(group, entry.envelope.payload())?).collect();
                vec![Invitation { recipients, welcome: welcome.payload().into() }]
            }
            None => Vec::new(),
        };
        // Without a policy a group is not open.
        let group_info = match group.policy()? {
            Some(_) => published(group.pending_group_info(id)?)?.map(Into::into),
            None => None,
        };
        Ok(Some(CommitBundle {
            commit: entry.envelope.payload().into(),
            next: EpochStart { write_key, join_token, group_info, ratchet_tree: None },
            invitations,
            removed: before.difference(&after).copied().collect(),
        }))
    }

    fn devices(&self, group: &MlsHandle, members: &[MemberInfo]) -> SyncResult<BTreeSet<DeviceId>> {
        members.iter().map(|member| self.device_of(group, &member.signature_key)).collect()
    }

    async fn plan(&self, group: &MlsHandle, number: u64, wish: &WishForm) -> SyncResult<Plan> {
        let changes = match &wish.kind {
            WishKind::Add(user) => self.add_user(group, number, (user.as_slice(), wish.claimed.as_deref())).await?,
            WishKind::AddKeyPackage(key_package) => self.add_packages(group, core::slice::from_ref(key_package))?,
            WishKind::Replace(package) => self.replacement(group, package)?,
            WishKind::Remove(user) => removals(group, |member| member.identity == user.as_slice()),
            WishKind::RemoveDevice(device) => {
                removals(group, |member| self.device_of(group, &member.signature_key).is_ok_and(|is| is == *device))
            }
            WishKind::Rename(name) => {
                let name = String::from_utf8_lossy(name.as_slice()).into_owned();
                if group.group_name().as_ref() == Some(&name) { Vec::new() } else { vec![GroupChange::Rename(name)] }
            }
            WishKind::Rotate => return Ok(Plan::Commit(Vec::new())),
            WishKind::Leave => return leaving(group),
            WishKind::Role(RoleForm { user, role }) => match group.policy()? {
                Some(policy) if policy.role(user.as_slice()) == *role => Vec::new(),
                _ => vec![GroupChange::Role { user: user.as_slice().to_vec(), role: *role }],
            },
            WishKind::Policy(policy) => {
                let policy = GroupPolicy::from_bytes(policy.as_slice()).map_err(MlsError::from)?;
                if group.policy()?.as_ref() == Some(&policy) { Vec::new() } else { vec![GroupChange::Policy(policy)] }
            }
        };
        Ok(if changes.is_empty() { Plan::Done } else { Plan::Commit(changes) })
    }

    async fn ask_to_leave(&self, group: &MlsHandle) -> SyncResult<()> {
        let proposal = group.propose_remove(group.own_index())?;
        let submit = SubmitMessage::by_member(self.crypto(), &self.write_key(group)?, proposal.payload())?;
        match ask(self.service().as_ref(), self.device(), submit).await {
            Ok(_) | Err(Rejection::EpochPast { .. }) => Ok(()),
            Err(rejection) => Err(rejection.into()),
        }
    }

    /// What cannot be done is not tried for ever: its wish ends with the reason. What may go better later stays.
    fn or_drop<T>(&self, group: &MlsHandle, result: SyncResult<T>) -> SyncResult<T> {
        let Err(error) = &result else { return result };
        let later = match error {
            SyncError::Service(rejection) => rejection.retryable(),
            SyncError::Group(MlsError::Store(StoreError::Conflict { .. } | StoreError::TimedOut)) => true,
            SyncError::Group(error) => error.retryable(),
            _ => false,
        };
        if !later && let Some((number, _)) = Rows(group).wishes()?.first() {
            Rows(group).write(vec![delete_wish(*number)])?;
        }
        result
    }
}

fn removals(group: &MlsHandle, chosen: impl Fn(&MemberInfo) -> bool) -> Vec<GroupChange> {
    // LIST-03: nobody removes itself by a commit.
    let others = group.members().into_iter().filter(|member| member.leaf_index != group.own_index());
    others.filter(chosen).map(|member| GroupChange::Remove(member.leaf_index)).collect()
}

fn removes(proposal: &ReceivedProposal, leaf: u32) -> bool {
    matches!(proposal.summary, ProposalSummary::Remove { leaf_index } if leaf_index == leaf)
}

fn leaving(group: &MlsHandle) -> SyncResult<Plan> {
    let own = group.own_index();
    let asked = group.pending_proposals()?.iter().any(|proposal| removes(proposal, own));
    Ok(if asked || group.member_count() == 1 { Plan::Wait } else { Plan::AskToLeave })
}
