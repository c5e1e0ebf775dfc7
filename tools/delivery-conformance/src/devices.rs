//! Who is a device, and its key packages: each handed out once.

use std::collections::BTreeSet;

use mls_crypto::{CipherSuite, Opaque};
use mls_delivery::{
    Enrolment, GroupId, Invite, Rejection, UserId, ask,
    auth::Voucher,
    reply::{Claimed, Stock},
    request::{ClaimKeyPackages, Enrol, ListGroups, PublishKeyPackages},
};
use testkit::network::NewMember;

use crate::{Check, Device, World, block_on, join_all, world::START};

pub(crate) const CHECKS: [Check; 9] = [
    Check::new("who is not enrolled can do nothing", not_enrolled),
    Check::new("a further device of a user needs the word of one", vouchers),
    Check::new("an enrolment that is repeated is the same", repeated),
    Check::new("an invite lets in so many, for so long", invites),
    Check::new("a list of users lets in those", users),
    Check::new("a key package is handed out once, however many ask", claimed_once),
    Check::new("all devices of a user are claimed, as far as they have something", partial),
    Check::with("a device stores so many key packages", |limits| limits.max_key_packages = 2, stored),
    Check::new("a key package is handed out while it is good", expiry),
];

fn not_enrolled(world: &mut World<'_>) {
    let stranger = world.stranger("nobody");
    assert_eq!(world.ask(&stranger, ListGroups::default()), Err(Rejection::NotEnrolled));
    let group = crate::Group { id: GroupId::new(b"g") };
    assert_eq!(world.ask(&stranger, world.create(&group)), Err(Rejection::NotEnrolled));
    let other = world.stranger("other");
    let enrol = Enrol { user: other.user.clone(), key: other.key.clone(), invite: Opaque::default(), voucher: None };
    assert_eq!(world.ask(&stranger, enrol), Err(Rejection::Forbidden));
}

fn vouchers(world: &mut World<'_>) {
    let (phone, mallory) = (world.device("alice"), world.device("mallory"));
    let laptop = world.stranger("alice");
    assert_eq!(world.enrol(&laptop, None, b""), Err(Rejection::VoucherNeeded));
    let vouch = |by: &Device, user: &UserId, device| {
        Voucher::sign(world.crypto(), (&by.key, &by.private_key), user, device).unwrap()
    };
    let wrong = [
        vouch(&mallory, &laptop.user, laptop.id),
        vouch(&phone, &mallory.user, laptop.id),
        vouch(&phone, &laptop.user, mallory.id),
        Voucher { by: phone.id, ..vouch(&mallory, &laptop.user, laptop.id) },
    ];
    for voucher in wrong {
        assert_eq!(world.enrol(&laptop, Some(voucher), b""), Err(Rejection::VoucherNeeded));
    }
    assert_eq!(world.ask(&laptop, ListGroups::default()), Err(Rejection::NotEnrolled));
    let good = vouch(&phone, &laptop.user, laptop.id);
    assert_eq!(world.enrol(&laptop, Some(good), b""), Ok(laptop.id));
    world.ask(&laptop, ListGroups::default()).unwrap();
}

fn repeated(world: &mut World<'_>) {
    let alice = world.device("alice");
    assert_eq!(world.enrol(&alice, None, b""), Ok(alice.id));
    let renamed = Device { user: UserId::new(b"bob"), ..alice };
    assert_eq!(world.enrol(&renamed, None, b""), Err(Rejection::EnrolmentRefused));
}

fn invites(world: &mut World<'_>) {
    let invite = |token: &[u8], uses, expires| Invite { token: world.crypto().digest(token), uses, expires };
    let invites = vec![invite(b"pair", 2, START + 100), invite(b"stale", 9, START)];
    world.enrolling(Enrolment::Invites(invites));
    let enrol = |world: &World<'_>, user, token: &[u8]| {
        let device = world.stranger(user);
        world.enrol(&device, None, token).map(|_| ())
    };
    assert_eq!(enrol(world, "a", b"wrong"), Err(Rejection::EnrolmentRefused));
    assert_eq!(enrol(world, "a", b"stale"), Err(Rejection::EnrolmentRefused));
    assert_eq!(enrol(world, "a", b"pair"), Ok(()));
    // A name that is taken does not use it up.
    assert_eq!(enrol(world, "a", b"pair"), Err(Rejection::VoucherNeeded));
    world.reopen();
    assert_eq!(enrol(world, "b", b"pair"), Ok(()));
    assert_eq!(enrol(world, "c", b"pair"), Err(Rejection::EnrolmentRefused));
}

