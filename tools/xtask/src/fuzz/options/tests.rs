use super::*;

#[test]
fn times_have_a_unit() {
    for (text, expected) in [("90s", Some(90)), ("10m", Some(600)), ("24h", Some(86_400)), ("90", None), ("", None)] {
        assert_eq!(seconds(text).ok(), expected, "{text}");
    }
}

#[test]
fn names_must_be_known() {
    let options = Options::read(&["--for", "5s", "tree"]).unwrap();
    assert_eq!(options, Options { seconds: 5, merge: false, names: vec!["tree".to_owned()] });
    assert_eq!(options.choose(&["tree".to_owned(), "message".to_owned()]).unwrap(), ["tree"]);
    assert!(options.choose(&["message".to_owned()]).is_err());
    assert!(Options::read(&["--fro", "5s"]).is_err());
}
