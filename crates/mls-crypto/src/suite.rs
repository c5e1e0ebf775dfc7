//! Cipher suites and their algorithms (RFC 9420, Sections 5.1 and 17.1).
//!
//! Ids beyond the registry are provisional, so the mapping is a table the application can replace.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

/// IANA "MLS Cipher Suites" (RFC 9420, Section 17.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, TlsDeserializeBytes, TlsSerialize, TlsSize)]
pub struct CipherSuite(pub u16);

impl CipherSuite {
    /// CRY-01: `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`, mandatory to implement.
    pub const X25519_AES128: Self = Self(0x0001);
    /// `MLS_128_DHKEMP256_AES128GCM_SHA256_P256`.
    pub const P256_AES128: Self = Self(0x0002);
    /// `MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519`.
    pub const X25519_CHACHA20: Self = Self(0x0003);
    /// `MLS_256_DHKEMX448_AES256GCM_SHA512_Ed448`.
    pub const X448_AES256: Self = Self(0x0004);
    /// `MLS_256_DHKEMP521_AES256GCM_SHA512_P521`.
    pub const P521_AES256: Self = Self(0x0005);
    /// `MLS_256_DHKEMX448_CHACHA20POLY1305_SHA512_Ed448`.
    pub const X448_CHACHA20: Self = Self(0x0006);
    /// `MLS_256_DHKEMP384_AES256GCM_SHA384_P384`.
    pub const P384_AES256: Self = Self(0x0007);
    /// `MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519`, provisional id (draft-ietf-mls-pq-ciphersuites).
    pub const XWING_AES256: Self = Self(0x004E);
    /// `MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519`, provisional id (draft-ietf-mls-pq-ciphersuites).
    pub const XWING_AES128: Self = Self(0x004F);
}

/// HPKE key encapsulation (RFC 9180, Section 7.1; draft-ietf-hpke-pq).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Kem {
    /// DHKEM(X25519, HKDF-SHA256), 0x0020.
    X25519,
    /// DHKEM(P-256, HKDF-SHA256), 0x0010.
    P256,
    /// DHKEM(P-384, HKDF-SHA384), 0x0011.
    P384,
    /// DHKEM(P-521, HKDF-SHA512), 0x0012.
    P521,
    /// DHKEM(X448, HKDF-SHA512), 0x0021.
    X448,
    /// MLKEM768-X25519 (X-Wing), 0x647a.
    XWing,
}

/// HPKE and MLS key derivation: HKDF (RFC 5869) with this hash.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Kdf {
    /// HKDF-SHA256, 0x0001.
    Sha256,
    /// HKDF-SHA384, 0x0002.
    Sha384,
    /// HKDF-SHA512, 0x0003.
    Sha512,
}

/// Authenticated encryption (RFC 9180, Section 7.3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Aead {
    /// AES-128-GCM, 0x0001.
    Aes128Gcm,
    /// AES-256-GCM, 0x0002.
    Aes256Gcm,
    /// ChaCha20-Poly1305, 0x0003.
    ChaCha20Poly1305,
}

/// Hash of transcripts, trees and MACs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// Signature scheme (TLS `SignatureScheme`, RFC 9420, Section 5.1.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SignatureScheme {
    /// `ed25519`, 0x0807.
    Ed25519,
    /// `ed448`, 0x0808.
    Ed448,
    /// `ecdsa_secp256r1_sha256`, 0x0403.
    EcdsaP256Sha256,
    /// `ecdsa_secp384r1_sha384`, 0x0503.
    EcdsaP384Sha384,
    /// `ecdsa_secp521r1_sha512`, 0x0603.
    EcdsaP521Sha512,
}

/// The algorithms behind one suite id.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SuiteParameters {
    /// HPKE KEM.
    pub kem: Kem,
    /// HPKE KDF, also the suite's KDF.
    pub kdf: Kdf,
    /// HPKE AEAD, also the suite's AEAD.
    pub aead: Aead,
    /// Hash.
    pub hash: HashAlgorithm,
    /// Signature.
    pub signature: SignatureScheme,
}

