//! What mls-rs asks back while it makes a message.
//!
//! In: an order for one commit. Out: the answers that make mls-rs follow it.
//! Always: orders of one client are carried out one after the other; without one, nothing is held back.

use core::convert::Infallible;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use mls_rs::{
    MlsRules,
    client_builder::PaddingMode,
    group::{GroupContext, Roster},
    mls_rules::{CommitDirection, CommitOptions, CommitSource, EncryptionOptions, ProposalBundle, ProposalRef},
};

/// The rules of one client, in all its groups.
#[derive(Clone, Default)]
pub(super) struct Rules(Arc<Shared>);

#[derive(Default)]
struct Shared {
    encrypted: AtomicBool,
    /// Held while an order is carried out: a group and its branch ask the same rules.
    turn: Mutex<()>,
    order: Mutex<Order>,
}

/// How the next commit is to be.
#[derive(Clone, Default)]
pub(super) struct Order {
    /// The proposals to cover by reference; without a list, all there are.
    pub(super) chosen: Option<BTreeSet<ProposalRef>>,
    pub(super) force_path: bool,
    pub(super) external_tree: bool,
}

impl Rules {
    /// Whether handshakes are encrypted from now on.
    pub(super) fn encrypt(&self, encrypted: bool) {
        self.0.encrypted.store(encrypted, Ordering::Relaxed);
    }

    /// Makes a commit as ordered.
    pub(super) fn during<T>(&self, order: Order, work: impl FnOnce() -> T) -> T {
        let _turn = self.0.turn.lock().unwrap_or_else(PoisonError::into_inner);
        *self.order() = order;
        let done = work();
        *self.order() = Order::default();
        done
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.0.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MlsRules for Rules {
    type Error = Infallible;

    fn filter_proposals(
        &self,
        direction: CommitDirection,
        _: CommitSource,
        _: &Roster<'_>,
        _: &GroupContext,
        mut proposals: ProposalBundle,
    ) -> Result<ProposalBundle, Infallible> {
        let order = self.order();
        if let (CommitDirection::Send, Some(chosen)) = (direction, &order.chosen) {
            proposals.retain(|info| Ok::<_, Infallible>(info.proposal_ref().is_none_or(|id| chosen.contains(id))))?;
        }
        Ok(proposals)
    }

    fn commit_options(
        &self,
        _: &Roster<'_>,
        _: &GroupContext,
        _: &ProposalBundle,
    ) -> Result<CommitOptions, Infallible> {
        let order = self.order();
        Ok(CommitOptions::new()
            .with_path_required(order.force_path)
            .with_ratchet_tree_extension(!order.external_tree)
            .with_single_welcome_message(true))
    }

    fn encryption_options(&self, _: &Roster<'_>, _: &GroupContext) -> Result<EncryptionOptions, Infallible> {
        Ok(EncryptionOptions::new(self.0.encrypted.load(Ordering::Relaxed), PaddingMode::StepFunction))
    }
}
