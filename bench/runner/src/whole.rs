//! Whole verifications by each library in its own program; the programs take turns.

use std::path::{Path, PathBuf};

use figures::Figure;
use harness::{AUDIENCE, Cores, Result};

use crate::{
    plan::Plan,
    programs::{Build, Programs, last_line},
    results::Results,
    tokens::Whole,
};

const TABLE: &str = "whole verification";
const HEAP: &str = "whole verification: heap";

/// The libraries and their programs; Portcullis is the first.
const LIBRARIES: [(&str, &str); 4] = [
    ("portcullis", "whole-portcullis"),
    ("jsonwebtoken, aws-lc-rs", "whole-jsonwebtoken-aws"),
    ("jsonwebtoken, RustCrypto", "whole-jsonwebtoken-rust"),
    ("jwt-simple", "whole-jwt-simple"),
];

/// Measures every library with every algorithm; records failures and continues with the others.
pub(crate) fn measure(plan: &Plan, cores: Cores, programs: &Programs, tokens: &[Whole], results: &mut Results) {
    let libraries = if programs.compares() { &LIBRARIES[..1] } else { &LIBRARIES[..] };
    let builds = programs.builds();
    let each_build = |&(name, program): &(&str, &str)| {
        let named = |build: &Build| (format!("{name}{}", build.suffix()), programs.path(*build, program));
        builds.iter().map(named).collect::<Vec<_>>()
    };
    let run = Run { cores, libraries: libraries.iter().flat_map(each_build).collect() };
    for whole in tokens {
        run.times(plan.whole, whole, results);
        run.heap(whole, results);
    }
}

struct Run {
    cores: Cores,
    /// Names and programs.
    libraries: Vec<(String, PathBuf)>,
}

impl Run {
    fn times(&self, rounds: usize, whole: &Whole, results: &mut Results) {
        let mut windows: Vec<_> = self.libraries.iter().map(|_| Ok(Vec::with_capacity(rounds))).collect();
        for round in 0..rounds {
            let mut turns: Vec<_> = self.libraries.iter().zip(&mut windows).collect();
            if round % 2 == 1 {
                turns.reverse();
            }
            for ((_, binary), windows) in turns {
                self.add_window(binary, whole, windows);
            }
        }
        for ((library, _), windows) in self.libraries.iter().zip(windows) {
            match windows {
                Ok(windows) => results.add(Figure::of(TABLE, library, whole.algorithm, "ns", windows)),
                Err(reason) => results.fail(format!("{library} with {}: {reason}", whole.algorithm)),
            }
        }
    }

    /// Adds a window, unless the library failed before.
    fn add_window(&self, binary: &Path, whole: &Whole, windows: &mut Result<Vec<f64>>) {
        if let Ok(measured) = windows {
            match self.numbers(binary, &[], whole) {
                Ok([nanoseconds]) => measured.push(nanoseconds),
                Err(reason) => *windows = Err(reason),
            }
        }
    }

    fn heap(&self, whole: &Whole, results: &mut Results) {
        for (library, binary) in &self.libraries {
            if let Ok([allocations, bytes]) = self.numbers(binary, &["--allocations"], whole) {
                let column = |what: &str| format!("{}: {what}", whole.algorithm);
                results.add(Figure::count(HEAP, library, &column("allocations"), "allocations", allocations));
                results.add(Figure::count(HEAP, library, &column("bytes"), "bytes", bytes));
            }
        }
    }

    /// The numbers in the last line of a library's program.
    fn numbers<const N: usize>(&self, binary: &Path, flags: &[&str], whole: &Whole) -> Result<[f64; N]> {
        let mut command = self.cores.for_server(binary);
        command.args(flags).args([&whole.tokens, &whole.jwks]).args([&whole.issuer, AUDIENCE]);
        let line = last_line(&mut command)?;
        let numbers: Vec<f64> = line.split_whitespace().filter_map(|number| number.parse().ok()).collect();
        numbers.try_into().map_err(|_| format!("expected {N} numbers from {}, got {line:?}", binary.display()))
    }
}
