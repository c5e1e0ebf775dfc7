//! People on a service in memory, with lines that can be cut and that can be slow.

use core::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    task::{Context, Poll, Waker},
};
use std::sync::{Arc, Mutex};

use mls_crypto::{Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{
    BoxFuture, Capabilities, Clock, DeliveryService, DeviceId, Enrolment, Limits, MemoryService, Rejection,
    ServiceCrypto, Timestamp, Watch,
    hub::Topic,
    receipt::ServiceKey,
    reply::Reply,
    request::Request,
    rules::{Rules, StructurePolicy},
};
use spacepanda_core::core_mls::{
    Client, ClientBuilder, MlsConfig, MlsHandle,
    store::{MemoryStore, StateStore},
};
use spacepanda_sync::{Account, DeviceTrust, HistoryEntry, News, Wish};

/// Everything is in memory, so nothing ever waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a service in memory does not wait"),
    }
}

#[derive(Debug)]
pub(crate) struct TestClock(pub(crate) AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.load(Ordering::SeqCst)
    }
}

/// What happens once, when a request of a kind is made.
pub(crate) type Hook = Box<dyn FnOnce() + Send>;

/// A service with a line that can be cut, and with things that happen just before a commit arrives.
#[derive(Default)]
pub(crate) struct Line {
    pub(crate) service: Mutex<Option<Arc<MemoryService>>>,
    /// Requests until the line is cut; the request is done, and its answer is lost, if `after` is set.
    pub(crate) left: Mutex<Option<(u64, bool)>>,
    pub(crate) before_commit: Mutex<Option<Hook>>,
    pub(crate) slow: Mutex<Slow>,
}

/// A message or commit that takes its time: it arrives just before the next one, and its sender had given up on it.
#[derive(Default)]
pub(crate) enum Slow {
    #[default]
    Off,
    Next,
    OnItsWay(DeviceId, Box<Request>),
}

impl core::fmt::Debug for Line {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Line")
    }
}

impl Line {
    pub(crate) fn service(&self) -> Arc<MemoryService> {
        self.service.lock().unwrap().clone().unwrap()
    }

    pub(crate) fn cut(&self) -> Option<bool> {
        let mut left = self.left.lock().unwrap();
        let (count, after) = left.as_mut()?;
        if *count == 0 {
            return Some(*after);
        }
        *count = count.saturating_sub(1);
        None
    }
}

impl DeliveryService for Line {
    fn call(&self, caller: DeviceId, request: Request) -> BoxFuture<'_, Result<Reply, Rejection>> {
        Box::pin(async move {
            if matches!(request, Request::SubmitCommit(_)) {
                let hook = self.before_commit.lock().unwrap().take();
                if let Some(hook) = hook {
                    hook();
                }
            }
            if matches!(request, Request::SubmitMessage(_) | Request::SubmitCommit(_)) {
                let slow = core::mem::take(&mut *self.slow.lock().unwrap());
                match slow {
                    Slow::Off => {}
                    Slow::Next => {
                        *self.slow.lock().unwrap() = Slow::OnItsWay(caller, Box::new(request));
                        return Err(Rejection::Unavailable);
                    }
                    Slow::OnItsWay(sender, message) => {
                        self.service().call(sender, *message).await.unwrap();
                    }
                }
            }
            match self.cut() {
                None => self.service().call(caller, request).await,
                Some(false) => Err(Rejection::Unavailable),
                Some(true) => {
                    let _lost = self.service().call(caller, request).await;
                    Err(Rejection::Unsure)
                }
            }
        })
    }

    fn watch(&self, topics: Vec<Topic>) -> Box<dyn Watch> {
        self.service().watch(topics)
    }

    fn capabilities(&self) -> Capabilities {
        self.service().capabilities()
    }
}

pub(crate) struct World {
    pub(crate) service: Arc<MemoryService>,
    pub(crate) crypto: ServiceCrypto,
    pub(crate) clock: Arc<TestClock>,
}

/// A device of a user, whose line and store are at hand.
pub(crate) struct Person {
    pub(crate) account: Account,
    pub(crate) line: Arc<Line>,
    pub(crate) store: Arc<dyn StateStore>,
    pub(crate) name: &'static str,
    pub(crate) crypto: ServiceCrypto,
}