fn users(world: &mut World<'_>) {
    world.enrolling(Enrolment::Users(vec![UserId::new(b"alice")]));
    world.device("alice");
    let mallory = world.stranger("mallory");
    assert_eq!(world.enrol(&mallory, None, b""), Err(Rejection::EnrolmentRefused));
    world.enrolling(Enrolment::Closed);
    let alice = world.stranger("alice");
    assert_eq!(world.enrol(&alice, None, b""), Err(Rejection::EnrolmentRefused));
}

/// Key packages as a client makes them.
fn packages(count: u8, seed: u64) -> Vec<Opaque> {
    let client = NewMember::new("client", seed, CipherSuite::X25519_AES128);
    (0..count).map(|_| client.key_package().message().unwrap().into()).collect()
}

fn publish(world: &World<'_>, device: &Device, packages: &[Opaque], last: Option<&Opaque>) -> Result<Stock, Rejection> {
    world.ask(device, PublishKeyPackages { key_packages: packages.to_vec(), last_resort: last.cloned() })
}

fn claim(user: &str) -> ClaimKeyPackages {
    ClaimKeyPackages { user: UserId::new(user.as_bytes()), cipher_suite: CipherSuite::X25519_AES128 }
}

fn claimed_once(world: &mut World<'_>) {
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let made = packages(5, 1);
    let last = &packages(1, 2)[0];
    assert_eq!(publish(world, &bob, &made, Some(last)), Ok(Stock { single_use: 5, last_resort: 1 }));
    let asked = (0..40).map(|_| ask(world.service(), alice.id, claim("bob"))).collect();
    let mut given = Vec::new();
    let mut last_resorts = 0;
    for result in block_on(join_all(asked)) {
        let [device] = &result.unwrap().devices[..] else { panic!("bob has one device") };
        let package = device.key_package.clone().unwrap();
        match device.last_resort {
            0 => given.push(package),
            _ => {
                assert_eq!(&package, last);
                last_resorts += 1;
            }
        }
    }
    assert_eq!((given.len(), last_resorts), (5, 35));
    let all = |list: &[Opaque]| list.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(all(&given), all(&made));
    assert_eq!(publish(world, &bob, &[], None), Ok(Stock { single_use: 0, last_resort: 1 }));
}

fn partial(world: &mut World<'_>) {
    let phone = world.device("alice");
    let laptop = world.stranger("alice");
    let voucher = Voucher::sign(world.crypto(), (&phone.key, &phone.private_key), &phone.user, laptop.id).unwrap();
    world.enrol(&laptop, Some(voucher), b"").unwrap();
    publish(world, &laptop, &packages(1, 3), None).unwrap();
    let Claimed { devices } = world.ask(&phone, claim("alice")).unwrap();
    let has: Vec<_> = devices.iter().map(|device| (device.device, device.key_package.is_some())).collect();
    let mut expected = vec![(phone.id, false), (laptop.id, true)];
    expected.sort();
    assert_eq!(has, expected);
    assert_eq!(world.ask(&phone, claim("nobody")), Err(Rejection::Forbidden));
    publish(world, &laptop, &packages(1, 4), None).unwrap();
    let other = ClaimKeyPackages { cipher_suite: CipherSuite::P256_AES128, ..claim("alice") };
    let devices = world.ask(&phone, other).unwrap().devices;
    assert!(devices.iter().all(|device| device.key_package.is_none()), "a package of another suite");
}

fn stored(world: &mut World<'_>) {
    let alice = world.device("alice");
    let made = packages(3, 5);
    publish(world, &alice, &made[..2], Some(&packages(1, 6)[0])).unwrap();
    assert_eq!(publish(world, &alice, &made[2..], None), Err(Rejection::TooMany { count: 3, limit: 2 }));
    // The last resort is replaced, not added.
    let newer = &packages(1, 7)[0];
    let stock = publish(world, &alice, &[], Some(newer));
    assert_eq!(stock, Ok(Stock { single_use: 2, last_resort: 1 }));
    let given = [0; 3].map(|_| world.ask(&alice, claim("alice")).unwrap().devices.remove(0).key_package);
    assert_eq!(given.last().and_then(Option::as_ref), Some(newer));
    assert_eq!(publish(world, &alice, &[b"noise".into()], None), Err(Rejection::Malformed));
}

fn expiry(world: &mut World<'_>) {
    let alice = world.device("alice");
    publish(world, &alice, &packages(1, 8), Some(&packages(1, 9)[0])).unwrap();
    world.clock.advance(90 * 24 * 3_600);
    let devices = world.ask(&alice, claim("alice")).unwrap().devices;
    assert_eq!(devices[0].key_package, None);
    assert_eq!(publish(world, &alice, &packages(1, 10), None), Err(Rejection::KeyPackageExpired));
    world.sweep();
    assert_eq!(publish(world, &alice, &[], None), Ok(Stock { single_use: 0, last_resort: 0 }));
}
