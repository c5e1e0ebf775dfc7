//! A device shows who it is: challenge, signature, token.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use mls_crypto::{CipherSuite, Opaque, Secret, SignaturePrivateKey, label};
use mls_crypto_aws_lc::{AwsLc, OsRandom};
use mls_delivery::{
    DeviceKey, Rejection, ServiceCrypto,
    auth::{CHALLENGE_LIFETIME, Gate, Login, TOKEN_LIFETIME, Token},
};
use mls_engine::codec::encode;

const NOW: u64 = 1_800_000_000;

fn crypto() -> ServiceCrypto {
    ServiceCrypto::new(Arc::new(AwsLc::default())).unwrap()
}

fn gate(name: &str, secret: u8) -> Gate {
    Gate::new(crypto(), name.as_bytes(), Secret::copy_from(&[secret; 32]))
}

fn device() -> (DeviceKey, SignaturePrivateKey) {
    let (private_key, public_key) = crypto().own().signature_generate(&OsRandom).unwrap();
    (DeviceKey { cipher_suite: CipherSuite::X25519_AES128, public_key }, private_key)
}

fn answer(gate: &Gate, service: &str, (key, private_key): &(DeviceKey, SignaturePrivateKey)) -> Login {
    let challenge = gate.challenge(&OsRandom, NOW).unwrap();
    Login::sign(&crypto(), (key.clone(), private_key), service.as_bytes(), challenge).unwrap()
}

#[test]
fn a_device_logs_in_and_keeps_its_token_for_its_time() {
    let (gate, device) = (gate("here", 1), device());
    let id = gate.check(&answer(&gate, "here", &device), NOW + CHALLENGE_LIFETIME).unwrap();
    assert_eq!(id, device.0.device(&crypto()).unwrap());
    let bytes = gate.token(id, NOW).unwrap().to_bytes().unwrap();
    let token = Token::from_bytes(&bytes).unwrap();
    assert_eq!(gate.admit(&token, NOW + TOKEN_LIFETIME), Ok(id));
    assert_eq!(gate.admit(&token, NOW + TOKEN_LIFETIME + 1), Err(Rejection::Unauthenticated));
}

#[test]
fn an_answer_is_for_one_service_and_one_minute() {
    let (here, device) = (gate("here", 1), device());
    let late = here.check(&answer(&here, "here", &device), NOW + CHALLENGE_LIFETIME + 1);
    assert_eq!(late.unwrap_err(), Rejection::Unauthenticated);
    // Another service passes our challenge on; and a challenge of another service is brought to us.
    assert_eq!(here.check(&answer(&here, "there", &device), NOW).unwrap_err(), Rejection::BadSignature);
    let there = gate("here", 2);
    assert_eq!(here.check(&answer(&there, "here", &device), NOW).unwrap_err(), Rejection::Unauthenticated);
}

#[test]
fn an_answer_is_signed_by_the_key_it_names() {
    let (gate, device, other) = (gate("here", 1), device(), device());
    let mut stolen = answer(&gate, "here", &other);
    stolen.key = device.0;
    assert_eq!(gate.check(&stolen, NOW).unwrap_err(), Rejection::BadSignature);
}

/// RFC 9420, Section 5.1.2: a signature of MLS is no answer, whatever was signed.
#[test]
fn a_signature_of_mls_is_no_answer() {
    let (gate, (key, private_key)) = (gate("here", 1), device());
    let mut login = answer(&gate, "here", &(key.clone(), private_key.duplicate()));
    let service = Opaque::from(b"here");
    let content = encode(&(&service, &login.challenge, &key)).unwrap();
    let own = crypto();
    login.signature = label::sign_with_label(own.own(), &private_key, "login", &content).unwrap().into();
    assert_eq!(gate.check(&login, NOW).unwrap_err(), Rejection::BadSignature);
}

#[test]
fn a_token_cannot_be_altered() {
    let (gate, device) = (gate("here", 1), device());
    let id = gate.check(&answer(&gate, "here", &device), NOW).unwrap();
    let bytes = gate.token(id, NOW).unwrap().to_bytes().unwrap();
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        if let Some(byte) = altered.get_mut(at) {
            *byte ^= 1;
        }
        let admitted = Token::from_bytes(&altered).and_then(|token| gate.admit(&token, NOW));
        assert_eq!(admitted, Err(Rejection::Unauthenticated), "byte {at}");
    }
}
