//! The JWT path, end to end: [`Verifier`].
//!
//! A token is parsed, its issuer chosen, its header judged, its key looked up, its signature verified,
//! its claims judged; each step takes what only the one before can make.

mod branch;
mod builder;
mod issuers;

pub use builder::VerifierBuilder;

use std::{fmt, sync::Arc};

use crate::{
    ConfigurationError, JwksService, bearer::BearerToken, claims::VerifiedToken, jwks::Lookup, refusal::Refusal, token,
};
use issuers::Issuers;

/// Verifies access tokens: signature, times, issuer, audience, type.
///
/// A clone is the same verifier.
///
/// # Example
///
/// ```
/// use portcullis::{Algorithm, JwksService, Verifier};
///
/// let jwks = JwksService::new("https://as.example.com/jwks")?;
/// let verifier = Verifier::builder(jwks)
///     .issuer("https://as.example.com")
///     .audience("https://api.example.com")
///     .algorithms([Algorithm::ES256, Algorithm::EdDSA])
///     .build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone)]
pub struct Verifier(Arc<Issuers>);

impl Verifier {
    /// A builder for a verifier with these keys.
    ///
    /// Without [`issuer`](VerifierBuilder::issuer) and [`audience`](VerifierBuilder::audience) it accepts
    /// any token that is signed with them, and says so once in the log.
    pub fn builder(jwks: JwksService) -> VerifierBuilder {
        VerifierBuilder::new(jwks)
    }

    /// A builder for a verifier with the keys that this issuer's metadata name.
    ///
    /// # Errors
    ///
    /// As [`JwksBuilder::build`](crate::JwksBuilder::build).
    pub fn discover(issuer: &str) -> Result<VerifierBuilder, ConfigurationError> {
        Ok(Self::builder(JwksService::discover(issuer).build()?).issuer(issuer))
    }

    /// The strict verifier for JWT access tokens as RFC 9068 defines them.
    ///
    /// `typ` has to be `at+jwt`; `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` have to be there.
    ///
    /// ```
    /// use portcullis::{JwksService, Verifier};
    ///
    /// let jwks = JwksService::new("https://as.example.com/jwks")?;
    /// let verifier = Verifier::rfc9068(jwks, "https://as.example.com", "https://api.example.com").build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn rfc9068(jwks: JwksService, issuer: &str, audience: &str) -> VerifierBuilder {
        Self::builder(jwks).issuer(issuer).audience(audience).strict()
    }

    /// One verifier for several issuers, each with its own keys and rules.
    ///
    /// A token's `iss` chooses whose, before anything of it is trusted: the keys of one issuer never
    /// verify a token of another.
    ///
    /// # Errors
    ///
    /// A [`ConfigurationError`] if there is none, one has no name, or two have the same; and as for
    /// [`VerifierBuilder::build`].
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::Verifier;
    ///
    /// let verifier = Verifier::any_of([
    ///     Verifier::discover("https://login.example.com")?.audience("https://api.example.com"),
    ///     Verifier::discover("https://partner.example.org")?.audience("https://api.example.com"),
    /// ])?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn any_of(issuers: impl IntoIterator<Item = VerifierBuilder>) -> Result<Self, ConfigurationError> {
        let branches: Result<Vec<_>, _> = issuers.into_iter().map(VerifierBuilder::branch).collect();
        Ok(Self(Arc::new(Issuers::named(branches?)?)))
    }

    /// Verifies a token outside of a layer: a compact JWS, without its scheme.
    ///
    /// # Errors
    ///
    /// A [`Refusal`], which says whose fault it is.
    ///
    /// # Example
    ///
    /// ```no_run
    /// # async fn example(verifier: portcullis::Verifier, token: &str) {
    /// match verifier.verify(token).await {
    ///     Ok(token) => println!("{:?}", token.claims().subject()),
    ///     Err(refusal) => println!("{}: {refusal}", refusal.code()),
    /// }
    /// # }
    /// ```
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, Refusal> {
        let token = BearerToken::bare(token.as_bytes(), crate::bearer::DEFAULT_MAX_TOKEN_BYTES)?;
        match self.verify_now(token) {
            Some(verdict) => verdict,
            None => self.verify_bearer(token).await,
        }
    }

    /// The verdict, if no wait for keys is needed to reach it.
    pub(crate) fn verify_now(&self, token: BearerToken<'_>) -> Option<Result<VerifiedToken, Refusal>> {
        let unverified = match token::parse(token) {
            Ok(unverified) => unverified,
            Err(refusal) => return Some(Err(refusal)),
        };
        let branch = match self.0.choose(&unverified) {
            Ok(branch) => branch,
            Err(refusal) => return Some(Err(refusal)),
        };
        let now = branch.clock.now();
        match branch.lookup(&unverified, now) {
            Lookup::Found(keys) => Some(keys.verify(unverified).and_then(|signed| branch.claims.check(signed, now))),
            Lookup::Refused(refusal) => Some(Err(refusal)),
            Lookup::MustWait => None,
        }
    }

    pub(crate) async fn verify_bearer(&self, token: BearerToken<'_>) -> Result<VerifiedToken, Refusal> {
        let unverified = token::parse(token)?;
        let branch = self.0.choose(&unverified)?;
        branch.header.check(unverified.header())?;
        let keys = branch.jwks.key(unverified.header()).await?;
        let signed = keys.verify(unverified)?;
        branch.claims.check(signed, branch.clock.now())
    }

    /// Whether the two are the same verifier, so that what one has verified the other need not.
    #[cfg(feature = "tower")]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// The simple way: a verifier that accepts any token that is signed with these keys, as long as its
/// times are right.
impl From<JwksService> for Verifier {
    fn from(jwks: JwksService) -> Self {
        VerifierBuilder::new(jwks).into_simple_verifier()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verifier").field(&self.0).finish()
    }
}
