//! `messages.json`: every wire struct decodes and encodes to the same bytes (RFC 9420, Sections 6, 10 and 12).

use mls_engine::{
    codec::{decode_exact, encode},
    message::{
        Add, Commit, Content, ContentType, ExternalInit, GroupContextExtensions, GroupSecrets, MlsMessage,
        PreSharedKey, ReInit, Remove, Update, WireFormat,
    },
    tree::Node,
};
use serde::Deserialize;
use tls_codec::{DeserializeBytes, Serialize};

use super::{
    Failure, Hex,
    outcome::{At, Outcome, equal, same},
};

/// One object of each kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    mls_welcome: Hex,
    mls_group_info: Hex,
    mls_key_package: Hex,
    ratchet_tree: Hex,
    group_secrets: Hex,
    add_proposal: Hex,
    update_proposal: Hex,
    remove_proposal: Hex,
    pre_shared_key_proposal: Hex,
    re_init_proposal: Hex,
    external_init_proposal: Hex,
    group_context_extensions_proposal: Hex,
    commit: Hex,
    public_message_application: Hex,
    public_message_proposal: Hex,
    public_message_commit: Hex,
    private_message: Hex,
}

/// Each object round-trips, and each message is of the kind its name says.
///
/// # Errors
/// The first difference.
pub fn check(case: &Case) -> Outcome {
    message(&case.mls_welcome, WireFormat::WELCOME).at("mls_welcome")?;
    message(&case.mls_group_info, WireFormat::GROUP_INFO).at("mls_group_info")?;
    message(&case.mls_key_package, WireFormat::KEY_PACKAGE).at("mls_key_package")?;
    message(&case.private_message, WireFormat::PRIVATE_MESSAGE).at("private_message")?;
    public_message(&case.public_message_application, ContentType::Application).at("public_message_application")?;
    public_message(&case.public_message_proposal, ContentType::Proposal).at("public_message_proposal")?;
    public_message(&case.public_message_commit, ContentType::Commit).at("public_message_commit")?;
    round_trip::<Vec<Option<Node>>>(&case.ratchet_tree).at("ratchet_tree")?;
    round_trip::<GroupSecrets>(&case.group_secrets).at("group_secrets")?;
    round_trip::<Commit>(&case.commit).at("commit")?;
    proposals(case)
}

fn proposals(case: &Case) -> Outcome {
    round_trip::<Add>(&case.add_proposal).at("add_proposal")?;
    round_trip::<Update>(&case.update_proposal).at("update_proposal")?;
    round_trip::<Remove>(&case.remove_proposal).at("remove_proposal")?;
    round_trip::<PreSharedKey>(&case.pre_shared_key_proposal).at("pre_shared_key_proposal")?;
    round_trip::<ReInit>(&case.re_init_proposal).at("re_init_proposal")?;
    round_trip::<ExternalInit>(&case.external_init_proposal).at("external_init_proposal")?;
    round_trip::<GroupContextExtensions>(&case.group_context_extensions_proposal)
        .at("group_context_extensions_proposal")?;
    Ok(())
}

fn round_trip<T: DeserializeBytes + Serialize>(bytes: &Hex) -> Result<T, Failure> {
    let value: T = decode_exact(bytes)?;
    same("encoded again", encode(&value)?, bytes)?;
    equal("serialized length", value.tls_serialized_len(), bytes.len())?;
    Ok(value)
}

fn message(bytes: &Hex, wire_format: WireFormat) -> Result<MlsMessage, Failure> {
    let message = round_trip::<MlsMessage>(bytes)?;
    equal("wire_format", message.wire_format(), wire_format)?;
    Ok(message)
}

fn public_message(bytes: &Hex, content_type: ContentType) -> Outcome {
    match message(bytes, WireFormat::PUBLIC_MESSAGE)? {
        MlsMessage::PublicMessage(message) => {
            equal("content_type", Content::content_type(&message.content.content), content_type)
        }
        other => Err(Failure::new(format!("not a public message: {:?}", other.wire_format()))),
    }
}
