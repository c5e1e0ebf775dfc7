use super::Padding;

#[test]
fn bucketed_padding_is_monotone_and_cheap() {
    let mut last = 0;
    for len in 0..100_000usize {
        let padded = len + Padding::Bucketed.len_for(len);
        assert!(padded >= last, "length {len}");
        assert!(padded <= 64 || padded * 100 <= len * 112, "length {len} became {padded}");
        last = padded;
    }
}

#[test]
fn bucketed_padding_leaves_few_lengths() {
    let lengths: std::collections::BTreeSet<_> =
        (0..65_536usize).map(|len| len + Padding::Bucketed.len_for(len)).collect();
    assert!(lengths.len() < 160, "{} lengths", lengths.len());
}

#[test]
fn steps_reach_the_next_multiple() {
    assert_eq!(Padding::Step(32).len_for(33), 31);
    assert_eq!(Padding::Step(32).len_for(64), 0);
    assert_eq!(Padding::Step(0).len_for(7), 0);
    assert_eq!(Padding::None.len_for(7), 0);
}
