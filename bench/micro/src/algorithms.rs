//! Each algorithm: a whole verification, and the signature alone by every library.

use figures::{Figure, interleaved};
use portcullis_testkit::{Algorithm, SigningKey};

use crate::{
    cell::{Cell, median, time},
    effort::Effort,
    issuer::Issuer,
    raw::{self, Signed},
    verify,
};

const TABLE: &str = "algorithms";
const NEW: &str = "portcullis, new token";
const FASTEST: &str = "raw: fastest library";

/// The number of tokens that take turns, too many for the branch predictor to learn.
const TOKENS: usize = 16;

const ROWS: [Algorithm; 11] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::ES512,
    Algorithm::EdDSA,
    Algorithm::HS256,
];

pub fn print(effort: Effort) {
    for algorithm in ROWS {
        print_row(algorithm, effort);
    }
}

fn print_row(algorithm: Algorithm, effort: Effort) {
    let issuer = Issuer::new(algorithm);
    let tokens = issuer.tokens(TOKENS);
    let signed = signed(&tokens);
    let libraries = raw::libraries(&issuer.key);
    let (forgetful, remembering) = (issuer.forgetful(), issuer.remembering(&tokens));
    let mut cells = vec![
        Cell::new(algorithm.name(), NEW, verify::typed_by_turns(&forgetful, &tokens)),
        Cell::new(algorithm.name(), "portcullis, cached token", verify::by_turns(&remembering, &tokens)),
    ];
    cells.extend(libraries.iter().map(|library| Cell::new(algorithm.name(), library.name, library.by_turns(&signed))));
    let windows = time(TABLE, cells, effort);
    print_comparison(algorithm, &windows[0], fastest(&windows[2..]));
}

/// Prints the ratio round by round, so that a slow moment of the machine slows both sides.
fn print_comparison(algorithm: Algorithm, ours: &[f64], fastest: &[f64]) {
    let ratios = fastest.iter().zip(ours).map(|(fastest, ours)| fastest / ours).collect();
    Figure::of(TABLE, algorithm.name(), FASTEST, "ns", fastest.to_vec()).print();
    Figure::of(TABLE, algorithm.name(), "ratio to fastest raw", "ratio", ratios).print();
}

/// The library with the least median.
fn fastest(libraries: &[Vec<f64>]) -> &[f64] {
    let by_median = |a: &&Vec<f64>, b: &&Vec<f64>| median(a).total_cmp(&median(b));
    libraries.iter().min_by(by_median).expect("at least one library knows it")
}

fn signed(tokens: &[String]) -> Vec<Signed> {
    tokens.iter().map(|token| Signed::of(token)).collect()
}

/// Prints the time of the fastest library at this moment, to compare it with other figures.
pub fn print_raw(algorithm: &str) {
    let algorithm = ROWS.into_iter().find(|row| row.name() == algorithm).expect("an algorithm, such as RS256");
    let issuer = Issuer::new(algorithm);
    let windows = raw_windows(&issuer.key, &signed(&issuer.tokens(TOKENS)));
    Figure::of(TABLE, algorithm.name(), FASTEST, "ns", fastest(&windows).to_vec()).print();
}

/// Measures each library for about half a second.
fn raw_windows(key: &SigningKey, signed: &[Signed]) -> Vec<Vec<f64>> {
    let libraries = raw::libraries(key);
    let mut contenders: Vec<_> = libraries.iter().map(|library| (library.name, library.by_turns(signed))).collect();
    let rounds = 250 / contenders.len();
    interleaved(&mut contenders, rounds, 2_000_000)
}
