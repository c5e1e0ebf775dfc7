//! Commits: one's own, and those of others.
//!
//! In: which proposals to commit, or a commit. Out: a commit that waits, or the next epoch.
//! Always: a commit covers exactly what was asked for; what else is in the store is still there when it is made.
//!
//! OpenMLS mixes the PSKs of the proposals that the builder is given before those of the store, and commits them in the
//! opposite order, so that nobody can follow. All PSKs go through the store here, where both orders are the same. It
//! mixes every PSK of the store, committed or not; those that are not asked for are put aside meanwhile.

use std::collections::BTreeSet;

use interop::{Answer, Change, CommitParams, Committed, Failure};
use openmls::{
    ciphersuite::hash_ref::ProposalRef,
    prelude::{
        CommitMessageBundle, Extensions, GroupContext, KeyPackage, LeafNodeIndex, OpenMlsProvider,
        ProcessedMessageContent, Proposal, ProposalOrRefType, QueuedProposal,
    },
    schedule::PreSharedKeyId,
};
use tls_codec::Serialize;

use super::{
    client::{encoded, key_package, protocol_message},
    member::OpenMlsMember,
    propose::context_extensions,
};
use crate::wire::extension_list;

/// Proposals by value, sorted by the way OpenMLS takes them.
#[derive(Default)]
struct ByValue {
    adds: Vec<KeyPackage>,
    removals: Vec<LeafNodeIndex>,
    psks: Vec<PreSharedKeyId>,
    extensions: Vec<Extensions<GroupContext>>,
}

impl OpenMlsMember {
    pub(super) fn commit(&mut self, params: CommitParams) -> Answer<Committed> {
        let CommitParams { by_reference, by_value, force_path, external_tree } = params;
        let mut chosen = BTreeSet::new();
        for message in &by_reference {
            chosen.insert(self.learn(message)?);
        }
        self.refuse_reinit(&chosen)?;
        let by_value = self.by_value(by_value)?;
        let aside = self.put_aside(&chosen)?;
        let mut queued = Vec::new();
        let built = self
            .queue_psks(&by_value.psks, &mut queued)
            .and_then(|()| self.build(&chosen, by_value, force_path, external_tree));
        if built.is_err() {
            for reference in &queued {
                self.forget(reference)?;
            }
        }
        for proposal in aside {
            let storage = self.client.provider().storage();
            self.group.store_pending_proposal(storage, proposal).map_err(Failure::refused)?;
        }
        let bundle = built?;
        self.check_covered(&chosen)?;
        let welcome = bundle.to_welcome_msg().as_ref().map(encoded).transpose()?.unwrap_or_default();
        let ratchet_tree = if external_tree { self.next_tree()? } else { Vec::new() };
        Ok(Committed { commit: encoded(bundle.commit())?, welcome, ratchet_tree })
    }

    pub(super) fn handle_pending_commit(&mut self) -> Answer<()> {
        if self.group.pending_commit().is_none() {
            return Err(Failure::Malformed("no commit waits"));
        }
        self.group.merge_pending_commit(self.client.provider()).map_err(Failure::refused)?;
        self.known.clear();
        Ok(())
    }

    pub(super) fn handle_commit(&mut self, proposals: &[Vec<u8>], commit: &[u8]) -> Answer<()> {
        for message in proposals {
            self.learn(message)?;
        }
        let provider = self.client.provider();
        let processed = self.group.process_message(provider, protocol_message(commit)?).map_err(Failure::refused)?;
        let ProcessedMessageContent::StagedCommitMessage(staged) = processed.into_content() else {
            return Err(Failure::Malformed("a commit of somebody else's"));
        };
        self.group.merge_staged_commit(provider, *staged).map_err(Failure::refused)?;
        self.known.clear();
        Ok(())
    }

    /// OpenMLS leaves ReInits out of its commits without a word.
    fn refuse_reinit(&self, chosen: &BTreeSet<ProposalRef>) -> Answer<()> {
        let mut proposals = self.group.pending_proposals();
        let found = proposals.any(|queued| {
            matches!(queued.proposal(), Proposal::ReInit(_)) && chosen.contains(queued.proposal_reference_ref())
        });
        if found { Err(Failure::Unsupported("ReInit")) } else { Ok(()) }
    }

