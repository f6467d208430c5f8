//! Tokens for upstreams, in exchange for the client's (RFC 8693): [`Exchanger`].
//!
//! An API that calls another API does not hand the client's token on: it asks the authorization server for a token for that other API.
//!
//! ```text
//! Access ── subject, its text ──► kept ──► single flight ──► shared store ──► the server ──► judge ──► ExchangedToken
//! ```
//!
//! - **Questions** are asked as `questions/` tells: one for each token and target at a time, a bounded number in all, none while the
//!   server fails.
//! - **Only a token that was judged is handed on** ([`judge`]): `issued_token_type`, `token_type`, and then the token itself, by a
//!   [`Verifier`](crate::Verifier) of its own for each target: its signature, issuer and times, an `aud` that names the target, and
//!   the `sub` of the client's token, if both are of one issuer. It is bound to no key, since this server could not prove one, and expires no later than the client's token.
//! - **A token goes to its own issuer's server only**, unless another issuer is named: any other could use it.
//! - **Kept** by the SHA-256 of question and token, in bounded bytes, until it or the client's token expires. At each use its times and
//!   keys are checked. The shared store has it encrypted, and its reader judges it anew.
//! - **A token that is bound to a key** (DPoP, mutual TLS) is exchanged like any other: its proof was verified at the gate, and this
//!   server authenticates itself at the authorization server. The exchanged token is a bearer token for the way to the upstream.
//! - **A refusal of the server's** is 403 (`exchange_refused`) with a credible error code about the token (RFC 8693 section 2.2.2, RFC
//!   6749 section 5.2), and is remembered for seconds. A refusal of this client is 503: no token would pass.

mod answer;
mod asking;
mod builder;
mod exchanged;
mod judge;
mod kept;
mod target;

pub use builder::ExchangerBuilder;
pub use exchanged::ExchangedToken;
pub use target::{Target, TargetTokenType};

pub(crate) use asking::{Begun, Exchange, Unexchanged};

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use crate::{
    claims::VerifiedToken,
    client_authentication::ClientAuthentication,
    questions::{Endpoint, EndpointStatus, Source},
    verifier::VerifierBuilder,
};
use kept::Kept;

/// Exchanges tokens of clients for tokens for upstreams, at an authorization server (RFC 8693).
///
/// Declare each exchange at a layer, by a name ([`Secure::exchange`](crate::Secure::exchange)); a handler asks for the token by
/// [`Access::exchange`](crate::Access::exchange). Clones share all state.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{Access, AccessRejection, ClientAuthentication, Exchanger, JwksService, Secure, Target, Verifier};
///
/// async fn orders(access: Access) -> Result<String, AccessRejection> {
///     let token = access.exchange("inventory").await?;
///     // Send a request to the inventory with `token.authorization()`.
///     Ok(format!("{} orders", token.token().len()))
/// }
///
/// let keys = JwksService::new("https://as.example.com/jwks")?;
/// let issuer = || Verifier::builder(keys.clone()).issuer("https://as.example.com");
/// let client = ClientAuthentication::basic("orders-api", "secret");
/// let exchanger = Exchanger::builder("https://as.example.com/token", client, issuer()).build()?;
/// let secure = Secure::new(issuer().audience("https://orders.example.com").build()?).exchange(
///     "inventory",
///     &exchanger,
///     Target::audience("https://inventory.example.com").scope(["stock:read"]),
/// )?;
/// let app: Router = Router::new().route("/orders", get(orders)).layer(secure);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct Exchanger(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    /// The keys and rules for exchanged tokens; the audience is that of each target.
    issuer: VerifierBuilder,
    settings: Settings,
    kept: Kept,
    /// The exchanges of all layers, one for each target.
    exchanges: Mutex<Vec<Weak<Exchange>>>,
}

/// The settings from the builder, besides those of the endpoint.
struct Settings {
    /// The issuers of the tokens that may be sent to the server.
    subject_issuers: Vec<String>,
    may_outlive: Duration,
    refused_for: Duration,
    longest: Duration,
    cache_bytes: usize,
    dangerously_accept_unverified: bool,
    dangerously_accept_other_subjects: bool,
}

impl Exchanger {
    /// A builder for an exchanger that asks this token endpoint as this client, for tokens that these keys and rules judge.
    ///
    /// The rules have to name an issuer. Leave the audience out: it is that of each [`Target`]. If the server issues opaque tokens,
    /// give the rules an [`introspection`](VerifierBuilder::introspection).
    pub fn builder(token_endpoint: &str, client: ClientAuthentication, issuer: VerifierBuilder) -> ExchangerBuilder {
        ExchangerBuilder::new(Source::Url(token_endpoint.to_owned()), client, issuer)
    }

    /// A builder for an exchanger that asks the token endpoint that the issuer's metadata name: for rules whose keys are found by
    /// these metadata, too ([`JwksService::discover`](crate::JwksService::discover)).
    ///
    /// The endpoint has to be at https (unless the issuer is on this machine), and at a public address or at one of the issuer's own
    /// kind, as the URL of its keys. It is known once the keys are; until then a token is not exchanged, and the request gets 503.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{ClientAuthentication, Exchanger, JwksService, Verifier};
    ///
    /// let keys = JwksService::discover("https://as.example.com").build()?;
    /// let issuer = Verifier::builder(keys).issuer("https://as.example.com");
    /// let exchanger = Exchanger::discover(ClientAuthentication::basic("orders-api", "secret"), issuer).build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn discover(client: ClientAuthentication, issuer: VerifierBuilder) -> ExchangerBuilder {
        ExchangerBuilder::new(Source::TokenEndpoint(issuer.keys()), client, issuer)
    }

    /// The state of the endpoint.
    #[must_use]
    pub fn status(&self) -> EndpointStatus {
        self.0.endpoint.status()
    }

    /// Returns true if tokens of this issuer may be sent to the server.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{ClientAuthentication, Exchanger, JwksService, Verifier};
    ///
    /// let issuer = Verifier::builder(JwksService::new("https://as.example.com/jwks")?).issuer("https://as.example.com");
    /// let client = ClientAuthentication::basic("orders-api", "secret");
    /// let exchanger = Exchanger::builder("https://as.example.com/token", client, issuer).build()?;
    /// assert!(exchanger.takes_tokens_of("https://as.example.com"));
    /// assert!(!exchanger.takes_tokens_of("https://partner.example.org"));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use]
    pub fn takes_tokens_of(&self, issuer: &str) -> bool {
        self.0.settings.subject_issuers.iter().any(|own| own == issuer)
    }

    /// Tells whether this token may be sent to the server: it is of a named issuer, or of one that nobody names.
    fn takes(&self, token: &VerifiedToken) -> bool {
        issuer_of(token).is_none_or(|issuer| self.takes_tokens_of(&issuer))
    }
}

/// The issuer of a token: `iss`, or else the issuer that its rules name, since an introspection answer may leave `iss` out (RFC 7662
/// section 2.2).
fn issuer_of(token: &VerifiedToken) -> Option<Cow<'_, str>> {
    token.claims().issuer().map(Cow::Borrowed).or_else(|| token.rules().issuer_name().map(Cow::Owned))
}

impl fmt::Debug for Exchanger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanger").field("endpoint", &self.0.endpoint).finish_non_exhaustive()
    }
}
