//! An insider: a member that knows every secret of its epoch and follows no rule (RFC 9420, Section 16).
//!
//! In: a member's own records. Out: messages that are signed, tagged and encrypted like anyone else's, whatever they say.
//! Always: nothing here checks what it sends; secrets come from the records, never from a hook in the engine.

mod commit;
mod private;
mod welcome;

use std::sync::Arc;

use mls_crypto::{Hash, Opaque, Random, Secret, SignaturePrivateKey, SuiteCrypto, Tag, label};
use mls_engine::{
    codec::encode,
    group::{PublicState, RecordClass},
    math::{LeafIndex, NodeIndex},
    message::{
        AuthenticatedContent, Content, FramedContent, FramedContentAuthData, GroupContext, LeafNode, LeafNodeSource,
        MlsMessage, Proposal, ProposalRef, PublicMessage, ReInit, Sender, WireFormat,
    },
    schedule::{
        ExternalSecret, InitSecret, MembershipKey, RatchetKind, SecretTree, SecretTreeChange, SenderDataSecret,
    },
    tree::RatchetTree,
};
use tls_codec::DeserializeBytes;

pub use commit::ForgedCommit;
pub use private::Envelope;
pub use welcome::ForgedWelcome;

use crate::network::{Host, Member};

/// What a member can know and do without its engine.
#[derive(Debug)]
pub struct Insider {
    /// Randomness and cryptography.
    pub host: Host,
    /// The suite of the group.
    pub suite: Arc<dyn SuiteCrypto>,
    /// The public state of the epoch.
    pub public: Arc<PublicState>,
    /// Its leaf.
    pub own: LeafIndex,
    /// Its signature key.
    pub signature_key: SignaturePrivateKey,
    membership_key: MembershipKey,
    init_secret: InitSecret,
    external_secret: ExternalSecret,
    sender_data_secret: SenderDataSecret,
    secret_tree: SecretTree,
}

impl Insider {
    /// The insider that this member could be.
    pub fn of(member: &Member) -> Self {
        let mut seed = [0; 8];
        member.host.random.fill(&mut seed).unwrap();
        let suite = member.host.crypto.suite(member.group.cipher_suite()).unwrap();
        let row = |class| {
            let mut rows = member.records.rows.iter().filter(|(key, _)| key.class == class);
            rows.next_back().unwrap().1.as_slice()
        };
        let epoch = Vec::<Opaque>::tls_deserialize_exact_bytes(row(RecordClass::Epoch)).unwrap();
        let secret = |position: usize| Secret::copy_from(epoch[position].as_slice());
        Self {
            host: Host::new(u64::from_be_bytes(seed)),
            public: member.group.public().clone(),
            own: member.group.own_index(),
            signature_key: signature_key(row(RecordClass::Header)),
            init_secret: InitSecret::from_secret(secret(0)),
            sender_data_secret: SenderDataSecret::from_secret(secret(1)),
            external_secret: ExternalSecret::from_secret(secret(3)),
            membership_key: MembershipKey::from_secret(secret(5)),
            secret_tree: secret_tree(member, suite.as_ref()),
            suite,
        }
    }

    /// `GroupContext` of the epoch.
    pub fn context(&self) -> &GroupContext {
        self.public.context()
    }

    /// The tree of the epoch.
    pub fn tree(&self) -> &RatchetTree {
        self.public.tree()
    }

    /// Its leaf node.
    pub fn leaf(&self) -> &LeafNode {
        self.tree().leaf(self.own).unwrap()
    }

    /// Content of this epoch from this sender.
    pub fn content(&self, sender: Sender, content: Content) -> FramedContent {
        FramedContent {
            group_id: self.context().group_id.clone(),
            epoch: self.context().epoch,
            sender,
            authenticated_data: Opaque::new(Vec::new()),
            content,
        }
    }

    /// Content of its own.
    pub fn own_content(&self, content: Content) -> FramedContent {
        self.content(Sender::Member(self.own), content)
    }

    /// `FramedContentTBS`, with or without the GroupContext.
    pub fn tbs(&self, wire_format: WireFormat, content: &FramedContent, with_context: bool) -> Vec<u8> {
        let mut tbs = encode(&(1u16, wire_format)).unwrap();
        tbs.extend(encode(content).unwrap());
        if with_context {
            tbs.extend(self.public.encoded_context());
        }
        tbs
    }

    /// Signs these bytes as framed content with this key.
    pub fn signature(&self, key: &SignaturePrivateKey, tbs: &[u8]) -> Opaque {
        Opaque::new(label::sign_with_label(self.suite.as_ref(), key, "FramedContentTBS", tbs).unwrap())
    }

    /// Content signed as its sender type asks, with this key.
    pub fn sign_with(
        &self,
        key: &SignaturePrivateKey,
        wire_format: WireFormat,
        content: FramedContent,
    ) -> AuthenticatedContent {
        let with_context = matches!(content.sender, Sender::Member(_) | Sender::NewMemberCommit);
        let signature = self.signature(key, &self.tbs(wire_format, &content, with_context));
        AuthenticatedContent { wire_format, content, auth: FramedContentAuthData { signature, confirmation_tag: None } }
    }