    fn by_value(&self, changes: Vec<Change>) -> Answer<ByValue> {
        let mut sorted = ByValue::default();
        for change in changes {
            match change {
                Change::Add(package) => sorted.adds.push(key_package(&package)?),
                Change::Remove(identity) => sorted.removals.push(self.leaf_of(&identity)?),
                Change::Update => return Err(Failure::Malformed("an Update by value")),
                Change::ExternalPsk(id) => sorted.psks.push(self.external_psk(id)?),
                Change::ResumptionPsk(epoch) => sorted.psks.push(self.resumption_psk(epoch)?),
                Change::Extensions(list) => {
                    sorted.extensions.push(context_extensions(&extension_list(&list)?)?);
                }
                Change::ExternalSender(sender) => sorted.extensions.push(self.with_external_sender(&sender)?),
                Change::ReInit { .. } => return Err(Failure::Unsupported("ReInit")),
            }
        }
        Ok(sorted)
    }

    /// Takes the PSK proposals that are not chosen out of the store.
    fn put_aside(&mut self, chosen: &BTreeSet<ProposalRef>) -> Answer<Vec<QueuedProposal>> {
        let is_other = |queued: &&QueuedProposal| {
            matches!(queued.proposal(), Proposal::PreSharedKey(_)) && !chosen.contains(queued.proposal_reference_ref())
        };
        let aside: Vec<_> = self.group.pending_proposals().filter(is_other).cloned().collect();
        for queued in &aside {
            self.forget(queued.proposal_reference_ref())?;
        }
        Ok(aside)
    }

    /// Queues PSKs to be committed by value. OpenMLS frames them too; nobody is sent the frame.
    fn queue_psks(&mut self, psks: &[PreSharedKeyId], queued: &mut Vec<ProposalRef>) -> Answer<()> {
        for id in psks {
            let (provider, signer) = (self.client.provider(), self.client.signer());
            let made = self.group.propose_pre_shared_key_by_value(provider, signer, id.clone());
            queued.push(made.map_err(Failure::refused)?.1);
        }
        Ok(())
    }

    fn forget(&mut self, reference: &ProposalRef) -> Answer<()> {
        let storage = self.client.provider().storage();
        self.group.remove_pending_proposal(storage, reference).map_err(Failure::refused)
    }

    fn build(
        &mut self,
        chosen: &BTreeSet<ProposalRef>,
        by_value: ByValue,
        force_path: bool,
        external_tree: bool,
    ) -> Answer<CommitMessageBundle> {
        let (provider, signer) = (self.client.provider(), self.client.signer());
        let ByValue { adds, removals, psks: _, extensions } = by_value;
        let mut builder =
            self.group.commit_builder().force_self_update(force_path).propose_adds(adds).propose_removals(removals);
        for list in extensions {
            builder = builder.propose_group_context_extensions(list).map_err(Failure::refused)?;
        }
        builder
            .load_psks(provider.storage())
            .map_err(Failure::refused)?
            .use_ratchet_tree_extension(!external_tree)
            .build(provider.rand(), provider.crypto(), signer, |queued| {
                queued.proposal_or_ref_type() == ProposalOrRefType::Proposal
                    || chosen.contains(queued.proposal_reference_ref())
            })
            .map_err(Failure::refused)?
            .stage_commit(provider)
            .map_err(Failure::refused)
    }

    /// OpenMLS leaves out what it finds superseded; then there is no commit.
    fn check_covered(&mut self, chosen: &BTreeSet<ProposalRef>) -> Answer<()> {
        let covered: BTreeSet<_> = self
            .group
            .pending_commit()
            .into_iter()
            .flat_map(|staged| staged.queued_proposals())
            .map(|queued| queued.proposal_reference_ref().clone())
            .collect();
        if chosen.is_subset(&covered) {
            return Ok(());
        }
        self.group.clear_pending_commit(self.client.provider().storage()).map_err(Failure::refused)?;
        Err(Failure::refused("a proposal by reference was left out"))
    }

    /// The tree that the waiting commit leads to.
    fn next_tree(&self) -> Answer<Vec<u8>> {
        let staged = self.group.pending_commit().ok_or(Failure::Malformed("no commit waits"))?;
        let tree = staged
            .export_ratchet_tree(self.client.provider().crypto(), self.group.export_ratchet_tree())
            .map_err(Failure::refused)?;
        tree.ok_or(Failure::Unsupported("the tree of a commit"))?.tls_serialize_detached().map_err(Failure::refused)
    }
}
