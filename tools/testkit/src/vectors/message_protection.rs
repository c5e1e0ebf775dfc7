//! `message-protection.json`: messages opened and made, public and private (RFC 9420, Sections 6.1 to 6.3).

use mls_crypto::{
    CipherSuite, CryptoProvider, Hash, Opaque, Secret, SignaturePrivateKey, SignaturePublicKey, SuiteCrypto, Tag,
};
use mls_engine::{
    codec::{decode_exact, encode},
    error::ProcessError,
    framing::{self, Authenticated, Padding, PrivateKeys, Unverified},
    limits::Limits,
    math::{LeafCount, LeafIndex},
    message::{
        AuthenticatedContent, Content, Extensions, FramedContent, GroupContext, MlsMessage, PrivateMessage,
        ProtocolVersion, PublicMessage, Sender, WireFormat,
    },
    schedule::{EncryptionSecret, MembershipKey, MessageKeyId, SecretTree, SenderDataSecret},
};
use serde::Deserialize;
use tls_codec::DeserializeBytes;

use super::{
    Failure, Hex,
    keys::signature_key,
    outcome::{At, Outcome, equal, holds, same},
};
use crate::network::SeededRandom;

/// The sender of every message, one of two members.
const SENDER: LeafIndex = LeafIndex::new(1);

/// The keys of an epoch, and one content of each type in the clear and in messages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub(super) cipher_suite: u16,
    group_id: Hex,
    epoch: u64,
    tree_hash: Hex,
    confirmed_transcript_hash: Hex,
    signature_priv: Hex,
    signature_pub: Hex,
    encryption_secret: Hex,
    sender_data_secret: Hex,
    membership_key: Hex,
    proposal: Hex,
    proposal_pub: Hex,
    proposal_priv: Hex,
    commit: Hex,
    commit_pub: Hex,
    commit_priv: Hex,
    application: Hex,
    application_priv: Hex,
}

/// The keys in their types.
struct Epoch<'a> {
    case: &'a Case,
    suite: &'a dyn SuiteCrypto,
    context: Vec<u8>,
    membership_key: MembershipKey,
    sender_data_secret: SenderDataSecret,
    signature_key: (SignaturePrivateKey, SignaturePublicKey),
}

/// The messages of the file open to the content; so do messages that we make, except public application data.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case, provider: &dyn CryptoProvider) -> Outcome {
    let suite = provider.suite(CipherSuite(case.cipher_suite))?;
    let epoch = Epoch::new(case, &*suite)?;
    let proposal = Content::Proposal(round_trip(&case.proposal)?);
    epoch.public(&proposal, &case.proposal_pub).at("proposal_pub")?;
    epoch.private(&proposal, &case.proposal_priv).at("proposal_priv")?;
    let commit = Content::Commit(round_trip(&case.commit)?);
    epoch.public(&commit, &case.commit_pub).at("commit_pub")?;
    epoch.private(&commit, &case.commit_priv).at("commit_priv")?;
    let application = Content::Application(case.application.to_vec().into());
    epoch.private(&application, &case.application_priv).at("application_priv")?;
    epoch.no_public_application(&application).at("public application data")
}

fn round_trip<T: DeserializeBytes + tls_codec::Serialize>(bytes: &Hex) -> Result<T, Failure> {
    let value: T = decode_exact(bytes)?;
    same("encoded again", encode(&value)?, bytes)?;
    Ok(value)
}

impl<'a> Epoch<'a> {
    fn new(case: &'a Case, suite: &'a dyn SuiteCrypto) -> Result<Self, Failure> {
        let context = GroupContext {
            version: ProtocolVersion::MLS10,
            cipher_suite: CipherSuite(case.cipher_suite),
            group_id: case.group_id.to_vec().into(),
            epoch: case.epoch,
            tree_hash: Hash::from_slice(&case.tree_hash).at("tree_hash")?,
            confirmed_transcript_hash: Hash::from_slice(&case.confirmed_transcript_hash)
                .at("confirmed_transcript_hash")?,
            extensions: Extensions::new(),
        };
        Ok(Self {
            case,
            suite,
            context: encode(&context)?,
            membership_key: MembershipKey::from_secret(Secret::copy_from(&case.membership_key)),
            sender_data_secret: SenderDataSecret::from_secret(Secret::copy_from(&case.sender_data_secret)),
            signature_key: (
                signature_key(suite, &case.signature_priv),
                SignaturePublicKey::new(case.signature_pub.to_vec()),
            ),
        })
    }

    fn public(&self, content: &Content, theirs: &Hex) -> Outcome {
        self.says(self.open_public(theirs)?, content, WireFormat::PUBLIC_MESSAGE)?;
        let signed = self.sign(content, WireFormat::PUBLIC_MESSAGE)?;
        let ours = framing::protect(self.suite, &self.membership_key, signed, &self.context)?;
        let ours = encode(&MlsMessage::PublicMessage(Box::new(ours)))?;
        self.says(self.open_public(&ours).at("ours")?, content, WireFormat::PUBLIC_MESSAGE).at("ours")
    }