impl Kem {
    /// HPKE `kem_id`.
    pub const fn id(self) -> u16 {
        match self {
            Self::P256 => 0x0010,
            Self::P384 => 0x0011,
            Self::P521 => 0x0012,
            Self::X25519 => 0x0020,
            Self::X448 => 0x0021,
            Self::XWing => 0x647a,
        }
    }
}

impl Kdf {
    /// HPKE `kdf_id`.
    pub const fn id(self) -> u16 {
        match self {
            Self::Sha256 => 0x0001,
            Self::Sha384 => 0x0002,
            Self::Sha512 => 0x0003,
        }
    }
}

impl Aead {
    /// HPKE `aead_id`.
    pub const fn id(self) -> u16 {
        match self {
            Self::Aes128Gcm => 0x0001,
            Self::Aes256Gcm => 0x0002,
            Self::ChaCha20Poly1305 => 0x0003,
        }
    }

    /// `Nk`, in bytes.
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm | Self::ChaCha20Poly1305 => 32,
        }
    }

    /// `Nn`, in bytes.
    pub const fn nonce_len(self) -> usize {
        12
    }
}

impl HashAlgorithm {
    /// `Nh`, in bytes.
    pub const fn output_len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Suite ids and what they stand for; the order is the order of preference.
///
/// The default table holds the registered suites and the provisional ids of the post-quantum hybrids. An application
/// that speaks to a stack with other numbers maps them here; nothing else in the code knows an id's algorithms.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SuiteTable(Vec<(CipherSuite, SuiteParameters)>);

impl SuiteTable {
    /// The algorithms of `cipher_suite`.
    pub fn get(&self, cipher_suite: CipherSuite) -> Option<SuiteParameters> {
        self.0.iter().find(|(id, _)| *id == cipher_suite).map(|(_, parameters)| *parameters)
    }

    /// All ids, most preferred first.
    pub fn ids(&self) -> impl Iterator<Item = CipherSuite> + '_ {
        self.0.iter().map(|(id, _)| *id)
    }

    /// Maps `cipher_suite` to these algorithms, replacing an earlier mapping of the id.
    #[must_use]
    pub fn with(mut self, cipher_suite: CipherSuite, parameters: SuiteParameters) -> Self {
        self.0.retain(|(id, _)| *id != cipher_suite);
        self.0.push((cipher_suite, parameters));
        self
    }

    /// Only the suites for which `keep` holds.
    #[must_use]
    pub fn only(mut self, keep: impl Fn(&SuiteParameters) -> bool) -> Self {
        self.0.retain(|(_, parameters)| keep(parameters));
        self
    }
}

impl Default for SuiteTable {
    fn default() -> Self {
        use HashAlgorithm as H;
        use SignatureScheme as S;
        let suite = |kem, kdf, aead, hash, signature| SuiteParameters { kem, kdf, aead, hash, signature };
        let (aes128, aes256, chacha) = (Aead::Aes128Gcm, Aead::Aes256Gcm, Aead::ChaCha20Poly1305);
        Self(vec![
            (CipherSuite::XWING_AES256, suite(Kem::XWing, Kdf::Sha384, aes256, H::Sha384, S::Ed25519)),
            (CipherSuite::XWING_AES128, suite(Kem::XWing, Kdf::Sha256, aes128, H::Sha256, S::Ed25519)),
            (CipherSuite::X25519_AES128, suite(Kem::X25519, Kdf::Sha256, aes128, H::Sha256, S::Ed25519)),
            (CipherSuite::X25519_CHACHA20, suite(Kem::X25519, Kdf::Sha256, chacha, H::Sha256, S::Ed25519)),
            (CipherSuite::P256_AES128, suite(Kem::P256, Kdf::Sha256, aes128, H::Sha256, S::EcdsaP256Sha256)),
            (CipherSuite::P384_AES256, suite(Kem::P384, Kdf::Sha384, aes256, H::Sha384, S::EcdsaP384Sha384)),
            (CipherSuite::P521_AES256, suite(Kem::P521, Kdf::Sha512, aes256, H::Sha512, S::EcdsaP521Sha512)),
            (CipherSuite::X448_AES256, suite(Kem::X448, Kdf::Sha512, aes256, H::Sha512, S::Ed448)),
            (CipherSuite::X448_CHACHA20, suite(Kem::X448, Kdf::Sha512, chacha, H::Sha512, S::Ed448)),
        ])
    }
}
