//! One server of the harness, as a child process.

use std::{
    error::Error,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// A server that answers, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Server {
    /// The option of the matrix that takes its address.
    pub(crate) option: &'static str,
    /// Where it is, as host:port.
    pub(crate) address: String,
    _process: Process,
    /// Kept open, so that the server may go on to write.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `program` and waits until it says where it is. An error is that it ends first, or says something else.
    pub(crate) fn start(program: &str, option: &'static str, serve: &[&str]) -> Result<Self, Box<dyn Error>> {
        let spawned = Command::new(program).args(serve).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut process = Process(spawned.map_err(|error| format!("{program}: {error}"))?);
        let output = process.0.stdout.take().ok_or(format!("{program}: no output"))?;
        let (mut output, mut line) = (BufReader::new(output), String::new());
        output.read_line(&mut line)?;
        let address = address(&line).ok_or(format!("{program}: {line:?} instead of where it serves"))?;
        eprintln!("{}", line.trim_end());
        Ok(Self { option, address, _process: process, _output: output })
    }
}

/// A process that ends with this.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// The address in the first line of a server: its name, `at`, and the address.
pub(crate) fn address(line: &str) -> Option<String> {
    let (_, address) = line.trim_end().rsplit_once(" at ")?;
    Some(address.to_owned())
}

/// Where cargo put an example, by its messages, which are lines of JSON.
pub(crate) fn executable(messages: &str, example: &str) -> Option<String> {
    let is_it = |message: &Value| {
        let target = message.get("target");
        let name = target.and_then(|target| target.get("name")).and_then(Value::as_str);
        let kinds = target.and_then(|target| target.get("kind")).and_then(Value::as_array);
        name == Some(example) && kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "example"))
    };
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter(is_it).find_map(|message| Some(message.get("executable")?.as_str()?.to_owned()))
}
