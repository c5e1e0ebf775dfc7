//! The key schedule, one type per stage (RFC 9420, Section 8).
//!
//! ```text
//!              InitSecret, CommitSecret ── JoinerSecret ──┬── WelcomeSecret ── key, nonce
//!                                           PskSecret ────┴── EpochSecret ──── EpochSecrets
//! ```
//!
//! In: secrets of the previous epoch and of the commit, and the serialized GroupContext of the new epoch.
//! Out: [`EpochSecrets`].
//! Always: DEL-01 (Section 9.2): what a stage extracts on the way is wiped when the stage returns.

use mls_crypto::{
    CryptoError, Random, Secret, SuiteCrypto,
    label::{derive_secret, expand_with_label},
};

use super::{EpochAuthenticator, ExporterSecret, ExternalSecret, PskSecret, secret_type::secret_type};

secret_type! {
    /// `init_secret`: what one epoch gives to the next; `Nh` bytes.
    InitSecret;
    /// `commit_secret`: the entropy of a commit's path; `Nh` bytes.
    CommitSecret;
    /// `joiner_secret`: what a Welcome carries; `Nh` bytes.
    JoinerSecret;
    /// `welcome_secret`: seals the GroupInfo of a Welcome; `Nh` bytes.
    WelcomeSecret;
    /// `epoch_secret`: the root of all secrets of an epoch; `Nh` bytes.
    EpochSecret;
    /// `sender_data_secret` (Section 6.3.2); `Nh` bytes.
    SenderDataSecret;
    /// `encryption_secret`: the root of the secret tree (Section 9); `Nh` bytes.
    EncryptionSecret;
    /// `confirmation_key`: makes confirmation tags (Section 6.1); `Nh` bytes.
    ConfirmationKey;
    /// `membership_key`: makes membership tags (Section 6.2); `Nh` bytes.
    MembershipKey;
    /// `resumption_psk`: proves membership in this epoch later on (Section 8.6); `Nh` bytes.
    ResumptionPsk;
}

impl EncryptionSecret {
    /// The secret of the secret tree's root.
    pub(super) fn into_root(self) -> Secret {
        self.0
    }
}

impl CommitSecret {
    /// The commit secret of a commit without a path: `Nh` zero bytes.
    pub fn none(suite: &dyn SuiteCrypto) -> Self {
        // COM-13 (Section 12.4.2): without a path the commit secret is all zero.
        Self(Secret::zero(suite.hash_len()))
    }
}

