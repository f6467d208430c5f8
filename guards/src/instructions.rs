//! Instructions for each token, counted by callgrind: the difference that more repetitions make.
//!
//! Only those of the repetitions are counted: making a key takes a random number of them.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Result, bound::Figure, case::Case};

const FEW: u64 = 50;
const MANY: u64 = 150;

/// None where callgrind would count something else than the bounds are for.
pub(crate) fn figures() -> Result<Vec<Figure>> {
    if !cfg!(target_arch = "x86_64") {
        println!("instructions: not counted, the bounds are for x86_64");
        return Ok(Vec::new());
    }
    Case::ALL.iter().map(figure).collect()
}

fn figure(case: &Case) -> Result<Figure> {
    let counted = (count(case, MANY)?.saturating_sub(count(case, FEW)?)) / (MANY - FEW);
    Ok(Figure { what: case.name.to_owned(), unit: "instructions", counted, bound: case.instructions })
}

/// All instructions of a run with so many repetitions.
fn count(case: &Case, times: u64) -> Result<u64> {
    let program = env::current_exe().map_err(|error| format!("this program cannot find itself: {error}"))?;
    let out = env::temp_dir().join(format!("portcullis-callgrind-{}-{}-{times}", std::process::id(), case.name));
    let outcome = run(&program, &out, case.name, times);
    let text = fs::read_to_string(&out);
    let _ = fs::remove_file(&out);
    outcome?;
    let text = text.map_err(|error| format!("callgrind left no counts: {error}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    total.and_then(|total| total.trim().parse().ok()).ok_or("callgrind's counts cannot be read".to_owned())
}

fn run(program: &Path, out: &Path, case: &str, times: u64) -> Result<()> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "-q", "--toggle-collect=*Prepared*repeat*"])
        .arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(program).args(["repeat", case, &times.to_string()]).stdin(Stdio::null());
    let status = valgrind.status().map_err(|error| format!("valgrind cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("valgrind ended with {status} for {case}")) }
}
