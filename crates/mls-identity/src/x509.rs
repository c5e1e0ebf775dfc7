//! X.509 credentials (RFC 9420, Section 5.3; RFC 5280).
//!
//! In: a chain, its end-entity certificate first. Out: whether it leads to a root that the application gave.
//! Always: each certificate certifies the one before it, in the order of the chain; every issuer is a certificate authority;
//! the end entity's key is the signature key of the leaf; names are read from the end entity alone.

use core::{fmt, time::Duration};

use mls_engine::message::{Certificate, Credential, CredentialType};
use rustls_pki_types::{AlgorithmIdentifier, CertificateDer, TrustAnchor, UnixTime, alg_id};
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath, anchor_from_trusted_cert};

use crate::{
    IdentityError,
    claim::{ClaimRole, IdentityClaim, IdentityPolicy, user_of as credential_user},
    reason,
};

/// Certificates of one chain, at most.
const CHAIN_MAX: usize = 6;
/// Bytes of one certificate, at most.
const CERTIFICATE_MAX: usize = 16_384;

/// Believes chains that lead to one of these roots.
pub struct X509Identities {
    roots: Vec<TrustAnchor<'static>>,
    root_certificates: Vec<Vec<u8>>,
}

/// Certificates of members are issued for many purposes; the roots are the application's, and so is what they issue.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

/// Why a chain is not believed.
#[derive(Clone, Copy)]
enum NotBelieved {
    /// A certificate is not valid any more since then.
    RanOut(u64),
    /// A certificate is not valid yet.
    TooEarly,
    /// Anything else.
    Chain,
}

impl NotBelieved {
    const fn reason(self) -> u16 {
        match self {
            Self::RanOut(_) | Self::TooEarly => reason::EXPIRED,
            Self::Chain => reason::CHAIN,
        }
    }
}

impl X509Identities {
    /// Believes what these certificate authorities issue, each given in DER. They are not looked at any further.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`] if one is no certificate; [`IdentityError::Invalid`] if there is none.
    pub fn new<'a>(roots: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, IdentityError> {
        let root_certificates: Vec<Vec<u8>> = roots.into_iter().map(<[u8]>::to_vec).collect();
        if root_certificates.is_empty() {
            return Err(IdentityError::Invalid);
        }
        let anchor = |der: &Vec<u8>| {
            let certificate = CertificateDer::from(der.as_slice());
            anchor_from_trusted_cert(&certificate).map(|anchor| anchor.to_owned()).map_err(|_| IdentityError::Malformed)
        };
        let roots = root_certificates.iter().map(anchor).collect::<Result<_, _>>()?;
        Ok(Self { roots, root_certificates })
    }

    /// CRED-11: the chain, in order, up to a root.
    fn check_chain(&self, chain: &[Certificate], now: u64) -> Result<(), NotBelieved> {
        let within = chain.iter().all(|certificate| certificate.cert_data.as_slice().len() <= CERTIFICATE_MAX);
        if chain.len() > CHAIN_MAX || !within {
            return Err(NotBelieved::Chain);
        }
        let der: Vec<_> = chain.iter().map(|one| CertificateDer::from(one.cert_data.as_slice())).collect();
        let (first, issuers) = der.split_first().ok_or(NotBelieved::Chain)?;
        let end_entity = EndEntityCert::try_from(first).map_err(|_| NotBelieved::Chain)?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(now));
        let in_order = |path: &VerifiedPath<'_>| self.check_order(path, issuers);
        let algorithms = webpki::ALL_VERIFICATION_ALGS;
        match end_entity.verify_for_usage(algorithms, &self.roots, issuers, time, AnyPurpose, None, Some(&in_order)) {
            Ok(_) => Ok(()),
            Err(webpki::Error::CertExpired { not_after, .. }) => Err(NotBelieved::RanOut(not_after.as_secs())),
            Err(webpki::Error::CertNotValidYet { .. }) => Err(NotBelieved::TooEarly),
            Err(_) => Err(NotBelieved::Chain),
        }
    }

    /// CRED-13: what only ran out keeps nobody else from joining, if it was valid in its time.
    fn check_chain_in_its_time(&self, chain: &[Certificate], now: u64) -> Result<(), NotBelieved> {
        let mut time = now;
        // Each certificate may have run out at another time.
        for _ in 0..=chain.len() {
            match self.check_chain(chain, time) {
                Err(NotBelieved::RanOut(end)) if end < time => time = end,
                other => return other,
            }
        }
        Err(NotBelieved::Chain)
    }

    /// Section 5.3: the path takes all certificates of the chain, in its order; only the root may be there beside.
    fn check_order(&self, path: &VerifiedPath<'_>, issuers: &[CertificateDer<'_>]) -> Result<(), webpki::Error> {
        let mut given = issuers.iter();
        for taken in path.intermediate_certificates() {
            if given.next().is_none_or(|issuer| issuer.as_ref() != taken.der().as_ref()) {
                return Err(webpki::Error::UnknownIssuer);
            }
        }
        let is_root = |der: &CertificateDer<'_>| self.root_certificates.iter().any(|root| root == der.as_ref());
        let rest = given.as_slice();
        if rest.len() <= 1 && rest.iter().all(is_root) { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
    }
}

