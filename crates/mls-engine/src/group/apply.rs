//! Applying a list of proposals (RFC 9420, Section 12.3), and the rules on what comes out (Section 12.2).
//!
//! In: a list that passed `rules`. Out: the provisional tree and context extensions, and what else the commit needs.
//! Always: LIST-14: GroupContextExtensions, then Updates, Removes, Adds in list order; LIST-12, LIST-13: judged on the
//! result, not one by one.

use std::collections::BTreeSet;

use mls_crypto::SuiteCrypto;

use super::{proposals::Resolved, rules::ProposalList, transition::Event};
use crate::{
    error::ProcessError,
    math::LeafIndex,
    message::{
        Extensions, GroupContext, KeyPackage, LeafNode, PreSharedKeyId, Proposal, ProposalRef, ReInit,
        RequiredCapabilities,
    },
    policy::{Env, Proposer},
    tree::{LeafPlace, LeafRules, RatchetTree, TreeDraft, check_agreement},
};

/// What a list of proposals makes of an epoch, before the path.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) tree: RatchetTree,
    pub(crate) extensions: Extensions,
    pub(crate) added: Vec<(LeafIndex, KeyPackage)>,
    pub(crate) removed: BTreeSet<LeafIndex>,
    pub(crate) psks: Vec<PreSharedKeyId>,
    pub(crate) kem_output: Option<Vec<u8>>,
    pub(crate) reinit: Option<ReInit>,
    /// Updates that were applied: whose, and under which reference.
    pub(crate) updated: Vec<(LeafIndex, Option<ProposalRef>)>,
    /// Where a client that joins by external commit was put.
    pub(crate) joiner: Option<LeafIndex>,
    pub(crate) events: Vec<Event>,
}

impl Applied {
    /// PATH-03: leaves that are new in this commit.
    pub(crate) fn added_leaves(&self) -> BTreeSet<LeafIndex> {
        self.added.iter().map(|(index, _)| *index).collect()
    }
}

/// Applies `list`. `joiner` is the path leaf of an external commit; `sending` is whether the commit is ours.
pub(crate) fn apply(
    list: &ProposalList<'_>,
    joiner: Option<&LeafNode>,
    sending: bool,
) -> Result<Applied, ProcessError> {
    let (state, suite) = (list.state, list.suite);
    let extensions = next_extensions(list);
    let context = GroupContext { extensions: extensions.clone(), ..state.context().clone() };
    let rules = LeafRules::new(list.env, suite, &context)?;
    let mut draft = state.tree().draft(suite);
    let mut events = Vec::new();
    let updated = apply_updates(list, &rules, &mut draft)?;
    events.extend(updated.iter().map(|(index, _)| Event::Updated(*index)));
    let removed = apply_removes(list.proposals, &mut draft)?;
    events.extend(removed.iter().map(|index| Event::Removed(*index)));
    let added = apply_adds(list.proposals, &rules, &mut draft, sending)?;
    events.extend(added.iter().map(|(index, _)| Event::Added(*index)));
    let joiner = match joiner {
        Some(leaf) => Some(place_joiner(list, &rules, &mut draft, leaf)?),
        None => None,
    };
    let psks = psk_ids(list.proposals);
    events.extend((!psks.is_empty()).then_some(Event::PskInjected));
    events.extend((extensions != state.context().extensions).then_some(Event::ExtensionsChanged));
    let tree = draft.seal()?;
    let (kem_output, reinit) = (external_init(list.proposals), reinit(list.proposals));
    Ok(Applied { tree, extensions, added, removed, psks, kem_output, reinit, updated, joiner, events })
}

/// LIST-12, LIST-13, LN-27: what must hold for the members, extensions and capabilities that result, path included.
pub(crate) fn check_result(env: &Env<'_>, tree: &RatchetTree, extensions: &Extensions) -> Result<(), ProcessError> {
    // CAP-29
    if tree.member_count() > env.limits.max_members {
        return Err(ProcessError::GroupFull);
    }
    let external: Vec<_> =
        extensions.external_senders()?.iter().map(|sender| sender.credential.credential_type()).collect();
    // LN-09, LN-10, PROP-19
    check_agreement(tree, &external)?;
    // LN-16, PROP-17
    let unsupported = extensions.types().find(|kind| !tree.supports_extension(*kind));
    if let Some(kind) = unsupported {
        return Err(ProcessError::UnsupportedExtension(kind));
    }
    // PROP-16
    let required = extensions.required_capabilities()?.unwrap_or_default();
    if supports(tree, &required) { Ok(()) } else { Err(ProcessError::MissingCapability) }
}

fn supports(tree: &RatchetTree, required: &RequiredCapabilities) -> bool {
    required.extension_types.iter().all(|kind| tree.supports_extension(*kind))
        && required.proposal_types.iter().all(|kind| tree.supports_proposal(*kind))
        && required.credential_types.iter().all(|kind| tree.supports_credential(*kind))
}

/// Step 1: PROP-18: the whole list is replaced.
fn next_extensions(list: &ProposalList<'_>) -> Extensions {
    list.proposals
        .iter()
        .find_map(|item| match item.proposal {
            Proposal::GroupContextExtensions(change) => Some(change.extensions.clone()),
            _ => None,
        })
        .unwrap_or_else(|| list.state.context().extensions.clone())
}

