//! PostgreSQL's programs, and as whom they run.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Set this in the environment, and a missing PostgreSQL fails tests instead of ignoring them.
pub const REQUIRED: &str = "POSTGRES_REQUIRED";

/// Where the programs are, and who runs them.
#[derive(Clone, Debug)]
pub struct Tools {
    folder: PathBuf,
    /// The user to become, if this is root.
    user: Option<&'static str>,
}

impl Tools {
    /// Looks in `POSTGRES_BIN`, and where Debian puts them, for the newest. `None` if there are none of version 15 or later.
    pub fn find() -> Option<Self> {
        let folder = match env::var_os("POSTGRES_BIN") {
            Some(folder) => PathBuf::from(folder),
            None => newest(Path::new("/usr/lib/postgresql"))?,
        };
        if !folder.join("postgres").exists() {
            return None;
        }
        Some(Self { folder, user: as_whom() })
    }

    /// Whether tests are to fail without PostgreSQL.
    pub fn required() -> bool {
        env::var_os(REQUIRED).is_some_and(|value| !value.is_empty())
    }

    /// Where servers are kept: in memory if there is room, because a medium may be slow, and a process that is killed loses
    /// nothing that it has written to either.
    pub(crate) fn place(&self) -> PathBuf {
        let room = Command::new("df").args(["--output=avail", "-BM", MEMORY]).output().ok().and_then(|out| {
            let text = String::from_utf8(out.stdout).ok()?;
            text.lines().last()?.trim().trim_end_matches('M').parse::<u64>().ok()
        });
        if room.is_some_and(|megabytes| megabytes >= ROOM) { MEMORY.into() } else { env::temp_dir() }
    }

    /// One of PostgreSQL's programs.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.plain(&self.folder.join(program).display().to_string())
    }

    /// Any program, as the user that PostgreSQL runs as. It ends when the thread ends that started it.
    pub(crate) fn plain(&self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]);
        if let Some(user) = self.user {
            command.args(["--reuid", user, "--regid", group(user), "--clear-groups"]);
        }
        command.arg(program).current_dir("/").env_remove("PGUSER").env_remove("PGDATABASE");
        command
    }

    /// Runs one of PostgreSQL's programs to its end, which is to be a good one.
    pub fn run(&self, program: &str, arguments: &[&str]) {
        self.try_run(program, arguments).unwrap_or_else(|message| panic!("{program}: {message}"));
    }

    pub(crate) fn try_run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(program).args(arguments).output();
        let Output { status, stdout, stderr } = output.map_err(|error| error.to_string())?;
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        if status.success() { Ok(text(&stdout)) } else { Err(text(&stderr)) }
    }
}

/// The programs of the newest version in Debian's folder.
fn newest(folder: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(folder).ok()?.filter_map(|entry| {
        let entry = entry.ok()?;
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        (version >= 15).then(|| (version, entry.path().join("bin")))
    });
    versions.max().map(|(_, folder)| folder)
}

fn as_whom() -> Option<&'static str> {
    let id = |arguments: &[&str]| Command::new("id").args(arguments).output().ok().filter(|out| out.status.success());
    let root = id(&["-u"]).is_some_and(|out| out.stdout.starts_with(b"0\n"));
    root.then(|| if id(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" })
}

fn group(user: &str) -> &'static str {
    if user == "postgres" { "postgres" } else { "nogroup" }
}

const MEMORY: &str = "/dev/shm";

/// Megabytes.
const ROOM: u64 = 4_096;
