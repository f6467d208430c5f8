//! `cargo xtask fuzz`: each fuzz target for a while, on the nightly toolchain.

use std::process::Command;

use crate::{
    Result, setup,
    shell::{self, output, program, run as run_command},
    steps::Steps,
};

/// Runs the command.
pub(crate) fn run(seconds: u32, target: Option<&str>) -> Result {
    if !shell::root().join("fuzz/Cargo.toml").exists() {
        return Err("there are no fuzz targets: no folder fuzz with a Cargo.toml".to_owned());
    }
    nightly_is_here()?;
    setup::install(&setup::FUZZ)?;
    let targets = targets(target)?;
    let mut steps = Steps::new(true);
    for target in &targets {
        steps.run(target, || {
            let (corpus, seeds) = (format!("fuzz/corpus/{target}"), format!("fuzz/seeds/{target}"));
            let limit = format!("-max_total_time={seconds}");
            std::fs::create_dir_all(shell::root().join(&corpus)).map_err(|error| format!("{corpus}: {error}"))?;
            run_command(cargo_fuzz().args(["run", target, &corpus, &seeds, "--", &limit]))
        });
    }
    steps.finish()
}

fn nightly_is_here() -> Result {
    let installed = output(program("rustup").args(["toolchain", "list"]));
    let installed = installed.ok_or("rustup is missing: fuzzing needs it and a nightly toolchain")?;
    if installed.lines().any(|toolchain| toolchain.starts_with("nightly")) {
        return Ok(());
    }
    Err("no nightly toolchain here: run `rustup toolchain install nightly`, then this again".to_owned())
}

fn targets(wanted: Option<&str>) -> Result<Vec<String>> {
    let list = output(cargo_fuzz().arg("list"));
    let list = list.ok_or("the fuzz targets cannot be listed: see `cargo +nightly fuzz list`")?;
    let all: Vec<_> = list.lines().map(str::to_owned).collect();
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    if all.iter().any(|target| target == wanted) {
        return Ok(vec![wanted.to_owned()]);
    }
    Err(format!("no fuzz target {wanted}; there are: {}", all.join(", ")))
}

/// `cargo fuzz` on the nightly toolchain, whatever toolchain this program was started with.
fn cargo_fuzz() -> Command {
    let mut command = program("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]);
    command.env_remove("CARGO").env_remove("RUSTC");
    command
}
