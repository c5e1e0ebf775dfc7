use std::process::ExitCode;

use super::{Tally, status};

#[test]
fn only_agreement_is_success() {
    assert_eq!(status(&Tally::START), ExitCode::SUCCESS);
    assert_eq!(status(&Tally { agreed: false, ..Tally::START }), ExitCode::FAILURE);
}
