use mls_crypto::{Hash, Secret};

use super::{Echo, Echoes, Sent};

fn id(n: u8) -> Hash {
    Hash::from_slice(&[n; 32]).unwrap()
}

fn hello() -> Sent {
    Sent { plaintext: Secret::copy_from(b"hello"), authenticated_data: Vec::new(), epoch: 3 }
}

fn plaintext(echoes: &mut Echoes, n: u8) -> Option<Vec<u8>> {
    match echoes.take(&id(n))? {
        Echo::First { sent, .. } => Some(sent.plaintext.as_slice().to_vec()),
        Echo::Again { .. } => None,
    }
}

/// CON-08
#[test]
fn gives_a_plaintext_once() {
    let mut echoes = Echoes::new(8, 100);
    echoes.put(id(1), 4, Some(hello()));
    assert!(matches!(echoes.take(&id(1)), Some(Echo::First { sent: Sent { epoch: 3, .. }, generation: 4 })));
    assert!(matches!(echoes.take(&id(1)), Some(Echo::Again { generation: 4 })));
    assert!(echoes.take(&id(2)).is_none());
}

/// CAP-24: what came back is still known, and what is forgotten takes no room.
#[test]
fn forgets_epochs() {
    let mut echoes = Echoes::new(2, 10);
    echoes.put(id(1), 0, Some(hello()));
    assert_eq!(plaintext(&mut echoes, 1).as_deref(), Some(&b"hello"[..]));
    echoes.put(id(2), 1, Some(hello()));
    echoes.forget_before(3);
    assert_eq!(echoes.bytes, 5);
    echoes.forget_before(4);
    assert_eq!((echoes.bytes, echoes.order.len()), (0, 1));
    assert!(matches!(echoes.take(&id(1)), Some(Echo::Again { generation: 0 })));
    assert!(echoes.take(&id(2)).is_none());
}

#[test]
fn forgets_the_oldest_beyond_its_bounds() {
    let mut by_count = Echoes::new(2, 100);
    let mut by_bytes = Echoes::new(100, 10);
    for n in 1..=3 {
        by_count.put(id(n), 0, Some(hello()));
        by_bytes.put(id(n), 0, Some(hello()));
    }
    for echoes in [&mut by_count, &mut by_bytes] {
        assert_eq!(plaintext(echoes, 1), None);
        assert_eq!(plaintext(echoes, 2).as_deref(), Some(&b"hello"[..]));
        assert_eq!(plaintext(echoes, 3).as_deref(), Some(&b"hello"[..]));
    }
    assert_eq!(by_bytes.bytes, 0);
}

#[test]
fn can_be_off() {
    let mut echoes = Echoes::new(0, 100);
    echoes.put(id(1), 0, Some(hello()));
    assert!(echoes.take(&id(1)).is_none());
}
