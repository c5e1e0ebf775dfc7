//! Messages that are encrypted (RFC 9420, Section 6.3).
//!
//! In: signed content and a key that is used once, or a `PrivateMessage`. Out: the message, or the content inside.
//! Always: PM-08: every nonce is guarded by fresh randomness; nothing here decides whether a key was used before.

use mls_crypto::{Opaque, Random, Secret, SuiteCrypto, label};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};
use zeroize::Zeroizing;

use super::padding::Padding;
use crate::{
    codec::{decode_exact, encode},
    error::{DecodeError, ProcessError},
    math::LeafIndex,
    message::{
        AuthenticatedContent, Commit, Content, ContentType, FramedContent, FramedContentAuthData, PrivateMessage,
        Proposal, Sender, WireFormat,
    },
    schedule::{MessageKey, SenderDataSecret},
};

/// `SenderData` (Section 6.3.2). PM-04: exactly 12 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct SenderData {
    /// Who sent it.
    pub leaf_index: LeafIndex,
    /// With which key of its ratchet.
    pub generation: u32,
    /// XORed into the nonce.
    pub reuse_guard: [u8; 4],
}

/// `SenderDataAAD`.
#[derive(TlsSerialize, TlsSize)]
struct SenderDataAad<'a> {
    group_id: VLByteSlice<'a>,
    epoch: u64,
    content_type: ContentType,
}

/// `PrivateContentAAD`.
#[derive(TlsSerialize, TlsSize)]
struct PrivateContentAad<'a> {
    group_id: VLByteSlice<'a>,
    epoch: u64,
    content_type: ContentType,
    authenticated_data: VLByteSlice<'a>,
}

/// What a sender needs to seal one message.
#[derive(Debug)]
pub struct PrivateKeys<'a> {
    /// The epoch's.
    pub sender_data_secret: &'a SenderDataSecret,
    /// Of our own ratchet; spent by this message.
    pub message_key: MessageKey,
    /// Its generation.
    pub generation: u32,
    /// How much to pad.
    pub padding: Padding,
}

/// PM-02, PM-07: the associated data of the content and of the sender data.
fn aads(message: &PrivateMessage) -> Result<(Vec<u8>, Vec<u8>), DecodeError> {
    let group_id = VLByteSlice(message.group_id.as_slice());
    let (epoch, content_type) = (message.epoch, message.content_type);
    let authenticated_data = VLByteSlice(message.authenticated_data.as_slice());
    let content = encode(&PrivateContentAad { group_id, epoch, content_type, authenticated_data })?;
    let group_id = VLByteSlice(message.group_id.as_slice());
    Ok((content, encode(&SenderDataAad { group_id, epoch, content_type })?))
}

/// PM-01: the sender data's key and nonce come from the first `Nh` bytes of the ciphertext.
fn sender_data_key(
    suite: &dyn SuiteCrypto,
    secret: &SenderDataSecret,
    ciphertext: &[u8],
) -> Result<(Secret, Secret), ProcessError> {
    let sample = ciphertext.get(..suite.hash_len()).unwrap_or(ciphertext);
    let secret = secret.as_secret();
    let key = label::expand_with_label(suite, secret, "key", sample, suite.aead_key_len())?;
    let nonce = label::expand_with_label(suite, secret, "nonce", sample, suite.aead_nonce_len())?;
    Ok((key, nonce))
}

/// PM-08: the nonce of the ratchet with the guard in its first four bytes.
fn guarded_nonce(nonce: &Secret, reuse_guard: [u8; 4]) -> Secret {
    let mut guarded = nonce.duplicate();
    for (byte, guard) in guarded.as_mut_slice().iter_mut().zip(reuse_guard) {
        *byte ^= guard;
    }
    guarded
}

/// Seals signed content of ours (Sections 6.3.1 and 6.3.2).
///
/// # Errors
/// [`ProcessError::SenderNotAllowed`] for anyone but a member (PM-05), [`ProcessError::Crypto`].
pub fn seal(
    suite: &dyn SuiteCrypto,
    keys: PrivateKeys<'_>,
    content: AuthenticatedContent,
    random: &dyn Random,
) -> Result<PrivateMessage, ProcessError> {
    let AuthenticatedContent { wire_format: _, content, auth } = content;
    let Sender::Member(leaf_index) = content.sender else { return Err(ProcessError::SenderNotAllowed) };
    let mut reuse_guard = [0; 4];
    random.fill(&mut reuse_guard)?;
    let mut message = PrivateMessage {
        group_id: content.group_id,
        epoch: content.epoch,
        content_type: content.content.content_type(),
        authenticated_data: content.authenticated_data,
        encrypted_sender_data: Opaque::new(Vec::new()),
        ciphertext: Opaque::new(Vec::new()),
    };
    let (content_aad, sender_data_aad) = aads(&message)?;

    let mut ciphertext = encode_content(suite, &content.content, &auth, keys.padding)?;
    let nonce = guarded_nonce(&keys.message_key.nonce, reuse_guard);
    suite.aead_seal(keys.message_key.key.as_slice(), nonce.as_slice(), &content_aad, &mut ciphertext)?;

    let mut sender_data = encode(&SenderData { leaf_index, generation: keys.generation, reuse_guard })?;
    let (key, nonce) = sender_data_key(suite, keys.sender_data_secret, &ciphertext)?;
    suite.aead_seal(key.as_slice(), nonce.as_slice(), &sender_data_aad, &mut sender_data)?;

    message.encrypted_sender_data = Opaque::new(sender_data);
    message.ciphertext = Opaque::new(ciphertext);
    Ok(message)
}

