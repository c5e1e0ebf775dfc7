//! The number of known bytes.

use super::safety_number;

#[test]
fn digits_come_from_the_first_thirty_bytes() {
    assert_eq!(safety_number(&[0; 32]), "00000 00000 00000 00000 00000 00000");
    let counting: Vec<u8> = (0..32).collect();
    // 0x0001020304 = 16909060, and so on.
    assert_eq!(safety_number(&counting).split(' ').next(), Some("09060"));
    assert_eq!(safety_number(&counting), safety_number(counting.get(..30).unwrap_or_default()));
    assert_ne!(safety_number(&[1; 32]), safety_number(&[2; 32]));
}
