//! What a person types and sees, as text: `tests/cmd/*.trycmd`. `TRYCMD=overwrite` writes down what is seen now.

#[test]
fn a_person_types_and_sees() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").env("NO_COLOR", "1");
}
