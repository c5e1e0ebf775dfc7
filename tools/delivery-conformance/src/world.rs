//! Devices and groups for the checks. Groups are private ones, of messages whose content nobody reads.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use mls_crypto::{CipherSuite, Opaque, Secret, SignaturePrivateKey};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{
    Clock, DeliveryService, DeviceId, DeviceKey, Digest, Enrolment, GroupId, Limits, Operation, Rejection, Seq,
    ServiceCrypto, Timestamp, UserId,
    access::WriteKey,
    ask,
    auth::Voucher,
    quota::Shares,
    receipt::ServiceKey,
    reply::{Committed, LogEntry, LogPage, MailPage},
    request::{
        AcknowledgeLog, CommitBundle, CreateGroup, Enrol, EpochStart, FetchLog, FetchMailbox, Invitation, Mode,
        SubmitCommit, SubmitMessage,
    },
    rules::{Rules, StructurePolicy},
};
use mls_engine::{
    codec::encode,
    message::{ContentType, MlsMessage, PrivateMessage, Welcome},
};

use crate::{Bench, block_on};

/// A clock that stands still until it is told to move.
#[derive(Debug)]
pub struct TestClock(AtomicU64);

impl TestClock {
    /// Lets so many seconds pass.
    pub fn advance(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        self.0.load(Ordering::SeqCst)
    }
}

/// Rules for tests: everybody may enrol.
pub fn rules(limits: Limits) -> Rules {
    let crypto = ServiceCrypto::new(Arc::new(AwsLc::default())).unwrap();
    let seed = SignaturePrivateKey::new(Secret::copy_from(&[7; 32]));
    Rules {
        service_key: Arc::new(ServiceKey::new(&crypto, seed).unwrap()),
        crypto,
        limits,
        enrolment: Enrolment::Open,
        policy: StructurePolicy::shared(),
        shares: Shares::default(),
    }
}

/// A service that is looked at.
#[derive(Debug)]
pub struct World<'a> {
    bench: &'a mut dyn Bench,
    service: Option<Arc<dyn DeliveryService>>,
    /// Its clock.
    pub clock: Arc<TestClock>,
    /// Its rules.
    pub rules: Rules,
}

/// A device with its key.
#[derive(Debug)]
pub struct Device {
    /// Its name.
    pub id: DeviceId,
    /// What is public of its key.
    pub key: DeviceKey,
    /// What is not.
    pub private_key: SignaturePrivateKey,
    /// Whose it is.
    pub user: UserId,
}

/// A group of the checks.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
}

pub(crate) const START: Timestamp = 1_800_000_000;

impl<'a> World<'a> {
    /// A world around an empty service.
    pub fn open(bench: &'a mut dyn Bench, limits: Limits) -> Self {
        Self::open_with(bench, rules(limits))
    }

    fn open_with(bench: &'a mut dyn Bench, rules: Rules) -> Self {
        let clock = Arc::new(TestClock(AtomicU64::new(START)));
        let service = bench.open(rules.clone(), Arc::<TestClock>::clone(&clock));
        Self { bench, service: Some(service), clock, rules }
    }

    /// The same world with an empty service that lets others in.
    pub(crate) fn enrolling(&mut self, enrolment: Enrolment) {
        self.service = None;
        self.rules.enrolment = enrolment;
        self.service = Some(self.bench.open(self.rules.clone(), Arc::<TestClock>::clone(&self.clock)));
    }

    /// The same world with an empty service that counts.
    pub(crate) fn counting(&mut self, shares: Shares) {
        self.service = None;
        self.rules.shares = shares;
        self.service = Some(self.bench.open(self.rules.clone(), Arc::<TestClock>::clone(&self.clock)));
    }

    pub(crate) fn reopen(&mut self) {
        self.service = None;
        self.service = Some(self.bench.reopen());
    }

    pub(crate) fn one_database(&self) -> bool {
        self.bench.one_database()
    }

    pub(crate) fn sweep(&self) {
        self.bench.sweep();
    }

    pub(crate) fn service(&self) -> &dyn DeliveryService {
        self.service.as_deref().unwrap()
    }

