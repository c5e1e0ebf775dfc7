//! The corpus of a target: a line for each input, in hexadecimal digits.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// Inputs that are kept, the shortest first.
const MOST: usize = 256;

/// Where the inputs of a target are kept.
pub(crate) struct Corpus(PathBuf);

impl Corpus {
    /// Of a target.
    pub(crate) fn of(root: &Path, name: &str) -> Self {
        Self(root.join("tools/fuzz/corpus").join(name).with_extension("hex"))
    }

    /// Writes each input into a file of its own.
    pub(crate) fn unpack(&self, folder: &Path) -> io::Result<()> {
        let lines = fs::read_to_string(&self.0).unwrap_or_default();
        for (number, line) in lines.lines().enumerate() {
            fs::write(folder.join(format!("kept-{number}")), bytes(line)?)?;
        }
        Ok(())
    }

    /// Keeps the inputs of a folder, and no others.
    pub(crate) fn pack(&self, folder: &Path) -> io::Result<()> {
        let mut inputs = Vec::new();
        for entry in fs::read_dir(folder)? {
            inputs.push(fs::read(entry?.path())?);
        }
        inputs.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        fs::write(&self.0, inputs.iter().take(MOST).map(|input| line(input)).collect::<String>())
    }
}

fn line(input: &[u8]) -> String {
    let mut line = String::new();
    for byte in input {
        let _ = write!(line, "{byte:02x}");
    }
    line.push('\n');
    line
}

fn bytes(line: &str) -> io::Result<Vec<u8>> {
    let pairs = line.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap_or_default());
    pairs.map(|pair| u8::from_str_radix(pair, 16).map_err(io::Error::other)).collect()
}

#[cfg(test)]
mod tests;
