//! What a person types and sees, as text: `tests/cmd/*.trycmd` without a service, `tests/online/*.trycmd` with one.
//! `TRYCMD=overwrite` writes down what is seen now.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{self, Command, Stdio},
};

#[test]
fn a_person_types_and_sees() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").env("NO_COLOR", "1");
}

/// People of one case have names that those of no other have: all share the service.
#[test]
fn people_type_and_see_with_a_service() {
    let data = env::temp_dir().join(format!("panda-cmd-{}", process::id()));
    let mut service = Command::new(env!("CARGO_BIN_EXE_panda"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Kept, so that the service has somebody to write to.
    let mut lines = BufReader::new(service.stdout.take().unwrap());
    let mut serving = String::new();
    lines.read_line(&mut serving).unwrap();
    let address = serving.trim().rsplit(' ').next().unwrap().to_owned();
    let cases = std::panic::catch_unwind(|| {
        trycmd::TestCases::new().case("tests/online/*.trycmd").env("NO_COLOR", "1").env("PANDA_SERVICE", address).run();
    });
    service.kill().unwrap();
    service.wait().unwrap();
    let _gone = fs::remove_dir_all(&data);
    if let Err(failure) = cases {
        std::panic::resume_unwind(failure);
    }
}
