//! Building a [`Verifier`].

use std::{sync::Arc, time::Duration};

use super::{Verifier, branch::Branch, issuers::Issuers};
use crate::{
    Algorithm, ConfigurationError, JwksService,
    claims::{ClaimRules, RFC_9068_CLAIMS},
    clock::Clock,
    telemetry,
    token::{HeaderRules, Types},
};

/// The longest leeway: a token may not outlive its `exp` by more.
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// Builds a [`Verifier`]; also one issuer of [`Verifier::any_of`].
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use portcullis::{JwksService, Verifier};
///
/// let verifier = Verifier::builder(JwksService::new("https://as.example.com/jwks")?)
///     .issuer("https://as.example.com")
///     .audience("https://api.example.com")
///     .leeway(Duration::from_secs(30))
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct VerifierBuilder {
    jwks: JwksService,
    clock: Option<ClockHandle>,
    header: HeaderRules,
    claims: ClaimRules,
}

struct ClockHandle(Arc<dyn Clock>);

impl VerifierBuilder {
    pub(super) fn new(jwks: JwksService) -> Self {
        Self { jwks, clock: None, header: HeaderRules::default(), claims: ClaimRules::default() }
    }

    /// Accepts only tokens of this issuer: `iss` has to be there and equal to the letter.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.claims.issuer = Some(issuer.into());
        self
    }

    /// Accepts only tokens for this audience; called again, for any of them.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.claims.audiences.push(audience.into());
        self
    }

    /// Accepts only these algorithms; by default all of [`Algorithm::ASYMMETRIC`].
    ///
    /// The HS algorithms have to be named here, and work with local secrets only.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.header.algorithms = algorithms.into_iter().collect();
        self
    }

    /// How far this machine's clock and the issuer's may be apart: 5 s by default, 5 min at the most.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.claims.leeway = leeway;
        self
    }

    /// Accepts only these types of token (`typ`), without regard to case and to an `application/`
    /// prefix; by default `JWT`, `at+jwt` and none at all.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.header.types = Types { accepted: types.into_iter().map(Into::into).collect(), absent: false };
        self
    }

    /// Accepts tokens without `exp`, which stay good until their key is withdrawn.
    pub fn dangerously_accept_tokens_without_expiry(mut self) -> Self {
        self.claims.without_expiry = true;
        self
    }

    /// Judges times by this clock; by that of the key service by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(ClockHandle(Arc::new(clock)));
        self
    }

    /// Builds the verifier.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if the leeway is longer than 5 min or no algorithm is allowed.
    pub fn build(self) -> Result<Verifier, ConfigurationError> {
        Ok(Verifier(Arc::new(Issuers::single(self.branch()?))))
    }

    /// Nothing was set, so nothing can be wrong.
    pub(super) fn into_simple_verifier(self) -> Verifier {
        Verifier(Arc::new(Issuers::single(self.into_branch())))
    }

    pub(super) fn strict(mut self) -> Self {
        self.claims.required = RFC_9068_CLAIMS;
        self.types(["at+jwt"])
    }

    pub(super) fn branch(self) -> Result<Branch, ConfigurationError> {
        if self.claims.leeway > LONGEST_LEEWAY {
            return Err(ConfigurationError::Leeway { leeway: self.claims.leeway });
        }
        if self.header.algorithms.is_empty() {
            return Err(ConfigurationError::NoAlgorithm);
        }
        Ok(self.into_branch())
    }

    fn into_branch(self) -> Branch {
        telemetry::unchecked_claims(self.claims.issuer.is_some(), !self.claims.audiences.is_empty());
        let own_clock = self.clock.is_some();
        let clock = self.clock.map_or_else(|| self.jwks.clock(), |clock| clock.0);
        Branch { jwks: self.jwks, clock, own_clock, header: self.header, claims: self.claims }
    }
}

impl std::fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}
