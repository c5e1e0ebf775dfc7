//! OpenMLS as a stack of the MLS working group's interop harness.
//!
//! In: the calls of [`interop::Stack`]. Out: what the public interface of the library, as released, makes of them.
//! Always: where that interface has no way to do a thing, the answer is [`interop::Failure::Unsupported`], never a guess.

mod openmls;
mod wallet;
mod wire;

pub use self::openmls::{OpenMls, OpenMlsJoiner, OpenMlsMember, OpenMlsSigner};
