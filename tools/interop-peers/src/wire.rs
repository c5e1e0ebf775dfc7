//! Lists of extensions (RFC 9420, Section 7.2), which the harness takes apart and the libraries take whole.
//!
//! In: types and bodies, or an encoded list. Out: an encoded list.
//! Always: what is not replaced stays as it is, byte by byte and in order.

use interop::{Answer, Failure, message};
use tls_codec::{Deserialize, Serialize, TlsDeserialize, TlsSerialize, TlsSize, VLBytes};

/// `Extension` (Section 13.4).
#[derive(Debug, TlsDeserialize, TlsSerialize, TlsSize)]
struct Extension {
    extension_type: u16,
    extension_data: VLBytes,
}

/// The encoded list of these extensions.
pub(crate) fn extension_list(extensions: &[message::Extension]) -> Answer<Vec<u8>> {
    let mut list = Vec::new();
    for message::Extension { extension_type, extension_data } in extensions {
        let extension_type = u16::try_from(*extension_type).map_err(|_| Failure::Malformed("extension_type"))?;
        list.push(Extension { extension_type, extension_data: extension_data.as_slice().into() });
    }
    list.tls_serialize_detached().map_err(Failure::refused)
}

/// An encoded list with an encoded `ExternalSender` at the end of its external senders (Section 12.1.8.1).
pub(crate) fn with_external_sender(list: &[u8], sender: &[u8]) -> Answer<Vec<u8>> {
    let mut list = Vec::<Extension>::tls_deserialize_exact(list).map_err(Failure::refused)?;
    let present = list.iter_mut().find(|extension| extension.extension_type == EXTERNAL_SENDERS);
    let mut senders = match &present {
        Some(extension) => {
            VLBytes::tls_deserialize_exact(extension.extension_data.as_slice()).map_err(Failure::refused)?.into()
        }
        None => Vec::new(),
    };
    senders.extend_from_slice(sender);
    let extension_data = VLBytes::new(senders).tls_serialize_detached().map_err(Failure::refused)?.into();
    match present {
        Some(extension) => extension.extension_data = extension_data,
        None => list.push(Extension { extension_type: EXTERNAL_SENDERS, extension_data }),
    }
    list.tls_serialize_detached().map_err(Failure::refused)
}

/// `external_senders` (Section 17.3).
const EXTERNAL_SENDERS: u16 = 0x0005;
