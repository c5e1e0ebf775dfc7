//! The byte forms of single records, in the TLS presentation language.
//!
//! Secrets are written from where they live and read into their own type; a form is wiped with its [`Secret`].

use mls_crypto::{Hash, HpkePrivateKey, Opaque, Secret, SignaturePrivateKey, Tag};
use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize, VLByteSlice};

use super::{
    super::{
        Group, PublicState, Status,
        epoch::EpochKeys,
        proposals::{CachedProposal, OwnUpdate},
    },
    kind_byte,
};
use crate::{
    error::{DecodeError, OperationError},
    framing::Authenticated,
    math::{LeafCount, LeafIndex},
    message::{AuthenticatedContent, GroupContext, ReInit},
    schedule::{
        ConfirmationKey, EpochAuthenticator, ExporterSecret, ExternalSecret, InitSecret, MembershipKey, MessageKey,
        MessageKeyId, RatchetKind, ResumptionPsk, SecretTree, SecretTreeChange, SenderDataSecret,
    },
};

/// Serializes into a secret.
pub(super) fn secret_form<T: Serialize>(form: &T) -> Result<Secret, OperationError> {
    Ok(Secret::new(form.tls_serialize_detached().map_err(|_| DecodeError::TooLong)?))
}

/// Decodes a whole record.
pub(super) fn read_form<T: DeserializeBytes>(bytes: &[u8]) -> Result<T, OperationError> {
    T::tls_deserialize_exact_bytes(bytes).map_err(|_| OperationError::InvalidRecord)
}

/// A secret out of a record.
pub(super) fn secret(bytes: Opaque) -> Secret {
    Secret::new(bytes.into())
}

fn slice(secret: &Secret) -> VLByteSlice<'_> {
    VLByteSlice(secret.as_slice())
}

/// The public state of an epoch, but for the nodes of its tree.
#[derive(Clone, Debug, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(super) struct StateForm {
    pub(super) context: GroupContext,
    pub(super) interim_transcript_hash: Hash,
    pub(super) confirmation_tag: Tag,
    pub(super) depth: u8,
}

impl StateForm {
    pub(super) fn of(state: &PublicState) -> Self {
        Self {
            context: state.context().clone(),
            interim_transcript_hash: *state.interim_transcript_hash(),
            confirmation_tag: *state.confirmation_tag(),
            depth: state.tree().depth(),
        }
    }

    /// Leaves of the tree, blank ones among them.
    pub(super) fn leaves(&self) -> Result<LeafCount, OperationError> {
        LeafCount::of_depth(self.depth).ok_or(OperationError::InvalidRecord)
    }
}

#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
#[repr(u8)]
enum StatusForm {
    #[tls_codec(discriminant = 1)]
    Active,
    #[tls_codec(discriminant = 2)]
    ReInitialized(ReInit),
    #[tls_codec(discriminant = 3)]
    Removed,
}

/// The first record of a group.
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(super) struct Header {
    version: u16,
    pub(super) state: StateForm,
    pub(super) own: LeafIndex,
    status: StatusForm,
    signature_key: Opaque,
}

/// Version of all forms of this file.
const VERSION: u16 = 1;

impl Header {
    pub(super) fn new(state: &PublicState, own: LeafIndex, status: &Status, key: &SignaturePrivateKey) -> Self {
        let status = match status {
            Status::Active => StatusForm::Active,
            Status::ReInitialized(reinit) => StatusForm::ReInitialized(reinit.clone()),
            Status::Removed => StatusForm::Removed,
        };
        let signature_key = Opaque::from(key.secret().as_slice());
        Self { version: VERSION, state: StateForm::of(state), own, status, signature_key }
    }

    pub(super) fn encode(mut self) -> Result<Secret, OperationError> {
        let encoded = secret_form(&self);
        zeroize::Zeroize::zeroize(&mut self.signature_key);
        encoded
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, OperationError> {
        let header: Self = read_form(bytes)?;
        if header.version == VERSION { Ok(header) } else { Err(OperationError::InvalidRecord) }
    }

    pub(super) fn into_parts(self) -> (StateForm, LeafIndex, Status, SignaturePrivateKey) {
        let status = match self.status {
            StatusForm::Active => Status::Active,
            StatusForm::ReInitialized(reinit) => Status::ReInitialized(reinit),
            StatusForm::Removed => Status::Removed,
        };
        (self.state, self.own, status, SignaturePrivateKey::new(secret(self.signature_key)))
    }
}

/// The secrets of an epoch, but for its secret tree.
pub(super) fn encode_keys(keys: &EpochKeys) -> Result<Secret, OperationError> {
    let EpochKeys {
        init_secret,
        sender_data_secret,
        exporter_secret,
        external_secret,
        confirmation_key,
        membership_key,
        resumption_psk,
        epoch_authenticator,
        secret_tree: _,
    } = keys;
    secret_form(&vec![
        slice(init_secret.as_secret()),
        slice(sender_data_secret.as_secret()),
        slice(exporter_secret.as_secret()),
        slice(external_secret.as_secret()),
        slice(confirmation_key.as_secret()),
        slice(membership_key.as_secret()),
        slice(resumption_psk.as_secret()),
        slice(epoch_authenticator.as_secret()),
    ])
}

/// The other direction of [`encode_keys`].
pub(super) fn decode_keys(bytes: &[u8], secret_tree: SecretTree) -> Result<EpochKeys, OperationError> {
    let secrets: Vec<Opaque> = read_form(bytes)?;
    let mut secrets = secrets.into_iter().map(secret);
    let mut next = || secrets.next().ok_or(OperationError::InvalidRecord);
    Ok(EpochKeys {
        init_secret: InitSecret::from_secret(next()?),
        sender_data_secret: SenderDataSecret::from_secret(next()?),
        exporter_secret: ExporterSecret::from_secret(next()?),
        external_secret: ExternalSecret::from_secret(next()?),
        confirmation_key: ConfirmationKey::from_secret(next()?),
        membership_key: MembershipKey::from_secret(next()?),
        resumption_psk: ResumptionPsk::from_secret(next()?),
        epoch_authenticator: EpochAuthenticator::from_secret(next()?),
        secret_tree,
    })
}

/// A past epoch, but for its secret tree.
#[derive(TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub(super) struct PastForm {
    pub(super) state: StateForm,
    pub(super) ended: u64,
    pub(super) sender_data_secret: Opaque,
}

