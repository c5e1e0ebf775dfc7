//! The floor: what the cryptography of a step costs alone.
//!
//! In: how often each primitive is called in one step of ours, and over how many bytes. Out: the time that takes at the
//! speed each primitive has in this very run. It counts no parsing, copying or allocating.

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use mls_crypto::{CryptoProvider, HpkeContext, Random, SealJob, SignedItem, SuiteCrypto};
use mls_crypto_aws_lc::AwsLc;
use testkit::{
    counting::{Counter, CountingCrypto, Counts},
    network::Host,
};

use crate::{
    SUITE,
    ours::{Ours, host},
    peer::Peer,
    workload::{Scene, Workload},
};

/// What the primitives cost, each once, in microseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Primitives {
    /// SHA-256 of 64 bytes.
    pub hash: f64,
    /// HMAC of 64 bytes.
    pub mac: f64,
    /// One HKDF step.
    pub kdf: f64,
    /// AES-128-GCM of 32 bytes, with the key's set-up.
    pub aead: f64,
    /// An X25519 key pair.
    pub hpke_key: f64,
    /// An HPKE seal.
    pub hpke_seal: f64,
    /// An HPKE open.
    pub hpke_open: f64,
    /// An Ed25519 signature.
    pub sign: f64,
    /// An Ed25519 verification, alone.
    pub verify: f64,
    /// The same in a batch of 256 signers, each.
    pub verify_batched: f64,
    /// A byte hashed: the cheapest thing that is done to bytes.
    pub byte: f64,
}

/// The lowest of this many runs, of this many calls each.
const RUNS: usize = 15;
const CALLS: usize = 32;

fn micros(mut work: impl FnMut()) -> f64 {
    let mut runs: Vec<_> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            (0..CALLS).for_each(|_| work());
            start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
        })
        .collect();
    runs.sort_by(f64::total_cmp);
    runs[0]
}

impl Primitives {
    /// Measures them all; the lowest of fifteen means, since other work on the machine only adds.
    pub fn measure() -> Self {
        let host = host(1);
        let suite = AwsLc::default().suite(SUITE).unwrap();
        let suite = suite.as_ref();
        let (bytes, long) = ([7; 64], vec![7; 65_536]);
        let hash = micros(|| _ = black_box(suite.hash(&[&bytes])));
        let long_hash = micros(|| _ = black_box(suite.hash(&[&long])));
        let (private, public) = suite.hpke_generate(&host.random).unwrap();
        let context = HpkeContext::base(&bytes);
        let seal = || suite.hpke_seal(&context, &[], SealJob { public_key: &public, plaintext: &bytes }, &host.random);
        let sealed = seal().unwrap();
        let (signer, verifier) = suite.signature_generate(&host.random).unwrap();
        let signature = suite.sign(&signer, &bytes).unwrap();
        let item = || SignedItem { public_key: &verifier, message: &bytes, signature: &signature };
        Self {
            hash,
            mac: micros(|| _ = black_box(suite.mac(&bytes[..32], &[&bytes]))),
            kdf: micros(|| drop(black_box(suite.kdf_expand(&bytes[..32], &bytes[..32], 32)))),
            aead: micros(|| {
                let mut buffer = bytes[..32].to_vec();
                suite.aead_seal(&bytes[..16], &bytes[..12], &[], &mut buffer).unwrap();
            }),
            hpke_key: micros(|| drop(black_box(suite.hpke_derive_key_pair(&bytes[..32])))),
            hpke_seal: micros(|| drop(black_box(seal()))),
            hpke_open: micros(|| drop(black_box(suite.hpke_open(&context, &[], (&private, &public), &sealed)))),
            sign: micros(|| drop(black_box(suite.sign(&signer, &bytes)))),
            verify: micros(|| suite.verify(item()).unwrap()),
            verify_batched: batched(suite, &host.random),
            byte: (long_hash - hash) / long.len() as f64,
        }
    }

    /// The time of these calls, in microseconds.
    pub fn cost(&self, counts: &Counts) -> f64 {
        let single = counts.verifies - counts.batched;
        [
            (counts.hashes, self.hash),
            (counts.macs, self.mac),
            (counts.kdf, self.kdf),
            (counts.aead, self.aead),
            (counts.hpke_keys, self.hpke_key),
            (counts.hpke_seals, self.hpke_seal),
            (counts.hpke_opens, self.hpke_open),
            (counts.signs, self.sign),
            (single, self.verify),
            (counts.batched, self.verify_batched),
            (counts.bytes, self.byte),
        ]
        .into_iter()
        .map(|(count, each)| count as f64 * each)
        .sum()
    }
}

fn batched(suite: &dyn SuiteCrypto, random: &dyn Random) -> f64 {
    const SIGNERS: usize = 256;
    let message = [7; 300];
    let signed: Vec<_> = (0..SIGNERS)
        .map(|_| {
            let (signer, verifier) = suite.signature_generate(random).unwrap();
            (suite.sign(&signer, &message).unwrap(), verifier)
        })
        .collect();
    let items: Vec<_> =
        signed.iter().map(|(signature, public_key)| SignedItem { public_key, message: &message, signature }).collect();
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        suite.verify_batch(&items).unwrap();
        best = best.min(start.elapsed());
    }
    best.as_secs_f64() * 1e6 / SIGNERS as f64
}

/// What one step of ours asks of cryptography, by workload.
pub fn counts(workloads: &[Workload], members: u32) -> BTreeMap<Workload, Counts> {
    let counter = Counter::default();
    let make = |seed| -> Box<dyn Peer> {
        let crypto = CountingCrypto::new(Box::new(AwsLc::default()), &counter);
        Box::new(Ours::with_host(&format!("counted {seed}"), Host { crypto: Box::new(crypto), ..host(seed) }))
    };
    let (cold, full): (Vec<_>, Vec<_>) = workloads.iter().partition(|workload| workload.is_cold());
    let mut counts = BTreeMap::new();
    for (workloads, scene) in [(cold, Scene::cold as fn(_, _) -> _), (full, Scene::full)] {
        if workloads.is_empty() {
            continue;
        }
        let mut scene = scene(members, &make);
        for workload in workloads {
            scene.prepare(workload);
            counter.take();
            scene.step(workload);
            counts.insert(workload, counter.take());
        }
    }
    counts
}
