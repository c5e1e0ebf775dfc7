//! Values that keep peers tolerant (RFC 9420, Section 13.5).
//!
//! GRS-03: only this generator knows the constants; nothing that receives looks for them.

use mls_crypto::{CipherSuite, CryptoError, Random};

use super::{Capabilities, CredentialType, ExtensionType, Extensions, ProposalType};

/// GRS-09: 0x0A0A to 0xEAEA; 0xFAFA is private use.
const VALUES: u16 = 15;

/// Draws GREASE values for our own objects.
#[derive(Clone, Copy, Debug)]
pub struct Grease {
    seed: [u8; 8],
}

impl Grease {
    /// A new draw.
    ///
    /// # Errors
    /// [`CryptoError::Random`].
    pub fn draw(random: &dyn Random) -> Result<Self, CryptoError> {
        let mut seed = [0; 8];
        random.fill(&mut seed)?;
        Ok(Self { seed })
    }

    /// The value of slot `n`, 0 to 7.
    fn value(&self, slot: usize) -> u16 {
        let byte = u16::from(self.seed.get(slot).copied().unwrap_or_default());
        let row = byte.checked_rem(VALUES).unwrap_or_default();
        row.saturating_mul(0x1010).saturating_add(0x0A0A)
    }

    /// GRS-01: one value in each list of the capabilities. GRS-05: the leaf extension's type is listed.
    pub fn capabilities(&self, capabilities: &mut Capabilities) {
        push_new(&mut capabilities.cipher_suites, CipherSuite(self.value(0)));
        push_new(&mut capabilities.extensions, ExtensionType(self.value(1)));
        push_new(&mut capabilities.proposals, ProposalType(self.value(2)));
        push_new(&mut capabilities.credentials, CredentialType(self.value(3)));
    }

    /// A leaf or key package extension whose type [`Grease::capabilities`] lists.
    pub fn member_extension(&self, extensions: &mut Extensions) {
        extensions.set(ExtensionType(self.value(1)), self.seed.to_vec());
    }

    /// WEL-25: a GroupInfo extension.
    pub fn group_info_extension(&self, extensions: &mut Extensions) {
        extensions.set(ExtensionType(self.value(5)), self.seed.to_vec());
    }
}

fn push_new<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}