impl Group {
    /// The record of the epoch that ends now.
    pub(super) fn encode_ending(&self, ended: u64) -> Result<Secret, OperationError> {
        let mut form = PastForm {
            state: StateForm::of(&self.public),
            ended,
            sender_data_secret: Opaque::from(self.keys.sender_data_secret.as_secret().as_slice()),
        };
        let encoded = secret_form(&form);
        zeroize::Zeroize::zeroize(&mut form.sender_data_secret);
        encoded
    }
}

/// A cached proposal with the private half of our own Updates.
#[derive(TlsDeserializeBytes, TlsSize)]
pub(super) struct ProposalForm {
    pub(super) sequence: u64,
    pub(super) content: AuthenticatedContent,
    pub(super) own_update: Option<OwnUpdateForm>,
}

#[derive(TlsDeserializeBytes, TlsSize)]
pub(super) struct OwnUpdateForm {
    leaf_key: Opaque,
    signature_key: Option<Opaque>,
}

#[derive(TlsSerialize, TlsSize)]
struct OwnUpdateSlice<'a> {
    leaf_key: VLByteSlice<'a>,
    signature_key: Option<VLByteSlice<'a>>,
}

impl OwnUpdateForm {
    pub(super) fn into_own_update(self) -> OwnUpdate {
        OwnUpdate {
            leaf_key: HpkePrivateKey::new(secret(self.leaf_key)),
            signature_key: self.signature_key.map(|key| SignaturePrivateKey::new(secret(key))),
        }
    }
}

impl ProposalForm {
    pub(super) fn authenticated(&self) -> Authenticated {
        Authenticated::own(self.content.clone())
    }
}

pub(in super::super) fn encode_proposal(
    sequence: u64,
    cached: &CachedProposal,
    own_update: Option<&OwnUpdate>,
) -> Result<Secret, OperationError> {
    let too_long = |_| DecodeError::TooLong;
    let mut bytes = Vec::new();
    sequence.tls_serialize(&mut bytes).map_err(too_long)?;
    cached.content.authenticated_content().tls_serialize(&mut bytes).map_err(too_long)?;
    let own = own_update.map(|own| OwnUpdateSlice {
        leaf_key: slice(own.leaf_key.secret()),
        signature_key: own.signature_key.as_ref().map(|key| slice(key.secret())),
    });
    own.tls_serialize(&mut bytes).map_err(too_long)?;
    Ok(Secret::new(bytes))
}

pub(super) fn ratchet_id(leaf: LeafIndex, kind: RatchetKind) -> Vec<u8> {
    [&leaf.get().to_be_bytes()[..], &[kind_byte(kind)]].concat()
}

pub(super) fn skipped_id(id: MessageKeyId) -> Vec<u8> {
    [&ratchet_id(id.leaf, id.kind)[..], &id.generation.to_be_bytes()].concat()
}

/// Leaf, kind and, for skipped keys, generation out of a record's id.
pub(super) fn read_id(id: &[u8]) -> Option<(LeafIndex, RatchetKind, u32)> {
    let leaf = u32::from_be_bytes(id.get(..4)?.try_into().ok()?);
    let kind = match id.get(4)? {
        1 => RatchetKind::Handshake,
        2 => RatchetKind::Application,
        _ => return None,
    };
    let generation = match id.get(5..) {
        Some([]) | None => 0,
        Some(rest) => u32::from_be_bytes(rest.try_into().ok()?),
    };
    Some((LeafIndex::new(leaf), kind, generation))
}

/// Generation, then the ratchet secret.
pub(super) fn encode_ratchet(generation: u32, secret: &Secret) -> Secret {
    Secret::new([&generation.to_be_bytes()[..], secret.as_slice()].concat())
}

pub(super) fn decode_ratchet(bytes: &[u8]) -> Option<(u32, Secret)> {
    let (generation, secret) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*generation), Secret::copy_from(secret)))
}

/// Time, nonce (12 bytes for every suite), then the key.
pub(super) fn encode_skipped(created: u64, key: &MessageKey) -> Secret {
    Secret::new([&created.to_be_bytes()[..], key.nonce.as_slice(), key.key.as_slice()].concat())
}

fn decode_skipped(bytes: &[u8]) -> Option<(u64, MessageKey)> {
    let (created, rest) = bytes.split_first_chunk::<8>()?;
    let (nonce, key) = rest.split_at_checked(12)?;
    let message_key = MessageKey { key: Secret::copy_from(key), nonce: Secret::copy_from(nonce) };
    Some((u64::from_be_bytes(*created), message_key))
}

/// The record of a skipped key.
pub(super) fn skipped_record(id: MessageKeyId, bytes: &[u8]) -> Result<SecretTreeChange, OperationError> {
    let (created, message_key) = decode_skipped(bytes).ok_or(OperationError::InvalidRecord)?;
    Ok(SecretTreeChange::PutSkipped { id, created, message_key })
}
