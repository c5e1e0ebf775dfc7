//! The floor: what the cryptography of a step costs alone.
//!
//! In: how often each primitive is called in one step of ours, and over how many bytes. Out: the time that takes one
//! processor at the speed each primitive has in this very run. It counts no parsing, copying or allocating.
//! Always: of a primitive that two providers have, the faster one counts; signing is with a key that was read before;
//! sixteen signatures or more in one step are verified as one batch.

use std::{
    collections::BTreeMap,
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::signature::Ed25519KeyPair;
use mls_crypto::{CipherSuite, CryptoProvider, HpkeContext, SealJob, SignedItem, SuiteCrypto};
use mls_crypto_aws_lc::AwsLc;
use mls_crypto_rust::RustCrypto;
use testkit::{
    counting::{Counter, CountingCrypto, Counts},
    network::Host,
};

use crate::{
    ours::{Ours, host},
    peer::{Impl, Peer},
    scene::Scene,
    workload::Workload,
};

/// What the primitives of a suite cost, each once, in microseconds.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Primitives {
    /// Hash of 64 bytes.
    pub hash: f64,
    /// Each further byte.
    pub hash_byte: f64,
    /// MAC of 64 bytes.
    pub mac: f64,
    /// One HKDF step.
    pub kdf: f64,
    /// AEAD of 64 bytes, with the key's set-up.
    pub aead: f64,
    /// Each further byte.
    pub aead_byte: f64,
    /// An HPKE key pair.
    pub hpke_key: f64,
    /// An HPKE seal.
    pub hpke_seal: f64,
    /// An HPKE open.
    pub hpke_open: f64,
    /// A signature over 64 bytes.
    pub sign: f64,
    /// Each further byte.
    pub sign_byte: f64,
    /// A verification, alone.
    pub verify: f64,
    /// Each further byte.
    pub verify_byte: f64,
    /// The same in a batch of 256 signers, each.
    pub verify_batched: f64,
    /// The same in a batch of 256 of which each signer made ten, each.
    pub verify_ten_each: f64,
    /// The same in a batch of 256 by one signer, each.
    pub verify_one_signer: f64,
}

/// The lowest of this many runs, of this many calls each.
const RUNS: usize = 15;
const CALLS: usize = 16;
/// Signatures that are priced as a batch, and those of one to measure.
const BATCH: usize = 16;
const SIGNERS: usize = 256;
const SHORT: usize = 64;
const LONG: usize = 65_536;

fn micros(mut work: impl FnMut()) -> f64 {
    let runs = (0..RUNS).map(|_| {
        let start = Instant::now();
        (0..CALLS).for_each(|_| work());
        start.elapsed().as_secs_f64() * 1e6 / CALLS as f64
    });
    runs.fold(f64::INFINITY, f64::min)
}

/// The cost for 64 bytes, and of each further byte.
fn line(mut work: impl FnMut(&[u8])) -> (f64, f64) {
    let (short, long) = (vec![7; SHORT], vec![7; LONG]);
    let (short, long) = (micros(|| work(&short)), micros(|| work(&long)));
    (short, (long - short).max(0.0) / (LONG - SHORT) as f64)
}

impl Primitives {
    /// Measures them all; the lowest of fifteen means, since other work on the machine only adds.
    pub fn measure(suite: CipherSuite) -> Self {
        let [native, portable] =
            [Box::new(AwsLc::default()) as Box<dyn CryptoProvider>, Box::new(RustCrypto::default())]
                .map(|provider| Self::of(provider.suite(suite).unwrap().as_ref()));
        native.lower(portable)
    }

    fn of(suite: &dyn SuiteCrypto) -> Self {
        let host = host(1);
        let parameters = suite.parameters();
        let bytes = [7; SHORT];
        let (key, nonce) = (vec![7; parameters.aead.key_len()], vec![7; parameters.aead.nonce_len()]);
        let (secret, context) = (vec![7; suite.hash_len()], HpkeContext::base(&bytes));
        let (private, public) = suite.hpke_generate(&host.random).unwrap();
        let seal = || suite.hpke_seal(&context, &[], SealJob { public_key: &public, plaintext: &bytes }, &host.random);
        let sealed = seal().unwrap();
        let (hash, hash_byte) = line(|bytes| _ = black_box(suite.hash(&[bytes])));
        let (aead, aead_byte) = line(|bytes| suite.aead_seal(&key, &nonce, &[], &mut bytes.to_vec()).unwrap());
        let (sign, sign_byte) = sign(suite, &host);
        let (verify, verify_byte) = verify(suite, &host);
        Self {
            hash,
            hash_byte,
            mac: micros(|| _ = black_box(suite.mac(&secret, &[&bytes]))),
            kdf: micros(|| drop(black_box(suite.kdf_expand(&secret, &bytes, secret.len())))),
            aead,
            aead_byte,
            hpke_key: micros(|| drop(black_box(suite.hpke_generate(&host.random)))),
            hpke_seal: micros(|| drop(black_box(seal()))),
            hpke_open: micros(|| drop(black_box(suite.hpke_open(&context, &[], (&private, &public), &sealed)))),
            sign,
            sign_byte,
            verify,
            verify_byte,
            verify_batched: batched(suite, &host, SIGNERS),
            verify_ten_each: batched(suite, &host, SIGNERS / 10),
            verify_one_signer: batched(suite, &host, 1),
        }
    }

