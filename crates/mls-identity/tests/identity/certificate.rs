//! What a device certificate says, and who may have said it.

use mls_crypto::Signer;
use mls_engine::message::Extensions;
use mls_identity::{
    CERTIFICATE_BYTES_MAX, DEVICE_CERTIFICATE, DeviceCertificate, DeviceClaim, IdentityClaim, IdentityError, Validity,
    reason,
};

use crate::support::{claim, crypto, master};

#[test]
fn has_one_encoding_and_shows_who_signed() {
    let certificate = DeviceCertificate::issue(master(1).as_ref(), &claim(b"alice", &[7; 32], 3)).unwrap();
    let bytes = certificate.to_bytes().unwrap();
    assert_eq!(DeviceCertificate::from_bytes(&bytes), Ok(certificate.clone()));
    assert_eq!(certificate.verify(&crypto()), Ok(()));
    assert_eq!((certificate.user(), certificate.device(), certificate.serial()), (&b"alice"[..], &b"phone"[..], 3));
    assert_eq!(certificate.master_key(), *master(1).public_key());
    assert!(certificate.validity().contains(100) && certificate.validity().contains(200));
    assert!(!certificate.validity().contains(99) && !certificate.validity().contains(201));
}

/// Every byte is covered by the encoding's rules or the signature.
#[test]
fn each_changed_byte_is_found() {
    let certificate = DeviceCertificate::issue(master(1).as_ref(), &claim(b"alice", &[7; 32], 3)).unwrap();
    let bytes = certificate.to_bytes().unwrap();
    for place in 0..bytes.len() {
        let mut bent = bytes.clone();
        bent[place] ^= 1;
        let read = DeviceCertificate::from_bytes(&bent);
        let verdict = read.and_then(|bent| bent.verify(&crypto()));
        assert!(matches!(verdict, Err(IdentityError::Malformed | IdentityError::BadSignature)), "byte {place}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(DeviceCertificate::from_bytes(&longer), Err(IdentityError::Malformed));
    assert_eq!(DeviceCertificate::from_bytes(&vec![0; CERTIFICATE_BYTES_MAX + 1]), Err(IdentityError::Malformed));
}

#[test]
fn what_could_not_be_valid_is_not_issued() {
    let backwards = DeviceClaim { validity: Validity { not_before: 2, not_after: 1 }, ..claim(b"alice", &[7; 32], 1) };
    let nameless = DeviceClaim { device: b"", ..claim(b"alice", &[7; 32], 1) };
    let long = DeviceClaim { device: &[1; 65], ..claim(b"alice", &[7; 32], 1) };
    let user = vec![0; CERTIFICATE_BYTES_MAX];
    let large = claim(&user, &[7; 32], 1);
    for bad in [backwards, nameless, long, large] {
        assert_eq!(DeviceCertificate::issue(master(1).as_ref(), &bad).err(), Some(IdentityError::Invalid));
    }
}

/// A signature over something else is no certificate, whoever made it: labels keep them apart.
#[test]
fn a_signature_without_the_label_is_none() {
    let certificate = DeviceCertificate::issue(master(1).as_ref(), &claim(b"alice", &[7; 32], 3)).unwrap();
    let mut bytes = certificate.to_bytes().unwrap();
    let statement = bytes.len() - 65;
    let signature = master(1).sign(&bytes[..statement]).unwrap();
    bytes.truncate(statement + 1);
    bytes.extend(signature);
    let bare = DeviceCertificate::from_bytes(&bytes).unwrap();
    assert_eq!(bare.verify(&crypto()), Err(IdentityError::BadSignature));
}

#[test]
fn is_shown_for_its_own_user_and_key_only() {
    let certificate = DeviceCertificate::issue(master(1).as_ref(), &claim(b"alice", &[7; 32], 3)).unwrap();
    let mut extensions = Extensions::new();
    certificate.put(&mut extensions).unwrap();
    let shown = |user: &[u8], key: &[u8], extensions: &Extensions| {
        let claim = IdentityClaim::new(user, key, 150).with_extensions(extensions);
        DeviceCertificate::shown(&crypto(), &claim)
    };
    assert_eq!(shown(b"alice", &[7; 32], &extensions), Ok(Some(certificate)));
    assert_eq!(shown(b"bob", &[7; 32], &extensions), Err(reason::BAD_CERTIFICATE));
    assert_eq!(shown(b"alice", &[8; 32], &extensions), Err(reason::BAD_CERTIFICATE));
    assert_eq!(shown(b"alice", &[7; 32], &Extensions::new()), Ok(None));
    extensions.set(DEVICE_CERTIFICATE, b"nonsense".to_vec());
    assert_eq!(shown(b"alice", &[7; 32], &extensions), Err(reason::BAD_CERTIFICATE));
}
