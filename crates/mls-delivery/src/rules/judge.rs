//! Judging public handshakes (RFC 9420, Section 16.4.1): the engine's observer, begun at the epoch's GroupInfo.
//!
//! In: a commit or proposal of a group that is validated. Out: evidence that it is valid in one epoch.
//! Always: an epoch's public state never changes, so the evidence may be older than the transaction that needs it.

use std::sync::Arc;

use mls_crypto::{CryptoError, Opaque, Random, Sequential};
use mls_engine::{
    error::{ProcessError, Refusal},
    group::Observer,
    limits::Limits as EngineLimits,
    message::{GroupContext, LeafNode, ProposalType},
    policy::{CommitClaim, CredentialClaim, CustomProposalRules, Env, NoPsks, Policy, ProposalClaim},
};

use mls_roles::Users;

use super::{Rules, check::Work, pass, right::Standing};
use crate::{
    DeviceId, GroupId, Header, MessageKind, Rejection, Timestamp,
    access::Shown,
    request::{EpochStart, Mode},
    rows::{GroupRow, InfoRow, Rows},
};

/// The handshake is valid in this epoch, as of this attempt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Judged {
    epoch: u64,
    attempt: u32,
}

/// The evidence that a group asks for.
pub(super) fn check_judged(group: &GroupRow, header: &Header, judged: Option<Judged>) -> Result<(), Rejection> {
    let needed = Judged { epoch: header.epoch, attempt: group.attempt };
    match group.mode {
        Mode::Private => Ok(()),
        Mode::Validating if judged == Some(needed) => Ok(()),
        Mode::Validating if !header.public => Err(Rejection::NotObservable),
        // The epoch was voided while the handshake was judged: what it was judged by is gone.
        Mode::Validating => Err(Rejection::Unavailable),
    }
}

/// Judges a handshake, if its group is validated and at its epoch; else there is nothing to be said, and nothing to be paid.
pub(super) async fn judge<R: Rows>(
    rules: &Rules,
    rows: &mut R,
    (caller, work): (&DeviceId, &Work),
    now: Timestamp,
) -> Result<Option<Judged>, Rejection> {
    match work {
        Work::Create(create) if create.mode == Mode::Validating => {
            observe(&rules.env(now), &create.start)?;
            Ok(Some(Judged { epoch: create.epoch, attempt: 0 }))
        }
        Work::Commit(commit) => {
            let Some(place) = Place::load(rows, caller, (&commit.header, &commit.shown), now).await? else {
                return Ok(None);
            };
            let env = rules.env(now);
            let (_, next) = place.observer(&env)?.process(&env, commit.bundle.commit.as_slice()).map_err(invalid)?;
            // What is handed to those who join must be what the commit leads to.
            let offered = observe(&env, &commit.bundle.next)?;
            let same = offered.public().context() == next.public().context();
            if same { Ok(Some(place.judged)) } else { Err(Rejection::InvalidHandshake) }
        }
        Work::Message(message) if message.header.kind == MessageKind::Proposal => {
            let Some(place) = Place::load(rows, caller, (&message.header, &message.shown), now).await? else {
                return Ok(None);
            };
            let env = rules.env(now);
            place.observer(&env)?.process(&env, message.message.as_slice()).map_err(invalid)?;
            Ok(Some(place.judged))
        }
        _ => Ok(None),
    }
}

/// Where a handshake is judged: the epoch's public state, and the proposals that came in it.
struct Place {
    judged: Judged,
    info: InfoRow,
    proposals: Vec<Opaque>,
}

impl Place {
    /// `None` if the group is not validated, or not at the handshake's epoch; or for one without a right in the group, who
    /// learns nothing here.
    async fn load<R: Rows>(
        rows: &mut R,
        caller: &DeviceId,
        (header, shown): (&Header, &Shown),
        now: Timestamp,
    ) -> Result<Option<Self>, Rejection> {
        let group_id: &GroupId = &header.group_id;
        let mut standing = Standing::load(rows, (group_id, header.epoch), caller).await?;
        standing.passed = pass::is_good(rows, (group_id, shown), caller, now).await?;
        let Ok((group, _)) = standing.admit(shown, header.epoch) else { return Ok(None) };
        if group.mode != Mode::Validating || group.epoch != header.epoch {
            return Ok(None);
        }
        if !header.public {
            return Err(Rejection::NotObservable);
        }
        let info = rows.newest_info(group_id).await?.filter(|info| info.epoch == group.epoch);
        let info = info.ok_or(Rejection::Damaged)?;
        let proposals = rows.proposals(group_id, info.seq).await?;
        let judged = Judged { epoch: group.epoch, attempt: group.attempt };
        Ok(Some(Self { judged, info, proposals }))
    }

