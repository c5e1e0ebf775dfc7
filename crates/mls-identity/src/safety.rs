//! Safety numbers: what two people compare, by voice or by camera, to know that nobody is between them.
//!
//! In: both users and their master keys, or whatever keys their identities hang on. Out: sixty digits, the same on both
//! sides, and bytes for a QR code.
//! Always: the number covers user and key of both; another version has another prefix, so that no two are mistaken for each
//! other.

use tls_codec::{TlsSerialize, TlsSize, VLByteSlice};

use crate::{
    IdentityError,
    crypto::{IdentityCrypto, labelled},
};

/// Of digits and QR codes.
const VERSION: u8 = 1;
const LABEL: &str = "safety number 1";
/// What a QR code begins with, so that a camera tells it from others.
const QR_PREFIX: &[u8; 4] = b"SPsn";
const FINGERPRINT_LEN: usize = 32;
/// How often the hash is taken: a pair of keys that only looks alike costs as much more to find.
const ROUNDS: u32 = 5_200;

/// The safety number of two users.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SafetyNumber {
    own: [u8; FINGERPRINT_LEN],
    theirs: [u8; FINGERPRINT_LEN],
}

/// Why a scanned code does not confirm the number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QrMismatch {
    /// It is no safety number.
    #[error("this code holds no safety number; scan the other one's")]
    NotASafetyNumber,
    /// It is of another version.
    #[error("the safety number is of version {0}; update both programs")]
    Version(u8),
    /// What they have for us, or we for them, is another key: somebody may be in between.
    #[error("the safety numbers differ; do not trust this contact, and compare again in person")]
    Differs,
}

#[derive(TlsSerialize, TlsSize)]
struct Fingerprinted<'a> {
    user: VLByteSlice<'a>,
    key: VLByteSlice<'a>,
}

impl SafetyNumber {
    /// Of two users, each with the key that it is known by. Who is whose "own" makes no difference to
    /// [`SafetyNumber::digits`].
    ///
    /// # Errors
    /// [`IdentityError::Invalid`] for a user or key that no encoding can hold.
    pub fn new(crypto: &IdentityCrypto, own: (&[u8], &[u8]), theirs: (&[u8], &[u8])) -> Result<Self, IdentityError> {
        Ok(Self { own: fingerprint(crypto, own)?, theirs: fingerprint(crypto, theirs)? })
    }

    /// Sixty digits in groups of five, the same for both: thirty of each, the smaller first.
    pub fn digits(&self) -> String {
        let (first, second) = if self.own <= self.theirs { (self.own, self.theirs) } else { (self.theirs, self.own) };
        format!("{} {}", digits(&first), digits(&second))
    }

    /// What to show as a QR code: `"SPsn"`, the version, and both fingerprints, ours first. 69 bytes.
    pub fn qr(&self) -> Vec<u8> {
        [&QR_PREFIX[..], &[VERSION], &self.own, &self.theirs].concat()
    }

    /// Compares what was scanned from the other one's screen: theirs for us has to be ours, and the other way round.
    ///
    /// # Errors
    /// [`QrMismatch`].
    pub fn compare(&self, scanned: &[u8]) -> Result<(), QrMismatch> {
        let (version, rest) =
            scanned.strip_prefix(QR_PREFIX).and_then(|rest| rest.split_first()).ok_or(QrMismatch::NotASafetyNumber)?;
        if *version != VERSION {
            return Err(QrMismatch::Version(*version));
        }
        let (theirs, ours) = rest.split_first_chunk::<FINGERPRINT_LEN>().ok_or(QrMismatch::NotASafetyNumber)?;
        let ours: &[u8; FINGERPRINT_LEN] = ours.try_into().map_err(|_| QrMismatch::NotASafetyNumber)?;
        if *theirs == self.theirs && *ours == self.own { Ok(()) } else { Err(QrMismatch::Differs) }
    }
}

fn fingerprint(crypto: &IdentityCrypto, (user, key): (&[u8], &[u8])) -> Result<[u8; FINGERPRINT_LEN], IdentityError> {
    let start = labelled(LABEL, &Fingerprinted { user: VLByteSlice(user), key: VLByteSlice(key) })?;
    let mut hash = crypto.hash(&[&start]);
    for _ in 1..ROUNDS {
        hash = crypto.hash(&[hash.as_slice(), key]);
    }
    hash.as_slice().try_into().map_err(|_| IdentityError::Invalid)
}

/// Thirty digits in groups of five, out of the first bytes of something that is random and long enough, as an epoch
/// authenticator (RFC 9420, Section 8.7) or a digest. Two that differ are the same with a chance of one in 10^30 only.
pub fn digits(bytes: &[u8]) -> String {
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
