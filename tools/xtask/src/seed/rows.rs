//! The list of promises, as it is checked in.
//!
//! In: text of sections (`## title`), rows (`ID title`) and, indented below each row, what there is to say of it:
//! `test: path::function`, once for each test, and `partly: what they do not show`, or `exception: reason`, or
//! `missing: what is not there`. A line that begins with `# ` is a remark.
//! Out: the rows, and a finding for each line or row that is not so.

use crate::finding::Finding;

use super::ROWS;

/// Rows under one heading.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

/// One promise.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Counted from one, in the list.
    pub(crate) line: usize,
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) tests: Vec<Test>,
    /// What the tests do not show.
    pub(crate) partly: Option<String>,
    /// Why no test is wanted.
    pub(crate) exception: Option<String>,
    /// What the system does not do.
    pub(crate) missing: Option<String>,
}

/// A function in a file; or the whole file, if that is one case.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Test {
    pub(crate) line: usize,
    pub(crate) path: String,
    pub(crate) function: Option<String>,
}

/// How far a promise is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Standing {
    Held,
    Partly,
    Excepted,
    Missing,
}

impl Row {
    pub(crate) fn standing(&self) -> Standing {
        match self {
            Self { missing: Some(_), .. } => Standing::Missing,
            Self { exception: Some(_), .. } => Standing::Excepted,
            Self { partly: Some(_), .. } => Standing::Partly,
            _ => Standing::Held,
        }
    }

    /// `false` if this cannot be said of a row, or was said before.
    fn say(&mut self, line: usize, key: &str, value: &str) -> bool {
        let place = match key {
            "test" => {
                self.tests.push(Test::parse(line, value));
                return true;
            }
            "partly" => &mut self.partly,
            "exception" => &mut self.exception,
            "missing" => &mut self.missing,
            _ => return false,
        };
        place.replace(value.to_owned()).is_none()
    }

    /// Why the row says too much or too little.
    fn fault(&self) -> Option<&'static str> {
        match (self.tests.is_empty(), &self.partly, &self.exception, &self.missing) {
            (false, _, None, None) | (true, None, Some(_), None) | (true, None, None, Some(_)) => None,
            (true, Some(_), None, None) => Some("says `partly` and names no test"),
            (true, None, None, None) => Some("has no test, no exception and nothing that is missing"),
            _ => Some("says more than one of tests, exception and missing"),
        }
    }
}

impl Test {
    fn parse(line: usize, value: &str) -> Self {
        let (path, function) = match value.split_once("::") {
            Some((path, function)) => (path, Some(function.to_owned())),
            None => (value, None),
        };
        Self { line, path: path.to_owned(), function }
    }
}

/// The sections in order.
pub(crate) fn parse(text: &str) -> (Vec<Section>, Vec<Finding>) {
    let mut sections: Vec<Section> = Vec::new();
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() || text.starts_with("# ") {
            continue;
        }
        if let Some(title) = text.strip_prefix("## ") {
            sections.push(Section { title: title.to_owned(), rows: Vec::new() });
        } else if let Err(what) = take(sections.last_mut(), line, text) {
            findings.push(Finding::new(ROWS, line, what));
        }
    }
    for row in sections.iter().flat_map(|section| &section.rows) {
        findings.extend(row.fault().map(|fault| Finding::new(ROWS, row.line, format!("{} {fault}", row.id))));
    }
    (sections, findings)
}

fn take(section: Option<&mut Section>, line: usize, text: &str) -> Result<(), &'static str> {
    let section = section.ok_or("stands before the first `## section`")?;
    if let Some(said) = text.strip_prefix("  ") {
        let row = section.rows.last_mut().ok_or("stands before the first row of its section")?;
        let (key, value) = said.split_once(": ").ok_or("is no `key: value`")?;
        return if row.say(line, key, value) { Ok(()) } else { Err("is said twice, or nothing that a row can say") };
    }
    let (id, title) = text.split_once(' ').ok_or("is no `ID title`")?;
    section.rows.push(Row { line, id: id.to_owned(), title: title.to_owned(), ..Row::default() });
    Ok(())
}
