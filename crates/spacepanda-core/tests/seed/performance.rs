//! PERF: the work whose time is measured by the benchmarks, done once with the default suite. No clock is asked.

use spacepanda_core::core_mls::MlsConfig;

use crate::support::{assert_agree, assert_opens, client_with, group_of, pair_with};

/// PERF-01
#[test]
fn perf_01_a_hundred_messages_are_opened() {
    let (alice, bob) = pair_with(&MlsConfig::default());
    for n in 0..100_u32 {
        let message = bob.receive_message(&alice.send_message(&n.to_be_bytes()).unwrap()).unwrap();
        assert_eq!((message.plaintext, message.generation), (n.to_be_bytes().to_vec(), n));
    }
}

/// PERF-02
#[test]
fn perf_02_twenty_members_join_by_one_commit() {
    let clients: Vec<_> = (0..21).map(|n| client_with(&format!("member {n}"), &MlsConfig::default())).collect();
    let handles = group_of(&clients.iter().collect::<Vec<_>>());
    assert_eq!(handles.len(), 21);
    assert_agree(&handles.iter().collect::<Vec<_>>());
}

/// PERF-03
#[test]
fn perf_03_a_mebibyte_is_opened() {
    let (alice, bob) = pair_with(&MlsConfig::default());
    let plaintext = vec![0x5A; 1 << 20];
    assert_opens(&bob, &alice.send_message(&plaintext).unwrap(), &plaintext);
}
