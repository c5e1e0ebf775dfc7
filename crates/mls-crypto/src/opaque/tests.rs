use tls_codec::{DeserializeBytes, Error, Serialize};

use super::Opaque;

fn decode(bytes: &[u8]) -> Result<Opaque, Error> {
    Opaque::tls_deserialize_exact_bytes(bytes)
}

/// DEC-06
#[test]
fn refuses_more_than_there_is() {
    assert_eq!(decode(&[]), Err(Error::EndOfStream));
    assert_eq!(decode(&[0x02, 0xAA]), Err(Error::EndOfStream));
    assert_eq!(decode(&[0xBF, 0xFF, 0xFF, 0xFF]), Err(Error::EndOfStream));
}

/// DEC-02, DEC-03
#[test]
fn refuses_headers_that_are_not_shortest() {
    assert!(decode(&[0xC0]).is_err());
    assert!(decode(&[0x40, 0x00]).is_err());
    assert!(decode(&[0x40]).is_err());
}

/// DEC-08
#[test]
fn refuses_bytes_left_over() {
    assert_eq!(decode(&[0x01, 0xAA, 0xBB]), Err(Error::TrailingData));
}

#[test]
fn round_trips() {
    for len in [0, 1, 63, 64, 16_383, 16_384] {
        let value = Opaque::new(vec![0x5A; len]);
        let bytes = value.tls_serialize_detached().unwrap();
        assert_eq!(bytes.len(), tls_codec::Size::tls_serialized_len(&value));
        assert_eq!(decode(&bytes), Ok(value));
    }
}
