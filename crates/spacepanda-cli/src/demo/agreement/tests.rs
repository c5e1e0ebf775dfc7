use spacepanda_core::core_mls::MlsError;

use super::{Heard, Reading, Said, reading, same_view};
use crate::demo::member::{Hearing, Name, View};

fn names(names: &[&str]) -> Vec<Name> {
    names.iter().map(|&name| name.into()).collect()
}

fn heard(by: &str, from: &str, text: &str) -> Heard {
    (by.into(), Ok(Hearing { epoch: 3, from: from.to_owned(), text: text.as_bytes().to_vec() }))
}

fn read(heard: &[Heard]) -> Reading {
    reading(&Said { epoch: 3, from: &"alice".into(), text: "hello" }, heard, &names(&["alice", "bob", "carol"]))
}

fn good() -> Vec<Heard> {
    vec![heard("carol", "alice", "hello"), heard("alice", "alice", "hello"), heard("bob", "alice", "hello")]
}

#[test]
fn all_others_read_it() {
    assert_eq!(read(&good()), Reading { read_by: names(&["bob", "carol"]), agreed: true });
}

#[test]
fn one_that_differs_is_a_disagreement() {
    let others = [
        heard("carol", "alice", "hell"),
        heard("carol", "bob", "hello"),
        ("carol".into(), Err(MlsError::NotAMember)),
        ("carol".into(), Ok(Hearing { epoch: 2, from: "alice".to_owned(), text: b"hello".to_vec() })),
        heard("bob", "alice", "hello"),
    ];
    for other in others {
        let mut planted = good();
        planted[0] = other.clone();
        let Reading { read_by, agreed } = read(&planted);
        assert!(!agreed, "{other:?}");
        assert!(!read_by.contains(&"carol".into()), "{other:?}");
    }
}

#[test]
fn the_silent_and_the_stranger_are_disagreements() {
    assert!(!read(&good()[..2]).agreed);
    let mut crowd = good();
    crowd.push(heard("dave", "alice", "hello"));
    assert_eq!(read(&crowd), Reading { read_by: names(&["bob", "carol"]), agreed: false });
    let mut forgetful = good();
    forgetful[1] = heard("alice", "alice", "hallo");
    assert!(!read(&forgetful).agreed);
}

#[test]
fn views_are_the_same_or_not() {
    let roster = names(&["alice", "bob"]);
    let view = View { epoch: 4, members: vec!["alice".into(), "bob".into()], authenticator: vec![1] };
    let views = |second: View| vec![(roster[0].clone(), view.clone()), (roster[1].clone(), second)];
    assert!(same_view(4, &views(view.clone()), &roster));
    assert!(!same_view(5, &views(view.clone()), &roster));
    assert!(!same_view(4, &views(View { authenticator: vec![2], ..view.clone() }), &roster));
    assert!(!same_view(4, &views(View { members: vec!["alice".into()], ..view.clone() }), &roster));
    assert!(!same_view(4, &views(View { epoch: 5, ..view.clone() }), &roster));
    assert!(!same_view(4, &views(view.clone())[..1], &roster));
    assert!(!same_view(4, &views(view.clone()), &names(&["alice", "carol"])));
    let twice = vec![(roster[0].clone(), view.clone()), (roster[0].clone(), view.clone())];
    assert!(!same_view(4, &twice, &roster));
    let silent = View { authenticator: Vec::new(), ..view.clone() };
    assert!(!same_view(4, &[(roster[0].clone(), silent.clone()), (roster[1].clone(), silent)], &roster));
}
