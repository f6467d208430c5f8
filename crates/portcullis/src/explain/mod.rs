//! The reasons why a token passes or is refused, check by check: an [`Explanation`].
//!
//! - It is made by the checks of verification themselves, and goes on past a failure if that is safe. The first
//!   failed check is the refusal that verification gives; `tests/it/explain/agreement.rs` compares both for every
//!   attack, every form of the header field and any mutated token.
//! - A report contains no token and admits no request: no `VerifiedToken` is made from it. It is for operators, never
//!   for clients.
//! - Only keys that verification would fetch are fetched. Past a failure the keys at hand have to do
//!   (`JwksService::peek`), and not even a due refresh begins.
//! - Statements of the token about itself are marked until a signature, or the authorization server, vouches for them.
//!   They are shortened, and characters that steer a terminal or are invisible are replaced (`words`). Header and
//!   claims are returned unchanged, and have to be escaped for display.
//! - A hint is a guess from the facts at hand, and is shown as one (`hint`). It may depend on unverified claims, so
//!   nothing may be decided by it.
//! - A key set remembers recently withdrawn keys (`jwks/withdrawn.rs`), so that an old token does not look forged.

mod entry;
mod hint;
mod resource;
mod rows;
mod serialize;
mod walk;
mod words;

pub use resource::{
    CollectedMetadata, ResourceCheck, ResourceCheckKind, ResourceFinding, ResourceInspector, ResourceOutcome,
    ResourceReport,
};

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::{
    claims::Claims,
    refusal::{CheckKind, Refusal},
};

/// The reasons why a token passes or is refused, check by check.
///
/// It is for operators: it contains the token's claims, marked as long as they are unverified. Never send it to an HTTP
/// client.
///
/// # Example
///
/// ```
/// use std::time::SystemTime;
/// use portcullis::{CheckKind, JwksService, Outcome, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), portcullis::ConfigurationError> {
/// let verifier: Verifier = JwksService::new("https://as.example.com/jwks")?.into();
/// let explanation = verifier.explain("an-opaque-token", SystemTime::now()).await;
/// let failed = explanation.first_failure().expect("it is refused");
/// assert_eq!(failed.kind, CheckKind::Segments);
/// assert!(failed.hint.as_deref().unwrap_or_default().contains("opaque"));
///
/// let report = serde_json::to_value(&explanation).expect("it is data");
/// assert_eq!(report["verdict"], "refused");
/// assert_eq!(report["code"], "malformed_token_parts");
/// # Ok(()) }
/// ```
///
/// Serialized it has the members `verdict`, `code`, `reason`, `now`, `vouched`, `header`, `claims` and `checks`; each check has
/// `check`, `title`, `outcome`, `code`, `expected`, `actual` (with `text` and `vouched`), `reference` and `hint`. Missing values
/// are null.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// All checks, in the order of verification.
    pub checks: Vec<Check>,
    /// The time at which the token was judged.
    pub now: SystemTime,
    /// The token's header, if it is readable; unchanged, so escape it for display.
    pub header: Option<Value>,
    /// The token's claims, if they are readable; unchanged, so escape them for display.
    pub claims: Option<Value>,
    /// True if a signature, or the authorization server, vouches for header and claims.
    pub vouched: bool,
    /// The claims in the form in which handlers get them.
    object: Option<Claims>,
    /// The scope values that they grant.
    scopes: Vec<String>,
}

/// One check: the expectation, the token's value, and a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// The kind of the check.
    pub kind: CheckKind,
    /// The outcome.
    pub outcome: Outcome,
    /// The expected value; none if no rule asks for one.
    pub expected: Option<String>,
    /// The token's value.
    pub actual: Option<Fact>,
    /// The likely cause of a failure, and what to do.
    pub hint: Option<String>,
}