    fn private(&self, content: &Content, theirs: &Hex) -> Outcome {
        self.says(self.open_private(theirs)?, content, WireFormat::PRIVATE_MESSAGE)?;
        for padding in [Padding::None, Padding::Step(64), Padding::Bucketed] {
            let ours = encode(&MlsMessage::PrivateMessage(Box::new(self.seal(content, padding)?)))?;
            let place = format!("ours, {padding:?}");
            self.says(self.open_private(&ours).at(&place)?, content, WireFormat::PRIVATE_MESSAGE).at(&place)?;
        }
        Ok(())
    }

    /// Neither made nor accepted, even with the right tag.
    fn no_public_application(&self, content: &Content) -> Outcome {
        let refused = self.sign(content, WireFormat::PUBLIC_MESSAGE);
        holds("was signed", matches!(refused, Err(ProcessError::PublicApplicationData)))?;
        let mut signed = self.sign(content, WireFormat::PRIVATE_MESSAGE)?;
        signed.wire_format = WireFormat::PUBLIC_MESSAGE;
        let forged = framing::protect(self.suite, &self.membership_key, signed, &self.context)?;
        let opened = framing::open(self.suite, &self.membership_key, forged, &self.context);
        holds("was opened", matches!(opened, Err(ProcessError::PublicApplicationData)))
    }

    fn open_public(&self, bytes: &[u8]) -> Result<Authenticated, Failure> {
        let MlsMessage::PublicMessage(message) = decode_exact(bytes)? else {
            return Err(Failure::new("not a public message"));
        };
        let message: PublicMessage = *message;
        let unverified = framing::open(self.suite, &self.membership_key, message, &self.context)?;
        Ok(unverified.authenticate(self.suite, &self.signature_key.1, &self.context)?)
    }

    fn open_private(&self, bytes: &[u8]) -> Result<Authenticated, Failure> {
        let MlsMessage::PrivateMessage(message) = decode_exact(bytes)? else {
            return Err(Failure::new("not a private message"));
        };
        let sender_data = framing::open_sender_data(self.suite, &self.sender_data_secret, &message)?;
        equal("sender", sender_data.leaf_index, SENDER)?;
        let id = MessageKeyId {
            leaf: sender_data.leaf_index,
            kind: message.content_type.into(),
            generation: sender_data.generation,
        };
        let (message_key, _) = self.secret_tree()?.peek(self.suite, id, &Limits::default())?;
        let content = framing::open_content(self.suite, &message_key, &sender_data, *message)?;
        Ok(Unverified::new(content)?.authenticate(self.suite, &self.signature_key.1, &self.context)?)
    }

    fn seal(&self, content: &Content, padding: Padding) -> Result<PrivateMessage, Failure> {
        let signed = self.sign(content, WireFormat::PRIVATE_MESSAGE)?;
        let kind = content.content_type().into();
        let (generation, message_key, _) = self.secret_tree()?.next(self.suite, SENDER, kind, &Limits::default())?;
        let sender_data_secret = &self.sender_data_secret;
        let keys = PrivateKeys { sender_data_secret, message_key, generation, padding };
        Ok(framing::seal(self.suite, keys, signed, &SeededRandom::new(0))?)
    }

    /// Signs; a commit gets some confirmation tag, which framing carries but does not check.
    fn sign(&self, content: &Content, wire_format: WireFormat) -> Result<AuthenticatedContent, ProcessError> {
        let framed = FramedContent {
            group_id: self.case.group_id.to_vec().into(),
            epoch: self.case.epoch,
            sender: Sender::Member(SENDER),
            authenticated_data: Opaque::from(&b"ours"[..]),
            content: content.clone(),
        };
        let mut signed = framing::sign(self.suite, &self.signature_key.0, wire_format, framed, &self.context)?;
        if let Content::Commit(_) = content {
            signed.auth.confirmation_tag = Tag::from_slice(&[7; 32]);
        }
        Ok(signed)
    }

    fn secret_tree(&self) -> Result<SecretTree, Failure> {
        let secret = EncryptionSecret::from_secret(Secret::copy_from(&self.case.encryption_secret));
        Ok(SecretTree::new(secret, LeafCount::covering(2).at("two leaves")?))
    }

    /// What was opened is the content, by the sender, for this epoch.
    fn says(&self, opened: Authenticated, content: &Content, wire_format: WireFormat) -> Outcome {
        let AuthenticatedContent { wire_format: got, content: framed, auth } = opened.into_content();
        equal("wire format", got, wire_format)?;
        equal("content", &framed.content, content)?;
        equal("sender", framed.sender, Sender::Member(SENDER))?;
        equal("epoch", framed.epoch, self.case.epoch)?;
        same("group_id", framed.group_id.as_slice(), &self.case.group_id)?;
        equal("confirmation tag", auth.confirmation_tag.is_some(), matches!(content, Content::Commit(_)))
    }
}
