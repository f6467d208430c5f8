//! Instructions for each token, counted by callgrind as the difference between two numbers of repetitions.
//!
//! The difference leaves out the making of a key, which takes a random number of instructions.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::{Result, bound::Figure, case::Case};

const FEW: u64 = 50;
const MANY: u64 = 150;

/// The figures; none on a platform other than the bounds'.
pub(crate) fn figures() -> Result<Vec<Figure>> {
    if !cfg!(target_arch = "x86_64") {
        println!("instructions: not counted, because the bounds are for x86_64 only");
        return Ok(Vec::new());
    }
    Case::ALL.iter().map(figure).collect()
}

fn figure(case: &Case) -> Result<Figure> {
    let counted = (count(case, MANY)?.saturating_sub(count(case, FEW)?)) / (MANY - FEW);
    if counted == 0 {
        return Err(format!(
            "{}: expected instructions, counted none: the program's symbols may have been stripped",
            case.name
        ));
    }
    Ok(Figure { what: case.name.to_owned(), unit: "instructions", counted, bound: case.instructions })
}

/// The instructions of a whole run with this many repetitions.
fn count(case: &Case, times: u64) -> Result<u64> {
    let program = env::current_exe().map_err(|error| format!("cannot find the path of this program: {error}"))?;
    let out = env::temp_dir().join(format!("portcullis-callgrind-{}-{}-{times}", std::process::id(), case.name));
    let outcome = run(&program, &out, case.name, times);
    let text = fs::read_to_string(&out);
    let _ = fs::remove_file(&out);
    outcome?;
    let text = text.map_err(|error| format!("cannot read callgrind's output file: {error}"))?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ").or(line.strip_prefix("summary: ")));
    total
        .and_then(|total| total.trim().parse().ok())
        .ok_or("expected a line of totals in callgrind's output, got none".to_owned())
}

fn run(program: &Path, out: &Path, case: &str, times: u64) -> Result<()> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "-q", "--toggle-collect=*Prepared*repeat*"])
        .arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(program).args(["repeat", case, &times.to_string()]).stdin(Stdio::null());
    let status = valgrind.status().map_err(|error| format!("cannot start valgrind: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("valgrind ended with {status} for {case}")) }
}