    fn observer(&self, env: &Env<'_>) -> Result<Observer, Rejection> {
        let InfoRow { group_info, ratchet_tree, .. } = &self.info;
        let group_info = group_info.as_ref().ok_or(Rejection::Damaged)?;
        let tree = ratchet_tree.as_ref().map(Opaque::as_slice);
        let mut observer = Observer::new(env, group_info.as_slice(), tree).map_err(|_| Rejection::Damaged)?;
        for proposal in &self.proposals {
            // Each was good when it came. Time has passed, and one that is not any more can simply not be referred to.
            if let Ok((_, next)) = observer.process(env, proposal.as_slice()) {
                observer = next;
            }
        }
        Ok(observer)
    }
}

fn observe(env: &Env<'_>, start: &EpochStart) -> Result<Observer, Rejection> {
    let group_info = start.group_info.as_ref().ok_or(Rejection::NotObservable)?;
    let tree = start.ratchet_tree.as_ref().map(Opaque::as_slice);
    Observer::new(env, group_info.as_slice(), tree).map_err(invalid)
}

fn invalid(error: ProcessError) -> Rejection {
    match error {
        ProcessError::WrongFraming => Rejection::NotObservable,
        _ => Rejection::InvalidHandshake,
    }
}

impl Rules {
    fn env(&self, now: Timestamp) -> Env<'_> {
        Env {
            crypto: self.crypto.provider(),
            random: &NoRandom,
            parallel: &Sequential,
            policy: self.policy.as_ref(),
            psks: &NoPsks,
            limits: &OBSERVED,
            now,
        }
    }
}

/// To observe takes no randomness.
struct NoRandom;

impl Random for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Random)
    }
}

/// Groups larger than by default may be agreed on; what one request may weigh is capped by [`crate::Limits`] already.
const OBSERVED: EngineLimits = EngineLimits {
    max_members: 65_536,
    max_application_data: 1 << 20,
    max_key_package: 64 * 1024,
    max_message: 4 << 20,
    max_forward_generations: 0,
    max_derivations: 0,
    max_skipped_keys_per_sender: 0,
    max_skipped_keys: 0,
    max_skipped_key_age: 0,
    max_past_epochs: 0,
    max_past_epoch_age: 0,
    max_resumption_psks: 0,
    max_cached_proposals: 1_024,
    max_cached_proposals_per_sender: 64,
    generation_block: 0,
};

/// A policy for services: what the RFC says about structure, what the group says about roles, and nothing about people.
///
/// Whose credential to believe is for the members to say (RFC 9420, Section 5.3.1): a service that knows nobody leaves it
/// to them. A host that knows better hands in a policy of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct StructurePolicy;

/// Users as members name them: the identity of a basic credential, the name in an X.509 certificate. Whose certificate it is
/// is for the members to say; what it names, a service reads as they do.
const USERS: Users = Users { of: mls_identity::user_of, ..Users::BASIC };

impl StructurePolicy {
    /// The policy, to be handed to [`Rules`].
    pub fn shared() -> Arc<dyn Policy> {
        Arc::new(Self)
    }
}

impl Policy for StructurePolicy {
    fn validate_credential(&self, _: &CredentialClaim<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn validate_successor(&self, _: &LeafNode, _: &LeafNode) -> Result<(), Refusal> {
        Ok(())
    }

    fn authorize_proposal(&self, claim: &ProposalClaim<'_>) -> Result<(), Refusal> {
        Ok(mls_roles::authorize_proposal(&USERS, claim)?)
    }

    fn authorize_commit(&self, claim: &CommitClaim<'_>) -> Result<(), Refusal> {
        Ok(mls_roles::authorize_commit(&USERS, claim)?)
    }

    fn authorize_message(&self, context: &GroupContext, sender: &LeafNode) -> Result<(), Refusal> {
        Ok(mls_roles::authorize_message(&USERS, context, sender)?)
    }

    fn accepts_public_handshakes(&self, _: &GroupContext) -> bool {
        true
    }

    fn max_lifetime(&self) -> u64 {
        u64::MAX
    }

    fn custom_proposal(&self, _: ProposalType) -> Option<CustomProposalRules> {
        None
    }
}

#[cfg(test)]
mod tests;
