//! The client's own key packages: enough of them, none used twice, and a reason for every Welcome that fits none.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "tests")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use spacepanda_core::core_mls::{
    Client, Clock, MlsConfig, MlsEnvelope, MlsError, MlsHandle, NewKeyPackages, Secret, TrustOnFirstUse,
    store::{Key, MemoryStore, Section, Space, StateStore, StoreError, Write},
};
use store_conformance::FailingStore;

const DAY: u64 = 24 * 3600;

/// Days since the beginning.
#[derive(Debug, Default)]
struct Days(AtomicU64);

impl Days {
    fn set(&self, days: u64) {
        self.0.store(days, Ordering::Relaxed);
    }
}

impl Clock for Days {
    fn now(&self) -> u64 {
        1_700_000_000 + self.0.load(Ordering::Relaxed) * DAY
    }
}

fn client(name: &[u8], clock: &Arc<Days>, store: Arc<dyn StateStore>) -> Client {
    let mut config = MlsConfig::interop();
    config.key_package_target = 4;
    config.key_package_low_water = 2;
    let builder = Client::builder(name, Arc::new(TrustOnFirstUse::new())).config(config);
    builder.clock(Arc::<Days>::clone(clock)).store(store).open().unwrap()
}

fn bob(clock: &Arc<Days>) -> Client {
    client(b"bob", clock, Arc::new(MemoryStore::new()))
}

/// A Welcome to a group of its own, for who made the key package.
fn welcome(clock: &Arc<Days>, key_package: &[u8]) -> (MlsHandle, MlsEnvelope) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("alice {}", NEXT.fetch_add(1, Ordering::Relaxed));
    let group = client(name.as_bytes(), clock, Arc::new(MemoryStore::new())).create_group(None).unwrap();
    group.propose_add(key_package, b"bob").unwrap();
    let (_, mut welcomes) = group.commit().unwrap();
    (group, welcomes.remove(0))
}

fn made(new: &NewKeyPackages) -> (usize, bool, usize) {
    (new.key_packages.len(), new.last_resort.is_some(), new.deleted)
}

#[test]
fn as_many_as_are_missing_are_made() {
    let clock = Arc::default();
    let bob = bob(&clock);
    let new = bob.replenish_key_packages(None).unwrap();
    assert_eq!(made(&new), (4, true, 0));
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (0, false, 0));
    for package in &new.key_packages[..2] {
        bob.join_group(&welcome(&clock, package).1).unwrap();
    }
    let pool = bob.key_package_pool().unwrap();
    assert_eq!((pool.unused, pool.last_resort, pool.is_low), (2, true, true));
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (2, false, 0));
}

/// What others claimed without a Welcome is still ours to join with, and is made up for: within bounds.
#[test]
fn the_delivery_service_may_say_how_many_are_left() {
    let bob = bob(&Arc::default());
    bob.replenish_key_packages(None).unwrap();
    assert_eq!(made(&bob.replenish_key_packages(Some(3)).unwrap()), (0, false, 0));
    assert_eq!(made(&bob.replenish_key_packages(Some(1)).unwrap()), (3, false, 0));
    let mut total = 7;
    for _ in 0..10 {
        total += bob.replenish_key_packages(Some(0)).unwrap().key_packages.len();
    }
    assert_eq!(total, 16);
}

#[test]
fn a_used_package_is_gone_and_said_to_be() {
    let clock = Arc::default();
    let bob = bob(&clock);
    let package = bob.generate_key_package().unwrap();
    let (first, second) = (welcome(&clock, &package).1, welcome(&clock, &package).1);
    bob.join_group(&first).unwrap();
    assert_eq!(bob.join_group(&second).err(), Some(MlsError::KeyPackageUsed));
    assert_eq!(bob.join_group(&first).err(), Some(MlsError::GroupExists));
    let carol = client(b"carol", &clock, Arc::new(MemoryStore::new()));
    assert_eq!(carol.join_group(&second).err(), Some(MlsError::NotForUs));
}

