//! The judge's verdict as JavaScript gets it, and the header fields as the judge gets them.

use napi::bindgen_prelude::Either;
use portcullis::{Access, Refusal, Secure};

use crate::refused::Refused;

/// The verdict on a request: a number, or the refusal.
///
/// Above [`ANONYMOUSLY`] the request may pass by its token, and the number is the token's: the same token has the same one as
/// long as it is cached, and no other token ever has it.
pub(crate) type Verdict = Either<f64, Refused>;

/// No verdict yet: keys have to be fetched, or a token verified that may not be verified here. `judge_later` gives it.
pub(crate) const LATER: Verdict = Either::A(0.0);
/// The request may pass without credentials.
const ANONYMOUSLY: f64 = 1.0;

/// Returns the verdict as JavaScript gets it.
pub(crate) fn told(secure: &Secure, verdict: std::result::Result<Option<Access>, Refusal>) -> Verdict {
    match verdict {
        #[expect(clippy::cast_precision_loss, reason = "exact for as many tokens as a process can verify in centuries")]
        Ok(Some(access)) => Either::A(access.token().id() as f64 + ANONYMOUSLY),
        Ok(None) => Either::A(ANONYMOUSLY),
        Err(refusal) => Either::B(Refused::new(secure, &refusal)),
    }
}

/// The `Authorization` fields of a request; of several, only their number counts.
pub(crate) struct Fields<'a> {
    values: [&'a [u8]; 2],
    count: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(authorization: Option<&'a [u8]>, several: bool) -> Self {
        let count = if several { 2 } else { usize::from(authorization.is_some()) };
        Self { values: [authorization.unwrap_or_default(), b""], count }
    }

    pub(crate) fn values(&self) -> &[&'a [u8]] {
        self.values.get(..self.count).unwrap_or_default()
    }
}
