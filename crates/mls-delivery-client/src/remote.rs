//! A service that is far away, as one device sees it.

use core::fmt;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::Method;
use mls_crypto::{Random, SignaturePrivateKey, SignaturePublicKey};
use mls_delivery::{
    BoxFuture, Capabilities, DeliveryService, DeviceId, DeviceKey, Rejection, ServiceCrypto, Watch,
    auth::{Challenge, Login},
    hub::{Seen, Subscribe, Topic},
    reply::Reply,
    request::Request,
};
use mls_discovery::{
    DirectoryCrypto, Trust,
    wire::{Publish, Published},
};
use mls_engine::codec::{decode_exact, encode};
use tokio_rustls::rustls::ClientConfig;

use crate::{Backoff, http::Http, push::Push, watch::RemoteWatch};

/// Who asks.
#[derive(Debug)]
pub struct Identity {
    /// The device's key.
    pub key: DeviceKey,
    /// Its private half.
    pub private_key: SignaturePrivateKey,
}

/// How to reach a service.
#[derive(Clone)]
pub struct Connect {
    /// `https://host:port`, or `http://` to this machine.
    pub address: String,
    /// The service's name, which logins are bound to.
    pub service: Vec<u8>,
    /// The key of its receipts, if it is known; else the one it shows now.
    pub service_key: Option<SignaturePublicKey>,
    /// Whom to believe a certificate.
    pub tls: ClientConfig,
    /// Cryptography.
    pub crypto: ServiceCrypto,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Retries.
    pub backoff: Backoff,
}

/// A service that is far away. Cloning shares connections and token.
#[derive(Clone, Debug)]
pub struct Remote(Arc<Inner>);

struct Inner {
    connect: Connect,
    http: Http,
    identity: Identity,
    device: DeviceId,
    capabilities: Capabilities,
    token: Mutex<Option<String>>,
}

impl Remote {
    /// Asks a service what it offers. The device need not be enrolled yet.
    ///
    /// # Errors
    /// [`Rejection`]; [`Rejection::BadSignature`] if the service's key is not the one that is known.
    pub async fn connect(connect: Connect, identity: Identity) -> Result<Self, Rejection> {
        let http = Http::new(&connect.address, connect.tls.clone());
        let device = identity.key.device(&connect.crypto)?;
        let bytes = http.ask((Method::GET, "/v1/capabilities"), None, Vec::new()).await?;
        let capabilities: Capabilities = decode(&bytes)?;
        if connect.service_key.as_ref().is_some_and(|known| *known != capabilities.service_key) {
            return Err(Rejection::BadSignature);
        }
        Ok(Self(Arc::new(Inner { connect, http, identity, device, capabilities, token: Mutex::default() })))
    }

    /// The device that asks.
    pub fn device(&self) -> DeviceId {
        self.0.device
    }

