use super::exponent;

#[test]
fn finds_the_power() {
    let points = [100.0, 1_000.0, 10_000.0].map(|size: f64| (size, 3.0 * size.powf(0.5)));
    assert!(exponent(&points).is_some_and(|power| (power - 0.5).abs() < 1e-9));
    assert_eq!(exponent(&points[..1]), None);
}
