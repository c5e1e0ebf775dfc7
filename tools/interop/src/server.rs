//! A stack behind the harness's gRPC service.
//!
//! In: calls. Out: answers, with numbers for what the stack returned.
//! Always: an error of one call, a panic included, ends that call and nothing else.

mod calls;
mod desk;

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{
    Status,
    transport::{self, server::TcpIncoming},
};

use crate::{service::MlsClientServer, stack::Stack};
use desk::Desk;

/// The service over one stack.
#[derive(Debug)]
pub struct Server<S: Stack>(Arc<Desk<S>>);

/// A server that answers until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it answers.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), transport::Error>>,
}

impl<S: Stack> Server<S> {
    /// A server that knows no states yet.
    pub fn new(stack: S) -> Self {
        Self(Arc::new(Desk::new(stack)))
    }

    /// How many states, transactions, successors and signers it holds.
    pub fn held(&self) -> usize {
        self.0.held()
    }

    /// Another handle of the same server.
    pub fn handle(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// Works out an answer where blocking is allowed.
    async fn answer<Q, A>(
        &self,
        request: tonic::Request<Q>,
        work: impl FnOnce(&Desk<S>, Q) -> Result<A, Status> + Send + 'static,
    ) -> Result<tonic::Response<A>, Status>
    where
        Q: Send + 'static,
        A: Send + 'static,
    {
        let desk = Arc::clone(&self.0);
        let call = request.into_inner();
        match tokio::task::spawn_blocking(move || work(&desk, call)).await {
            Ok(answer) => answer.map(tonic::Response::new),
            Err(_) => Err(Status::internal("the stack panicked")),
        }
    }
}

impl Running {
    /// Stops answering, and waits for the calls that are under way.
    ///
    /// # Errors
    /// What went wrong while it was running.
    pub async fn stop(self) -> Result<(), transport::Error> {
        let Self { address: _, stop, task } = self;
        // An error says that it has stopped already.
        let _ = stop.send(());
        task.await.unwrap_or(Ok(()))
    }

    /// Waits until it ends by itself, which it does only in trouble.
    ///
    /// # Errors
    /// The trouble.
    pub async fn wait(self) -> Result<(), transport::Error> {
        let Self { address: _, stop, task } = self;
        let end = task.await.unwrap_or(Ok(()));
        drop(stop);
        end
    }
}

/// Answers calls at `address`; port 0 takes a free one.
///
/// # Errors
/// If the address cannot be had.
pub async fn serve<S: Stack>(address: SocketAddr, server: Server<S>) -> std::io::Result<Running> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel();
    let service = MlsClientServer::new(server)
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    // An answer is several small writes; without this each waits for the acknowledgement of the one before.
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let serving =
        transport::Server::builder().add_service(service).serve_with_incoming_shutdown(incoming, async move {
            // An error says that nobody is left who could stop it.
            let _ = stopped.await;
        });
    Ok(Running { address, stop, task: tokio::spawn(serving) })
}

/// Bytes of one call: a Welcome for a large group has a few megabytes.
pub(crate) const LARGEST_MESSAGE: usize = 64 << 20;
