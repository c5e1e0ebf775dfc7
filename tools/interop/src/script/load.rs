//! Reading script files.
//!
//! In: a file, or a folder of them. Out: its scripts, in the order of their names.

use std::{
    collections::BTreeMap,
    env, fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Deserializer, de::Error};

use super::{Script, Step};

/// Why scripts could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// The file or folder is not there; `MLS_INTEROP_CONFIGS` says where the default is.
    #[error("{path}: {error} (MLS_INTEROP_CONFIGS may name the folder of scripts)")]
    Unreadable {
        /// Where.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The file is no script file.
    #[error("{path}: {error}")]
    Malformed {
        /// Where.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
}

#[derive(Deserialize)]
struct File {
    scripts: BTreeMap<String, Vec<Step>>,
}

/// The folder of scripts: `MLS_INTEROP_CONFIGS`, else `shared/interop/configs` beside the repository.
pub fn default_folder() -> PathBuf {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/interop/configs");
    env::var_os("MLS_INTEROP_CONFIGS").map_or_else(|| PathBuf::from(beside), PathBuf::from)
}

/// The scripts of a file, or of every `.json` file of a folder.
///
/// # Errors
/// [`ScriptError`].
pub fn load(path: &Path) -> Result<Vec<Script>, ScriptError> {
    let unreadable = |error| ScriptError::Unreadable { path: path.to_owned(), error };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return load_file(path);
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(path).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.path());
    }
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let mut scripts = Vec::new();
    for file in files {
        scripts.extend(load_file(&file)?);
    }
    Ok(scripts)
}

fn load_file(path: &Path) -> Result<Vec<Script>, ScriptError> {
    let text = fs::read(path).map_err(|error| ScriptError::Unreadable { path: path.to_owned(), error })?;
    let file: File =
        serde_json::from_slice(&text).map_err(|error| ScriptError::Malformed { path: path.to_owned(), error })?;
    let config = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let script = |(name, steps)| Script { config: config.clone(), name, steps };
    Ok(file.scripts.into_iter().map(script).collect())
}

/// Bytes, read from a JSON string in base64.
pub(super) fn base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    BASE64_STANDARD.decode(String::deserialize(deserializer)?).map_err(D::Error::custom)
}