/// The outcome of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token meets the expectation.
    Passed,
    /// The token does not meet the expectation.
    Failed(Refusal),
    /// The check was not made, since an earlier one failed.
    NotReached,
    /// No rule asks for this check.
    NotAsked,
    /// The check is not made in an explanation, since only the request itself may use a proof up.
    NotChecked,
}

/// A value of the token, as text of at most 256 characters, without control and invisible characters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// The text.
    pub text: String,
    /// True if the value is measured, or a signature or the authorization server vouches for it.
    pub vouched: bool,
}

impl Explanation {
    /// The reason why the token is refused, the same as that of verification; none if it passes.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.first_failure()?.outcome {
            Outcome::Failed(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The failed check by which the token is refused.
    #[must_use]
    pub fn first_failure(&self) -> Option<&Check> {
        self.checks.iter().find(|check| check.has_failed())
    }

    /// `passed`, `refused`, or `not_judged` if keys or an introspection were out of reach.
    #[must_use]
    pub fn verdict(&self) -> &'static str {
        match self.refusal() {
            None => "passed",
            Some(_) if self.is_judged() => "refused",
            Some(_) => "not_judged",
        }
    }

    /// Returns the claims as handlers get them, if a signature or the authorization server vouches for them.
    ///
    /// They tell which values an upstream would get; that the request may pass, only [`refusal`](Self::refusal) tells.
    ///
    /// # Example
    ///
    /// ```
    /// fn subject(explanation: &portcullis::Explanation) -> Option<&str> {
    ///     explanation.vouched_claims()?.subject()
    /// }
    /// ```
    #[must_use]
    pub fn vouched_claims(&self) -> Option<&Claims> {
        self.object.as_ref().filter(|_| self.vouched)
    }

    /// Returns the scope values that [`vouched_claims`](Self::vouched_claims) grant by the rules of the issuer.
    ///
    /// # Example
    ///
    /// ```
    /// fn scope(explanation: &portcullis::Explanation) -> String {
    ///     explanation.vouched_scopes().collect::<Vec<_>>().join(" ")
    /// }
    /// ```
    pub fn vouched_scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.iter().filter(|_| self.vouched).map(String::as_str)
    }

    /// Returns the time that the token names for one of [`CheckKind::IssuedAt`], [`CheckKind::NotBefore`] and
    /// [`CheckKind::Expiry`] (RFC 7519 section 4.1); none if there is none, or it is before 1970. It is verified only if
    /// [`vouched`](Self::vouched) is true.
    #[must_use]
    pub fn time(&self, kind: CheckKind) -> Option<SystemTime> {
        let claim = match kind {
            CheckKind::IssuedAt => "iat",
            CheckKind::NotBefore => "nbf",
            CheckKind::Expiry => "exp",
            _ => return None,
        };
        let seconds = self.claims.as_ref()?.get(claim)?.as_f64()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::try_from_secs_f64(seconds).ok()?)
    }

    /// Returns true if the token could be judged: neither its keys nor an introspection were out of reach.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        !matches!(self.refusal(), Some(Refusal::Unavailable(_) | Refusal::Configuration(_)))
    }
}

impl Check {
    /// The longest text of `expected` and `hint`, in characters.
    const LONGEST: usize = 512;

    fn plain(kind: CheckKind, outcome: Outcome) -> Self {
        Self { kind, outcome, expected: None, actual: None, hint: None }
    }

    /// Returns true if the token failed this check.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// The stable code of the refusal, if the token failed this check.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match &self.outcome {
            Outcome::Failed(refusal) => Some(refusal.code()),
            _ => None,
        }
    }
}

impl Fact {
    const LONGEST: usize = 256;

    fn new(text: &str, vouched: bool) -> Self {
        Self { text: words::clean(text, Self::LONGEST), vouched }
    }
}

impl Outcome {
    /// `passed`, `failed`, `not_reached`, `not_asked` or `not_checked`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
            Self::NotAsked => "not_asked",
            Self::NotChecked => "not_checked",
        }
    }
}
