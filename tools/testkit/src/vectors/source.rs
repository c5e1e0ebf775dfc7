//! Where the vector files are, and whether they are the ones we know.
//!
//! In: `MLS_TEST_VECTORS`, a folder (default: `shared/vectors` beside the workspace), and `MLS_TEST_VECTORS_REQUIRED`,
//! `1` where a missing or changed file must fail. Out: the bytes of a family's file.

use std::{env, fs, path::PathBuf};

use sha2::{Digest, Sha256};

/// One line per file, as `sha256sum` writes them.
const CHECKSUMS: &str = include_str!("../../vectors.sha256");

/// The folder of vector files.
#[derive(Clone, Debug)]
pub(super) struct Source {
    folder: PathBuf,
    required: bool,
}

/// A family's file, as found.
#[derive(Debug)]
pub(super) enum Found {
    /// The bytes; `known` if their checksum is the committed one.
    File {
        /// Contents.
        bytes: Vec<u8>,
        /// Whether the checksum is in the table.
        known: bool,
    },
    /// Nothing to read, and why.
    Nothing(String),
}

impl Source {
    /// What the environment says.
    pub(super) fn from_environment() -> Self {
        let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
        Self {
            folder: env::var_os("MLS_TEST_VECTORS").map_or_else(|| PathBuf::from(beside), PathBuf::from),
            required: env::var_os("MLS_TEST_VECTORS_REQUIRED").is_some_and(|value| value == "1"),
        }
    }

    /// Whether a missing or changed file is a failure.
    pub(super) const fn required(&self) -> bool {
        self.required
    }

    /// Reads the file of one family.
    pub(super) fn find(&self, family: &str) -> Found {
        let file = format!("{family}.json");
        match fs::read(self.folder.join(&file)) {
            Ok(bytes) => Found::File { known: checksum(&file) == Some(&hex::encode(Sha256::digest(&bytes))), bytes },
            Err(error) => Found::Nothing(format!("{file} not read from {}: {error}", self.folder.display())),
        }
    }
}

/// The committed checksum of a file.
fn checksum(file: &str) -> Option<&'static str> {
    CHECKSUMS.lines().filter_map(|line| line.split_once("  ")).find(|(_, name)| *name == file).map(|(sum, _)| sum)
}
