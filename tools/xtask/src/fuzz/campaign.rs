//! One target under libFuzzer.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{corpus::Corpus, options::Options};

/// What one input may take: seconds, and MiB.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=2048"];

/// A target, and where things are.
pub(crate) struct Campaign<'a> {
    /// The repository.
    pub(crate) root: &'a Path,
    /// The fuzz program.
    pub(crate) program: &'a Path,
    /// The target.
    pub(crate) name: String,
    /// How long.
    pub(crate) options: &'a Options,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// The target.
    pub(crate) name: String,
    /// Inputs that were tried.
    pub(crate) runs: u64,
    /// Of them, in a second.
    pub(crate) speed: u64,
    /// Edges of the program that were reached.
    pub(crate) reached: u64,
    /// Inputs that each reach something of their own.
    pub(crate) kept: usize,
    /// The input that broke it.
    pub(crate) crash: Option<PathBuf>,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, runs, speed, reached, kept, crash } = self;
        let end = if crash.is_some() { "BROKE" } else { "held" };
        write!(f, "{name}: {end}, {runs} runs, {speed}/s, {reached} edges, {kept} inputs kept")
    }
}

impl Campaign<'_> {
    /// Runs it. What cannot be run counts as broken.
    pub(crate) fn run(&self) -> Outcome {
        self.attempt().unwrap_or_else(|error| Outcome {
            name: self.name.clone(),
            runs: 0,
            speed: 0,
            reached: 0,
            kept: 0,
            crash: Some(PathBuf::from(format!("(not run: {error})"))),
        })
    }

    fn attempt(&self) -> io::Result<Outcome> {
        let (found, artifacts) = (self.folder("corpus"), self.folder("artifacts"));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder)?;
        }
        let kept = Corpus::of(self.root, &self.name);
        kept.unpack(&found)?;
        let mut command = self.command(&found);
        command.arg(format!("-max_total_time={}", self.options.seconds)).args(LIMITS).arg("-print_final_stats=1");
        command.arg(format!("-artifact_prefix={}/", artifacts.display())).arg(&found);
        let output = command.stdout(Stdio::null()).output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let crash = if output.status.success() { None } else { Some(broken(&said, &artifacts)?) };
        if self.options.merge && crash.is_none() {
            kept.pack(&self.merge(&found)?)?;
        }
        Ok(Outcome {
            name: self.name.clone(),
            runs: statistic(&said, "stat::number_of_executed_units:"),
            speed: statistic(&said, "stat::average_exec_per_sec:"),
            reached: said.lines().rev().find_map(|line| after(line, " cov: ")).unwrap_or(0),
            kept: fs::read_dir(&found)?.count(),
            crash,
        })
    }

    /// The smallest set of inputs that reaches what all of them reach, in a folder.
    fn merge(&self, found: &Path) -> io::Result<PathBuf> {
        let fresh = self.folder("merged");
        let _ = fs::remove_dir_all(&fresh);
        fs::create_dir_all(&fresh)?;
        let mut command = self.command(found);
        command.arg("-merge=1").args(LIMITS).args([fresh.as_path(), found]);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        if status.success() { Ok(fresh) } else { Err(io::Error::other(format!("merging: {status}"))) }
    }

    fn command(&self, seeds: &Path) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(self.root).env("FUZZ_TARGET", &self.name).env("FUZZ_SEEDS", seeds);
        command
    }

    fn folder(&self, kind: &str) -> PathBuf {
        self.root.join("target/fuzz").join(kind).join(&self.name)
    }
}

/// The input that libFuzzer says it wrote; else its last words, in a file.
fn broken(said: &str, artifacts: &Path) -> io::Result<PathBuf> {
    let written = said.lines().rev().find_map(|line| line.split_once("Test unit written to "));
    let log = artifacts.join("log");
    fs::write(&log, said)?;
    Ok(written.map_or(log, |(_, path)| PathBuf::from(path.trim())))
}

fn statistic(said: &str, name: &str) -> u64 {
    said.lines().rev().find_map(|line| after(line, name)).unwrap_or(0)
}

/// The number that follows these words.
fn after(line: &str, words: &str) -> Option<u64> {
    line.split_once(words)?.1.split_whitespace().next()?.parse().ok()
}
