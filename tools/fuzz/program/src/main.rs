//! The target that `FUZZ_TARGET` names, under libFuzzer; `FUZZ_LIST` lists them. `cargo xtask fuzz` builds and runs it.
#![no_main]

use std::{env, fs, path::Path, process, sync::LazyLock};

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    if env::var_os("FUZZ_LIST").is_some() {
        println!("{}", Target::names().join("\n"));
        process::exit(0);
    }
    let name = env::var("FUZZ_TARGET").unwrap_or_default();
    Target::named(&name).unwrap_or_else(|| panic!("FUZZ_TARGET must be one of: {}", Target::names().join(", ")))
});

/// Writes the inputs to begin with where libFuzzer will look for them.
fn begin() {
    let target = *TARGET;
    if let Some(folder) = env::var_os("FUZZ_SEEDS") {
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(Path::new(&folder).join(format!("seed-{number}")), seed)
                .expect("the folder of seeds can be written");
        }
    }
}

fuzz_target!(init: begin(), |bytes: &[u8]| {
    (TARGET.run)(bytes);
});
