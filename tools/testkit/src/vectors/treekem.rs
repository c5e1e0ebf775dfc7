//! `treekem.json`: paths received by every member, and paths made anew (RFC 9420, Sections 7.4 to 7.6).

use std::collections::{BTreeMap, BTreeSet};

use mls_crypto::{CipherSuite, CryptoProvider, Hash, HpkePrivateKey, Secret, SignaturePrivateKey, SuiteCrypto, label};
use mls_engine::{
    codec::{decode_exact, encode},
    math::{LeafIndex, NodeIndex},
    message::{Extensions, GroupContext, LeafNode, ProtocolVersion, UpdatePath},
    policy::Env,
    tree::{PathCreated, PathKeys, PathReceived, PathSigner, Provisional, RatchetTree, TreePrivate},
};
use serde::Deserialize;

use super::{
    Failure, Hex,
    host::Host,
    keys::{hpke_key, signature_key},
    outcome::{At, Outcome, equal, same},
};

/// A tree, what its members know in secret, and a path from each of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    group_id: Hex,
    epoch: u64,
    confirmed_transcript_hash: Hex,
    ratchet_tree: Hex,
    leaves_private: Vec<LeafPrivate>,
    update_paths: Vec<Path>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LeafPrivate {
    index: u32,
    encryption_priv: Hex,
    signature_priv: Hex,
    path_secrets: Vec<NodeSecret>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeSecret {
    node: u32,
    path_secret: Hex,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Path {
    sender: u32,
    update_path: Hex,
    path_secrets: Vec<Option<Hex>>,
    commit_secret: Hex,
    tree_hash_after: Hex,
}

/// A member's secrets: of the tree, and for signing.
struct Member {
    tree: TreePrivate,
    signature_key: SignaturePrivateKey,
}

/// What all steps of a case need.
struct Bench<'a> {
    case: &'a Case,
    env: Env<'a>,
    suite: &'a dyn SuiteCrypto,
    tree: RatchetTree,
    members: BTreeMap<LeafIndex, Member>,
}

/// The private states fit the tree; every path opens at every other member, as does a new one by the same sender.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let host = Host::default();
    let tree = RatchetTree::decode(&*suite, &case.ratchet_tree)?;
    let members = case.leaves_private.iter().map(|leaf| {
        let index = LeafIndex::new(leaf.index);
        member(leaf, &*suite, &tree).at(format!("leaf {index}")).map(|member| (index, member))
    });
    let members = members.collect::<Result<BTreeMap<_, _>, _>>()?;
    equal(
        "members",
        members.keys().copied().collect(),
        tree.members().iter().map(|(index, _)| *index).collect::<Vec<_>>(),
    )?;
    let bench = Bench { case, env: host.env(provider), suite: &*suite, tree, members };
    for path in &case.update_paths {
        bench.received(path).at(format!("path of {}", path.sender))?;
        bench.created(LeafIndex::new(path.sender)).at(format!("new path of {}", path.sender))?;
    }
    Ok(())
}

/// Builds a member's private state; each private key must belong to the public key in the tree.
fn member(case: &LeafPrivate, suite: &dyn SuiteCrypto, tree: &RatchetTree) -> Result<Member, Failure> {
    let index = LeafIndex::new(case.index);
    let leaf = tree.leaf(index).at("leaf")?;
    let leaf_key = hpke_key(suite, &case.encryption_priv);
    let signature_key = signature_key(suite, &case.signature_priv);
    equal("encryption_priv", suite.hpke_public_key(&leaf_key)?, leaf.encryption_key.clone())?;
    equal("signature_priv", suite.signature_public_key(&signature_key)?, leaf.signature_key.clone())?;
    let mut path_keys = Vec::new();
    for NodeSecret { node, path_secret } in &case.path_secrets {
        let node = NodeIndex::new(*node);
        let private = node_key(suite, path_secret)?;
        let parent = tree.parent(node).at(format!("node {node:?}"))?;
        equal(format!("key of {node:?}"), suite.hpke_public_key(&private)?, parent.encryption_key.clone())?;
        path_keys.push((node, private));
    }
    Ok(Member { tree: TreePrivate::from_parts(index, leaf_key, path_keys), signature_key })
}

/// The private key that a path secret stands for (Section 7.4).
fn node_key(suite: &dyn SuiteCrypto, path_secret: &Hex) -> Result<HpkePrivateKey, Failure> {
    let node_secret = label::derive_secret(suite, &Secret::copy_from(path_secret), "node")?;
    Ok(suite.hpke_derive_key_pair(node_secret.as_slice())?.0)
}

