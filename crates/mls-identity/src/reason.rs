//! Reasons of the policies here, as they travel in refusals; an application may have others.

/// The policy does not believe credentials of this type.
pub const CREDENTIAL_TYPE: u16 = 1;
/// The policy does not know the identity.
pub const UNKNOWN_IDENTITY: u16 = 2;
/// The policy knows the identity with other keys.
pub const UNKNOWN_KEY: u16 = 3;
/// A leaf was to be replaced by one of another identity.
pub const OTHER_IDENTITY: u16 = 4;
/// External commits are off.
pub const EXTERNAL_COMMIT: u16 = 5;
/// Proposals from outside the group are off.
pub const EXTERNAL_PROPOSAL: u16 = 6;
/// The policy could not store what it has seen.
pub const NOT_REMEMBERED: u16 = 7;
/// There is no device certificate, and the policy asks for one.
pub const NO_CERTIFICATE: u16 = 8;
/// The certificate does not decode, is of another user or key, or is not signed by whom it names.
pub const BAD_CERTIFICATE: u16 = 9;
/// The certificate is not valid yet, or not any more.
pub const EXPIRED: u16 = 10;
/// The user has revoked the device.
pub const REVOKED: u16 = 11;
/// The new leaf is of another device of the same user, or its certificate is older than the one it replaces.
pub const NO_SUCCESSOR: u16 = 12;
/// The chain does not lead to a root that the application gave, or breaks a rule on the way.
pub const CHAIN: u16 = 13;