impl JoinerSecret {
    /// The first stage. `group_context` is the serialized GroupContext of the new epoch; the init secret is that of the
    /// old epoch, or comes from an ExternalInit. It is borrowed, since the old epoch stands until the new one is
    /// adopted.
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`] for a context of 2^30 bytes or more.
    pub fn derive(
        suite: &dyn SuiteCrypto,
        init_secret: &InitSecret,
        commit_secret: &CommitSecret,
        group_context: &[u8],
    ) -> Result<Self, CryptoError> {
        // KS-01 (Section 8): the init secret is the salt.
        let extracted = suite.kdf_extract(init_secret.0.as_slice(), commit_secret.0.as_slice());
        expand_with_label(suite, &extracted, "joiner", group_context, suite.hash_len()).map(Self)
    }

    /// The welcome secret alone, for a joiner that does not know the context yet (Section 12.4.3.1).
    ///
    /// # Errors
    /// [`CryptoError`] of the provider.
    pub fn welcome_secret(
        &self,
        suite: &dyn SuiteCrypto,
        psk_secret: &PskSecret,
    ) -> Result<WelcomeSecret, CryptoError> {
        let extracted = suite.kdf_extract(self.0.as_slice(), psk_secret.as_secret().as_slice());
        derive_secret(suite, &extracted, "welcome").map(WelcomeSecret)
    }

    /// The second stage. The joiner secret is borrowed, since the committer goes on to send it in Welcomes; drop it
    /// right after.
    ///
    /// # Errors
    /// [`CryptoError::OutputTooLong`] for a context of 2^30 bytes or more.
    pub fn welcome_and_epoch(
        &self,
        suite: &dyn SuiteCrypto,
        psk_secret: &PskSecret,
        group_context: &[u8],
    ) -> Result<(WelcomeSecret, EpochSecret), CryptoError> {
        // KS-01 (Section 8): the joiner secret is the salt.
        let extracted = suite.kdf_extract(self.0.as_slice(), psk_secret.as_secret().as_slice());
        let welcome_secret = derive_secret(suite, &extracted, "welcome")?;
        let epoch_secret = expand_with_label(suite, &extracted, "epoch", group_context, suite.hash_len())?;
        Ok((WelcomeSecret(welcome_secret), EpochSecret(epoch_secret)))
    }
}

impl WelcomeSecret {
    /// AEAD key (`Nk` bytes) and nonce (`Nn` bytes) of a Welcome's GroupInfo (Section 12.4.3). DEL-12: ends the secret.
    ///
    /// # Errors
    /// [`CryptoError`] of the provider.
    pub fn key_and_nonce(self, suite: &dyn SuiteCrypto) -> Result<(Secret, Secret), CryptoError> {
        let key = expand_with_label(suite, &self.0, "key", &[], suite.aead_key_len())?;
        let nonce = expand_with_label(suite, &self.0, "nonce", &[], suite.aead_nonce_len())?;
        Ok((key, nonce))
    }
}

impl EpochSecret {
    /// The epoch secret of epoch 0 (Section 11).
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn random(suite: &dyn SuiteCrypto, random: &dyn Random) -> Result<Self, CryptoError> {
        // KS-05 (Section 11): fresh random bytes, `Nh` of them.
        let mut secret = Secret::zero(suite.hash_len());
        random.fill(secret.as_mut_slice())?;
        Ok(Self(secret))
    }

    /// The last stage: every secret of the epoch.
    ///
    /// # Errors
    /// [`CryptoError`] of the provider.
    pub fn split(self, suite: &dyn SuiteCrypto) -> Result<EpochSecrets, CryptoError> {
        // KS-01 (Section 8): the labels of the table of epoch-derived secrets.
        let derive = |label| derive_secret(suite, &self.0, label);
        Ok(EpochSecrets {
            init_secret: InitSecret(derive("init")?),
            sender_data_secret: SenderDataSecret(derive("sender data")?),
            encryption_secret: EncryptionSecret(derive("encryption")?),
            exporter_secret: ExporterSecret::from_secret(derive("exporter")?),
            external_secret: ExternalSecret::from_secret(derive("external")?),
            confirmation_key: ConfirmationKey(derive("confirm")?),
            membership_key: MembershipKey(derive("membership")?),
            resumption_psk: ResumptionPsk(derive("resumption")?),
            epoch_authenticator: EpochAuthenticator::from_secret(derive("authentication")?),
        })
    }
}

/// Every secret of an epoch. The fields are moved out to their users.
#[derive(Debug)]
pub struct EpochSecrets {
    /// Goes into the next epoch.
    pub init_secret: InitSecret,
    /// Section 6.3.2.
    pub sender_data_secret: SenderDataSecret,
    /// Section 9.
    pub encryption_secret: EncryptionSecret,
    /// Section 8.5.
    pub exporter_secret: ExporterSecret,
    /// Section 8.3.
    pub external_secret: ExternalSecret,
    /// Section 6.1.
    pub confirmation_key: ConfirmationKey,
    /// Section 6.2.
    pub membership_key: MembershipKey,
    /// Section 8.6.
    pub resumption_psk: ResumptionPsk,
    /// Section 8.7.
    pub epoch_authenticator: EpochAuthenticator,
}

#[cfg(test)]
mod tests;
