//! What the operations of a suite cost, native beside portable.
//!
//! `cargo bench -p mls-crypto-aws-lc`, then read `<operation>/<suite>/<provider>`. Figures are for one core.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a benchmark")]

use std::{hint::black_box, sync::Arc};

use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};
use mls_crypto::{
    CipherSuite, CryptoProvider, HpkeContext, HpkePrivateKey, HpkePublicKey, SealJob, SignaturePrivateKey,
    SignaturePublicKey, SignedItem, SuiteCrypto,
};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_crypto_rust::RustCrypto;

const SUITES: [CipherSuite; 3] = [CipherSuite::X25519_AES128, CipherSuite::P256_AES128, CipherSuite::XWING_AES256];
const INFO: &[u8] = &[7; 200];
const BASE: HpkeContext<'static> = HpkeContext::base(INFO);
const MESSAGE: &[u8] = &[8; 300];
const PATH_SECRET: &[u8] = &[9; 32];

fn providers(cipher_suite: CipherSuite) -> [(&'static str, Arc<dyn SuiteCrypto>); 2] {
    [
        ("aws-lc", AwsLc::default().suite(cipher_suite).unwrap()),
        ("rust", RustCrypto::default().suite(cipher_suite).unwrap()),
    ]
}

/// Runs `work` for each suite and provider.
fn each(
    criterion: &mut Criterion,
    operation: &str,
    suites: &[CipherSuite],
    work: impl Fn(&mut BenchmarkGroup<'_, WallTime>, &str, &dyn SuiteCrypto),
) {
    for cipher_suite in suites {
        let mut group = criterion.benchmark_group(format!("{operation}/{:04x}", cipher_suite.0));
        for (name, suite) in providers(*cipher_suite) {
            work(&mut group, name, suite.as_ref());
        }
    }
}

fn seal(criterion: &mut Criterion) {
    each(criterion, "seal", &SUITES, |group, name, suite| {
        let (_, public_key) = suite.hpke_generate(&OsRandom).unwrap();
        let job = SealJob { public_key: &public_key, plaintext: PATH_SECRET };
        group.bench_function(name, |bencher| bencher.iter(|| suite.hpke_seal(&BASE, &[], black_box(job), &OsRandom)));
    });
}

fn seal_many(criterion: &mut Criterion) {
    each(criterion, "seal_many_100", &SUITES, |group, name, suite| {
        let keys: Vec<(HpkePrivateKey, HpkePublicKey)> =
            (0..100).map(|_| suite.hpke_generate(&OsRandom).unwrap()).collect();
        let jobs: Vec<SealJob<'_>> =
            keys.iter().map(|(_, public_key)| SealJob { public_key, plaintext: PATH_SECRET }).collect();
        group.bench_function(name, |bencher| bencher.iter(|| suite.hpke_seal_many(INFO, black_box(&jobs), &OsRandom)));
    });
}

fn open(criterion: &mut Criterion) {
    each(criterion, "open", &SUITES, |group, name, suite| {
        let (private_key, public_key) = suite.hpke_generate(&OsRandom).unwrap();
        let job = SealJob { public_key: &public_key, plaintext: PATH_SECRET };
        let sealed = suite.hpke_seal(&BASE, &[], job, &OsRandom).unwrap();
        group.bench_function(name, |bencher| {
            bencher.iter(|| suite.hpke_open(&BASE, &[], (&private_key, &public_key), black_box(&sealed)));
        });
    });
}

fn sign(criterion: &mut Criterion) {
    each(criterion, "sign", &SUITES[..2], |group, name, suite| {
        let (private_key, _) = suite.signature_generate(&OsRandom).unwrap();
        group.bench_function(name, |bencher| bencher.iter(|| suite.sign(&private_key, black_box(MESSAGE))));
    });
}

fn verify(criterion: &mut Criterion) {
    each(criterion, "verify", &SUITES[..2], |group, name, suite| {
        let signed = signed(suite, 1, 1);
        group.bench_function(name, |bencher| bencher.iter(|| suite.verify(black_box(signed.items()[0]))));
    });
}

fn verify_batch(criterion: &mut Criterion) {
    for (signatures, keys) in [(64, 64), (1024, 1024), (1024, 1)] {
        let operation = format!("verify_{signatures}_of_{keys}_keys");
        each(criterion, &operation, &SUITES[..1], |group, name, suite| {
            let signed = signed(suite, signatures, keys);
            let items = signed.items();
            group.bench_function(name, |bencher| bencher.iter(|| suite.verify_batch(black_box(&items))));
        });
    }
}

fn expand(criterion: &mut Criterion) {
    each(criterion, "expand", &SUITES[..1], |group, name, suite| {
        let secret = suite.kdf_extract(&[], PATH_SECRET);
        group.bench_function(name, |bencher| {
            bencher.iter(|| suite.kdf_expand(black_box(secret.as_slice()), b"MLS 1.0 secret", 32));
        });
    });
}

/// Signatures over [`MESSAGE`], with the keys taking turns.
struct Signed {
    keys: Vec<(SignaturePrivateKey, SignaturePublicKey)>,
    signatures: Vec<Vec<u8>>,
}

impl Signed {
    fn items(&self) -> Vec<SignedItem<'_>> {
        let turns = self.keys.iter().cycle().zip(&self.signatures);
        turns.map(|((_, public_key), signature)| SignedItem { public_key, message: MESSAGE, signature }).collect()
    }
}

fn signed(suite: &dyn SuiteCrypto, signatures: usize, keys: usize) -> Signed {
    let keys: Vec<_> = (0..keys).map(|_| suite.signature_generate(&OsRandom).unwrap()).collect();
    let turns = keys.iter().cycle().take(signatures);
    let signatures = turns.map(|(private_key, _)| suite.sign(private_key, MESSAGE).unwrap()).collect();
    Signed { keys, signatures }
}

criterion_group!(benches, seal, seal_many, open, sign, verify, verify_batch, expand);
criterion_main!(benches);
