//! `panda inspect`: what a message says in the open (RFC 9420, Section 6). It has no key, and decrypts nothing.

use mls_engine::{
    codec::decode_exact,
    message::{KeyPackage, LeafNodeSource, MlsMessage},
};
use serde_json::{Map, Value, json};

use super::{
    Printer, Trouble,
    device::read_bytes,
    options::InspectOptions,
    printer::{from_hex, hex, text},
};

/// Shows a message.
pub(crate) fn run(options: &InspectOptions, _: &Printer) -> Result<(), Trouble> {
    let printer = Printer::new(options.json);
    let raw = read_bytes(options.file.as_deref())?;
    let message = match decode_exact::<MlsMessage>(&raw) {
        Ok(message) => message,
        Err(_) => {
            let bytes = core::str::from_utf8(&raw).ok().and_then(from_hex).ok_or(Trouble::NotAMessage)?;
            decode_exact(&bytes).map_err(|_| Trouble::NotAMessage)?
        }
    };
    let value = describe(&message);
    let lines: Vec<String> = value.iter().map(|(name, value)| format!("{name:<20}{}", plain(value))).collect();
    printer.data(&Value::Object(value.clone()), &lines.join("\n"))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn describe(message: &MlsMessage) -> Map<String, Value> {
    let value = match message {
        MlsMessage::PublicMessage(message) => {
            let content = &message.content;
            json!({
                "kind": "PublicMessage", "content": format!("{:?}", content.content.content_type()),
                "group": hex(content.group_id.as_slice()), "epoch": content.epoch,
                "sender": format!("{:?}", content.sender),
                "authenticated_data": hex(content.authenticated_data.as_slice()),
            })
        }
        MlsMessage::PrivateMessage(message) => json!({
            "kind": "PrivateMessage", "content": format!("{:?}", message.content_type),
            "group": hex(message.group_id.as_slice()), "epoch": message.epoch,
            "authenticated_data": hex(message.authenticated_data.as_slice()),
            "ciphertext_bytes": message.ciphertext.as_slice().len(),
        }),
        MlsMessage::Welcome(welcome) => json!({
            "kind": "Welcome", "cipher_suite": format!("0x{:04x}", welcome.cipher_suite.0),
            "recipients": welcome.secrets.len(),
            "group_info_bytes": welcome.encrypted_group_info.as_slice().len(),
        }),
        MlsMessage::GroupInfo(info) => json!({
            "kind": "GroupInfo", "cipher_suite": format!("0x{:04x}", info.group_context.cipher_suite.0),
            "group": hex(info.group_context.group_id.as_slice()), "epoch": info.group_context.epoch,
            "tree_hash": hex(info.group_context.tree_hash.as_slice()),
        }),
        MlsMessage::KeyPackage(package) => key_package(package),
        _ => json!({ "kind": "unknown" }),
    };
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn key_package(package: &KeyPackage) -> Value {
    let leaf = &package.leaf_node;
    let (from, until) = match &leaf.source {
        LeafNodeSource::KeyPackage(lifetime) => (Some(lifetime.not_before), Some(lifetime.not_after)),
        _ => (None, None),
    };
    json!({
        "kind": "KeyPackage", "cipher_suite": format!("0x{:04x}", package.cipher_suite.0),
        "identity": text(leaf.credential.identity().unwrap_or_default()),
        "signature_key": hex(leaf.signature_key.as_slice()), "init_key": hex(package.init_key.as_slice()),
        "not_before": from, "not_after": until,
    })
}
