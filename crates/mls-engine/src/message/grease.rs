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

    /// GRS-01: one value in each list of the capabilities; one that our last leaf had stays, so that lists do not grow.
    pub fn capabilities(&self, capabilities: &mut Capabilities) {
        push_new(&mut capabilities.cipher_suites, CipherSuite(self.value(0)), |suite| suite.0);
        push_new(&mut capabilities.extensions, ExtensionType(self.value(1)), |kind| kind.0);
        push_new(&mut capabilities.proposals, ProposalType(self.value(2)), |kind| kind.0);
        push_new(&mut capabilities.credentials, CredentialType(self.value(3)), |kind| kind.0);
    }

    /// A leaf or key package extension in place of any from before, if it is `wanted`. GRS-05: its type is the one that
    /// [`Grease::capabilities`] put into the list.
    pub fn member_extension(&self, wanted: bool, capabilities: &Capabilities, extensions: &mut Extensions) {
        let old: Vec<_> = extensions.types().filter(|kind| is_grease(kind.0)).collect();
        old.into_iter().for_each(|kind| extensions.remove(kind));
        let listed = capabilities.extensions.iter().find(|kind| is_grease(kind.0));
        if let Some(kind) = listed.filter(|_| wanted) {
            extensions.set(*kind, self.seed.to_vec());
        }
    }

    /// WEL-25: a GroupInfo extension.
    pub fn group_info_extension(&self, extensions: &mut Extensions) {
        extensions.set(ExtensionType(self.value(5)), self.seed.to_vec());
    }
}

fn push_new<T>(list: &mut Vec<T>, value: T, number: impl Fn(&T) -> u16) {
    if !list.iter().any(|item| is_grease(number(item))) {
        list.push(value);
    }
}

/// Whether the generator could have drawn it.
const fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && high & 0x0F == 0x0A && high != 0xFA
}

#[cfg(test)]
mod tests;
