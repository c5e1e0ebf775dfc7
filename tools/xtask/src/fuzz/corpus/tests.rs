use super::*;

#[test]
fn lines_give_their_bytes_back() {
    for input in [&b""[..], b"\x00\xff\x10", b"hello"] {
        assert_eq!(bytes(line(input).trim_end()).unwrap(), input);
    }
    assert!(bytes("0g").is_err());
}
