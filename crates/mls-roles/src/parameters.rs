//! Settings that the members of a group agree on (CAP-29): they stand in the group's policy.
//!
//! In: what a group wants of every member. Out: bytes inside the policy, and back.
//! Always: what decodes is inside the bounds; how a member goes beyond what the group asks for is its own affair, how it
//! stays behind is not: see [`GroupParameters::with`].

use mls_engine::{framing::Padding, limits::Limits};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// What every member of a group does, whatever its client is set to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "the encoding has these; another one is another version of it")]
pub struct GroupParameters {
    /// Past epochs whose messages can still be read, at most (EPO-03); 64 at most.
    pub max_past_epochs: u16,
    /// Seconds for which they can, at most (EPO-03).
    pub max_past_epoch_age: u64,
    /// Messages of one sender that may arrive late, at most (CAP-23, PM-12); 10,000 at most.
    pub out_of_order_window: u32,
    /// Messages of one sender that may be missing before one that arrives, at most (CAP-23, PM-11): 1 to 100,000.
    pub max_forward_distance: u32,
    /// Seconds after which a member renews its keys, at most; 60 at least.
    pub rotation_interval: u64,
    /// How the lengths of messages are hidden, at least (Section 15.1). A step is 2 at least.
    pub padding: Padding,
}

impl Default for GroupParameters {
    /// As [`Limits::default`]; keys are renewed once a day.
    fn default() -> Self {
        Self {
            max_past_epochs: 3,
            max_past_epoch_age: 14 * 24 * 3600,
            out_of_order_window: 256,
            max_forward_distance: 1_000,
            rotation_interval: 24 * 3600,
            padding: Padding::Bucketed,
        }
    }
}

/// The wire form, inside the policy's.
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(crate) struct ParametersForm {
    max_past_epochs: u16,
    max_past_epoch_age: u64,
    out_of_order_window: u32,
    max_forward_distance: u32,
    rotation_interval: u64,
    /// 0 none, 1 a step, 2 buckets.
    padding: u8,
    /// 0 unless there is one.
    step: u16,
}

impl GroupParameters {
    /// What a member does whose client is set to `own`: the stricter of the two, setting by setting.
    ///
    /// Of two steps of padding the longer counts; padding of another kind than the group's counts only where the group
    /// asks for none.
    #[must_use]
    pub fn with(self, own: Self) -> Self {
        Self {
            max_past_epochs: self.max_past_epochs.min(own.max_past_epochs),
            max_past_epoch_age: self.max_past_epoch_age.min(own.max_past_epoch_age),
            out_of_order_window: self.out_of_order_window.min(own.out_of_order_window),
            max_forward_distance: self.max_forward_distance.min(own.max_forward_distance),
            rotation_interval: self.rotation_interval.min(own.rotation_interval),
            padding: match (self.padding, own.padding) {
                (Padding::None, own) => own,
                (Padding::Step(agreed), Padding::Step(own)) => Padding::Step(agreed.max(own)),
                (agreed, _) => agreed,
            },
        }
    }

    /// The engine's limits under these settings; what they do not speak of stays as it is in `own`.
    pub fn limits(&self, own: &Limits) -> Limits {
        let count = |value: u32| usize::try_from(value).unwrap_or(usize::MAX);
        Limits {
            max_past_epochs: usize::from(self.max_past_epochs),
            max_past_epoch_age: self.max_past_epoch_age,
            max_skipped_keys_per_sender: count(self.out_of_order_window),
            max_forward_generations: self.max_forward_distance,
            ..own.clone()
        }
    }

    /// Whether they are inside their bounds.
    pub(crate) fn is_livable(&self) -> bool {
        self.max_past_epochs <= 64
            && self.out_of_order_window <= 10_000
            && (1..=100_000).contains(&self.max_forward_distance)
            && self.rotation_interval >= 60
            && self.padding_form().is_some()
    }

    /// `None` for padding that has no form, or one with another meaning.
    const fn padding_form(&self) -> Option<(u8, u16)> {
        match self.padding {
            Padding::None => Some((0, 0)),
            Padding::Step(step) if step >= 2 => Some((1, step)),
            Padding::Bucketed => Some((2, 0)),
            _ => None,
        }
    }

    /// `None` if they are outside their bounds.
    pub(crate) fn to_form(self) -> Option<ParametersForm> {
        let (padding, step) = self.padding_form()?;
        let Self {
            max_past_epochs,
            max_past_epoch_age,
            out_of_order_window,
            max_forward_distance,
            rotation_interval,
            padding: _,
        } = self;
        self.is_livable().then_some(ParametersForm {
            max_past_epochs,
            max_past_epoch_age,
            out_of_order_window,
            max_forward_distance,
            rotation_interval,
            padding,
            step,
        })
    }

    /// `None` if they are outside their bounds.
    pub(crate) fn from_form(form: &ParametersForm) -> Option<Self> {
        let padding = match (form.padding, form.step) {
            (0, 0) => Padding::None,
            (1, step) => Padding::Step(step),
            (2, 0) => Padding::Bucketed,
            _ => return None,
        };
        let parameters = Self {
            max_past_epochs: form.max_past_epochs,
            max_past_epoch_age: form.max_past_epoch_age,
            out_of_order_window: form.out_of_order_window,
            max_forward_distance: form.max_forward_distance,
            rotation_interval: form.rotation_interval,
            padding,
        };
        parameters.is_livable().then_some(parameters)
    }
}
