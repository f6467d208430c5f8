//! The judge's verdict for JavaScript.

use napi::bindgen_prelude::{Either, Either3};
use napi_derive::napi;
use portcullis::{Access, Admitted, Ground, Secure};

use crate::refused::Refused;

/// The verdict on a request: a number, a [`Passed`], or the refusal.
///
/// A number above [`ANONYMOUSLY`] is the accepted token's: a token keeps it while it is cached, and no other token ever gets it.
pub(crate) type Verdict = Either3<f64, Passed, Refused>;

/// The verdict for a request that passes without credentials.
const ANONYMOUSLY: f64 = 1.0;

/// The parts of a request on which the form of its verdict depends.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shown {
    /// True if the request has a DPoP proof.
    pub(crate) proof: bool,
    /// True if its token may be exchanged later, when the other parts that were judged are gone.
    pub(crate) exchangeable: bool,
}

/// Returns the verdict for JavaScript.
pub(crate) fn told(secure: &Secure, verdict: portcullis::Verdict, shown: Shown) -> Verdict {
    let Shown { proof: shows_proof, exchangeable } = shown;
    let portcullis::Verdict { outcome, ground, .. } = verdict;
    let nonce = secure.dpop_nonce();
    let needs_more = |admitted: &Admitted| shows_proof || exchangeable || nonce.is_some() || is_introspected(admitted);
    match outcome {
        Ok(admitted) if needs_more(&admitted) => Either3::B(Passed {
            admitted,
            nonce: nonce.and_then(|nonce| Some(nonce.to_str().ok()?.to_owned())),
            took_signature: shows_proof || ground == Some(Ground::Verified),
        }),
        Ok(admitted) => Either3::A(admitted.access().map_or(ANONYMOUSLY, number)),
        Err(refusal) => Either3::C(Refused::new(secure, &refusal).on(ground, &refusal, shows_proof)),
    }
}

/// The verdict on a request that passes, with more than its number.
#[napi]
pub struct Passed {
    admitted: Admitted,
    nonce: Option<String>,
    took_signature: bool,
}

#[napi]
impl Passed {
    /// The number of the verdict.
    #[napi(getter)]
    pub fn number(&self) -> f64 {
        self.admitted.access().map_or(ANONYMOUSLY, number)
    }

    /// The field `DPoP-Nonce` of the response; undefined if there is none.
    #[napi(getter)]
    pub fn dpop_nonce(&self) -> Either<String, ()> {
        self.nonce.clone().map_or(Either::B(()), Either::A)
    }

    /// The claims of an introspected token, as JSON; undefined for a JWT, which has them itself.
    #[napi(getter)]
    pub fn claims(&self) -> Either<String, ()> {
        let access = self.admitted.access().filter(|access| access.token().is_introspected());
        access.map_or(Either::B(()), |access| Either::A(access.claims().text().to_owned()))
    }

    /// The JWT behind a phantom token; undefined if there is none.
    #[napi(getter)]
    pub fn phantom_jwt(&self) -> Either<String, ()> {
        let jwt = self.admitted.access().and_then(|access| access.token().phantom_jwt());
        jwt.map_or(Either::B(()), |jwt| Either::A(jwt.to_owned()))
    }

    /// True if a signature was verified for the verdict.
    #[napi(getter)]
    pub fn took_signature(&self) -> bool {
        self.took_signature
    }

    /// The evidence for doors behind: it names the proof that was used for the request.
    pub(crate) fn admitted(&self) -> &Admitted {
        &self.admitted
    }
}

fn is_introspected(admitted: &Admitted) -> bool {
    admitted.access().is_some_and(|access| access.token().is_introspected())
}

#[expect(clippy::cast_precision_loss, reason = "exact for as many tokens as a process can verify in centuries")]
fn number(access: &Access) -> f64 {
    access.token().id() as f64 + ANONYMOUSLY
}
