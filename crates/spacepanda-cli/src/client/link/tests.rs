//! Which addresses are taken, and by which name a service is logged in to.

use super::service_name;

#[test]
fn what_is_in_the_open_stays_on_this_machine() {
    let name = |address| service_name(address).map_err(|trouble| trouble.to_string());
    for address in ["http://127.0.0.1:8470", "http://localhost", "http://[::1]:80/", "https://127.0.0.1"] {
        assert_eq!(name(address), Ok("localhost".to_owned()), "{address}");
    }
    assert_eq!(name("https://chat.example:443/x"), Ok("chat.example".to_owned()));
    assert!(name("http://chat.example").is_err_and(|trouble| trouble.starts_with("http:// is for this machine")));
    for address in ["", "chat.example", "ftp://localhost", "https://", "https://:80"] {
        assert!(name(address).is_err_and(|trouble| trouble.starts_with("this is no address")), "{address}");
    }
}
