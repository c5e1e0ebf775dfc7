//! The harness's service, `mls_client.MLSClient`: client and server stubs, generated from the list in `build.rs`.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::as_conversions,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::wildcard_imports,
    clippy::use_self,
    reason = "generated"
)]

include!(concat!(env!("OUT_DIR"), "/mls_client.MLSClient.rs"));

pub use m_l_s_client_client::MLSClientClient as Stub;
pub use m_l_s_client_server::{MLSClient as MlsClient, MLSClientServer as MlsClientServer};