/// `PrivateMessageContent`, with room for the AEAD's tag so that sealing in place does not move it.
fn encode_content(
    suite: &dyn SuiteCrypto,
    content: &Content,
    auth: &FramedContentAuthData,
    padding: Padding,
) -> Result<Vec<u8>, ProcessError> {
    use tls_codec::Size;
    const TAG: usize = 16;
    let body = content.tls_serialized_len().saturating_sub(1).saturating_add(auth.tls_serialized_len());
    let padded = body.saturating_add(padding.len_for(body));
    let mut bytes = Vec::with_capacity(padded.saturating_add(TAG).saturating_add(suite.hash_len()));
    let too_long = |_| DecodeError::TooLong;
    match content {
        Content::Application(data) => data.tls_serialize(&mut bytes),
        Content::Proposal(proposal) => proposal.tls_serialize(&mut bytes),
        Content::Commit(commit) => commit.tls_serialize(&mut bytes),
    }
    .map_err(too_long)?;
    auth.tls_serialize(&mut bytes).map_err(too_long)?;
    bytes.resize(padded, 0);
    Ok(bytes)
}

/// Opens the sender data: who sent the message, and with which key (Section 6.3.2).
///
/// # Errors
/// [`ProcessError::DecryptionFailed`].
pub fn open_sender_data(
    suite: &dyn SuiteCrypto,
    secret: &SenderDataSecret,
    message: &PrivateMessage,
) -> Result<SenderData, ProcessError> {
    let (_, aad) = aads(message)?;
    let (key, nonce) = sender_data_key(suite, secret, message.ciphertext.as_slice())?;
    let mut sender_data = message.encrypted_sender_data.as_slice().to_vec();
    suite
        .aead_open(key.as_slice(), nonce.as_slice(), &aad, &mut sender_data)
        .map_err(|_| ProcessError::DecryptionFailed)?;
    Ok(decode_exact(&sender_data)?)
}

/// Opens the content with the key that the sender data named (Section 6.3.1). The signature is still to be verified.
///
/// # Errors
/// [`ProcessError::DecryptionFailed`]; [`ProcessError::Decode`] for content that is not what the message announced
/// (PM-16) or padding that is not zero (PM-14).
pub fn open_content(
    suite: &dyn SuiteCrypto,
    message_key: &MessageKey,
    sender_data: &SenderData,
    message: PrivateMessage,
) -> Result<AuthenticatedContent, ProcessError> {
    let (aad, _) = aads(&message)?;
    let PrivateMessage { group_id, epoch, content_type, authenticated_data, ciphertext, .. } = message;
    let nonce = guarded_nonce(&message_key.nonce, sender_data.reuse_guard);
    let mut plaintext = Zeroizing::new(Vec::from(ciphertext));
    suite
        .aead_open(message_key.key.as_slice(), nonce.as_slice(), &aad, &mut plaintext)
        .map_err(|_| ProcessError::DecryptionFailed)?;
    let (content, auth) = decode_content(content_type, &plaintext)?;
    let sender = Sender::Member(sender_data.leaf_index);
    let content = FramedContent { group_id, epoch, sender, authenticated_data, content };
    Ok(AuthenticatedContent { wire_format: WireFormat::PRIVATE_MESSAGE, content, auth })
}

/// Decodes `PrivateMessageContent`. PM-16: driven by the outer content type.
fn decode_content(content_type: ContentType, bytes: &[u8]) -> Result<(Content, FramedContentAuthData), DecodeError> {
    let (content, bytes) = match content_type {
        ContentType::Application => {
            let (data, rest) = Opaque::tls_deserialize_bytes(bytes)?;
            (Content::Application(data), rest)
        }
        ContentType::Proposal => {
            let (proposal, rest) = Proposal::tls_deserialize_bytes(bytes)?;
            (Content::Proposal(proposal), rest)
        }
        ContentType::Commit => {
            let (commit, rest) = Commit::tls_deserialize_bytes(bytes)?;
            (Content::Commit(commit), rest)
        }
    };
    let (auth, padding) = FramedContentAuthData::decode(content_type, bytes)?;
    // PM-14: without early exit.
    if padding.iter().fold(0, |seen, byte| seen | byte) == 0 {
        Ok((content, auth))
    } else {
        Err(DecodeError::NonZeroPadding)
    }
}
