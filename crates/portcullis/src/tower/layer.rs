//! The layer and its options.

use std::{sync::Arc, time::SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::Value;
use tower_layer::Layer;

use super::{gate::Gate, service::SecureService};
use crate::{
    bearer::TokenSource,
    introspection::ClientAddress,
    policy::{Access, ClaimRule},
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
    /// use portcullis::{JwksService, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).report_only();
    /// let verdict = secure.judge_now(&[]).expect("no keys are needed");
    /// assert!(verdict.expect("it passes all the same").is_none());
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn report_only(self) -> Self {
        self.with(|gate| gate.report_only = true)
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

    /// Judges a request without any tower, for a framework that has none: by the values of its `Authorization` fields.
    ///
    /// None if the verdict needs a wait for keys: then [`judge`](Self::judge) reaches it.
    /// `Ok(None)` is a request without credentials that [`optional`](Self::optional) lets pass.
    /// [`token_from`](Self::token_from) counts for nothing here.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwksService, Secure};
    ///
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?);
    /// let refusal = secure.judge_now(&[b"Bearer nonsense"]).expect("no keys are needed").unwrap_err();
    /// assert_eq!(refusal.code(), "malformed_token_parts");
    /// assert_eq!(secure.answer(&refusal).status(), 403);
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn judge_now(&self, authorization: &[&[u8]]) -> Option<Result<Option<Access>, Refusal>> {
        self.gate.judge_fields_now(authorization)
    }

    /// The same, if not even a signature has to be verified to reach the verdict: the token is known, or there is none.
    ///
    /// For those who serve requests on one thread, and verify many new tokens rather on another, with [`judge`](Self::judge).
    #[must_use]
    pub fn judge_known(&self, authorization: &[&[u8]]) -> Option<Result<Option<Access>, Refusal>> {
        self.gate.judge_known_fields(authorization)
    }

    /// Judges a request without any tower, and waits for keys where that is needed.
    ///
    /// # Errors
    ///
    /// Why the request may not pass; [`answer`](Self::answer) tells it to the client.
    pub async fn judge(&self, authorization: &[&[u8]]) -> Result<Option<Access>, Refusal> {
        self.gate.judge_fields(authorization, None).await
    }

    /// The same for a request that comes from this address: of the turns at the introspection endpoint, one client
    /// leaves as many to others as it takes, and tokens at which the endpoint fails shut it for nobody else.
    ///
    /// Behind the layer, a [`ClientAddress`] in the extensions of a request does so.
    ///
    /// # Errors
    ///
    /// As [`judge`](Self::judge).
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(secure: portcullis::Secure, peer: std::net::SocketAddr, authorization: &[u8]) {
    /// let verdict = secure.judge_from(&[authorization], Some(peer.ip().into())).await;
    /// # }
    /// ```
    pub async fn judge_from(
        &self,
        authorization: &[&[u8]],
        client: Option<ClientAddress>,
    ) -> Result<Option<Access>, Refusal> {
        self.gate.judge_fields(authorization, client).await
    }

    /// Says, check by check, why a request passes or is refused: [`Verifier::explain`], and what is asked for here.
    ///
    /// It comes to the verdict of [`judge`](Self::judge), and like there [`token_from`](Self::token_from) counts for nothing; of a layer that
    /// [only reports](Self::report_only), it says what would be refused.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use portcullis::{JwksService, Secure};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), portcullis::ConfigurationError> {
    /// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).scope(["read"]);
    /// let explanation = secure.explain(&[b"Basic YWxpY2U6c2VjcmV0"], SystemTime::now()).await;
    /// assert_eq!(explanation.refusal().map(|refusal| refusal.code()), Some("other_scheme"));
    /// # Ok(()) }
    /// ```
    pub async fn explain(&self, authorization: &[&[u8]], now: SystemTime) -> Explanation {
        self.gate.explain(authorization, now).await
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

impl<S> Layer<S> for Secure {
    type Service = SecureService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SecureService::new(inner, Arc::clone(&self.gate))
    }
}