    pub(crate) fn crypto(&self) -> &ServiceCrypto {
        &self.rules.crypto
    }

    /// Asks for a device, and waits.
    pub fn ask<O: Operation>(&self, device: &Device, operation: O) -> Result<O::Reply, Rejection> {
        block_on(ask(self.service(), device.id, operation))
    }

    /// A device that is not enrolled.
    pub fn stranger(&self, user: &str) -> Device {
        let own = self.crypto().provider().suite(CipherSuite::X25519_AES128).unwrap();
        let (private_key, public_key) = own.signature_generate(&OsRandom).unwrap();
        let key = DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key };
        let id = key.device(self.crypto()).unwrap();
        let device = Device { id, key, private_key, user: UserId::new(user.as_bytes()) };
        self.bench.meet(&device);
        device
    }

    /// Asks to be enrolled.
    pub fn enrol(&self, device: &Device, voucher: Option<Voucher>, invite: &[u8]) -> Result<DeviceId, Rejection> {
        let (user, key) = (device.user.clone(), device.key.clone());
        self.ask(device, Enrol { user, key, invite: invite.into(), voucher })
    }

    /// The first device of a user, enrolled.
    pub fn device(&self, user: &str) -> Device {
        let device = self.stranger(user);
        self.enrol(&device, None, b"").unwrap();
        device
    }

    /// A group that `founder` has made, at epoch 0.
    pub fn group(&self, founder: &Device, id: &str) -> Group {
        let group = Group { id: GroupId::new(id.as_bytes()) };
        self.ask(founder, self.create(&group)).unwrap();
        group
    }

    /// What makes a group known, at epoch 0.
    pub fn create(&self, group: &Group) -> CreateGroup {
        CreateGroup { group_id: group.id.clone(), epoch: 0, mode: Mode::Private, start: self.start(group, 0) }
    }

    pub(crate) fn start(&self, group: &Group, epoch: u64) -> EpochStart {
        let write_key = self.key(group, epoch, 0).public_key().clone();
        EpochStart { write_key, join_token: None, group_info: None, ratchet_tree: None }
    }

    /// The write key of an epoch; rival commits lead to keys of their own.
    pub(crate) fn key(&self, group: &Group, epoch: u64, rival: u64) -> WriteKey {
        let mut seed = group.id.as_slice().to_vec();
        seed.extend(epoch.to_be_bytes());
        seed.extend(rival.to_be_bytes());
        let seed = self.crypto().digest(&seed);
        WriteKey::new(self.crypto(), Secret::copy_from(seed.as_slice())).unwrap()
    }

    /// The write key of an epoch, as its members have it.
    pub fn write_key(&self, group: &Group, epoch: u64) -> WriteKey {
        self.key(group, epoch, 0)
    }

    pub(crate) fn message(&self, group: &Group, epoch: u64, content: &str) -> SubmitMessage {
        self.framed(group, epoch, ContentType::Application, content)
    }

    pub(crate) fn framed(&self, group: &Group, epoch: u64, kind: ContentType, content: &str) -> SubmitMessage {
        let message = private(&group.id, epoch, kind, content);
        SubmitMessage::by_member(self.crypto(), &self.key(group, epoch, 0), message).unwrap()
    }

    /// Submits application data, and returns its place.
    pub fn say(&self, device: &Device, group: &Group, epoch: u64, content: &str) -> Seq {
        self.ask(device, self.message(group, epoch, content)).unwrap().seq
    }

    /// A commit of `epoch` that leads to the next one.
    pub fn bundle(&self, group: &Group, epoch: u64, content: &str) -> CommitBundle {
        CommitBundle {
            commit: private(&group.id, epoch, ContentType::Commit, content).into(),
            next: self.start(group, epoch + 1),
            invitations: Vec::new(),
            removed: Vec::new(),
        }
    }

    /// A commit that invites these.
    pub fn inviting(&self, group: &Group, epoch: u64, invited: &[&Device]) -> CommitBundle {
        let recipients = invited.iter().map(|device| device.id).collect();
        let welcome = welcome(&format!("to epoch {}", epoch + 1)).into();
        CommitBundle { invitations: vec![Invitation { recipients, welcome }], ..self.bundle(group, epoch, "invite") }
    }

    /// A commit, signed by its epoch.
    pub fn sign(&self, group: &Group, epoch: u64, bundle: CommitBundle) -> SubmitCommit {
        self.signed(group, epoch, bundle)
    }

    /// Application data of a member of an epoch.
    pub fn member_message(&self, group: &Group, epoch: u64, content: &str) -> SubmitMessage {
        self.message(group, epoch, content)
    }

    pub(crate) fn signed(&self, group: &Group, epoch: u64, bundle: CommitBundle) -> SubmitCommit {
        bundle.by_member(self.crypto(), &self.key(group, epoch, 0)).unwrap()
    }

    /// Submits a commit, signed by its epoch.
    pub fn submit(
        &self,
        device: &Device,
        group: &Group,
        epoch: u64,
        bundle: CommitBundle,
    ) -> Result<Committed, Rejection> {
        self.ask(device, self.signed(group, epoch, bundle))
    }

    /// Submits a commit that wins.
    pub fn commit(&self, device: &Device, group: &Group, epoch: u64) -> Committed {
        self.submit(device, group, epoch, self.bundle(group, epoch, "commit")).unwrap()
    }

    pub(crate) fn fetch(
        &self,
        device: &Device,
        group: &Group,
        after: Option<u64>,
        limit: u16,
    ) -> Result<LogPage, Rejection> {
        let after = after.map(Seq::new);
        self.ask(device, FetchLog { group_id: group.id.clone(), after, limit })
    }

    /// Everything a device can read after a place, page by page.
    pub(crate) fn read(&self, device: &Device, group: &Group, after: u64, limit: u16) -> Vec<LogEntry> {
        let mut entries: Vec<LogEntry> = Vec::new();
        loop {
            let at = entries.last().map_or(after, |entry| entry.seq.get());
            let page = self.fetch(device, group, Some(at), limit).unwrap();
            assert!(page.entries.len() <= usize::from(limit), "a page is longer than asked for");
            let head = page.head;
            entries.extend(page.entries);
            let end = entries.last().map_or(after, |entry| entry.seq.get());
            if end >= head.get() {
                return entries;
            }
            assert!(end > at, "a page before the head is empty");
        }
    }

    pub(crate) fn acknowledge(&self, device: &Device, group: &Group, seq: u64) -> Result<(), Rejection> {
        self.ask(device, AcknowledgeLog { group_id: group.id.clone(), seq: Seq::new(seq) })
    }

    pub(crate) fn mail(&self, device: &Device, after: Option<u64>) -> MailPage {
        self.ask(device, FetchMailbox { after: after.map(Seq::new), limit: 100 }).unwrap()
    }

    pub(crate) fn digest(&self, bytes: &Opaque) -> Digest {
        self.crypto().digest(bytes.as_slice())
    }
}

/// Application data that nobody can open.
pub fn private_message(group: &GroupId, epoch: u64, content: &str) -> Vec<u8> {
    private(group, epoch, ContentType::Application, content)
}

/// A PrivateMessage that nobody can open.
pub(crate) fn private(group: &GroupId, epoch: u64, content_type: ContentType, content: &str) -> Vec<u8> {
    let message = PrivateMessage {
        group_id: group.as_slice().into(),
        epoch,
        content_type,
        authenticated_data: Opaque::default(),
        encrypted_sender_data: b"sender".into(),
        ciphertext: content.as_bytes().into(),
    };
    encode(&MlsMessage::PrivateMessage(Box::new(message))).unwrap()
}

pub(crate) fn welcome(content: &str) -> Vec<u8> {
    let welcome = Welcome {
        cipher_suite: CipherSuite::X25519_AES128,
        secrets: Vec::new(),
        encrypted_group_info: content.as_bytes().into(),
    };
    encode(&MlsMessage::Welcome(Box::new(welcome))).unwrap()
}
