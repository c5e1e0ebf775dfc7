//! Numbers that people can compare by voice.

/// Thirty digits in groups of five: [`mls_identity::digits`], as devices and epochs are shown.
pub fn safety_number(bytes: &[u8]) -> String {
    mls_identity::digits(bytes)
}

#[cfg(test)]
mod tests;
