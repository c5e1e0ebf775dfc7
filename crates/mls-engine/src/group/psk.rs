//! Finding pre-shared keys (RFC 9420, Sections 8.4 and 8.6).
//!
//! In: the ids of a commit or Welcome, in order. Out: `psk_secret`.
//! Always: PROP-11, COM-04, WEL-04: a key we do not hold is a typed, retryable error; nothing is skipped.

use mls_crypto::{Opaque, Secret, SuiteCrypto};

use crate::{
    error::ProcessError,
    limits::MAX_PSKS,
    message::{PreSharedKeyId, PskKind},
    policy::Env,
    schedule::{PskSecret, psk_secret},
};

/// `psk_secret` over `ids`. `own` finds resumption PSKs of the group itself.
pub(crate) fn find_psk_secret(
    env: &Env<'_>,
    suite: &dyn SuiteCrypto,
    ids: &[PreSharedKeyId],
    own: &dyn Fn(&[u8], u64) -> Option<Secret>,
) -> Result<PskSecret, ProcessError> {
    // KS-02
    if ids.len() > MAX_PSKS {
        return Err(ProcessError::TooManyPsks);
    }
    let mut secrets = Vec::with_capacity(ids.len());
    for id in ids {
        let secret = match &id.kind {
            PskKind::External(psk_id) => env.psks.external(psk_id.as_slice()),
            PskKind::Resumption { psk_group_id, psk_epoch, usage: _ } => {
                let group_id = psk_group_id.as_slice();
                own(group_id, *psk_epoch).or_else(|| env.psks.resumption(group_id, *psk_epoch))
            }
        };
        secrets.push(secret.ok_or(ProcessError::MissingPsk)?);
    }
    let pairs: Vec<_> = ids.iter().zip(&secrets).collect();
    Ok(psk_secret(suite, &pairs)?)
}

/// PROP-10: an id with a fresh nonce.
pub(crate) fn fresh_id(env: &Env<'_>, suite: &dyn SuiteCrypto, kind: PskKind) -> Result<PreSharedKeyId, ProcessError> {
    let mut nonce = vec![0; suite.hash_len()];
    env.random.fill(&mut nonce)?;
    Ok(PreSharedKeyId { kind, psk_nonce: Opaque::new(nonce) })
}
