//! The gain from a second core.

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use core_affinity::CoreId;
use figures::Figure;
use portcullis::Verifier;
use portcullis_testkit::Algorithm;

use crate::{
    cell::Work,
    effort::Effort,
    issuer::Issuer,
    verify::{by_turns, typed_by_turns},
};

const TABLE: &str = "cores";
const WINDOW: Duration = Duration::from_millis(20);

/// Calls between two looks at the clock.
const BATCH: u32 = 32;

/// The work of both threads.
struct Load {
    row: &'static str,
    algorithm: Algorithm,
    /// The number of tokens that take turns.
    tokens: usize,
    cached: bool,
    work: for<'a> fn(&'a Verifier, &'a [String]) -> Work<'a>,
}

const ONE: Load =
    Load { row: "cached, the same token", algorithm: Algorithm::ES256, tokens: 1, cached: true, work: by_turns };

const LOADS: [Load; 6] = [
    ONE,
    Load { row: "cached, the same token, claims typed", work: typed_by_turns, ..ONE },
    Load { row: "cached, 5,000 tokens by turns", tokens: 5_000, ..ONE },
    Load { row: "cached, 5,000 tokens by turns, claims typed", tokens: 5_000, work: typed_by_turns, ..ONE },
    Load { row: "new tokens, RS256", algorithm: Algorithm::RS256, tokens: 16, cached: false, work: typed_by_turns },
    Load { row: "new tokens, ES256", tokens: 16, cached: false, work: typed_by_turns, ..ONE },
];

/// The working threads in each turn of a round.
const TURNS: [[bool; 2]; 4] = [[true, false], [true, true], [false, true], [true, true]];

/// Tokens a second of one thread in each turn; zero if it rests.
type Round = [f64; 4];

pub fn print(effort: Effort) {
    let cores = core_affinity::get_core_ids().unwrap_or_default();
    let [.., first, second] = cores[..] else {
        eprintln!("cores: this process may use one core only; the table needs two");
        return;
    };
    for load in LOADS {
        print_row(load.row, &load.race([first, second], effort.rounds.div_ceil(3)));
    }
}

/// Prints the mean of the two threads alone, whose cores may differ, and their sum together.
fn print_row(row: &str, [first, second]: &[Vec<Round>; 2]) {
    let rounds = || first.iter().zip(second).map(|(a, b)| ((a[0] + b[2]) / 2.0, (a[1] + b[1] + a[3] + b[3]) / 2.0));
    Figure::of(TABLE, row, "1 thread", "tokens/s", rounds().map(|(alone, _)| alone).collect()).print();
    Figure::of(TABLE, row, "2 threads", "tokens/s", rounds().map(|(_, together)| together).collect()).print();
    Figure::of(TABLE, row, "gain", "ratio", rounds().map(|(alone, together)| together / alone).collect()).print();
}

impl Load {
    /// Runs both threads through the same rounds; they wait for each other before each turn.
    fn race(&self, cores: [CoreId; 2], rounds: usize) -> [Vec<Round>; 2] {
        let issuer = Issuer::new(self.algorithm);
        let tokens = &issuer.tokens(self.tokens);
        let verifier = &if self.cached { issuer.remembering(tokens) } else { issuer.forgetful() };
        let barrier = &Barrier::new(2);
        thread::scope(|scope| {
            let start = |which: usize| {
                scope.spawn(move || {
                    core_affinity::set_for_current(cores[which]);
                    let mut work = (self.work)(verifier, tokens);
                    (0..rounds).map(|_| round(which, barrier, &mut work)).collect()
                })
            };
            [0, 1].map(start).map(|thread| thread.join().expect("it ends"))
        })
    }
}

fn round(which: usize, barrier: &Barrier, work: &mut impl FnMut()) -> Round {
    TURNS.map(|working| {
        barrier.wait();
        if working[which] { per_second(work) } else { 0.0 }
    })
}

fn per_second(work: &mut impl FnMut()) -> f64 {
    let started = Instant::now();
    for batches in 1.. {
        (0..BATCH).for_each(|_| work());
        let elapsed = started.elapsed();
        if elapsed >= WINDOW {
            return f64::from(batches * BATCH) / elapsed.as_secs_f64();
        }
    }
    unreachable!("a window ends")
}
