//! OpenMLS and mls-rs as stacks of the MLS working group's interop harness.
//!
//! In: the calls of [`interop::Stack`]. Out: what the public interface of each library, as released, makes of them.
//! Always: where that interface has no way to do a thing, the answer is [`interop::Failure::Unsupported`], never a guess.

mod mls_rs;
mod openmls;
mod wallet;
mod wire;

pub use self::{
    mls_rs::{Crypto, MlsRs, MlsRsJoiner, MlsRsMember, MlsRsSigner, MlsRsSuccessor},
    openmls::{OpenMls, OpenMlsJoiner, OpenMlsMember, OpenMlsSigner},
};
