//! Numbers that people can compare by voice.

/// Thirty digits in groups of five, out of the first bytes of something that is random and long enough, as an epoch
/// authenticator (RFC 9420, Section 8.7) or a digest. Two that differ are the same with a chance of one in 10^30 only.
pub fn safety_number(bytes: &[u8]) -> String {
    let groups: Vec<_> = bytes
        .chunks(5)
        .take(6)
        .map(|chunk| {
            let number = chunk.iter().fold(0_u64, |number, byte| number.wrapping_shl(8) | u64::from(*byte));
            format!("{:05}", number.wrapping_rem(100_000))
        })
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests;
