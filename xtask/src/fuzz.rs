//! `cargo xtask fuzz`: runs each fuzz target for a limited time, on the nightly toolchain.

use std::process::Command;

use crate::{
    Result, setup,
    shell::{self, output, program, run as run_command},
    steps::Steps,
};

/// Runs the command.
pub(crate) fn run(seconds: u32, target: Option<&str>) -> Result {
    if !shell::root().join("fuzz/Cargo.toml").exists() {
        return Err("expected fuzz targets in fuzz/Cargo.toml, got no such file".to_owned());
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
    let installed = installed.ok_or("rustup is missing: install it and a nightly toolchain, which fuzzing needs")?;
    if installed.lines().any(|toolchain| toolchain.starts_with("nightly")) {
        return Ok(());
    }
    Err("the nightly toolchain is missing: run `rustup toolchain install nightly`, then this command again".to_owned())
}

fn targets(wanted: Option<&str>) -> Result<Vec<String>> {
    let list = output(cargo_fuzz().arg("list"));
    let list = list.ok_or("cannot list the fuzz targets: see `cargo +nightly fuzz list`")?;
    let all: Vec<_> = list.lines().map(str::to_owned).collect();
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    if all.iter().any(|target| target == wanted) {
        return Ok(vec![wanted.to_owned()]);
    }
    Err(format!("expected one of the fuzz targets {}, got {wanted}", all.join(", ")))
}

/// `cargo fuzz` on the nightly toolchain, independent of the toolchain of this program.
fn cargo_fuzz() -> Command {
    let mut command = program("rustup");
    command.args(["run", "nightly", "cargo", "fuzz"]);
    command.env_remove("CARGO").env_remove("RUSTC");
    command
}
