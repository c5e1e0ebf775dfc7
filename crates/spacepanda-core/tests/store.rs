//! Clients on a store: the one in memory keeps the contract, the one on disk outlives the client.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, sync::Arc};

use spacepanda_core::core_mls::{
    Client, MlsConfig, Secret, TrustOnFirstUse,
    store::{MemoryStore, OpenOptions, Space, Unlock},
};

#[test]
fn memory_store_conforms() {
    store_conformance::store_conformance(&|| Box::new(MemoryStore::new()));
}

fn client(identity: &str, dir: &Path) -> Client {
    let unlock = Unlock::raw_key(Secret::copy_from(&[7; 32])).unwrap();
    let nodes = |space: &Space, class| matches!(space, Space::Group(_)) && class == 2;
    let store = OpenOptions::new(unlock).public_classes(nodes).open(&dir.join(identity)).unwrap();
    let builder = Client::builder(identity.as_bytes(), Arc::new(TrustOnFirstUse::new()));
    builder.config(MlsConfig::interop()).store(Arc::new(store)).open().unwrap()
}

/// Both clients end and come back between any two steps.
#[test]
fn clients_go_on_from_the_durable_store() {
    let dir = std::env::temp_dir().join(format!("spacepanda-core-store-{}", std::process::id()));
    let (alice, bob) = (|| client("alice", &dir), || client("bob", &dir));
    let id = alice().create_group(Some("tea")).unwrap().group_id().to_vec();
    let package = bob().generate_key_package().unwrap();
    let welcome = {
        let group = alice().group(&id).unwrap();
        group.propose_add_batch(&[(package, b"bob".to_vec())]).unwrap();
        group.commit().unwrap().1.remove(0)
    };
    bob().join_group(&welcome).unwrap();
    for round in 0..3_u8 {
        let (sent, commit) = {
            let group = alice().group(&id).unwrap();
            let sent = group.send_message(&[round]).unwrap();
            group.propose_update().unwrap();
            (sent, group.commit().unwrap().0)
        };
        assert_eq!(bob().group(&id).unwrap().receive_message(&sent).unwrap().plaintext.as_slice(), [round]);
        bob().handle_incoming(&commit).unwrap();
        let answer = bob().group(&id).unwrap().send_message(b"answer").unwrap();
        let group = alice().group(&id).unwrap();
        assert_eq!(group.receive_message(&answer).unwrap().plaintext.as_slice(), b"answer");
        let view = |client: Client| client.group(&id).unwrap().epoch_authenticator().unwrap();
        drop(group);
        assert_eq!(view(alice()), view(bob()));
    }
    std::fs::remove_dir_all(dir).unwrap();
}