    fn lower(self, other: Self) -> Self {
        Self {
            hash: self.hash.min(other.hash),
            hash_byte: self.hash_byte.min(other.hash_byte),
            mac: self.mac.min(other.mac),
            kdf: self.kdf.min(other.kdf),
            aead: self.aead.min(other.aead),
            aead_byte: self.aead_byte.min(other.aead_byte),
            hpke_key: self.hpke_key.min(other.hpke_key),
            hpke_seal: self.hpke_seal.min(other.hpke_seal),
            hpke_open: self.hpke_open.min(other.hpke_open),
            sign: self.sign.min(other.sign),
            sign_byte: self.sign_byte.min(other.sign_byte),
            verify: self.verify.min(other.verify),
            verify_byte: self.verify_byte.min(other.verify_byte),
            verify_batched: self.verify_batched.min(other.verify_batched),
            verify_ten_each: self.verify_ten_each.min(other.verify_ten_each),
            verify_one_signer: self.verify_one_signer.min(other.verify_one_signer),
        }
    }

    /// The time of these calls in one step of the workload.
    pub fn floor(&self, workload: Workload, counts: &Counts) -> Floor {
        let verify = match counts.verifies {
            verifies if verifies < BATCH => self.verify,
            _ if workload == Workload::CatchUp => self.verify.min(self.verify_ten_each),
            _ if workload == Workload::CatchUpOne => self.verify.min(self.verify_one_signer),
            _ => self.verify.min(self.verify_batched),
        };
        let cost = |count: usize, each: f64| count as f64 * each;
        let bytes = |bytes: usize, calls: usize, each: f64| bytes.saturating_sub(calls * SHORT) as f64 * each;
        Floor {
            sign: cost(counts.signs, self.sign) + bytes(counts.signed, counts.signs, self.sign_byte),
            verify: cost(counts.verifies, verify) + bytes(counts.verified, counts.verifies, self.verify_byte),
            hpke: cost(counts.hpke_keys, self.hpke_key)
                + cost(counts.hpke_seals, self.hpke_seal)
                + cost(counts.hpke_opens, self.hpke_open),
            hash: cost(counts.hashes, self.hash)
                + bytes(counts.hashed, counts.hashes, self.hash_byte)
                + cost(counts.macs, self.mac)
                + cost(counts.kdf, self.kdf),
            aead: cost(counts.aead, self.aead) + bytes(counts.encrypted, counts.aead, self.aead_byte),
        }
    }
}

/// What the cryptography of one step costs, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// Signatures made.
    pub sign: f64,
    /// Signatures verified.
    pub verify: f64,
    /// Key pairs, seals and opens.
    pub hpke: f64,
    /// Hashes, MACs and derivations.
    pub hash: f64,
    /// Encryption outside HPKE.
    pub aead: f64,
}

impl Floor {
    /// All of it.
    pub fn total(&self) -> f64 {
        self.parts().iter().sum()
    }

    /// Signing, verifying, HPKE, hashing, encrypting.
    pub const fn parts(&self) -> [f64; 5] {
        [self.sign, self.verify, self.hpke, self.hash, self.aead]
    }
}

/// By the provider, or by aws-lc with a key that was read before, whichever is faster.
fn sign(suite: &dyn SuiteCrypto, host: &Host) -> (f64, f64) {
    let (private, public) = suite.signature_generate(&host.random).unwrap();
    let (each, byte) = line(|bytes| drop(black_box(suite.sign(&private, bytes))));
    let kept = Ed25519KeyPair::from_seed_and_public_key(private.secret().as_slice(), public.as_slice()).unwrap();
    let (kept, kept_byte) = line(|bytes| _ = black_box(kept.sign(bytes)));
    (each.min(kept), byte.min(kept_byte))
}

fn verify(suite: &dyn SuiteCrypto, host: &Host) -> (f64, f64) {
    let (private, public_key) = suite.signature_generate(&host.random).unwrap();
    let signatures = [SHORT, LONG].map(|len| suite.sign(&private, &vec![7; len]).unwrap());
    line(|message| {
        let signature = &signatures[usize::from(message.len() > SHORT)];
        suite.verify(SignedItem { public_key: &public_key, message, signature }).unwrap();
    })
}

/// Each of a batch of 256, by this many signers.
fn batched(suite: &dyn SuiteCrypto, host: &Host, signers: usize) -> f64 {
    let keys: Vec<_> = (0..signers).map(|_| suite.signature_generate(&host.random).unwrap()).collect();
    let signed: Vec<_> = (0..SIGNERS)
        .map(|place| {
            let (private, public) = &keys[place % signers];
            let message = vec![place as u8; SHORT];
            (suite.sign(private, &message).unwrap(), message, public)
        })
        .collect();
    let items: Vec<_> =
        signed.iter().map(|(signature, message, public_key)| SignedItem { public_key, message, signature }).collect();
    let mut best = Duration::MAX;
    for _ in 0..RUNS {
        let start = Instant::now();
        suite.verify_batch(&items).unwrap();
        best = best.min(start.elapsed());
    }
    best.as_secs_f64() * 1e6 / SIGNERS as f64
}

/// What one step of ours asks of cryptography, by workload; all of them in groups made the same way.
pub fn counts(cold: bool, workloads: &[Workload], suite: CipherSuite, members: u32) -> BTreeMap<Workload, Counts> {
    let counter = Counter::default();
    let make = |seed| -> Box<dyn Peer> {
        let crypto = CountingCrypto::new(Box::new(AwsLc::default()), &counter);
        let host = Host { crypto: Box::new(crypto), ..host(seed) };
        Box::new(Ours::with_host(&format!("counted {seed}"), host, suite))
    };
    let mut scene = Scene::new(cold, Impl::Ours.group(suite, members), &make);
    let mut counts = BTreeMap::new();
    for &workload in workloads {
        scene.prepare(workload);
        counter.take();
        scene.step(workload);
        counts.insert(workload, counter.take());
    }
    counts
}
