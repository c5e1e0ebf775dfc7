//! How envelopes travel between hosts (SURF-A).
//!
//! In: a peer, the name of a verb, JSON. Out: what others sent to us.
//! Always: what was sent is delivered at least once, in the order of each sender; it is delivered again until it is acknowledged.

mod delivery;
mod memory;

use core::fmt;

use mls_delivery::BoxFuture;

pub use delivery::DeliveryRouter;
pub use memory::{MemoryNetwork, MemoryRouter};

/// The verb of commits, proposals and messages: the body is an `MlsEnvelope` in JSON.
pub const MESSAGE: &str = "mls.message";

/// The verb of Welcomes: the body is one too.
pub const WELCOME: &str = "mls.welcome";

/// Bytes of a body, at most.
pub const MAX_BODY: usize = 1 << 20;

/// The name of a host at its router.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PeerId(Vec<u8>);

impl PeerId {
    /// A host of this name.
    pub fn new(name: &[u8]) -> Self {
        Self(name.to_vec())
    }

    /// The name.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PeerId {
    /// Tells nobody's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PeerId(..)")
    }
}

/// What came in.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "made by routers")]
pub struct Rpc {
    /// Names it, for [`Router::acknowledge`].
    pub ticket: Ticket,
    /// Who says it sent it. Nobody has checked that; whose a message is, its signature says.
    pub from: PeerId,
    /// The verb.
    pub method: String,
    /// What was sent.
    pub body: String,
}

/// Names something that came in.
pub type Ticket = u64;

/// Why something was not sent, or nothing came.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RouterError {
    /// There is no such host.
    #[error("the router does not know this peer; ask it for its name again")]
    UnknownPeer,
    /// A verb or body that cannot be sent.
    #[error("{len} bytes, and at most {limit} are allowed; send less")]
    TooLarge {
        /// How many there are.
        len: usize,
        /// How many may be.
        limit: usize,
    },
    /// The peer takes nothing more before it has read what is there.
    #[error("the peer has too much to read; try again later")]
    Full,
    /// The router cannot be reached.
    #[error("the router cannot be reached; try again later")]
    Unavailable,
    /// The router does not let us.
    #[error("the router refuses: {0}")]
    Refused(mls_delivery::Rejection),
}

/// A router. Every method may be called from any thread. One host reads at one name.
///
/// The suite of the repository (`tools/host-conformance`) says what an implementation must do.
pub trait Router: Send + Sync + fmt::Debug {
    /// Our own name.
    fn own(&self) -> PeerId;

    /// Sends. When it returns, the router has it, and delivers it also if both ends are started anew.
    ///
    /// # Errors
    /// [`RouterError`]: it was not sent.
    fn send_rpc<'a>(
        &'a self,
        peer: &'a PeerId,
        method: &'a str,
        body: &'a str,
    ) -> BoxFuture<'a, Result<(), RouterError>>;

    /// Everything that is there and not acknowledged, oldest first, 64 at most; nothing if nothing is there.
    ///
    /// # Errors
    /// [`RouterError`].
    fn receive(&self) -> BoxFuture<'_, Result<Vec<Rpc>, RouterError>>;

    /// This one, and what came before it, was dealt with.
    ///
    /// # Errors
    /// [`RouterError`]: it comes again.
    fn acknowledge(&self, ticket: Ticket) -> BoxFuture<'_, Result<(), RouterError>>;
}

/// How many come at once.
pub(crate) const BATCH: u16 = 64;

pub(crate) fn check(method: &str, body: &str) -> Result<(), RouterError> {
    for (len, limit) in [(method.len(), MAX_METHOD), (body.len(), MAX_BODY)] {
        if len > limit {
            return Err(RouterError::TooLarge { len, limit });
        }
    }
    Ok(())
}

const MAX_METHOD: usize = 128;
