use super::{
    matrix,
    server::{Server, address, executable},
};

#[test]
fn reads_where_a_server_is() {
    assert_eq!(address("mls-rs 0.57.0 at 127.0.0.1:40123\n").as_deref(), Some("127.0.0.1:40123"));
    assert_eq!(address("at home at [::1]:1\n").as_deref(), Some("[::1]:1"));
    assert_eq!(address(""), None);
}

#[test]
fn finds_the_example_and_not_what_has_its_name() {
    let messages = [
        "not a message",
        r#"{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"interop"},"executable":"bin"}"#,
        r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"interop"},"executable":null}"#,
        r#"{"reason":"compiler-artifact","target":{"kind":["example"],"name":"interop"},"executable":"examples/it"}"#,
        r#"{"reason":"build-finished","success":true}"#,
    ];
    assert_eq!(executable(&messages.join("\n"), "interop").as_deref(), Some("examples/it"));
    assert_eq!(executable(&messages.join("\n"), "mls_rs"), None);
}

#[test]
fn names_no_file_twice() {
    let all = "run --release -p interop-peers -- matrix --markdown docs/interop.md --json target/interop.json --jobs 2";
    assert_eq!(matrix(&[], &["--jobs", "2"]).join(" "), all);
    let elsewhere = "run --release -p interop-peers -- matrix --json target/interop.json --markdown=a --slice";
    assert_eq!(matrix(&[], &["--markdown=a", "--slice"]).join(" "), elsewhere);
}

#[test]
#[cfg(unix)]
fn a_server_that_ends_first_is_an_error() {
    let ended = Server::start("true", "--also-ours", &[]).unwrap_err();
    assert_eq!(ended.to_string(), "true: \"\" instead of where it serves");
    let server = Server::start("sh", "--also-ours", &["-c", "echo it at here:1; exec sleep 60"]).unwrap();
    assert_eq!(matrix(&[server], &[]).last().map(String::as_str), Some("here:1"));
}
