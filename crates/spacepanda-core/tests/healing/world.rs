//! People whose clients end after every call, and the log of a delivery side.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use spacepanda_core::core_mls::{
    Client, Clock, Healed, Healing, MlsConfig, MlsEnvelope, MlsHandle, Need, TrustOnFirstUse,
    roles::{GroupPolicy, Role},
    store::{MemoryStore, StateStore},
};

/// A clock that is told what time it is.
#[derive(Debug, Default)]
pub(crate) struct Hand(pub(crate) AtomicU64);

impl Clock for Hand {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Somebody whose client is opened anew for each call.
pub(crate) struct Person {
    name: &'static [u8],
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) clock: Arc<Hand>,
    pub(crate) config: MlsConfig,
}

impl Person {
    pub(crate) fn new(name: &'static str) -> Self {
        Self::over(name, Arc::new(MemoryStore::new()))
    }

    pub(crate) fn over(name: &'static str, store: Arc<dyn StateStore>) -> Self {
        let mut config = MlsConfig::interop();
        config.external_joins = true;
        let clock = Arc::new(Hand(AtomicU64::new(1_700_000_000)));
        Self { name: name.as_bytes(), store, clock, config }
    }

    pub(crate) fn client(&self) -> Client {
        let builder = Client::builder(self.name, Arc::new(TrustOnFirstUse::new())).config(self.config.clone());
        builder.store(Arc::clone(&self.store)).clock(self.clock.clone()).open().unwrap()
    }

    pub(crate) fn group(&self) -> MlsHandle {
        let client = self.client();
        client.group(&client.groups().unwrap()[0]).unwrap()
    }

    /// Nothing of what was made until now has to be sent.
    pub(crate) fn all_sent(&self) {
        let group = self.group();
        let sent: Vec<_> = group.outbox().unwrap().iter().map(|entry| entry.id).collect();
        group.mark_sent(&sent).unwrap();
    }
}

/// The messages of a group, in order, and the newest group info.
#[derive(Default)]
pub(crate) struct Service {
    pub(crate) log: Vec<(u64, MlsEnvelope)>,
    pub(crate) info: Vec<u8>,
}

impl Service {
    pub(crate) fn post(&mut self, epoch: u64, envelope: &MlsEnvelope) {
        self.log.push((epoch, envelope.clone()));
    }

    pub(crate) fn newest(&self) -> &MlsEnvelope {
        &self.log.last().unwrap().1
    }

    fn since(&self, from: u64) -> Vec<MlsEnvelope> {
        self.log.iter().filter(|(epoch, _)| *epoch >= from).map(|(_, envelope)| envelope.clone()).collect()
    }

    /// One step on the way back; whether anything was needed.
    pub(crate) fn step(&mut self, healing: &mut Healing, others: &[&Person]) -> bool {
        match healing.need().unwrap() {
            Need::Messages { from } => healing.messages(&self.since(from)).unwrap(),
            Need::GroupInfo => healing.group_info(&self.info, None).unwrap(),
            Need::Submit { commit, group_info } => {
                let epoch = others[0].group().epoch();
                for other in others {
                    other.group().receive_commit(&commit).unwrap();
                }
                self.post(epoch, &commit);
                self.info = group_info;
                healing.submitted(true).unwrap();
            }
            _ => return false,
        }
        true
    }

    pub(crate) fn heal(&mut self, person: &Person, others: &[&Person]) -> Healed {
        let mut healing = person.group().heal();
        while self.step(&mut healing, others) {}
        healing.finish().unwrap()
    }

    /// The others follow a commit that is posted; its group info is published.
    pub(crate) fn commit(&mut self, by: &Person, others: &[&Person]) {
        let group = by.group();
        let epoch = group.epoch();
        let commit = group.rotate().unwrap();
        others.iter().for_each(|other| drop(other.group().receive_commit(&commit).unwrap()));
        self.post(epoch, &commit);
        self.info = group.group_info().unwrap();
        by.all_sent();
    }
}

/// A group of these, at epoch 1.
pub(crate) fn group_of(people: &[&Person], governed: bool) -> Service {
    let client = people[0].client();
    let group = if governed {
        let mut policy = GroupPolicy::new(people[0].name);
        policy.set_role(people[1].name, Role::Admin);
        client.create_group_with_policy(Some("tea"), &policy).unwrap()
    } else {
        client.create_group(Some("tea")).unwrap()
    };
    let key_package = |person: &&Person| (person.client().generate_key_package().unwrap(), person.name.to_vec());
    let adds: Vec<_> = people[1..].iter().map(key_package).collect();
    group.propose_add_batch(&adds).unwrap();
    let (_, welcomes) = group.commit().unwrap();
    for (person, welcome) in people[1..].iter().zip(&welcomes) {
        person.client().join_group(welcome).unwrap();
    }
    people[0].all_sent();
    Service { info: group.group_info().unwrap(), ..Service::default() }
}