/// Step 2: PROP-04.
fn apply_updates(
    list: &ProposalList<'_>,
    rules: &LeafRules<'_>,
    draft: &mut TreeDraft<'_>,
) -> Result<Vec<(LeafIndex, Option<ProposalRef>)>, ProcessError> {
    let mut updated = Vec::new();
    for item in list.proposals {
        if let (Proposal::Update(update), Proposer::Member(index)) = (item.proposal, item.proposer) {
            let old = list.state.member(index)?;
            let leaf = rules.check_leaf(update.leaf_node.clone(), LeafPlace::Update(index, old))?;
            draft.update(index, leaf.into_inner())?;
            updated.push((index, item.reference));
        }
    }
    Ok(updated)
}

/// Step 3: LIST-21: removing everyone but the committer is fine.
fn apply_removes(proposals: &[Resolved<'_>], draft: &mut TreeDraft<'_>) -> Result<BTreeSet<LeafIndex>, ProcessError> {
    let mut removed = BTreeSet::new();
    for item in proposals {
        if let Proposal::Remove(remove) = item.proposal {
            draft.remove(remove.removed)?;
            removed.insert(remove.removed);
        }
    }
    Ok(removed)
}

/// Step 4: PROP-03, KP-13, KP-15. LIST-05, LIST-06: the same client twice shows as a duplicate signature key when the
/// tree is sealed, after Removes took effect.
fn apply_adds(
    proposals: &[Resolved<'_>],
    rules: &LeafRules<'_>,
    draft: &mut TreeDraft<'_>,
    sending: bool,
) -> Result<Vec<(LeafIndex, KeyPackage)>, ProcessError> {
    let packages: Vec<_> = proposals
        .iter()
        .filter_map(|item| match item.proposal {
            Proposal::Add(add) => Some(&add.key_package),
            _ => None,
        })
        .collect();
    let init_keys: BTreeSet<_> = packages.iter().map(|package| &package.init_key).collect();
    if init_keys.len() != packages.len() {
        return Err(ProcessError::InitKeyNotUnique);
    }
    let checked = rules.check_key_packages(&packages, sending)?;
    checked
        .into_iter()
        .map(|package| {
            let package = package.into_inner();
            Ok((draft.add(package.leaf_node.clone())?, package))
        })
        .collect()
}

/// EXT-08, EXT-09, EXT-11: the joiner takes the leftmost blank leaf, judged as an Update of the leaf it removes.
fn place_joiner(
    list: &ProposalList<'_>,
    rules: &LeafRules<'_>,
    draft: &mut TreeDraft<'_>,
    leaf: &LeafNode,
) -> Result<LeafIndex, ProcessError> {
    let replaced = list.proposals.iter().find_map(|item| match item.proposal {
        Proposal::Remove(remove) => list.state.tree().leaf(remove.removed),
        _ => None,
    });
    let index = draft.add(leaf.clone())?;
    rules.check_leaf(leaf.clone(), LeafPlace::Commit(index, replaced))?;
    Ok(index)
}

/// Step 5: in list order.
fn psk_ids(proposals: &[Resolved<'_>]) -> Vec<PreSharedKeyId> {
    proposals
        .iter()
        .filter_map(|item| match item.proposal {
            Proposal::PreSharedKey(psk) => Some(psk.psk.clone()),
            _ => None,
        })
        .collect()
}

/// Step 6.
fn external_init(proposals: &[Resolved<'_>]) -> Option<Vec<u8>> {
    proposals.iter().find_map(|item| match item.proposal {
        Proposal::ExternalInit(init) => Some(init.kem_output.as_slice().to_vec()),
        _ => None,
    })
}

/// Step 7.
fn reinit(proposals: &[Resolved<'_>]) -> Option<ReInit> {
    proposals.iter().find_map(|item| match item.proposal {
        Proposal::ReInit(reinit) => Some(reinit.clone()),
        _ => None,
    })
}

/// Whether the leaf of a member's path is acceptable (COM-06, COM-07, LN-26).
pub(crate) fn check_path_leaf(
    list: &ProposalList<'_>,
    applied: &Applied,
    committer: LeafIndex,
    leaf: &LeafNode,
) -> Result<(), ProcessError> {
    let context = GroupContext { extensions: applied.extensions.clone(), ..list.state.context().clone() };
    let old = applied.tree.leaf(committer).ok_or(ProcessError::UnknownMember(committer))?;
    LeafRules::new(list.env, list.suite, &context)?
        .check_leaf(leaf.clone(), LeafPlace::Commit(committer, Some(old)))?;
    // COM-08: not the key of any node of the tree either.
    duplicate_free(list.suite, &applied.tree, leaf)
}

fn duplicate_free(suite: &dyn SuiteCrypto, tree: &RatchetTree, leaf: &LeafNode) -> Result<(), ProcessError> {
    match tree.node_with_encryption_key(suite, &leaf.encryption_key) {
        Some(_) => Err(ProcessError::DuplicateKey),
        None => Ok(()),
    }
}
