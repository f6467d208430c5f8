//! Portcullis alone, without HTTP: prints figures, one a line.
//!
//! ```text
//! bench-micro [--quick] [TABLE...]     all tables, or those named
//! bench-micro --raw RS256              one figure, in half a second
//! ```

mod algorithms;
mod allocations;
mod cached;
mod cell;
mod cores;
mod displacement;
mod effort;
mod growth;
mod issuer;
mod memory;
mod raw;
#[cfg(portcullis_stages)]
mod stages;
mod verify;

use std::env;

use effort::Effort;
use figures::CountingHeap;

#[global_allocator]
static HEAP: CountingHeap = CountingHeap;

/// A table's name on the command line, and the function that prints it.
type Table = (&'static str, fn(Effort));

const TABLES: &[Table] = &[
    ("algorithms", algorithms::print),
    #[cfg(portcullis_stages)]
    ("stages", stages::print),
    ("allocations", allocations::print),
    ("memory", memory::print),
    ("cached", cached::print),
    ("displacement", displacement::print),
    ("keys", growth::keys::print),
    ("issuers", growth::issuers::print),
    ("tokens", growth::tokens::print),
    ("claims", growth::claims::print),
    ("cores", cores::print),
];

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--raw", algorithm] => algorithms::print_raw(algorithm),
        ["--quick", ref tables @ ..] => print(tables, Effort::QUICK),
        ref tables => print(tables, Effort::FULL),
    }
}

/// Prints the tables with these names; all tables if there are none.
fn print(names: &[&str], effort: Effort) {
    for name in names {
        assert!(TABLES.iter().any(|(known, _)| known == name), "expected the name of a table, got {name}");
    }
    for (name, print) in TABLES {
        if names.is_empty() || names.contains(name) {
            print(effort);
        }
    }
}
