//! Which proposals a commit of ours holds (RFC 9420, Section 12.2).
//!
//! In: the proposals of the epoch, and ours. Out: the largest list that receivers will accept.
//! Always: LIST-18: a cached proposal is left out only if it would make the list invalid.

use super::{
    super::{
        Group,
        apply::{Applied, apply, check_result},
        proposals::Resolved,
        psk::find_psk_secret,
    },
    options::CommitOptions,
};
use crate::{
    error::ProcessError,
    math::LeafIndex,
    message::{Proposal, ProposalOrRef, ResumptionPskUsage},
    policy::{Env, Proposer},
};

impl Group {
    /// LIST-18: cached proposals first, then ours; what would make the list invalid is left out: our own Updates, all
    /// but the last change of a leaf (Removes win, LIST-04), and ReInit beside anything else (LIST-09).
    pub(super) fn committable<'a>(
        &'a self,
        env: &'a Env<'a>,
        options: &CommitOptions,
        by_value: &'a [Proposal],
        succession: Option<ResumptionPskUsage>,
    ) -> Vec<Resolved<'a>> {
        let own = Proposer::Member(self.own_index());
        let ours: Vec<_> =
            by_value.iter().map(|proposal| Resolved { proposer: own, proposal, reference: None }).collect();
        let mut chosen = Vec::new();
        for cached in self.proposals.iter() {
            if options.without.contains(&cached.reference) {
                continue;
            }
            if let Ok(item) = self.proposals.resolve_reference(&cached.reference) {
                let alone = [item];
                let list = self.list(env, &alone, succession);
                if list.check_one(&item).is_ok() && !item.concerns(self.own_index()) {
                    item.displace(&mut chosen);
                }
            }
        }
        for item in ours {
            item.displace(&mut chosen);
        }
        if chosen.len() > 1 && !by_value.iter().any(|proposal| matches!(proposal, Proposal::ReInit(_))) {
            chosen.retain(|item| !matches!(item.proposal, Proposal::ReInit(_)));
        }
        chosen
    }

    /// LIST-18: all of `candidates` if they are valid together; else ours, and of the cached ones as many as keep the
    /// list valid, in the order they came.
    pub(super) fn largest_valid<'a>(
        &'a self,
        env: &'a Env<'a>,
        candidates: Vec<Resolved<'a>>,
        succession: Option<ResumptionPskUsage>,
    ) -> Result<(Vec<Resolved<'a>>, Applied), ProcessError> {
        let whole = self.try_apply(env, &candidates, succession);
        if whole.is_ok() || candidates.iter().all(|item| item.reference.is_none()) {
            return whole.map(|applied| (candidates, applied));
        }
        let (cached, mut chosen): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|item| item.reference.is_some());
        let mut applied = self.try_apply(env, &chosen, succession)?;
        for item in cached {
            let mut longer = vec![item];
            longer.splice(0..0, chosen.iter().copied().filter(|item| item.reference.is_some()));
            longer.extend(chosen.iter().copied().filter(|item| item.reference.is_none()));
            if let Ok(better) = self.try_apply(env, &longer, succession) {
                (chosen, applied) = (longer, better);
            }
        }
        Ok((chosen, applied))
    }

    /// Sections 12.2 and 12.3 for a list of ours.
    fn try_apply(
        &self,
        env: &Env<'_>,
        proposals: &[Resolved<'_>],
        succession: Option<ResumptionPskUsage>,
    ) -> Result<Applied, ProcessError> {
        let list = self.list(env, proposals, succession);
        list.check_regular(self.own_index())?;
        let applied = apply(&list, None, true)?;
        check_result(env, &applied.tree, &applied.extensions)?;
        let own_psk = |group_id: &[u8], epoch| self.own_resumption_psk(group_id, epoch);
        find_psk_secret(env, self.suite.as_ref(), &applied.psks, &own_psk)?;
        Ok(applied)
    }
}

impl<'a> Resolved<'a> {
    /// By reference if it was sent before, else by value.
    pub(super) fn in_commit(&self) -> ProposalOrRef {
        match self.reference {
            Some(reference) => ProposalOrRef::Reference(reference),
            None => ProposalOrRef::Proposal(self.proposal.clone()),
        }
    }

    /// The leaf that an Update or Remove changes.
    fn leaf(&self) -> Option<LeafIndex> {
        match (self.proposal, self.proposer) {
            (Proposal::Remove(remove), _) => Some(remove.removed),
            (Proposal::Update(_), Proposer::Member(index)) => Some(index),
            _ => None,
        }
    }

    /// LIST-02, LIST-03: whether it changes this leaf.
    fn concerns(&self, leaf: LeafIndex) -> bool {
        self.leaf() == Some(leaf)
    }

    /// LIST-04, LIST-07, LIST-08: takes the place of an earlier proposal about the same thing, unless that is a Remove.
    /// One PSK with two nonces would be two ids, and is still mixed in once.
    fn displace(self, chosen: &mut Vec<Self>) {
        if let Proposal::Add(_) | Proposal::ExternalInit(_) | Proposal::Custom(_) = self.proposal {
            return chosen.push(self);
        }
        let same = |other: &Self| match (self.proposal, other.proposal) {
            (Proposal::GroupContextExtensions(_), Proposal::GroupContextExtensions(_)) => true,
            (Proposal::ReInit(_), Proposal::ReInit(_)) => true,
            (Proposal::PreSharedKey(ours), Proposal::PreSharedKey(theirs)) => ours.psk.kind == theirs.psk.kind,
            _ => self.leaf().is_some() && self.leaf() == other.leaf(),
        };
        match chosen.iter_mut().find(|other| same(other)) {
            Some(earlier) if matches!(earlier.proposal, Proposal::Remove(_)) => {}
            Some(earlier) => *earlier = self,
            None => chosen.push(self),
        }
    }
}
