use mls_crypto::Hash;

use super::Duplicates;

fn id(n: u8) -> Hash {
    Hash::from_slice(&[n; 32]).unwrap()
}

#[test]
fn forgets_the_oldest_first() {
    let mut duplicates = Duplicates::new(2);
    for n in [1, 1, 2] {
        duplicates.insert(id(n));
    }
    assert!(duplicates.contains(&id(1)) && duplicates.contains(&id(2)));
    duplicates.insert(id(3));
    assert!(!duplicates.contains(&id(1)));
    assert!(duplicates.contains(&id(2)) && duplicates.contains(&id(3)));
    assert_eq!(duplicates.known.len(), 2);
}

#[test]
fn can_be_off() {
    let mut duplicates = Duplicates::new(0);
    duplicates.insert(id(1));
    assert!(!duplicates.contains(&id(1)));
}
