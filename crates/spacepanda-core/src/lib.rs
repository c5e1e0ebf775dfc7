//! SpacePanda's core: end-to-end encrypted groups.
//!
//! Everything is in [`core_mls`]. Two people, a group and a message each way:
//!
//! ```
//! use std::sync::Arc;
//! use spacepanda_core::core_mls::{Client, MlsError, TrustOnFirstUse};
//!
//! // One client per device. Whose keys to believe is the application's choice: here, the first one that is seen.
//! let alice = Client::new(b"alice", Arc::new(TrustOnFirstUse::new()))?;
//! let bob = Client::new(b"bob", Arc::new(TrustOnFirstUse::new()))?;
//!
//! // Bob publishes a key package; Alice adds him with it.
//! let key_package = bob.generate_key_package()?;
//! let tea = alice.create_group(Some("tea"))?;
//! tea.propose_add(&key_package, b"bob")?;
//! let (_commit, welcomes) = tea.commit()?;
//!
//! // The Welcome reaches Bob, and he is in.
//! let bobs_tea = bob.join_group(&welcomes[0])?;
//! assert_eq!(bobs_tea.group_name().as_deref(), Some("tea"));
//! assert_eq!(bobs_tea.epoch_authenticator()?, tea.epoch_authenticator()?);
//!
//! // Envelopes travel as bytes or JSON, by any transport.
//! let envelope = tea.send_message(b"Milk?")?;
//! let message = bobs_tea.receive_message(&envelope)?;
//! assert_eq!((&message.sender[..], &message.plaintext[..]), (&b"alice"[..], &b"Milk?"[..]));
//! let answer = bobs_tea.send_message(b"Please.")?;
//! assert_eq!(tea.receive_message(&answer)?.plaintext, b"Please.");
//!
//! // New keys now and then, so that a stolen device does not read on for ever.
//! bobs_tea.receive_commit(&tea.rotate()?)?;
//! assert_eq!(bobs_tea.epoch(), tea.epoch());
//! # Ok::<(), MlsError>(())
//! ```

pub mod core_mls;

/// The README's examples run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[derive(Debug)]
pub struct Readme;

/// The example of the page on roles runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/roles.md")]
#[derive(Debug)]
pub struct RolesPage;

/// The example of the page on identity runs as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/identity.md")]
#[derive(Debug)]
pub struct IdentityPage;
