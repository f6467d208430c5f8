//! Why a token passes or is refused, check by check: an [`Explanation`].
//!
//! - It is made by the checks of verification themselves, and goes on past a failure where that is safe. The first
//!   check that failed is the refusal that verification gives; `tests/it/explain/agreement.rs` holds both against each
//!   other with every attack, every form of the header field and any mutated token.
//! - A report contains no token and admits nothing: no `VerifiedToken` is made of it. It is for operators, never for
//!   clients.
//! - Nothing is fetched that verification would not fetch. Past a failure only the keys at hand are used
//!   (`JwksService::peek`), and not even a refresh that is due begins.
//! - Statements of the token about itself are marked until a signature, or the authorization server, vouches for them.
//!   They are shortened, and characters that steer a terminal or are invisible are replaced (`words`). Header and
//!   claims are returned unchanged: whoever shows them has to escape them.
//! - A hint is a guess from the facts at hand, and is shown as one (`hint`). It may depend on claims that nobody
//!   vouches for, so nothing may be decided by it.
//! - A key set remembers the keys that left it lately (`jwks/withdrawn.rs`), so that an old token is not taken for a
//!   forged one.

mod entry;
mod hint;
mod rows;
mod serialize;
mod walk;
mod words;

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::refusal::{CheckKind, Refusal};

/// Why a token passes or is refused, check by check.
///
/// It is for operators: what a token says of itself stands in it, marked as long as no signature vouches for it. Never send
/// it to an HTTP client.
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
/// As data it has `verdict`, `code`, `reason`, `now`, `vouched`, `header`, `claims` and `checks`; each check has `check`, `title`,
/// `outcome`, `code`, `expected`, `actual` (with `text` and `vouched`), `reference` and `hint`. What is not there is null.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explanation {
    /// Each check, in the order in which verification makes them.
    pub checks: Vec<Check>,
    /// The time by which the token was judged.
    pub now: SystemTime,
    /// The token's header, if it can be read; as it came, so that it has to be escaped where it is shown.
    pub header: Option<Value>,
    /// The token's claims, if they can be read; as they came.
    pub claims: Option<Value>,
    /// Whether a signature, or the authorization server, vouches for header and claims.
    pub vouched: bool,
}

/// One check: the expectation, the token's value, and a remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Check {
    /// Which check it is.
    pub kind: CheckKind,
    /// How it ended.
    pub outcome: Outcome,
    /// The expectation; none where nothing is asked for.
    pub expected: Option<String>,
    /// The token's value.
    pub actual: Option<Fact>,
    /// The likely cause of a failure, and what to do.
    pub hint: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The token is right in this point.
    Passed,
    /// It is not.
    Failed(Refusal),
    /// It was not judged: what would be looked at is missing, since an earlier check failed.
    NotReached,
    /// Nothing is asked for in this point.
    NotAsked,
}

/// A value of the token, as text of 256 characters at the most, without any that steer a terminal or hide.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fact {
    /// The text.
    pub text: String,
    /// Whether it can be believed: we measured it, or a signature, or the authorization server, vouches for it.
    pub vouched: bool,
}

impl Explanation {
    /// Why the token is refused: what verification says, too. None if it passes.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.first_failure()?.outcome {
            Outcome::Failed(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The check for which the token is refused.
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

    /// Returns the time that the token names for one of [`CheckKind::IssuedAt`], [`CheckKind::NotBefore`] and
    /// [`CheckKind::Expiry`] (RFC 7519 section 4.1), if it is one from 1970 on; whether anybody vouches for it, `vouched` says.
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

    /// Whether the token could be judged at all: neither its keys nor an introspection were out of reach.
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

    /// Whether the token failed it.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// The stable code of the refusal, if the token failed it.
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
    /// `passed`, `failed`, `not_reached` or `not_asked`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::NotReached => "not_reached",
            Self::NotAsked => "not_asked",
        }
    }
}
