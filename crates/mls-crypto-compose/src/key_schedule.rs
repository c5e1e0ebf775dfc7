//! HPKE key schedule (RFC 9180, Section 5.1).
//!
//! In: mode, `info`, a PSK if any, then one shared secret per recipient. Out: AEAD key and nonce, exporter secret.
//! Always: what depends on `info` and PSK alone is computed once, however many recipients follow.

use mls_crypto::{CryptoError, HpkeContext, HpkePsk, Secret, SuiteParameters};

use crate::hkdf::{Hkdf, LabeledHkdf};

/// The key schedule of one `(KEM, KDF, AEAD)`.
#[derive(Debug)]
pub(crate) struct KeySchedule {
    labeled: LabeledHkdf,
    /// `psk_id_hash` of base mode, the same for every context.
    no_psk_id_hash: Secret,
    key_len: usize,
    nonce_len: usize,
}

impl KeySchedule {
    pub(crate) fn new(parameters: SuiteParameters, hkdf: Hkdf) -> Self {
        let (kem, kdf, aead) = (parameters.kem.id(), parameters.kdf.id(), parameters.aead.id());
        let suite_id = [&b"HPKE"[..], &kem.to_be_bytes(), &kdf.to_be_bytes(), &aead.to_be_bytes()].concat();
        let labeled = LabeledHkdf::new(hkdf, suite_id);
        let no_psk_id_hash = labeled.extract(&[], b"psk_id_hash", &[]);
        Self { labeled, no_psk_id_hash, key_len: parameters.aead.key_len(), nonce_len: parameters.aead.nonce_len() }
    }

    /// `key_schedule_context`: mode, `psk_id_hash`, `info_hash`.
    pub(crate) fn prepare<'a>(&'a self, context: &HpkeContext<'a>) -> Result<PreparedSchedule<'a>, CryptoError> {
        let info_hash = self.labeled.extract(&[], b"info_hash", context.info);
        let (mode, psk) = match context.psk {
            None => (MODE_BASE, &[][..]),
            Some(HpkePsk { psk, psk_id }) => {
                // VerifyPSKInputs (RFC 9180, Section 5.1): PSK mode needs both.
                if psk.len() < MIN_PSK_LEN || psk_id.is_empty() {
                    return Err(CryptoError::InvalidLength);
                }
                (MODE_PSK, psk)
            }
        };
        let hashed_psk_id = context.psk.map(|psk| self.labeled.extract(&[], b"psk_id_hash", psk.psk_id));
        let psk_id_hash = hashed_psk_id.as_ref().unwrap_or(&self.no_psk_id_hash);
        let key_schedule_context = [&[mode], psk_id_hash.as_slice(), info_hash.as_slice()].concat();
        Ok(PreparedSchedule { schedule: self, key_schedule_context, psk })
    }

    /// `Context.Export(exporter_context, len)` (RFC 9180, Section 5.3).
    pub(crate) fn export(
        &self,
        exporter_secret: &Secret,
        exporter_context: &[u8],
        len: usize,
    ) -> Result<Secret, CryptoError> {
        self.labeled.expand(exporter_secret, b"sec", exporter_context, len)
    }
}

/// The schedule up to the point where the shared secret enters.
pub(crate) struct PreparedSchedule<'a> {
    schedule: &'a KeySchedule,
    key_schedule_context: Vec<u8>,
    psk: &'a [u8],
}

impl PreparedSchedule<'_> {
    /// `secret`.
    pub(crate) fn enter(&self, shared_secret: &Secret) -> ScheduleSecret<'_> {
        let secret = self.schedule.labeled.extract(shared_secret.as_slice(), b"secret", self.psk);
        ScheduleSecret { prepared: self, secret }
    }

    fn expand(&self, secret: &Secret, label: &[u8], len: usize) -> Result<Secret, CryptoError> {
        self.schedule.labeled.expand(secret, label, &self.key_schedule_context, len)
    }
}

/// The schedule after the shared secret has entered; each use spends it.
pub(crate) struct ScheduleSecret<'a> {
    prepared: &'a PreparedSchedule<'a>,
    secret: Secret,
}

impl ScheduleSecret<'_> {
    /// `key` and `base_nonce`. The nonce of the first message is `base_nonce` itself (RFC 9180, Section 5.2).
    pub(crate) fn into_key_and_nonce(self) -> Result<(Secret, Secret), CryptoError> {
        let KeySchedule { key_len, nonce_len, .. } = *self.prepared.schedule;
        let key = self.prepared.expand(&self.secret, b"key", key_len)?;
        let base_nonce = self.prepared.expand(&self.secret, b"base_nonce", nonce_len)?;
        Ok((key, base_nonce))
    }

    /// `exporter_secret`.
    pub(crate) fn into_exporter_secret(self) -> Result<Secret, CryptoError> {
        self.prepared.expand(&self.secret, b"exp", self.prepared.schedule.labeled.output_len())
    }
}

/// Shortest PSK that can hold the 32 bytes of entropy asked for (RFC 9180, Section 9.5).
const MIN_PSK_LEN: usize = 32;
/// `mode_base` (RFC 9180, Table 1).
const MODE_BASE: u8 = 0x00;
/// `mode_psk` (RFC 9180, Table 1).
const MODE_PSK: u8 = 0x01;
