use super::check;

const GOOD: [&str; 6] = [
    r#"{"event":"epoch","epoch":1,"members":["alice","bob","carol"],"authenticator":"aa"}"#,
    r#"{"event":"message","epoch":1,"from":"alice","text":"hello","read_by":["carol","bob"]}"#,
    r#"{"event":"epoch","epoch":2,"members":["alice","bob"],"authenticator":"bb"}"#,
    r#"{"event":"removed","who":"carol","could_read":false}"#,
    r#"{"event":"message","epoch":2,"from":"bob","text":"world","read_by":["alice"]}"#,
    r#"{"event":"done","messages":2,"agreed":true}"#,
];

fn findings(lines: &[&str]) -> Vec<String> {
    let output = lines.join("\n");
    let found = check(&["--members", "3", "hello", "world"], output.as_bytes()).unwrap();
    found.iter().map(ToString::to_string).collect()
}

fn with(position: usize, line: &str) -> Vec<String> {
    let mut lines = GOOD;
    lines[position] = line;
    findings(&lines)
}

#[test]
fn accepts_a_conversation_that_all_read() {
    assert_eq!(findings(&GOOD), [""; 0]);
}

#[test]
fn rejects_a_message_that_a_member_did_not_read() {
    let missed = with(1, r#"{"event":"message","epoch":1,"from":"alice","text":"hello","read_by":["bob"]}"#);
    assert_eq!(missed[0], "demo:2: not read by every other member, and by nobody else");
    assert!(missed.contains(&"demo: nobody said \"hello\"".to_owned()), "{missed:?}");
    let twice = with(1, r#"{"event":"message","epoch":1,"from":"alice","text":"hello","read_by":["bob","bob"]}"#);
    assert_eq!(twice[0], "demo:2: a field is missing or of the wrong type");
}

#[test]
fn rejects_a_message_that_the_removed_member_read() {
    let read_on = with(4, r#"{"event":"message","epoch":2,"from":"bob","text":"world","read_by":["alice","carol"]}"#);
    assert_eq!(read_on[0], "demo:5: not read by every other member, and by nobody else");
    let admitted = with(3, r#"{"event":"removed","who":"carol","could_read":true}"#);
    assert_eq!(admitted, ["demo:4: the removed member could still read", "demo: nobody was removed"]);
}

#[test]
fn rejects_a_sender_or_epoch_that_is_not_there() {
    let stranger = with(1, r#"{"event":"message","epoch":1,"from":"dave","text":"hello","read_by":["bob","carol"]}"#);
    assert_eq!(stranger[0], "demo:2: sent by somebody who is not a member");
    let nowhere = with(1, r#"{"event":"message","epoch":9,"from":"alice","text":"hello","read_by":["bob","carol"]}"#);
    assert_eq!(nowhere[0], "demo:2: an epoch never announced");
    let back = with(2, r#"{"event":"epoch","epoch":1,"members":["alice","bob"],"authenticator":"bb"}"#);
    assert_eq!(back[0], "demo:3: epochs do not advance");
    let silent = with(2, r#"{"event":"epoch","epoch":2,"members":["alice","bob"],"authenticator":""}"#);
    assert_eq!(silent, ["demo:3: no epoch authenticator"]);
}

#[test]
fn rejects_an_end_that_is_missing_or_disagrees() {
    let disagreed = "demo: the last line does not say that all agreed";
    assert_eq!(with(5, r#"{"event":"done","messages":2,"agreed":false}"#), [disagreed]);
    assert_eq!(findings(&GOOD[..5]), [disagreed]);
    let miscounted = with(5, r#"{"event":"done","messages":3,"agreed":true}"#);
    assert_eq!(miscounted, ["demo:6: the number of messages is not the number that all read"]);
    assert_eq!(findings(&[])[0], disagreed);
    assert_eq!(findings(&[&GOOD[..], &[r#"{"event":"note"}"#]].concat()), [disagreed]);
}

#[test]
fn rejects_a_group_of_another_size() {
    let output = GOOD.join("\n");
    let found = check(&["--members", "4"], output.as_bytes()).unwrap();
    assert_eq!(found[0].to_string(), "demo: the group had 3 members, not 4");
    assert!(check(&["--members"], output.as_bytes()).is_err());
    assert!(check(&["--members", "3"], "no json".as_bytes()).is_err());
}
