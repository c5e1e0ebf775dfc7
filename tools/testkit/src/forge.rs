//! Groups and messages that no honest run would take the time, or the liberty, to make.
//!
//! In: a size, or a member and an edit. Out: groups whose ratchet tree is full, and messages that break exactly one
//! rule. Always: everything outside the edit is valid, so that what a test sees is that one rule.

mod full_tree;
pub mod insider;

pub use full_tree::{Forged, FullTree, MemberKeys};
