//! Any member of a forged group, opened from records that this file writes.
//!
//! In: a forged group and a leaf. Out: the records of that member, as the engine would have left them.
//!
//! ```text
//! Header      version u16 = 1 · GroupContext · interim_transcript_hash<V> · confirmation_tag<V> · depth u8
//!             · own leaf u32 · status u8 = 1 · signature private key<V>
//! Node        by tree hash: rows of the tree
//! Epoch       vector of init, sender data, exporter, external, confirm, membership, resumption, authentication
//! SecretNode  root of the secret tree: encryption_secret
//! PathKey     by node index: private keys of the leaf and of every parent above it
//! ```

use mls_crypto::{Opaque, Secret};
use mls_engine::{
    codec::encode,
    group::{Group, RecordClass, RecordKey},
    math::{LeafIndex, NodeIndex},
    tree::RatchetTree,
};

use super::Forged;
use crate::network::{Host, Member, Records};

/// Version of the records.
const VERSION: u16 = 1;
/// Status of a member that may send.
const ACTIVE: u8 = 1;

impl Forged {
    /// The member at `leaf`, on this host. `None` for the joiner, which has a Welcome.
    pub fn member(&self, leaf: u32, host: Host) -> Option<Member> {
        let records = self.records(leaf, &host)?;
        let group = Group::load(&host.env(), &records).unwrap();
        Some(Member { name: super::name(leaf), host, group, records })
    }

    /// The records of the member at `leaf`.
    pub fn records(&self, leaf: u32, host: &Host) -> Option<Records> {
        let keys = self.members[leaf as usize].as_ref()?;
        let suite = host.crypto.suite(self.context.cipher_suite).unwrap();
        let secrets = self.epoch_secrets(suite.as_ref());
        let epoch = self.context.epoch;
        let mut records = self.rows.clone();
        let mut put = |class, epoch, id: &[u8], value: Vec<u8>| {
            records.rows.insert(RecordKey { class, epoch, id: id.to_vec() }, value);
        };
        put(RecordClass::Header, 0, &[], self.header(leaf, keys.signature_key.secret()));
        let of_epoch = [
            secrets.init_secret.as_secret(),
            secrets.sender_data_secret.as_secret(),
            secrets.exporter_secret.as_secret(),
            secrets.external_secret.as_secret(),
            secrets.confirmation_key.as_secret(),
            secrets.membership_key.as_secret(),
            secrets.resumption_psk.as_secret(),
            secrets.epoch_authenticator.as_secret(),
        ];
        let of_epoch: Vec<_> = of_epoch.map(bytes).into();
        put(RecordClass::Epoch, epoch, &[], encode(&of_epoch).unwrap());
        let root = self.tree.leaf_count().root();
        let encryption_secret = secrets.encryption_secret.as_secret().as_slice().to_vec();
        put(RecordClass::SecretNode, epoch, &id(root), encryption_secret);
        let own = LeafIndex::new(leaf).node().unwrap();
        put(RecordClass::PathKey, 0, &id(own), keys.leaf_key.secret().as_slice().to_vec());
        for (node, key) in self.path_keys(own) {
            put(RecordClass::PathKey, 0, &id(node), key.secret().as_slice().to_vec());
        }
        Some(records)
    }

    fn header(&self, leaf: u32, signature_key: &Secret) -> Vec<u8> {
        let parts = [
            VERSION.to_be_bytes().to_vec(),
            encode(&self.context).unwrap(),
            encode(&self.interim_transcript_hash).unwrap(),
            encode(&self.confirmation_tag).unwrap(),
            vec![self.tree.depth()],
            leaf.to_be_bytes().to_vec(),
            vec![ACTIVE],
            encode(&bytes(signature_key)).unwrap(),
        ];
        parts.concat()
    }
}

/// The public nodes, the same for every member.
pub(super) fn rows(tree: &RatchetTree) -> Records {
    let mut records = Records::default();
    for row in tree.rows_not_in(None).unwrap() {
        let key = RecordKey { class: RecordClass::Node, epoch: 0, id: row.tree_hash.as_slice().to_vec() };
        records.rows.insert(key, row.value);
    }
    records
}

fn id(node: NodeIndex) -> [u8; 4] {
    node.get().to_be_bytes()
}

fn bytes(secret: &Secret) -> Opaque {
    Opaque::from(secret.as_slice())
}