impl Bench<'_> {
    /// A path of the file.
    fn received(&self, path: &Path) -> Outcome {
        let sender = LeafIndex::new(path.sender);
        let update_path: UpdatePath = decode_exact(&path.update_path)?;
        same("encoded again", encode(&update_path)?, &path.update_path)?;
        let merged = self.merge(sender, &update_path)?;
        same("tree_hash_after", merged.tree_hash(), &path.tree_hash_after)?;
        let context = self.context(&merged)?;
        for (number, path_secret) in (0..).zip(&path.path_secrets) {
            let receiver = LeafIndex::new(number);
            let place = format!("path_secrets[{number}]");
            let expected = receiver != sender && self.members.contains_key(&receiver);
            equal(&place, path_secret.is_some(), expected)?;
            if let Some(path_secret) = path_secret {
                let PathReceived { change, commit_secret } =
                    self.open(receiver, sender, &update_path, &context).at(&place)?;
                let (_, lowest) = change.path_keys.first().at(&place)?;
                same(&place, lowest.secret().as_slice(), node_key(self.suite, path_secret)?.secret().as_slice())?;
                same("commit_secret", commit_secret.as_slice(), &path.commit_secret)?;
                self.fits(&change.path_keys, &merged).at(&place)?;
            }
        }
        Ok(())
    }

    /// A path that we make for the same sender.
    fn created(&self, sender: LeafIndex) -> Outcome {
        let none = BTreeSet::new();
        let signer = PathSigner {
            index: sender,
            group_id: &self.case.group_id,
            leaf: self.tree.leaf(sender).at("sender's leaf")?.clone(),
            signature_key: &self.members[&sender].signature_key,
        };
        let created = PathCreated::new(&self.env, self.suite, &self.tree, signer)?;
        let context = self.context(&created.tree)?;
        let update_path = created.seal(
            &self.env,
            self.suite,
            Provisional { tree: &self.tree, committer: sender, added: &none },
            &context,
        )?;
        let merged = self.merge(sender, &update_path)?;
        same("tree hash", merged.tree_hash(), created.tree.tree_hash())?;
        self.fits(&created.change.path_keys, &merged)?;
        let leaf_key = created.change.leaf_key.as_ref().at("leaf key")?;
        equal("leaf key", self.suite.hpke_public_key(leaf_key)?, update_path.leaf_node.encryption_key.clone())?;
        for receiver in self.members.keys().filter(|receiver| **receiver != sender) {
            let received = self.open(*receiver, sender, &update_path, &context).at(format!("at {receiver}"))?;
            same("commit secret", received.commit_secret.as_slice(), created.commit_secret.as_slice())?;
            self.fits(&received.change.path_keys, &merged)?;
        }
        Ok(())
    }

    /// The tree with a path merged; the parent hash and the signature of its leaf are checked. Capabilities are not:
    /// in this file, those of suite 7 do not list their own suite.
    fn merge(&self, sender: LeafIndex, path: &UpdatePath) -> Result<RatchetTree, Failure> {
        let leaf = &path.leaf_node;
        let tbs = leaf.tbs(&self.case.group_id, sender)?;
        let (label, signature) = (LeafNode::SIGNATURE_LABEL, leaf.signature.as_slice());
        label::verify_with_label(self.suite, &leaf.signature_key, label, &tbs, signature).at("leaf of the path")?;
        Ok(self.tree.merge_update_path(self.suite, sender, path, &BTreeSet::new())?)
    }

    fn open(
        &self,
        receiver: LeafIndex,
        sender: LeafIndex,
        path: &UpdatePath,
        context: &[u8],
    ) -> Result<PathReceived, Failure> {
        let private = &self.members[&receiver].tree;
        let provisional = Provisional { tree: &self.tree, committer: sender, added: &BTreeSet::new() };
        Ok(PathKeys { private, own_update: None }.open(self.suite, provisional, path, context)?)
    }

    /// Private keys belong to the public keys of the tree.
    fn fits(&self, keys: &[(NodeIndex, HpkePrivateKey)], tree: &RatchetTree) -> Outcome {
        for (node, private) in keys {
            let parent = tree.parent(*node).at(format!("node {node:?}"))?;
            equal(format!("key of {node:?}"), self.suite.hpke_public_key(private)?, parent.encryption_key.clone())?;
        }
        Ok(())
    }

    /// The encoded context to seal and open path secrets with.
    fn context(&self, tree: &RatchetTree) -> Result<Vec<u8>, Failure> {
        Ok(encode(&self.group_context(tree.tree_hash())?)?)
    }

    fn group_context(&self, tree_hash: Hash) -> Result<GroupContext, Failure> {
        let confirmed = Hash::from_slice(&self.case.confirmed_transcript_hash);
        Ok(GroupContext {
            version: ProtocolVersion::MLS10,
            cipher_suite: CipherSuite(self.case.cipher_suite),
            group_id: self.case.group_id.to_vec().into(),
            epoch: self.case.epoch,
            tree_hash,
            confirmed_transcript_hash: confirmed.at("confirmed_transcript_hash")?,
            extensions: Extensions::new(),
        })
    }
}
