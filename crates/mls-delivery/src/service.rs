//! The one trait of delivery services, for both ends: whoever serves implements it, and so does the client of one that is far.

use core::{fmt, future::Future, pin::Pin};

use mls_crypto::SignaturePublicKey;
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::{
    DeviceId, Limits, Rejection,
    hub::Topic,
    reply::{Claimed, Committed, GroupInfo, Groups, LogPage, MailPage, Placed, Reply, Reported, Stock},
    request::{
        AcknowledgeLog, AcknowledgeMailbox, ClaimKeyPackages, CreateGroup, DeliverDirect, Enrol, FetchGroupInfo,
        FetchLog, FetchMailbox, LeaveGroup, ListGroups, PublishKeyPackages, ReportInvalid, Request, SetPass,
        SubmitCommit, SubmitMessage,
    },
};

/// A future in a box, so that the trait is object safe.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A delivery service. Every method may be called from any thread, any number at once.
///
/// The conformance suite of the repository (`tools/delivery-conformance`) says what an implementation must do.
pub trait DeliveryService: Send + Sync + fmt::Debug {
    /// Does what a device asks. Who calls has made sure that it is this device: [`crate::auth`] is one way.
    ///
    /// When this returns a reply, what it says is durable. When it is dropped before, the request may happen or not;
    /// asking again does it once.
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>>;

    /// Hints that something is new at these topics from now on. They carry nothing; read what is new.
    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch>;

    /// What this service offers.
    fn capabilities(&self) -> Capabilities;
}

/// A subscription to hints; ends when it is dropped.
pub trait Watch: Send + fmt::Debug {
    /// Waits until something is new. May be dropped while it waits; nothing is lost by that.
    fn next(&mut self) -> BoxFuture<'_, Vec<Topic>>;
}

/// What a service offers.
#[derive(Clone, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct Capabilities {
    /// Whether all readers of a group see one order, and one commit per epoch: 0 or 1.
    pub total_order: u8,
    /// Whether what was acknowledged survives the end of the process: 0 or 1.
    pub durable: u8,
    /// Caps.
    pub limits: Limits,
    /// Verifies its receipts.
    pub service_key: SignaturePublicKey,
}

/// A request, and which reply belongs to it.
pub trait Operation {
    /// The reply.
    type Reply;

    /// As one of all requests.
    fn into_request(self) -> Request;

    /// From one of all replies; `None` for one that belongs to another request.
    fn from_reply(reply: Reply) -> Option<Self::Reply>;
}

/// Asks a service, and unpacks the reply.
///
/// # Errors
/// [`Rejection`]; [`Rejection::Malformed`] if the service answers something else.
pub async fn ask<O: Operation>(
    service: &dyn DeliveryService,
    caller: DeviceId,
    operation: O,
) -> Result<O::Reply, Rejection> {
    let reply = service.call(caller, operation.into_request()).await?;
    O::from_reply(reply).ok_or(Rejection::Malformed)
}

/// Ties a request to its reply.
macro_rules! operation {
    ($request:ident => $reply:ident($inner:ty)) => {
        impl Operation for $request {
            type Reply = $inner;

            fn into_request(self) -> Request {
                Request::$request(self)
            }

            fn from_reply(reply: Reply) -> Option<$inner> {
                match reply {
                    Reply::$reply(inner) => Some(inner),
                    _ => None,
                }
            }
        }
    };
    ($request:ident => Done) => {
        impl Operation for $request {
            type Reply = ();

            fn into_request(self) -> Request {
                Request::$request(self)
            }

            fn from_reply(reply: Reply) -> Option<()> {
                matches!(reply, Reply::Done).then_some(())
            }
        }
    };
}

operation!(Enrol => Enrolled(DeviceId));
operation!(PublishKeyPackages => Stock(Stock));
operation!(ClaimKeyPackages => Claimed(Claimed));
operation!(CreateGroup => Done);
operation!(SubmitCommit => Committed(Committed));
operation!(SubmitMessage => Placed(Placed));
operation!(DeliverDirect => Placed(Placed));
operation!(FetchLog => LogPage(LogPage));
operation!(FetchMailbox => MailPage(MailPage));
operation!(AcknowledgeLog => Done);
operation!(AcknowledgeMailbox => Done);
operation!(FetchGroupInfo => GroupInfo(GroupInfo));
operation!(ReportInvalid => Reported(Reported));
operation!(ListGroups => Groups(Groups));
operation!(LeaveGroup => Done);
operation!(SetPass => Done);