    /// The token that is held, if there is one: good for this device until it runs out, and a secret until then. A program
    /// that ends may keep it for the next one, which need not log in.
    pub fn token(&self) -> Option<String> {
        self.0.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes on with a token of an earlier connection. One that is not good any more is replaced by logging in.
    pub fn resume(&self, token: String) {
        *self.0.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    async fn request(&self, request: Request) -> Result<Reply, Rejection> {
        let body = encode(&request).map_err(|_| Rejection::Malformed)?;
        let reply: Reply = decode(&self.0.patiently("/v1/call", body).await?)?;
        self.0.check_receipt(&request, &reply)?;
        Ok(reply)
    }

    /// Opens a push, which says where there is more than is known.
    pub(crate) async fn push(&self, known: &[Seen]) -> Result<Push, Rejection> {
        let held = self.0.held();
        let token = match held {
            Some(token) => token,
            None => self.0.renew().await?,
        };
        let token = URL_SAFE_NO_PAD.decode(token).map_err(|_| Rejection::Unauthenticated)?;
        let first = Subscribe { token: token.into(), known: known.to_vec() };
        let first = encode(&first).map_err(|_| Rejection::Malformed)?;
        Push::open(&self.0.connect.address, &self.0.connect.tls, first).await
    }

    /// Logs in anew the next time: the service does not take the token any more.
    pub(crate) fn forget_token(&self) {
        *self.0.token.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Publishes the record of a group; returns it with the word of the service, and whether the directory has changed. The
    /// word is verified: it has to be of the key that the service's receipts are of.
    ///
    /// # Errors
    /// [`Rejection`]; [`Rejection::BadSignature`] for a word of somebody else, or of another record.
    pub async fn publish(&self, publish: &Publish) -> Result<Published, Rejection> {
        let body = encode(publish).map_err(|_| Rejection::Malformed)?;
        let published: Published = decode(&self.0.patiently("/v1/directory/publish", body).await?)?;
        let crypto = DirectoryCrypto::new(self.0.connect.crypto.provider()).map_err(|_| Rejection::Unavailable)?;
        let trust = Trust::nobody().in_service(self.0.capabilities.service_key.as_slice());
        let (sent, given) = (&publish.record, &published.record);
        let same = sent.content(&crypto).ok() == given.content(&crypto).ok() && sent.publisher() == given.publisher();
        if same && given.verify(&crypto, &trust).is_ok() { Ok(published) } else { Err(Rejection::BadSignature) }
    }

    pub(crate) async fn watch_once(&self, known: &Vec<Seen>) -> Result<Vec<Seen>, Rejection> {
        let body = encode(known).map_err(|_| Rejection::Malformed)?;
        decode(&self.0.patiently("/v1/watch", body).await?)
    }
}

impl Inner {
    /// Tries until there is an answer that does not change by asking again, or too often.
    async fn patiently(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, Rejection> {
        let Connect { backoff, random, .. } = &self.connect;
        let mut tried: u32 = 0;
        loop {
            let rejection = match self.once(path, body.clone()).await {
                Ok(bytes) => return Ok(bytes),
                Err(rejection) => rejection,
            };
            tried = tried.saturating_add(1);
            if !rejection.retryable() || tried >= backoff.tries {
                return Err(rejection);
            }
            let asked = match rejection {
                Rejection::RateLimited { retry_after_ms } => Duration::from_millis(retry_after_ms),
                _ => Duration::ZERO,
            };
            match backoff.pause(tried.saturating_sub(1), asked, random.as_ref()) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(rejection),
            }
        }
    }

    /// One try, with a new login if the token is not good any more.
    async fn once(&self, path: &str, body: Vec<u8>) -> Result<Vec<u8>, Rejection> {
        if let Some(token) = self.held() {
            match self.http.ask((Method::POST, path), Some(&token), body.clone()).await {
                Err(Rejection::Unauthenticated) => {}
                answered => return answered,
            }
        }
        let token = self.renew().await?;
        self.http.ask((Method::POST, path), Some(&token), body).await
    }

    fn held(&self) -> Option<String> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(&self) -> Result<String, Rejection> {
        let token = self.log_in().await?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    async fn log_in(&self) -> Result<String, Rejection> {
        let Connect { crypto, service, .. } = &self.connect;
        let challenge: Challenge = decode(&self.http.ask((Method::POST, "/v1/challenge"), None, Vec::new()).await?)?;
        let Identity { key, private_key } = &self.identity;
        let login = Login::sign(crypto, (key.clone(), private_key), service, challenge);
        let body = encode(&login.map_err(|_| Rejection::BadSignature)?).map_err(|_| Rejection::Malformed)?;
        let token = self.http.ask((Method::POST, "/v1/login"), None, body).await?;
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// A service that says "accepted" signs what it accepted, or it could say something else to others.
    fn check_receipt(&self, request: &Request, reply: &Reply) -> Result<(), Rejection> {
        let (Request::SubmitCommit(submit), Reply::Committed(committed)) = (request, reply) else { return Ok(()) };
        let crypto = &self.connect.crypto;
        committed.receipt.verify(crypto, &self.capabilities.service_key)?;
        let ruling = &committed.receipt.ruling;
        let digest = crypto.digest(submit.bundle.commit.as_slice());
        let ours = ruling.digest == digest && ruling.group_id == submit.group_id && ruling.seq == committed.seq;
        if ours { Ok(()) } else { Err(Rejection::BadSignature) }
    }
}

impl DeliveryService for Remote {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(async move {
            // Only one device's key is here.
            if caller != self.0.device {
                return Err(Rejection::Unauthenticated);
            }
            self.request(request).await
        })
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        Box::new(RemoteWatch::new(self.clone(), topics))
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities.clone()
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner").field("connect", &self.connect).finish_non_exhaustive()
    }
}

fn decode<T: tls_codec::DeserializeBytes>(bytes: &[u8]) -> Result<T, Rejection> {
    decode_exact(bytes).map_err(|_| Rejection::Malformed)
}
