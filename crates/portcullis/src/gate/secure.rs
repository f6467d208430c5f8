//! [`Secure`]: a verifier, and the rules of an endpoint.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Response};

use super::{Access, Judging, Presented, judge::Gate};
use crate::{refusal::Refusal, verifier::Verifier};

/// Lets a request pass only with an access token that meets the rules.
///
/// It is made from a [`JwksService`](crate::JwksService), the simple way, or from a [`Verifier`]. It is a tower layer, and, with
/// the feature `actix`, middleware of actix-web: `App::new().wrap(secure)`.
///
/// Put it before a whole router or a single route. With a layer on both, each finds its own token; the inner one does not
/// verify the same token again if both have the same verifier.
///
/// # Caveats
///
/// - A CORS preflight request carries no token: put the CORS layer outside of this one.
/// - A handler without a layer is open, unless it takes [`Claims`](crate::Claims) or [`Access`](crate::Access): without a
///   layer these answer 500.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{Claims, JwksService, Secure};
///
/// async fn orders(claims: Claims) -> String {
///     format!("the orders of {}", claims.subject().unwrap_or("nobody"))
/// }
///
/// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).realm("orders");
/// let app: Router = Router::new()
///     .route("/orders", get(orders))
///     .route("/orders/all", get(orders).layer(secure.clone().scope(["admin"])))
///     .layer(secure);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a layer does nothing until it is put before a service"]
pub struct Secure {
    pub(crate) gate: Arc<Gate>,
}

impl Secure {
    /// A layer that lets requests pass with tokens that this verifier accepts.
    pub fn new(verifier: impl Into<Verifier>) -> Self {
        Self { gate: Arc::new(Gate::new(verifier.into())) }
    }

    /// Returns the verifier of the tokens, for instance to [`invalidate`](Verifier::invalidate) one.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?);
    /// secure.verifier().invalidate("a token");
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.gate.verifier
    }

    /// Returns true if every request passes, and refusals are only reported.
    #[must_use]
    pub fn is_report_only(&self) -> bool {
        self.gate.rules.report_only
    }

    /// Judges a request as far as possible without waiting.
    ///
    /// A door calls it for each request, and lets one pass only by the [`Admitted`](crate::Admitted) of the verdict.
    /// [`answer`](Self::answer) makes the response to a refused one.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Judging, Presented, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?);
    /// let fields: [(&str, &[u8]); 1] = [("authorization", b"Bearer nonsense")];
    /// let Judging::Done(verdict) = secure.judge(&Presented::new(&fields)) else { panic!("no keys are needed") };
    /// let refusal = verdict.outcome.unwrap_err();
    /// assert_eq!(refusal.code(), "malformed_token_parts");
    /// assert_eq!(secure.answer(&refusal).status(), 403);
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn judge(&self, presented: &Presented<'_>) -> Judging {
        self.gate.judge(presented)
    }

    /// Returns the time until which each request with the same credentials passes as this one did, unless another [`epoch`] begins.
    ///
    /// It is for doors that keep verdicts themselves. None if each request has to be judged: with DPoP, a token that is bound to a
    /// key, `max_age`, rules of your own, an MCP server, a clock of the verifier's own, and where each
    /// tenant has keys of its own.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Judging, Presented, Secure};
    ///
    /// # fn example(secure: Secure, token: &[u8]) {
    /// let fields: [(&str, &[u8]); 1] = [("authorization", token)];
    /// if let Judging::Done(verdict) = secure.judge(&Presented::new(&fields)) {
    ///     let access = verdict.outcome.as_ref().ok().and_then(|admitted| admitted.access());
    ///     println!("good until {:?}", access.and_then(|access| secure.holds_until(access)));
    /// }
    /// # }
    /// ```
    ///
    /// [`epoch`]: crate::epoch()
    #[must_use]
    pub fn holds_until(&self, access: &Access) -> Option<SystemTime> {
        self.gate.holds_until(access)
    }

    /// Returns the `DPoP-Nonce` field for the response to a request that passes (RFC 9449 section 8.2); none if no nonces are asked for.
    ///
    /// [`answer`](Self::answer) adds it to a refusal.
    #[must_use]
    pub fn dpop_nonce(&self) -> Option<HeaderValue> {
        self.gate.nonce().map(|(_, nonce)| nonce)
    }

    /// Counts and logs a refusal, and returns the response to the client.
    #[must_use]
    pub fn answer(&self, refusal: &Refusal) -> Response<Bytes> {
        self.gate.refuse(refusal)
    }
}
