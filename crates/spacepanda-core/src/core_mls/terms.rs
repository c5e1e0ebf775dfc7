//! What a client does in one group: its own settings, or what the group has agreed on where that is stricter (CAP-29).
//!
//! In: a configuration, and the context of an epoch. Out: limits for the engine, padding, the time to renew keys.
//! Always: nothing that the group asks for is left out, and nothing that the client is set to is loosened.

use mls_engine::{limits::Limits, message::GroupContext, policy::Env};
use mls_roles::{GroupParameters, GroupPolicy};

use super::client::Inner;

/// Of one epoch.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) parameters: GroupParameters,
    limits: Limits,
}

impl Terms {
    /// Under this context.
    pub(crate) fn new(client: &Inner, context: &GroupContext) -> Self {
        let (config, limits) = (&client.config, &client.limits);
        let own = GroupParameters {
            max_past_epochs: u16::try_from(limits.max_past_epochs).unwrap_or(u16::MAX),
            max_past_epoch_age: limits.max_past_epoch_age,
            out_of_order_window: u32::try_from(limits.max_skipped_keys_per_sender).unwrap_or(u32::MAX),
            max_forward_distance: limits.max_forward_generations,
            rotation_interval: config.rotation_interval,
            padding: config.padding,
        };
        // A policy that does not decode never came into a context.
        let agreed = GroupPolicy::of(&context.extensions).ok().flatten().and_then(|policy| policy.parameters);
        let parameters = agreed.map_or(own, |agreed| agreed.with(own));
        Self { parameters, limits: parameters.limits(limits) }
    }

    /// What the engine asks of its host, in this group.
    pub(crate) fn env<'a>(&'a self, client: &'a Inner) -> Env<'a> {
        Env { limits: &self.limits, ..client.env() }
    }
}
