//! What a check says: nothing, or where our value and the file's part ways.

use core::fmt::Display;

/// Why a case did not pass: a path to the field, then what was found there.
#[derive(Debug, Eq, PartialEq)]
pub struct Failure(String);

/// The result of one check.
pub type Outcome = Result<(), Failure>;

impl Failure {
    /// A failure with this explanation.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// The explanation.
    pub fn message(&self) -> &str {
        &self.0
    }
}

// `Failure` is no `Error` itself, so that `?` turns every error into one.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Says where something failed.
pub(super) trait At<T> {
    /// Puts `place` in front of the explanation.
    ///
    /// # Errors
    /// The failure, if there is one.
    fn at(self, place: impl Display) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> At<T> for Result<T, E> {
    fn at(self, place: impl Display) -> Result<T, Failure> {
        self.map_err(|error| Failure(format!("{place}: {}", error.into().0)))
    }
}

impl<T> At<T> for Option<T> {
    fn at(self, place: impl Display) -> Result<T, Failure> {
        self.ok_or_else(|| Failure(format!("{place}: nothing there")))
    }
}

/// Byte strings agree.
///
/// # Errors
/// Both values in hexadecimal digits.
pub(super) fn same(place: impl Display, got: impl AsRef<[u8]>, expected: impl AsRef<[u8]>) -> Outcome {
    equal(place, hex::encode(got), hex::encode(expected))
}

/// Values agree.
///
/// # Errors
/// Both values.
pub(super) fn equal<T: PartialEq + core::fmt::Debug>(place: impl Display, got: T, expected: T) -> Outcome {
    if got == expected { Ok(()) } else { Err(Failure(format!("{place}: got {got:?}, expected {expected:?}"))) }
}

/// A condition holds.
///
/// # Errors
/// `what` did not hold.
pub(super) fn holds(what: impl Display, condition: bool) -> Outcome {
    if condition { Ok(()) } else { Err(Failure(what.to_string())) }
}
