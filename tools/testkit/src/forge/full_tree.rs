//! Full ratchet trees, made directly (RFC 9420, Sections 7 and 12.4.3).
//!
//! In: a size, a suite, and maybe one key package that joins. Out: a group of that many members in which every parent
//! over two members is set and nothing is unmerged, with the private keys of all.
//! Always: it is what a group looks like after its members committed one by one, from the last leaf to the first, so
//! that the parents on the way down the left side of a subtree were set together by its first leaf:
//!
//! ```text
//!         ●7                 set by leaf 0: 1, 3, 7
//!       ⟋    ⟍               set by leaf 2: 5
//!     ●3      ●11            set by leaf 4: 9, 11
//!    ⟋  ⟍    ⟋  ⟍            set by leaf 6: 13
//!   ●1   5  ●9   13
//!  0  2  4 6 8 10 12 14
//! ```

mod hashes;
mod nodes;
mod records;
mod welcome;

use std::collections::BTreeMap;

use mls_crypto::{CipherSuite, Hash, HpkePrivateKey, Opaque, Random, Secret, SignaturePrivateKey, SuiteCrypto, Tag};
use mls_engine::{
    codec::encode,
    math::NodeIndex,
    message::{Extensions, GroupContext, KeyPackage, ProtocolVersion},
    schedule::{EpochSecrets, JoinerSecret, PskSecret, confirmation_tag, interim_transcript_hash},
    tree::RatchetTree,
};

use crate::network::{Host, Records};
use nodes::Builder;

/// A group to be made.
#[derive(Clone, Debug)]
pub struct FullTree {
    /// Number of members.
    pub members: u32,
    /// The group's suite.
    pub cipher_suite: CipherSuite,
    /// The group's id.
    pub group_id: Vec<u8>,
    /// The epoch it is in.
    pub epoch: u64,
    /// Extensions of the group context.
    pub extensions: Extensions,
    /// Whose leaf is the second one; its owner joins by [`Forged::welcome`].
    pub joiner: Option<KeyPackage>,
}

/// A group and everything secret in it.
#[derive(Debug)]
pub struct Forged {
    /// The ratchet tree.
    pub tree: RatchetTree,
    /// The group context.
    pub context: GroupContext,
    /// The tag that confirms the transcript.
    pub confirmation_tag: Tag,
    /// The transcript with the tag.
    pub interim_transcript_hash: Hash,
    /// Where the key schedule of the epoch starts.
    pub joiner_secret: JoinerSecret,
    /// Private keys of the members, by leaf; none of the joiner.
    pub members: Vec<Option<MemberKeys>>,
    /// Private keys of parents.
    pub parents: BTreeMap<NodeIndex, HpkePrivateKey>,
    /// The path secret of the parent over the first two leaves.
    first_path_secret: Option<Secret>,
    joiner: Option<KeyPackage>,
    rows: Records,
}

/// What one member has alone.
#[derive(Debug)]
pub struct MemberKeys {
    /// Key of its leaf.
    pub leaf_key: HpkePrivateKey,
    /// Key it signs with.
    pub signature_key: SignaturePrivateKey,
}

impl FullTree {
    /// A group of this many members, all of them forged.
    pub fn new(members: u32, cipher_suite: CipherSuite) -> Self {
        let (group_id, extensions) = (b"forged group".to_vec(), Extensions::new());
        Self { members, cipher_suite, group_id, epoch: u64::from(members), extensions, joiner: None }
    }

    /// The same with `key_package` at the second leaf. Any other place would have keys between it and the first leaf
    /// that a Welcome cannot give.
    #[must_use]
    pub fn with_joiner(self, key_package: &KeyPackage) -> Self {
        assert!(self.members > 1, "the joiner takes the second leaf");
        Self { joiner: Some(key_package.clone()), ..self }
    }

    /// Makes the group. `host` gives cryptography, randomness and the time that the leaves are valid at.
    pub fn forge(&self, host: &Host) -> Forged {
        let suite = host.crypto.suite(self.cipher_suite).unwrap();
        let suite = suite.as_ref();
        let built = Builder::new(self, host, suite).build();
        let tree = RatchetTree::decode(suite, &encode(&built.nodes).unwrap()).unwrap();
        assert_eq!(tree.tree_hash(), built.tree_hash, "the engine and the forge agree on tree hashes");
        let context = self.context(built.tree_hash, &random_secret(host, suite));
        let joiner_secret = JoinerSecret::from_secret(random_secret(host, suite));
        let confirmed = context.confirmed_transcript_hash;
        let secrets = epoch_secrets(suite, &joiner_secret, &context);
        let confirmation_tag = confirmation_tag(suite, &secrets.confirmation_key, &confirmed);
        Forged {
            interim_transcript_hash: interim_transcript_hash(suite, &confirmed, &confirmation_tag).unwrap(),
            rows: records::rows(&tree),
            tree,
            context,
            confirmation_tag,
            joiner_secret,
            members: built.members,
            parents: built.parents,
            first_path_secret: built.first_path_secret,
            joiner: self.joiner.clone(),
        }
    }

    fn context(&self, tree_hash: Hash, transcript: &Secret) -> GroupContext {
        GroupContext {
            version: ProtocolVersion::MLS10,
            cipher_suite: self.cipher_suite,
            group_id: Opaque::from(self.group_id.as_slice()),
            epoch: self.epoch,
            tree_hash,
            confirmed_transcript_hash: Hash::from_slice(transcript.as_slice()).unwrap(),
            extensions: self.extensions.clone(),
        }
    }
}

impl Forged {
    /// The secrets of the epoch.
    pub fn epoch_secrets(&self, suite: &dyn SuiteCrypto) -> EpochSecrets {
        epoch_secrets(suite, &self.joiner_secret, &self.context)
    }

    /// The private keys of the parents above a leaf, from the lowest up.
    pub fn path_keys(&self, leaf: NodeIndex) -> Vec<(NodeIndex, &HpkePrivateKey)> {
        let leaves = self.tree.leaf_count();
        let above = std::iter::successors(leaf.parent(leaves), |node| node.parent(leaves));
        above.filter_map(|node| Some((node, self.parents.get(&node)?))).collect()
    }
}

/// The identity of a forged member.
fn name(leaf: u32) -> String {
    format!("forged {leaf}")
}

/// Section 8, from the joiner secret on, without PSKs.
fn epoch_secrets(suite: &dyn SuiteCrypto, joiner_secret: &JoinerSecret, context: &GroupContext) -> EpochSecrets {
    let context = encode(context).unwrap();
    let (_, epoch_secret) = joiner_secret.welcome_and_epoch(suite, &PskSecret::none(suite), &context).unwrap();
    epoch_secret.split(suite).unwrap()
}

fn random_secret(host: &Host, suite: &dyn SuiteCrypto) -> Secret {
    let mut secret = Secret::zero(suite.hash_len());
    host.random.fill(secret.as_mut_slice()).unwrap();
    secret
}
