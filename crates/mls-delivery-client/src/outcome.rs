//! How an intent to commit ends: one of three ways, and never in between.

use mls_delivery::{DeliveryService, DeviceId, Digest, Rejection, Seq, ask, reply::Committed, request::SubmitCommit};

/// How it ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is the commit of its epoch.
    Applied(Committed),
    /// Another one is; read it, and build on it.
    Superseded {
        /// Where the other is.
        seq: Seq,
        /// SHA-256 of the other.
        winner: Digest,
    },
    /// It was not taken. If [`Rejection::retryable`], even trying often did not tell whether it was: try again with the same
    /// bytes, until there is an answer.
    Rejected(Rejection),
}

/// Submits a commit, and says how that ended.
pub async fn submit_commit(service: &dyn DeliveryService, caller: DeviceId, commit: SubmitCommit) -> Outcome {
    match ask(service, caller, commit).await {
        Ok(committed) => Outcome::Applied(committed),
        Err(Rejection::EpochTaken { seq, winner, .. }) => Outcome::Superseded { seq, winner },
        Err(rejection) => Outcome::Rejected(rejection),
    }
}
