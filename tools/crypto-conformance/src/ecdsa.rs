//! The NIST curves: what ECDSA and ECDH keys must not be, and low `s` (RFC 9420, Sections 5.1.1 and 5.1.2; SEC 1).

use mls_crypto::{Random, SignatureScheme, SuiteCrypto};

use crate::signature::verdict;

/// A curve of FIPS 186-5.
#[derive(Clone, Copy)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// The curve of an ECDSA scheme.
    pub(crate) fn of(scheme: SignatureScheme) -> Option<Self> {
        match scheme {
            SignatureScheme::EcdsaP256Sha256 => Some(Self::P256),
            SignatureScheme::EcdsaP384Sha384 => Some(Self::P384),
            SignatureScheme::EcdsaP521Sha512 => Some(Self::P521),
            _ => None,
        }
    }

    /// The order of the group, big-endian.
    fn order(self) -> Vec<u8> {
        let digits = match self {
            Self::P256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            Self::P384 => {
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
            }
            Self::P521 => concat!(
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa",
                "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
            ),
        };
        hex::decode(digits).unwrap()
    }

    /// Scalars that are no private key: zero, the order, and all ones.
    pub(crate) fn invalid_scalars(self) -> [Vec<u8>; 3] {
        let order = self.order();
        [vec![0; order.len()], order.clone(), vec![0xff; order.len()]]
    }

    /// Encodings that are no public key, made from a valid one: off the curve, the point at infinity, compressed,
    /// hybrid, and coordinates out of range.
    pub(crate) fn invalid_points(self, valid: &[u8]) -> Vec<Vec<u8>> {
        let len = self.order().len();
        assert_eq!(valid.len(), 1 + 2 * len);
        let (x, y) = valid[1..].split_at(len);
        let parity = y[len - 1] & 1;
        let mut off_curve = valid.to_vec();
        *off_curve.last_mut().unwrap() ^= 1;
        let tagged = |tag: u8, coordinates: &[u8]| [&[tag], coordinates].concat();
        vec![
            off_curve,
            vec![0],
            vec![0; valid.len()],
            tagged(4, &vec![0; 2 * len]),
            tagged(4, &vec![0xff; 2 * len]),
            tagged(2 | parity, x),
            tagged(2 | parity, &valid[1..]),
            tagged(6 | parity, &valid[1..]),
            tagged(5, &valid[1..]),
        ]
    }
}

/// X-AUTH-05: `s` is low when signed; the other `s` verifies too, since other implementations emit it.
pub(crate) fn check(suite: &dyn SuiteCrypto, random: &dyn Random) {
    let Some(curve) = Curve::of(suite.parameters().signature) else { return };
    let id = suite.cipher_suite();
    let order = curve.order();
    let (private_key, public_key) = suite.signature_generate(random).unwrap();
    for message in 0..16 {
        let signature = suite.sign(&private_key, &[message]).unwrap();
        let (r, s) = parse(&signature, order.len());
        let high = difference(&order, &s);
        assert!(s < high, "{id:?}: s is not low");
        assert_eq!(assemble(&r, &s), signature, "{id:?}: not strict DER");
        assert_eq!(verdict(suite, &public_key, &[message], &assemble(&r, &high)), Ok(()), "{id:?}: high s");
    }
}

/// The two integers of a DER signature, each padded to `len` bytes.
fn parse(signature: &[u8], len: usize) -> (Vec<u8>, Vec<u8>) {
    let header = if signature[1] == 0x81 { 3 } else { 2 };
    let (r, rest) = parse_integer(&signature[header..], len);
    let (s, rest) = parse_integer(rest, len);
    assert!(rest.is_empty());
    (r, s)
}

fn parse_integer(der: &[u8], len: usize) -> (Vec<u8>, &[u8]) {
    assert_eq!(der[0], 0x02);
    let (digits, rest) = der[2..].split_at(usize::from(der[1]));
    let digits = if digits.len() > len { &digits[1..] } else { digits };
    ([&vec![0; len - digits.len()], digits].concat(), rest)
}

/// A strict DER signature.
fn assemble(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integers = [integer(r), integer(s)].concat();
    let len = u8::try_from(integers.len()).unwrap();
    let header = if len < 0x80 { vec![0x30, len] } else { vec![0x30, 0x81, len] };
    [header, integers].concat()
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut digits = bytes[zeros..].to_vec();
    if digits.first().is_none_or(|first| *first >= 0x80) {
        digits.insert(0, 0);
    }
    [vec![0x02, u8::try_from(digits.len()).unwrap()], digits].concat()
}

/// `a - b` for big-endian numbers of one length, `a` the larger.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut digits = vec![0; a.len()];
    let mut borrow = false;
    for position in (0..a.len()).rev() {
        let (digit, first) = a[position].overflowing_sub(b[position]);
        let (digit, second) = digit.overflowing_sub(u8::from(borrow));
        digits[position] = digit;
        borrow = first || second;
    }
    assert!(!borrow);
    digits
}
