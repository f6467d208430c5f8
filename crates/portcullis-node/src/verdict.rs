//! The judge's verdict for JavaScript.

use napi::bindgen_prelude::Either;
use portcullis::{Access, Secure};

use crate::refused::Refused;

/// The verdict on a request: a number, or the refusal.
///
/// A number above [`ANONYMOUSLY`] is the accepted token's: a token keeps it while it is cached, and no other token ever gets it.
pub(crate) type Verdict = Either<f64, Refused>;

/// The verdict for a request that passes without credentials.
const ANONYMOUSLY: f64 = 1.0;

/// Returns the verdict for JavaScript.
pub(crate) fn told(secure: &Secure, verdict: portcullis::Verdict) -> Verdict {
    match verdict.outcome {
        Ok(admitted) => Either::A(admitted.access().map_or(ANONYMOUSLY, number)),
        Err(refusal) => Either::B(Refused::new(secure, &refusal).on(verdict.ground, &refusal)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for as many tokens as a process can verify in centuries")]
fn number(access: &Access) -> f64 {
    access.token().id() as f64 + ANONYMOUSLY
}
