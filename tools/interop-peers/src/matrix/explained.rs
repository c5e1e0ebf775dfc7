//! What the matrix says beside its numbers.

use interop::matrix::Explanation;

pub(super) const PREFACE: &str = "# Interoperability\n";
pub(super) const OURS: &str = "";
pub(super) const MLS_RS: &str = "";
pub(super) const OPENMLS: &str = "";
pub(super) const EXPLANATIONS: &[Explanation] = &[];
