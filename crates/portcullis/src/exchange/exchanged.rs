//! A token for an upstream: [`ExchangedToken`].

use std::{fmt, sync::Arc, time::SystemTime};

use http::HeaderValue;

use crate::claims::{Claims, VerifiedToken};

/// A token for an upstream, in exchange for the client's (RFC 8693).
///
/// It was verified, unless
/// [`dangerously_accept_unverified_tokens`](crate::ExchangerBuilder::dangerously_accept_unverified_tokens) says otherwise. A clone is
/// the same token, and cheap.
///
/// # Example
///
/// ```
/// use http::{Request, header::AUTHORIZATION};
/// use portcullis::ExchangedToken;
///
/// fn ask_for_stock(token: &ExchangedToken) -> http::Result<Request<()>> {
///     Request::get("https://inventory.example.com/stock").header(AUTHORIZATION, token.authorization()).body(())
/// }
/// ```
#[derive(Clone)]
pub struct ExchangedToken(Arc<Exchanged>);

struct Exchanged {
    /// `Bearer`, and the token.
    field: HeaderValue,
    /// None if it was not verified.
    verified: Option<VerifiedToken>,
    until: SystemTime,
}

/// The scheme before the token.
const SCHEME: &str = "Bearer ";

impl ExchangedToken {
    /// Makes the token from its text; none if that fits into no field.
    pub(super) fn new(text: &str, verified: Option<VerifiedToken>, until: SystemTime) -> Option<Self> {
        let mut field = HeaderValue::try_from(format!("{SCHEME}{text}")).ok()?;
        field.set_sensitive(true);
        Some(Self(Arc::new(Exchanged { field, verified, until })))
    }

    /// Returns the `Authorization` field for a request to the upstream (RFC 6750 section 2.1), marked as sensitive.
    #[must_use]
    pub fn authorization(&self) -> HeaderValue {
        self.0.field.clone()
    }

    /// Returns the text of the token: show it to nobody but the upstream.
    #[must_use]
    pub fn token(&self) -> &str {
        self.0.field.to_str().ok().and_then(|field| field.strip_prefix(SCHEME)).unwrap_or_default()
    }

    /// Returns the claims of the token; none if it was not verified.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        self.0.verified.as_ref().map(VerifiedToken::claims)
    }

    /// Returns the time until which it is handed on: the end of this token or of the client's, whichever comes first.
    #[must_use]
    pub fn until(&self) -> SystemTime {
        self.0.until
    }

    pub(super) fn verified(&self) -> Option<&VerifiedToken> {
        self.0.verified.as_ref()
    }

    /// The approximate bytes of the token on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let verified = self.0.verified.as_ref().map_or(0, VerifiedToken::heap_bytes);
        size_of::<Exchanged>() + self.0.field.len() + verified
    }
}

impl fmt::Debug for ExchangedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExchangedToken([redacted])")
    }
}
