//! The text files of the repository, as git sees them.
//!
//! In: the work tree that holds this crate. Out: every text file that is tracked, or new and not ignored.
//! Always: paths are relative to the root and use `/`; files that are not UTF-8 are left out.

use std::{
    error::Error,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use proc_macro2::TokenStream;
use syn::{Attribute, Meta};

/// One text file.
#[derive(Debug)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files, and where they are.
#[derive(Debug)]
pub(crate) struct Repository {
    root: PathBuf,
    files: Vec<SourceFile>,
}

impl Repository {
    /// Reads the work tree. An error names what could not be run or read.
    pub(crate) fn open() -> Result<Self, Box<dyn Error>> {
        let root = root()?;
        let listed = Command::new("git")
            .current_dir(&root)
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .output()
            .map_err(|error| format!("git ls-files: {error}"))?;
        if !listed.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr)).into());
        }
        let mut files = Vec::new();
        for path in String::from_utf8(listed.stdout)?.split_terminator('\0') {
            // A deleted file is still listed until the deletion is staged; binary files have no lines to check.
            let Ok(bytes) = fs::read(root.join(path)) else { continue };
            let Ok(text) = String::from_utf8(bytes) else { continue };
            files.push(SourceFile { path: path.to_owned(), text });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(Self { root, files })
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &SourceFile> {
        self.files().filter(|file| file.path.ends_with(".rs"))
    }

    pub(crate) fn find(&self, path: &str) -> Option<&SourceFile> {
        self.files().find(|file| file.path == path)
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), Box<dyn Error>> {
        Ok(fs::write(self.root.join(path), text)?)
    }
}

impl SourceFile {
    /// Test code by its place: a `tests` module or folder, a benchmark, a fuzz target.
    pub(crate) fn is_test(&self) -> bool {
        let is_test_folder = |part: &str| matches!(part, "tests" | "benches" | "fuzz" | "tests.rs");
        self.path.split('/').any(is_test_folder)
    }

    /// The lines, counted from one.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The syntax tree. An error names the file and the line.
    pub(crate) fn parse(&self) -> Result<syn::File, Box<dyn Error>> {
        syn::parse_file(&self.text)
            .map_err(|error| format!("{}:{}: {error}", self.path, error.span().start().line).into())
    }
}

/// Where the repository is.
pub(crate) fn root() -> io::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()
}

/// Whether one of the attributes is `#[cfg(test)]`.
pub(crate) fn only_in_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && is_the_word_test(&list.tokens),
        Meta::Path(_) | Meta::NameValue(_) => false,
    })
}

fn is_the_word_test(tokens: &TokenStream) -> bool {
    tokens.to_string() == "test"
}
