//! One service over several shards: each group in one of them, all that belongs to devices in the first, which is home.
//!
//! In: shards. Out: a [`DeliveryService`]. The rule: devices, users, invites of the operator, key packages and mailboxes are at
//! home; a group with its log, its readers and its passes is in the shard that rendezvous hashing gives, or where it was moved.
//! Always: a group is served by one shard, which says so itself: what is remembered here may be old, and is corrected by an answer.
//! A Welcome is in the group's shard as of the transaction of its commit, in a mailbox there, and goes home from that when the
//! device looks; it arrives once, in order. While a group is moved, requests about it are [`Rejection::Unavailable`].
//!
//! ```text
//! weight(shard, group) = SHA-256(label, shard's name, group's id)      the heaviest has it
//! ```
//!
//! All nodes have the same shards, and the same one first. A shard that is added takes over its share by [`Shards::balance`].

mod mail;
mod mover;
mod route;
mod watch;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use mls_crypto::Random;

use crate::{
    DeviceId, Digest, GroupId, Rejection, ServiceCrypto,
    hub::Topic,
    reply::Reply,
    request::Request,
    service::{BoxFuture, Capabilities, DeliveryService, Watch},
    shard::{Inner, InnerReply, Shard, ShardName, ShardReply, ShardRequest},
};

/// A service over shards.
pub struct Shards {
    crypto: ServiceCrypto,
    random: Arc<dyn Random>,
    home: Member,
    others: Vec<Member>,
    /// Where groups were the last time, if not where hashing says.
    places: Mutex<BTreeMap<GroupId, ShardName>>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Member {
    name: ShardName,
    shard: Arc<dyn Shard>,
}

/// Why shards were not put together.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ShardsError {
    /// There is none.
    #[error("there are no shards; name at least one")]
    None,
    /// The first one was another one before.
    #[error(
        "shard {0} belongs to a service whose home is another one; name the shards in the order they had, the home first"
    )]
    OtherHome(usize),
    /// Two are the same.
    #[error("shard {0} is named twice; name each once")]
    Twice(usize),
    /// One cannot be asked.
    #[error("a shard cannot be used: {0}")]
    Rejected(#[from] Rejection),
}

impl Shards {
    /// Puts shards together, the home first. Gives names to those that have none.
    ///
    /// # Errors
    /// [`ShardsError`].
    pub async fn open(
        crypto: ServiceCrypto,
        random: Arc<dyn Random>,
        shards: Vec<Arc<dyn Shard>>,
    ) -> Result<Self, ShardsError> {
        let mut members: Vec<Member> = Vec::new();
        for (n, shard) in shards.into_iter().enumerate() {
            let fresh = ShardName::new(number(random.as_ref())?);
            let first = members.first().map(|member| member.name);
            let asked = Inner::Introduce(fresh, first.unwrap_or(fresh));
            let InnerReply::Names(name, home) = ask(shard.as_ref(), asked).await? else {
                return Err(Rejection::Malformed.into());
            };
            if home != first.unwrap_or(name) {
                return Err(ShardsError::OtherHome(n));
            }
            if members.iter().any(|member| member.name == name) {
                return Err(ShardsError::Twice(n));
            }
            members.push(Member { name, shard });
        }
        let mut members = members.into_iter();
        let home = members.next().ok_or(ShardsError::None)?;
        Ok(Self { crypto, random, home, others: members.collect(), places: Mutex::default() })
    }

    /// The names, the home's first.
    pub fn names(&self) -> Vec<ShardName> {
        self.members().map(|member| member.name).collect()
    }

    /// Where hashing puts a group: all shards, the heaviest first.
    ///
    /// # Errors
    /// [`Rejection::Malformed`], which does not happen.
    pub fn ranked(&self, group_id: &GroupId) -> Result<Vec<ShardName>, Rejection> {
        let weigh = |member: &Member| {
            let value = (mls_crypto::Opaque::from(member.name.as_slice()), group_id.clone());
            Ok((self.crypto.labelled_digest("shard", &value)?, member.name))
        };
        let mut weights = self.members().map(weigh).collect::<Result<Vec<(Digest, ShardName)>, Rejection>>()?;
        weights.sort_unstable_by(|one, other| other.cmp(one));
        Ok(weights.into_iter().map(|(_, name)| name).collect())
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        core::iter::once(&self.home).chain(&self.others)
    }

    fn member(&self, name: &ShardName) -> Result<&Member, Rejection> {
        self.members().find(|member| member.name == *name).ok_or(Rejection::Unavailable)
    }

    fn remembered(&self, group_id: &GroupId) -> Option<ShardName> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).get(group_id).copied()
    }

    fn remember(&self, group_id: &GroupId, name: ShardName) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= REMEMBERED {
            places.clear();
        }
        places.insert(group_id.clone(), name);
    }
}

impl DeliveryService for Shards {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(self.route(caller, request))
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        // Groups move, and Welcomes wait where their groups are.
        Box::new(watch::All(self.members().map(|member| member.shard.watch(topics.clone())).collect()))
    }

    fn capabilities(&self) -> Capabilities {
        self.home.shard.capabilities()
    }
}

impl fmt::Debug for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shards").field("shards", &self.members().count()).finish_non_exhaustive()
    }
}

async fn ask(shard: &dyn Shard, inner: Inner) -> Result<InnerReply, Rejection> {
    match shard.shard(ShardRequest::Inner(inner)).await? {
        ShardReply::Inner(reply) => Ok(reply),
        _ => Err(Rejection::Malformed),
    }
}

/// A number that nobody else has.
fn number(random: &dyn Random) -> Result<Digest, Rejection> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes).map_err(|_| Rejection::Unavailable)?;
    Ok(Digest::new(bytes))
}

/// How many groups' places are remembered.
const REMEMBERED: usize = 100_000;
