//! Finding rule ids in a line: capital letters in one or more groups, a hyphen, two digits.

/// Words of that shape that are something else.
const OTHER_FAMILIES: [&str; 1] = ["UTF"];

/// The ids in a line, in order. `A-03 to A-06` is four ids.
pub(crate) fn ids_in(line: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut previous: Option<(Id<'_>, usize)> = None;
    for (start, word) in words(line) {
        let Some(id) = Id::parse(word) else { continue };
        if let Some((first, end)) = &previous
            && first.family == id.family
            && line.get(*end..start) == Some(" to ")
        {
            ids.extend((first.number.saturating_add(1)..id.number).map(|number| id.with(number)));
        }
        ids.push(id.with(id.number));
        previous = Some((id, start.saturating_add(word.len())));
    }
    ids
}

struct Id<'a> {
    family: &'a str,
    number: u8,
}

impl<'a> Id<'a> {
    fn parse(word: &'a str) -> Option<Self> {
        let (family, number) = word.rsplit_once('-')?;
        let is_letters = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || !family.split('-').all(is_letters) || OTHER_FAMILIES.contains(&family) {
            return None;
        }
        Some(Self { family, number: number.parse().ok()? })
    }

    fn with(&self, number: u8) -> String {
        format!("{}-{number:02}", self.family)
    }
}

/// Runs of letters, digits, `_` and `-`, each with where it starts.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut rest_start = 0_usize;
    line.split_inclusive(move |c| !is_word(c)).map(move |piece| {
        let start = rest_start;
        rest_start = rest_start.saturating_add(piece.len());
        (start, piece.trim_end_matches(|c| !is_word(c)))
    })
}
