//! Each stage from header field to access, alone.

use portcullis_testkit::Algorithm;

use crate::{
    cell::{Cell, time},
    effort::Effort,
    issuer::Issuer,
};

pub fn print(effort: Effort) {
    let mut cells = Vec::new();
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let issuer = Issuer::new(algorithm);
        let stages = portcullis::stages::of(&issuer.jwks(), &issuer.token());
        cells.extend(stages.into_iter().map(|(stage, work)| Cell::new(stage, algorithm.name(), work)));
    }
    time("stages", cells, effort);
}
