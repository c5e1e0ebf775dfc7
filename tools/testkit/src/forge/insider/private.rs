//! PrivateMessages with every part open to change (RFC 9420, Section 6.3).

use mls_crypto::{Opaque, label};
use mls_engine::{
    codec::encode,
    framing::SenderData,
    math::LeafIndex,
    message::{AuthenticatedContent, Content, ContentType, MlsMessage, PrivateMessage},
    schedule::{MessageKeyId, RatchetKind},
};

use super::Insider;

/// What surrounds a plaintext.
#[derive(Debug)]
pub struct Envelope {
    /// `content_type`, in clear.
    pub content_type: ContentType,
    /// Which key seals the content.
    pub key: MessageKeyId,
    /// What the sender data say; `None`: what is true of the key.
    pub sender_data: Option<Vec<u8>>,
    /// Epoch in the associated data of the sender data; `None`: the true one.
    pub sender_data_epoch: Option<u64>,
    /// Length of the ciphertext sample; `None`: the hash length.
    pub sample: Option<usize>,
    /// Authenticated data.
    pub authenticated_data: Vec<u8>,
}

impl Insider {
    /// The envelope of a message from a leaf with a generation.
    pub fn envelope(&self, content_type: ContentType, leaf: LeafIndex, generation: u32) -> Envelope {
        Envelope {
            content_type,
            key: MessageKeyId::new(leaf, RatchetKind::from(content_type), generation),
            sender_data: None,
            sender_data_epoch: None,
            sample: None,
            authenticated_data: Vec::new(),
        }
    }

    /// `PrivateMessageContent` without padding.
    pub fn plaintext(content: &AuthenticatedContent) -> Vec<u8> {
        let mut bytes = match &content.content.content {
            Content::Application(data) => encode(data),
            Content::Proposal(proposal) => encode(proposal),
            Content::Commit(commit) => encode(commit),
        }
        .unwrap();
        bytes.extend(encode(&content.auth).unwrap());
        bytes
    }

    /// Seals a plaintext (Sections 6.3.1 and 6.3.2). The reuse guard is zero.
    pub fn seal(&self, envelope: &Envelope, mut plaintext: Vec<u8>) -> PrivateMessage {
        let suite = self.suite.as_ref();
        let (group_id, epoch) = (&self.context().group_id, self.context().epoch);
        let limits = mls_engine::limits::Limits {
            max_forward_generations: 1 << 20,
            max_derivations: u32::MAX,
            ..self.host.limits.clone()
        };
        let (message_key, _) = self.secret_tree.peek(suite, envelope.key, &limits).unwrap();
        let authenticated_data = Opaque::from(envelope.authenticated_data.as_slice());
        let aad = encode(&((group_id, epoch, envelope.content_type), &authenticated_data)).unwrap();
        suite.aead_seal(message_key.key.as_slice(), message_key.nonce.as_slice(), &aad, &mut plaintext).unwrap();
        let honest =
            SenderData { leaf_index: envelope.key.leaf, generation: envelope.key.generation, reuse_guard: [0; 4] };
        let mut sender_data = envelope.sender_data.clone().unwrap_or_else(|| encode(&honest).unwrap());
        let sample = &plaintext[..envelope.sample.unwrap_or(suite.hash_len())];
        let secret = self.sender_data_secret.as_secret();
        let key = label::expand_with_label(suite, secret, "key", sample, suite.aead_key_len()).unwrap();
        let nonce = label::expand_with_label(suite, secret, "nonce", sample, suite.aead_nonce_len()).unwrap();
        let sender_epoch = envelope.sender_data_epoch.unwrap_or(epoch);
        let aad = encode(&(group_id, sender_epoch, envelope.content_type)).unwrap();
        suite.aead_seal(key.as_slice(), nonce.as_slice(), &aad, &mut sender_data).unwrap();
        PrivateMessage {
            group_id: group_id.clone(),
            epoch,
            content_type: envelope.content_type,
            authenticated_data,
            encrypted_sender_data: Opaque::new(sender_data),
            ciphertext: Opaque::new(plaintext),
        }
    }

    /// [`Insider::seal`], encoded.
    pub fn seal_bytes(&self, envelope: &Envelope, plaintext: Vec<u8>) -> Vec<u8> {
        encode(&MlsMessage::PrivateMessage(Box::new(self.seal(envelope, plaintext)))).unwrap()
    }

    /// Signed content of its own in the first generation.
    pub fn private_bytes(&self, content: &AuthenticatedContent) -> Vec<u8> {
        let envelope = self.envelope(content.content.content.content_type(), self.own, 0);
        self.seal_bytes(&envelope, Self::plaintext(content))
    }
}
