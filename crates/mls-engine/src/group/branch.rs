//! Subgroup branching (RFC 9420, Section 11.3): some of the members, under a new id; the old group goes on.
//!
//! In: an active group, and fresh key packages of some members. Out: a group at epoch 0 and the commit that adds them.
//! Always: GRP-09: version and suite are the old group's.

use super::{CreateParams, Group, Successor, reinit::SuccessorParams};
use crate::{
    error::OperationError,
    message::{Extensions, ResumptionPskUsage},
    policy::Env,
};

/// What a subgroup has of its own.
#[derive(Debug)]
pub struct BranchParams<'a> {
    /// GRP-03: the subgroup's id.
    pub group_id: Vec<u8>,
    /// The subgroup's context extensions.
    pub extensions: Extensions,
    /// Who we are in it, and who else.
    pub successor: SuccessorParams<'a>,
}

impl Group {
    /// Creates a subgroup.
    ///
    /// # Errors
    /// [`OperationError::InvalidSuccession`] for our own group id; [`OperationError::Rule`] otherwise.
    pub fn create_branch(&self, env: &Env<'_>, params: BranchParams<'_>) -> Result<Successor, OperationError> {
        self.check_active()?;
        if params.group_id == self.group_id() {
            return Err(OperationError::InvalidSuccession);
        }
        let BranchParams { group_id, extensions, successor } = params;
        let create = CreateParams {
            group_id,
            cipher_suite: self.cipher_suite(),
            credential: successor.credential,
            signature_key: successor.signature_key,
            capabilities: successor.capabilities,
            lifetime: successor.lifetime,
            leaf_extensions: successor.leaf_extensions,
            extensions,
        };
        self.create_successor(env, create, (successor.key_packages, successor.commit), ResumptionPskUsage::Branch)
    }
}
