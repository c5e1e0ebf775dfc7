use super::{Plan, hex, pick};

fn plan(lines: usize, members: usize) -> (Vec<usize>, Option<usize>) {
    let plan = Plan::new(lines, members);
    ((0..lines).filter(|&line| plan.renews_after(line)).collect(), plan.remove_after)
}

#[test]
fn keys_are_renewed_at_least_once() {
    assert_eq!(plan(1, 5).0, [0]);
    assert_eq!(plan(12, 5).0, [0, 4, 8]);
    assert_eq!(plan(10_000, 5).0.len(), 50);
}

#[test]
fn one_is_removed_half_way_or_after_the_last_of_few_lines() {
    assert_eq!(plan(12, 5).1, Some(6));
    assert_eq!(plan(4, 5).1, Some(2));
    assert_eq!(plan(2, 5).1, Some(2));
    assert_eq!(plan(12, 2).1, None);
}

#[test]
fn turns_go_round() {
    let roster = ["alice".into(), "bob".into()];
    assert_eq!(&*pick(&roster, 3).unwrap(), "bob");
    assert!(pick(&[], 3).is_err());
    assert_eq!(hex(&[0, 171]), "00ab");
}
