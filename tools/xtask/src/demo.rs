//! What the demo's JSON lines claim, checked.
//!
//! In: the lines of `panda demo --json` on standard input, how many members it was asked for, and the texts that were
//! fed to it. Out: a finding for each claim that does not hold.
//! Always: a message counts as read by every other only if `read_by` is the roster of its epoch without the sender.

mod transcript;

#[cfg(test)]
mod tests;

use std::io::BufRead;

use crate::{Outcome, finding::Finding};

use transcript::Transcript;

/// `options` is `--members N TEXT..`. An error is a wrong option, or a line that is not JSON.
pub(crate) fn check(options: &[&str], output: impl BufRead) -> Outcome {
    let ["--members", members, texts @ ..] = options else {
        return Err("usage: cargo xtask demo-check --members N TEXT..".into());
    };
    let members: usize = members.parse().map_err(|error| format!("--members {members}: {error}"))?;
    let mut transcript = Transcript::default();
    for (number, line) in (1..).zip(output.lines()) {
        let event = serde_json::from_str(&line?).map_err(|error| format!("line {number}: {error}"))?;
        transcript.read(number, &event);
    }
    Ok(judge(transcript, members, texts))
}

fn judge(transcript: Transcript, members: usize, texts: &[&str]) -> Vec<Finding> {
    let mut findings = transcript.findings;
    let mut expect = |holds: bool, what: String| {
        if !holds {
            findings.push(Finding::new("demo", 0, what));
        }
    };
    expect(transcript.agreed, "the last line does not say that all agreed".to_owned());
    expect(transcript.largest == members, format!("the group had {} members, not {members}", transcript.largest));
    expect(transcript.removed > 0, "nobody was removed".to_owned());
    for text in texts {
        expect(transcript.texts.iter().any(|said| said == text), format!("nobody said {text:?}"));
    }
    if findings.is_empty() {
        println!("demo: {} messages, each read by every other member; all agreed", transcript.texts.len());
    }
    findings
}