/// DEL-11, WEL-22: the package goes with the join that is durable, not before.
#[test]
fn a_join_that_fails_keeps_the_package() {
    let clock = Arc::default();
    let store = Arc::new(FailingStore::default());
    let bob = client(b"bob", &clock, Arc::<FailingStore>::clone(&store));
    let (group, welcome) = welcome(&clock, &bob.generate_key_package().unwrap());
    store.fail(true);
    assert_eq!(bob.join_group(&welcome).err(), Some(MlsError::Store(StoreError::Unavailable)));
    assert!(bob.generate_key_package().is_err());
    store.fail(false);
    assert_eq!(bob.key_package_count().unwrap(), 1);
    assert_eq!(bob.join_group(&welcome).unwrap().epoch(), group.epoch());
    assert_eq!(bob.key_package_count().unwrap(), 0);
}

/// KP-14: the package of last resort serves more than one Welcome, is replaced once it was used, and goes after the grace.
#[test]
fn the_last_resort_is_rotated_after_use() {
    let clock = Arc::<Days>::default();
    let bob = bob(&clock);
    let last_resort = bob.replenish_key_packages(None).unwrap().last_resort.unwrap();
    bob.join_group(&welcome(&clock, &last_resort).1).unwrap();
    assert!(!bob.key_package_pool().unwrap().last_resort);
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (0, true, 0));
    // Somebody else took it before it was replaced.
    bob.join_group(&welcome(&clock, &last_resort).1).unwrap();
    let late = welcome(&clock, &last_resort).1;
    clock.set(6);
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (0, false, 0));
    clock.set(8);
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (0, false, 1));
    assert_eq!(bob.join_group(&late).err(), Some(MlsError::KeyPackageUsed));
}

#[test]
fn packages_run_out() {
    let clock = Arc::<Days>::default();
    let bob = bob(&clock);
    let package = bob.replenish_key_packages(None).unwrap().key_packages.remove(0);
    let (late, too_late) = (welcome(&clock, &package).1, welcome(&clock, &package).1);
    assert_eq!(bob.key_package_pool().unwrap().next_expiry, Some(clock.now() + 28 * DAY));
    // A quarter of its life is left: time for another one of last resort.
    clock.set(22);
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (0, true, 0));
    clock.set(29);
    assert_eq!(made(&bob.replenish_key_packages(None).unwrap()), (4, false, 0));
    // Not on offer any more, but a Welcome may have been on its way.
    bob.join_group(&late).unwrap();
    clock.set(36);
    assert_eq!(bob.delete_expired_key_packages().unwrap(), 4);
    assert_eq!(bob.join_group(&too_late).err(), Some(MlsError::KeyPackageUsed));

    let package = bob.generate_key_package().unwrap();
    let too_late = welcome(&clock, &package).1;
    clock.set(36 + 28 + 8);
    bob.replenish_key_packages(None).unwrap();
    assert_eq!(bob.join_group(&too_late).err(), Some(MlsError::KeyPackageExpired));
}

/// Two processes take the same package for two groups: one of them joins.
#[test]
fn a_package_is_used_once_by_all_processes() {
    let clock = Arc::<Days>::default();
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let bob = client(b"bob", &clock, Arc::clone(&store));
    for _ in 0..8 {
        let package = bob.generate_key_package().unwrap();
        let welcomes = [welcome(&clock, &package).1, welcome(&clock, &package).1];
        let joined: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = welcomes
                .iter()
                .map(|welcome| {
                    let bob = client(b"bob", &clock, Arc::clone(&store));
                    scope.spawn(move || bob.join_group(welcome).map(|_| ()))
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(joined.iter().filter(|joined| joined.is_ok()).count(), 1, "{joined:?}");
        assert!(joined.contains(&Err(MlsError::KeyPackageUsed)), "{joined:?}");
    }
}

/// What went is remembered, and not without end.
#[test]
fn what_is_remembered_is_bounded() {
    let clock = Arc::<Days>::default();
    let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
    let bob = client(b"bob", &clock, Arc::clone(&store));
    let remembered = || store.scan(&Space::Client, 5, None).unwrap().len();
    let record = Secret::copy_from(&[0; 16]);
    let expected = store.spaces(Some(&Space::Client)).unwrap()[0].1;
    let key = |number: u32| Key { class: 5, epoch: 0, id: number.to_be_bytes().to_vec() };
    let writes = (0..5_000).map(|number| Write::Put(key(number), &record)).collect();
    store.apply(&[Section { space: Space::Client, expected, writes }]).unwrap();
    assert_eq!(remembered(), 5_000);
    bob.replenish_key_packages(None).unwrap();
    assert_eq!(remembered(), 4_096);
}
