//! The evidence that a request may pass: [`Access`] and [`Anonymous`].

use std::{fmt, sync::Arc};

use super::{Exchanging, judge::Gate};
use crate::{
    claims::{Claims, VerifiedToken},
    crypto::Digest,
    refusal::Refusal,
};

/// The name of the DPoP proof that was used for a request; shared, so that a request without one moves a pointer alone.
pub(super) type UsedProof = Option<Arc<Digest>>;

/// Evidence that a request may pass: its token meets all rules of the gate.
///
/// The layer puts it into the request's extensions; only the gate can make one.
///
/// # Example
///
/// ```
/// use portcullis::Access;
///
/// fn subject<B>(request: &http::Request<B>) -> Option<&str> {
///     request.extensions().get::<Access>()?.claims().subject()
/// }
/// ```
#[derive(Clone)]
pub struct Access {
    token: VerifiedToken,
    /// The gate that admitted the request.
    gate: Arc<Gate>,
    /// The name of the DPoP proof that was used for it.
    proof: UsedProof,
    /// The text of the token, where it may be exchanged.
    subject: Option<Arc<str>>,
}

/// Evidence that a request may pass without credentials.
#[derive(Clone)]
pub struct Anonymous {
    /// The name of the DPoP proof that was used for the request, in spite of the anonymous pass.
    proof: UsedProof,
    would_refuse: Option<Arc<Refusal>>,
    #[cfg_attr(
        not(any(feature = "actix", feature = "axum")),
        expect(dead_code, reason = "only extractors ask for it")
    )]
    gate: Arc<Gate>,
}

impl Access {
    pub(super) fn new(token: VerifiedToken, proof: UsedProof, subject: Option<Arc<str>>, gate: Arc<Gate>) -> Self {
        Self { token, gate, proof, subject }
    }

    /// The name of the DPoP proof that was used for the request.
    pub(super) fn proof(&self) -> UsedProof {
        self.proof.clone()
    }

    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The claims of the token.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.token.claims()
    }

    /// The token.
    #[must_use]
    pub fn token(&self) -> &VerifiedToken {
        &self.token
    }

    /// The scope values that the token grants itself: [`VerifiedToken::scopes`].
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.token.scopes()
    }

    /// Returns true if the token grants this scope value: itself, or by another that implies it
    /// ([`Rules::implied_scopes`](crate::Rules::implied_scopes)).
    #[must_use]
    pub fn has_scope(&self, value: &str) -> bool {
        self.gate.policy.has_scope(&self.token, value)
    }
}

impl Access {
    /// Exchanges the token for one of an upstream (RFC 8693), by the name that the layer has for the exchange
    /// ([`Secure::exchange`](crate::Secure::exchange)). Await it.
    ///
    /// The same token is exchanged once for all requests, until it or the exchanged token expires. An error is the response for the
    /// client: 403 if the authorization server refuses, 503 if it is away or its answer cannot be trusted, 500 for a name that the
    /// layer does not have.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use portcullis::{Access, AccessRejection};
    ///
    /// async fn stock(access: Access) -> Result<String, AccessRejection> {
    ///     let token = access.exchange("inventory").await?;
    ///     Ok(format!("ask the inventory with a token of {} characters", token.token().len()))
    /// }
    /// ```
    pub fn exchange(&self, name: &str) -> Exchanging {
        Exchanging::begin(Arc::clone(&self.gate), &self.token, self.subject.as_ref(), name)
    }
}

impl Anonymous {
    pub(super) fn new(proof: UsedProof, would_refuse: Option<Refusal>, gate: Arc<Gate>) -> Self {
        Self { proof, would_refuse: would_refuse.map(Arc::new), gate }
    }

    /// The refusal that [shadow mode](crate::Secure::report_only) kept from the client; none where the request may pass without
    /// credentials. It was logged and counted.
    #[must_use]
    pub fn would_refuse(&self) -> Option<&Refusal> {
        self.would_refuse.as_deref()
    }

    /// The name of the DPoP proof that was used for the request.
    pub(super) fn proof(&self) -> UsedProof {
        self.proof.clone()
    }

    #[cfg(any(feature = "actix", feature = "axum"))]
    pub(super) fn gate(&self) -> &Gate {
        &self.gate
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access([redacted])")
    }
}

impl fmt::Debug for Anonymous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Anonymous")
    }
}