    /// Content signed with its own key.
    pub fn sign(&self, wire_format: WireFormat, content: FramedContent) -> AuthenticatedContent {
        self.sign_with(&self.signature_key, wire_format, content)
    }

    /// `membership_tag` of signed content.
    pub fn membership_tag(&self, content: &AuthenticatedContent) -> Tag {
        let tbs = self.tbs(WireFormat::PUBLIC_MESSAGE, &content.content, true);
        let key = self.membership_key.as_secret().as_slice();
        self.suite.mac(key, &[&tbs, &encode(&content.auth).unwrap()])
    }

    /// A PublicMessage of signed content, tagged if the sender is a member.
    pub fn public(&self, content: AuthenticatedContent) -> PublicMessage {
        let member = matches!(content.content.sender, Sender::Member(_));
        let membership_tag = member.then(|| self.membership_tag(&content));
        PublicMessage { content: content.content, auth: content.auth, membership_tag }
    }

    /// [`Insider::public`], encoded.
    pub fn public_bytes(&self, content: AuthenticatedContent) -> Vec<u8> {
        encode_public(self.public(content))
    }

    /// A proposal of its own in a PublicMessage, and its reference.
    pub fn proposal(&self, proposal: Proposal) -> (Vec<u8>, ProposalRef) {
        let content = self.own_content(Content::Proposal(proposal));
        let signed = self.sign(WireFormat::PUBLIC_MESSAGE, content);
        let reference = self.reference(&signed);
        (self.public_bytes(signed), reference)
    }

    /// The reference of a signed proposal.
    pub fn reference(&self, content: &AuthenticatedContent) -> ProposalRef {
        let encoded = encode(content).unwrap();
        label::ref_hash(self.suite.as_ref(), "MLS 1.0 Proposal Reference", &encoded).unwrap()
    }

    /// Its own leaf as an Update would have it, edited and then signed for its place.
    pub fn update_leaf(&self, edit: impl FnOnce(&mut LeafNode)) -> LeafNode {
        let mut leaf = self.leaf().clone();
        let (_, encryption_key) = self.suite.hpke_generate(&self.host.random).unwrap();
        leaf.encryption_key = encryption_key;
        leaf.source = LeafNodeSource::Update;
        edit(&mut leaf);
        let group_id = self.context().group_id.as_slice().to_vec();
        sign_leaf(self.suite.as_ref(), &self.signature_key, &mut leaf, (&group_id, self.own));
        leaf
    }

    /// The key of external commits in this epoch.
    pub fn external_pub(&self) -> mls_crypto::HpkePublicKey {
        self.external_secret.key_pair(self.suite.as_ref()).unwrap().1
    }
}

/// Signs a leaf for a group and an index.
pub fn sign_leaf(
    suite: &dyn SuiteCrypto,
    key: &SignaturePrivateKey,
    leaf: &mut LeafNode,
    (group_id, index): (&[u8], LeafIndex),
) {
    let tbs = leaf.tbs(group_id, index).unwrap();
    leaf.signature = Opaque::new(label::sign_with_label(suite, key, LeafNode::SIGNATURE_LABEL, &tbs).unwrap());
}

/// A PublicMessage as bytes.
pub fn encode_public(message: PublicMessage) -> Vec<u8> {
    encode(&MlsMessage::PublicMessage(Box::new(message))).unwrap()
}

/// The signature key, which ends the header's record.
fn signature_key(header: &[u8]) -> SignaturePrivateKey {
    let (_, rest) = u16::tls_deserialize_bytes(header).unwrap();
    let (_, rest) = GroupContext::tls_deserialize_bytes(rest).unwrap();
    let (_, rest) = Hash::tls_deserialize_bytes(rest).unwrap();
    let (_, rest) = Tag::tls_deserialize_bytes(rest).unwrap();
    // Depth, own leaf, status.
    let rest = if rest[5] == 2 { ReInit::tls_deserialize_bytes(&rest[6..]).unwrap().1 } else { &rest[6..] };
    let key = Opaque::tls_deserialize_exact_bytes(rest).unwrap();
    SignaturePrivateKey::new(Secret::copy_from(key.as_slice()))
}

fn secret_tree(member: &Member, suite: &dyn SuiteCrypto) -> SecretTree {
    let leaves = member.group.public().tree().leaf_count();
    let current = member.records.rows.iter().filter(|(key, _)| key.epoch == member.group.epoch());
    let number = |id: &[u8]| u32::from_be_bytes(id[..4].try_into().unwrap());
    let changes = current.filter_map(|(key, value)| match key.class {
        RecordClass::SecretNode => {
            Some(SecretTreeChange::PutNode { node: NodeIndex::new(number(&key.id)), secret: Secret::copy_from(value) })
        }
        RecordClass::Ratchet => Some(SecretTreeChange::PutRatchet {
            leaf: LeafIndex::new(number(&key.id)),
            kind: if key.id[4] == 1 { RatchetKind::Handshake } else { RatchetKind::Application },
            generation: number(value),
            secret: Secret::copy_from(&value[4..]),
        }),
        _ => None,
    });
    SecretTree::from_records(suite, leaves, changes).unwrap()
}
