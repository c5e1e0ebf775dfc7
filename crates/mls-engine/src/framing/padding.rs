//! Padding (RFC 9420, Sections 6.3.1 and 15.1): hiding the length of what is said.

/// How much a sender pads.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Padding {
    /// Not at all.
    None,
    /// To the next multiple of this many bytes.
    Step(u16),
    /// PM-17: to lengths of few significant bits, so that a length tells O(log log n) bits and costs at most 12 %
    /// (Padmé; Nikitin and others, "Reducing Metadata Leakage from Encrypted Files", PETS 2019), and to 32 bytes at least.
    #[default]
    Bucketed,
}

impl Padding {
    /// How many zero bytes to append to `len` bytes.
    pub fn len_for(self, len: usize) -> usize {
        let padded = match self {
            Self::None => len,
            Self::Step(step) => len.checked_next_multiple_of(usize::from(step).max(1)).unwrap_or(len),
            Self::Bucketed => bucket(len.max(32)),
        };
        padded.saturating_sub(len)
    }
}

/// Rounds `len` up so that at most `log2(log2(len)) + 1` of its leading bits are set freely.
fn bucket(len: usize) -> usize {
    let exponent = len.checked_ilog2().unwrap_or_default();
    let significant = exponent.checked_ilog2().unwrap_or_default().saturating_add(1);
    let low_bits = exponent.saturating_sub(significant);
    let mask = 1usize.checked_shl(low_bits).unwrap_or(1).saturating_sub(1);
    len.saturating_add(mask) & !mask
}

#[cfg(test)]
mod tests;
