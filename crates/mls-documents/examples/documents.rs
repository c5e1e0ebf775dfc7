//! Two members keep a topic and pins together. `cargo run -p mls-documents --example documents` prints what both see.

use std::{error::Error, sync::Arc};

use mls_documents::{Author, Edit, GroupDocument, is_document};
use spacepanda_core::core_mls::{Client, MlsEnvelope, MlsHandle, TrustOnFirstUse, roles::GroupPolicy, roles::Role};

/// One member: a group, and the document of it.
struct Member {
    identity: &'static [u8],
    group: MlsHandle,
    document: GroupDocument,
}

impl Member {
    /// Makes an edit and sends it. An application keeps `GroupDocument::save` before it sends.
    fn edit(&mut self, edit: &Edit) -> Result<Option<MlsEnvelope>, Box<dyn Error>> {
        let policy = self.group.policy()?;
        let author = Author::new(self.identity, policy.as_ref());
        let Some(edited) = self.document.edit(&author, edit)? else { return Ok(None) };
        self.document = edited.document;
        Ok(Some(self.group.send_message(&edited.message)?))
    }

    /// Takes a message: an edit if it is one, and something said if not.
    fn receive(&mut self, message: &MlsEnvelope) -> Result<(), Box<dyn Error>> {
        let received = self.group.receive_message(message)?;
        if is_document(&received.plaintext) {
            let policy = self.group.policy()?;
            self.document =
                self.document.receive(&Author::new(&received.sender, policy.as_ref()), &received.plaintext)?;
        } else {
            println!("{}", String::from_utf8_lossy(&received.plaintext));
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
    let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
    let mut policy = GroupPolicy::new(b"alice");
    policy.set_role(b"bob", Role::Admin);
    let group = alice.create_group_with_policy(Some("tea"), &policy)?;
    group.propose_add(&bob.generate_key_package()?, b"bob")?;
    let (_, welcomes) = group.commit()?;
    let welcome = welcomes.first().ok_or("nobody was added")?;
    let mut bob = Member { identity: b"bob", group: bob.join_group(welcome)?, document: GroupDocument::new() };
    let mut alice = Member { identity: b"alice", group, document: GroupDocument::new() };
    // Both at the same time, and each hears of the other's edit later.
    let by_alice = [alice.edit(&Edit::SetTopic("Darjeeling".to_owned()))?, alice.edit(&Edit::Pin(b"7".to_vec()))?];
    let by_bob = [bob.edit(&Edit::SetTopic("Assam".to_owned()))?];
    for message in by_bob.iter().flatten() {
        alice.receive(message)?;
    }
    for message in by_alice.iter().flatten() {
        bob.receive(message)?;
    }
    let same = alice.document == bob.document && alice.document.topic() == bob.document.topic();
    println!("one topic: {same}; set so far: {}; pinned: {}", bob.document.topics()?.len(), bob.document.pins().len());
    if same { Ok(()) } else { Err("the documents differ".into()) }
}
