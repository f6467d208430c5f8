//! [`Secure`]: a verifier, and what an endpoint asks of a request.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;

use super::{Judging, Presented, judge::Gate};
use crate::{
    bearer::TokenSource,
    policy::ClaimRule,
    refusal::Refusal,
    verifier::{Explanation, Verifier},
};

/// Lets a request pass only if it carries an access token that may pass.
///
/// Made from a [`JwksService`](crate::JwksService), the simple way, or from a [`Verifier`]. It goes on a
/// whole router or on a route; on both, the inner layer finds its own token, and does not verify it again if the outer one
/// found the same and the two were made from the same verifier, or are clones of each other.
///
/// # Caveats
///
/// - A CORS preflight carries no token: put the layer that answers it outside of this one.
/// - A handler that no layer stands before is open, unless it asks for [`Claims`](crate::Claims) or
///   [`Access`](crate::Access), which then answer 500.
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
    gate: Arc<Gate>,
}

impl Secure {
    /// A layer that asks for a token that this verifier accepts.
    pub fn new(verifier: impl Into<Verifier>) -> Self {
        Self { gate: Arc::new(Gate::new(verifier.into())) }
    }

    /// The realm that challenges name (RFC 9110 section 11.5).
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.with(|gate| gate.challenge.realm = Some(realm.into()))
    }

    /// Asks for all of these scope values (RFC 6749 section 3.3).
    pub fn scope<T: Into<String>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.with(|gate| gate.policy.all_scopes.extend(values.into_iter().map(Into::into)))
    }

    /// Asks for at least one of these scope values.
    pub fn any_scope<T: Into<String>>(self, values: impl IntoIterator<Item = T>) -> Self {
        self.with(|gate| gate.policy.any_scopes.push(values.into_iter().map(Into::into).collect()))
    }

    /// Asks for a claim, whatever its value: by its name, or, if the text starts with `/`, by its JSON
    /// Pointer (RFC 6901).
    pub fn claim(self, name: impl Into<String>) -> Self {
        self.with(|gate| gate.policy.claims.push(ClaimRule::present(name)))
    }

    /// Asks for a claim with this value, or an array with this value in it.
    ///
    /// Any JSON value will do; numbers compare as numbers, nothing is converted.
    pub fn claim_value(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|gate| gate.policy.claims.push(ClaimRule::equals(name, value.into())))
    }

    /// The status for a bad token: 403 by default, or 401 as RFC 6750 section 3.1 has it.
    ///
    /// # Panics
    ///
    /// If the status is neither 401 nor 403.
    pub fn invalid_token_status(self, status: u16) -> Self {
        assert!(matches!(status, 401 | 403), "expected 401 or 403 as the status for a bad token, {status} came");
        let status = if status == 401 { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
        self.with(|gate| gate.challenge.invalid_token_status = status)
    }

    /// Tells a refusal in the body, too, as problem details (RFC 9457) with its stable `code`.
    pub fn problem_json(self) -> Self {
        self.with(|gate| gate.challenge.problem_json = true)
    }

    /// Lets requests without credentials pass, without claims; those with bad credentials do not.
    pub fn optional(self) -> Self {
        self.with(|gate| gate.optional = true)
    }

    /// Lets every request pass, and only tells which ones it would refuse: in the log, and in the counter
    /// `portcullis_would_refuse_total` by `code`. For the time before a roll-out; it guards nothing.
    ///
    /// A request that would be refused reaches the service without [`Access`], as one without credentials does behind
    /// [`optional`](Self::optional): have handlers ask for `Option<Claims>` meanwhile. What would pass passes with its claims.
    /// Keys are fetched, and opaque tokens introspected, as they would be in earnest.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Judging, Presented, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).report_only();
    /// let headers = http::HeaderMap::new();
    /// let Judging::Done(verdict) = secure.judge(&Presented::new(&headers)) else { panic!("no keys are needed") };
    /// assert!(verdict.outcome.expect("it passes all the same").access().is_none());
    /// assert_eq!(verdict.would_refuse.map(|refusal| refusal.code()), Some("no_credentials"));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn report_only(self) -> Self {
        self.with(|gate| gate.report_only = true)
    }

    /// Tells whether every request passes, and refusals are only reported.
    #[must_use]
    pub fn is_report_only(&self) -> bool {
        self.gate.report_only
    }

    /// Where the token may stand; only in the `Authorization` field by default.
    ///
    /// A request with tokens in two of the places is refused. A place that is named twice is one.
    pub fn token_from(self, sources: impl IntoIterator<Item = TokenSource>) -> Self {
        let mut places: Vec<TokenSource> = Vec::new();
        for source in sources {
            if !places.contains(&source) {
                places.push(source);
            }
        }
        self.with(|gate| gate.sources = places)
    }

    /// The longest token that is looked at, in bytes: that of the verifier by default
    /// ([`max_token_bytes`](crate::VerifierBuilder::max_token_bytes)), 16 KiB.
    pub fn max_token_bytes(self, max: usize) -> Self {
        self.with(|gate| gate.max_token_bytes = max)
    }

    /// Judges a request, as far as that is possible without waiting.
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

    /// Explains, check by check, why a request passes or is refused: [`Verifier::explain`], and the checks of these rules.
    ///
    /// It comes to the verdict of [`judge`](Self::judge); of a layer that [only reports](Self::report_only), it tells what would
    /// be refused. Every request has its token verified anew.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use portcullis::{JwksService, Presented, Secure};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::ConfigurationError> {
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).scope(["read"]);
    /// let fields: [(&str, &[u8]); 1] = [("authorization", b"Basic YWxpY2U6c2VjcmV0")];
    /// let explanation = secure.explain(&Presented::new(&fields), SystemTime::now()).await;
    /// assert_eq!(explanation.refusal().map(|refusal| refusal.code()), Some("other_scheme"));
    /// # Ok(()) }
    /// ```
    pub async fn explain(&self, presented: &Presented<'_>, now: SystemTime) -> Explanation {
        self.gate.explain(presented, now).await
    }

    /// The response to a request that may not pass; it is counted and logged here.
    #[must_use]
    pub fn answer(&self, refusal: &Refusal) -> Response<Bytes> {
        self.gate.refuse(refusal)
    }

    fn with(mut self, change: impl FnOnce(&mut Gate)) -> Self {
        change(Arc::make_mut(&mut self.gate));
        self
    }
}
