use super::*;

#[test]
fn integers_are_minimal_and_positive() {
    assert_eq!(integer(&[0, 0, 0x7f]), Ok(vec![2, 1, 0x7f]));
    assert_eq!(integer(&[0, 0, 0x80]), Ok(vec![2, 2, 0, 0x80]));
    assert_eq!(integer(&[0x80, 0]), Ok(vec![2, 3, 0, 0x80, 0]));
    assert_eq!(integer(&[0, 0]), Ok(vec![2, 1, 0]));
}

#[test]
fn short_signature_has_one_length_byte() {
    assert_eq!(encode(&[0, 1], &[0xff, 2]), Ok(vec![0x30, 8, 2, 1, 1, 2, 3, 0, 0xff, 2]));
}

#[test]
fn p521_signature_has_two_length_bytes() {
    let number = [[1].as_slice(), &[0xff; 65]].concat();
    let encoded = encode(&number, &number).unwrap();
    assert_eq!(encoded[..6], [0x30, 0x81, 136, 2, 66, 1]);
    assert_eq!(encoded.len(), 139);
}

#[test]
fn refuses_what_no_curve_has() {
    assert_eq!(encode(&[1; 200], &[1; 200]), Err(CryptoError::Library));
}
