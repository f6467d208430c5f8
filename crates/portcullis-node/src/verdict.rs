//! The judge's verdict as JavaScript gets it.

use napi::bindgen_prelude::Either;
use portcullis::{Access, Secure};

use crate::refused::Refused;

/// The verdict on a request: a number, or the refusal.
///
/// Above [`ANONYMOUSLY`] the request may pass by its token, and the number is the token's: the same token has the same one as
/// long as it is cached, and no other token ever has it.
pub(crate) type Verdict = Either<f64, Refused>;

/// The request may pass without credentials.
const ANONYMOUSLY: f64 = 1.0;

/// Returns the verdict as JavaScript gets it.
pub(crate) fn told(secure: &Secure, verdict: portcullis::Verdict) -> Verdict {
    match verdict.outcome {
        Ok(admitted) => Either::A(admitted.access().map_or(ANONYMOUSLY, number)),
        Err(refusal) => Either::B(Refused::new(secure, &refusal)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for as many tokens as a process can verify in centuries")]
fn number(access: &Access) -> f64 {
    access.token().id() as f64 + ANONYMOUSLY
}
