//! What `cargo xtask fuzz` is told.

use std::error::Error;

/// How long, whether what is found becomes the corpus, and which targets.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Options {
    /// Seconds for each target.
    pub(crate) seconds: u64,
    /// Whether the smallest set of inputs that reaches all that was reached is written to the corpus.
    pub(crate) merge: bool,
    /// Names of targets; none for all.
    pub(crate) names: Vec<String>,
}

impl Options {
    /// `--for 90s`, `--for 10m`, `--for 24h`, `--merge`, names.
    pub(crate) fn read(words: &[&str]) -> Result<Self, Box<dyn Error>> {
        let mut options = Self { seconds: 60, merge: false, names: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--for" => options.seconds = seconds(words.next().ok_or("--for what? 90s, 10m or 24h")?)?,
                "--merge" => options.merge = true,
                option if option.starts_with('-') => {
                    return Err(format!("no option is called {option}; there are --for TIME and --merge").into());
                }
                name => options.names.push(name.to_owned()),
            }
        }
        Ok(options)
    }

    /// The targets to run, of those there are.
    pub(crate) fn choose(&self, known: &[String]) -> Result<Vec<String>, Box<dyn Error>> {
        if let Some(unknown) = self.names.iter().find(|name| !known.contains(name)) {
            return Err(format!("no target is called {unknown}; there are: {}", known.join(", ")).into());
        }
        Ok(if self.names.is_empty() { known.to_vec() } else { self.names.clone() })
    }
}

fn seconds(text: &str) -> Result<u64, Box<dyn Error>> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err(format!("{text} is no time: 90s, 10m or 24h").into()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| format!("{text} is no time").into())
}

#[cfg(test)]
mod tests;