impl IdentityPolicy for X509Identities {
    fn validate(&self, claim: &IdentityClaim<'_>) -> Result<(), u16> {
        let Some(Credential::X509(chain)) = claim.credential else { return Err(reason::CREDENTIAL_TYPE) };
        let end_entity = chain.first().ok_or(reason::CHAIN)?.cert_data.as_slice();
        if claim.credential.and_then(credential_user) != Some(claim.identity) {
            return Err(reason::OTHER_IDENTITY);
        }
        check_key(end_entity, claim.signature_key)?;
        let checked = match claim.role {
            ClaimRole::Member => self.check_chain_in_its_time(chain, claim.now),
            _ => self.check_chain(chain, claim.now),
        };
        checked.map_err(NotBelieved::reason)
    }

    fn credential_types(&self) -> Vec<CredentialType> {
        vec![CredentialType::X509]
    }
}

impl fmt::Debug for X509Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("X509Identities").field("roots", &self.roots.len()).finish_non_exhaustive()
    }
}

/// The first URI in a certificate's subject alternative names, or else the first DNS name.
pub(crate) fn user_of(der: &[u8]) -> Option<&[u8]> {
    let found = {
        let certificate = CertificateDer::from(der);
        let certificate = EndEntityCert::try_from(&certificate).ok()?;
        let name = certificate.valid_uri_names().next().or_else(|| certificate.valid_dns_names().next());
        name.map(|name| name.as_bytes().to_vec())
    }?;
    // The name is in the certificate; its place outlives the parser.
    der.windows(found.len().max(1)).find(|window| *window == found)
}

/// CRED-10: the key of the certificate is the one that the leaf signs with.
fn check_key(end_entity: &[u8], signature_key: &[u8]) -> Result<(), u16> {
    let der = CertificateDer::from(end_entity);
    let certificate = EndEntityCert::try_from(&der).map_err(|_| reason::CHAIN)?;
    let algorithm = match signature_key.len() {
        32 => alg_id::ED25519,
        65 => alg_id::ECDSA_P256,
        97 => alg_id::ECDSA_P384,
        133 => alg_id::ECDSA_P521,
        _ => return Err(reason::UNKNOWN_KEY),
    };
    let info = certificate.subject_public_key_info();
    let wanted = subject_public_key_info(&algorithm, signature_key);
    if wanted.as_deref() == Some(info.as_ref()) { Ok(()) } else { Err(reason::UNKNOWN_KEY) }
}

/// `SubjectPublicKeyInfo` (RFC 5280, Section 4.1) of a key; `None` if it is too long for a key of MLS.
fn subject_public_key_info(algorithm: &AlgorithmIdentifier, key: &[u8]) -> Option<Vec<u8>> {
    const SEQUENCE: u8 = 0x30;
    const BIT_STRING: u8 = 0x03;
    let algorithm = element(SEQUENCE, algorithm.as_ref())?;
    let key = element(BIT_STRING, &[&[0], key].concat())?;
    element(SEQUENCE, &[algorithm, key].concat())
}

/// One element in DER, of less than 256 bytes.
fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let len = u8::try_from(content.len()).ok()?;
    let head = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
    Some([head.as_slice(), content].concat())
}
