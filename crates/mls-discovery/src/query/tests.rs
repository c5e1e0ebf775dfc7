use super::looks_like;

#[test]
fn stars_stand_for_anything() {
    for (pattern, name, expected) in [
        ("tea", "tea", true),
        ("tea", "teas", false),
        ("*", "", true),
        ("tea*", "tea at five", true),
        ("*five", "tea at five", true),
        ("*at*", "tea at five", true),
        ("t*a*e", "tea at five", true),
        ("t*x*e", "tea at five", false),
        ("five*tea", "tea at five", false),
        // What one part has used is not there for the next.
        ("ab*ba", "aba", false),
        ("a*a", "a", false),
        ("", "", true),
        ("", "tea", false),
    ] {
        assert_eq!(looks_like(pattern, name), expected, "{pattern:?} {name:?}");
    }
}