impl World {
    pub(crate) fn new() -> Self {
        let crypto = ServiceCrypto::new(Arc::new(AwsLc::default())).unwrap();
        let key = SignaturePrivateKey::new(Secret::copy_from(&[7; 32]));
        let rules = Rules {
            service_key: Arc::new(ServiceKey::new(&crypto, key).unwrap()),
            crypto: crypto.clone(),
            limits: Limits::default(),
            enrolment: Enrolment::Open,
            policy: StructurePolicy::shared(),
            shares: mls_delivery::quota::Shares::default(),
        };
        let clock = Arc::new(TestClock(AtomicU64::new(wall())));
        Self { service: Arc::new(MemoryService::new(rules, clock.clone())), crypto, clock }
    }

    pub(crate) fn person(&self, name: &'static str) -> Person {
        let person = self.stranger(name);
        now(person.account.enrol(b"", None)).unwrap();
        person
    }

    pub(crate) fn stranger(&self, name: &'static str) -> Person {
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
        let line = Arc::new(Line { service: Mutex::new(Some(self.service.clone())), ..Line::default() });
        let account = account(name, &store, &line, &self.crypto);
        Person { account, line, store, name, crypto: self.crypto.clone() }
    }
}

pub(crate) fn wall() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

pub(crate) fn account(name: &str, store: &Arc<dyn StateStore>, line: &Arc<Line>, crypto: &ServiceCrypto) -> Account {
    let client = builder(name, store).open().unwrap();
    Account::new(client, line.clone(), crypto.clone(), Arc::new(OsRandom)).unwrap()
}

pub(crate) fn builder(name: &str, store: &Arc<dyn StateStore>) -> ClientBuilder {
    let policy = Arc::new(DeviceTrust::open(store.clone()).unwrap());
    let mut config = MlsConfig::interop();
    (config.key_package_target, config.key_package_low_water) = (4, 1);
    (config.own_echo, config.outbox_messages, config.external_joins) = (false, 256, true);
    Client::builder(name.as_bytes(), policy).config(config).store(store.clone())
}

impl Person {
    /// The process ended, and another one opens the store.
    pub(crate) fn restart(&mut self) {
        self.account = account(self.name, &self.store, &self.line, &self.crypto);
    }

    pub(crate) fn sync(&self) -> Vec<News> {
        let reports = now(self.account.sync()).unwrap();
        reports.into_iter().flat_map(|report| (report.end.map(|()| report.news)).unwrap()).collect()
    }

    pub(crate) fn group(&self) -> MlsHandle {
        let id = self.account.client().groups().unwrap().into_iter().next().unwrap();
        self.account.client().group(&id).unwrap()
    }

    pub(crate) fn say(&self, text: &str) {
        self.account.queue_message(&self.group(), text.as_bytes()).unwrap();
    }

    pub(crate) fn wish(&self, wish: Wish) {
        self.account.queue_wish(&self.group(), wish).unwrap();
    }

    pub(crate) fn history(&self) -> Vec<HistoryEntry> {
        self.account.history(&self.group()).unwrap()
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        let texts = self.history().into_iter().map(|said| String::from_utf8(said.text.as_slice().to_vec()).unwrap());
        texts.collect()
    }

    pub(crate) fn members(&self) -> Vec<String> {
        let names = self.group().members().into_iter().map(|member| String::from_utf8(member.identity).unwrap());
        names.collect()
    }

    pub(crate) fn cut_after(&self, requests: u64, done: bool) {
        *self.line.left.lock().unwrap() = Some((requests, done));
    }

    pub(crate) fn mend(&self) {
        *self.line.left.lock().unwrap() = None;
    }
}

/// Alice has founded a group, and the others are in.
pub(crate) fn group_of(world: &World, others: &[&'static str]) -> Vec<Person> {
    let mut people = vec![world.person("alice")];
    people.extend(others.iter().map(|name| world.person(name)));
    let alice = people.first().unwrap();
    alice.account.create_group("tea").unwrap();
    for name in others {
        alice.wish(Wish::Add(name.as_bytes().to_vec()));
    }
    alice.sync();
    for person in &people {
        person.sync();
    }
    people
}

pub(crate) fn agree(people: &[&Person]) {
    let first = people.first().unwrap();
    for person in people {
        assert_eq!(person.history(), first.history(), "{} and {}", person.name, first.name);
        let (ours, theirs) = (person.group().epoch_authenticator(), first.group().epoch_authenticator());
        assert_eq!(ours.unwrap(), theirs.unwrap());
    }
}
