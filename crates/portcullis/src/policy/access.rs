//! The proof that a request may pass.

use std::{any::Any, fmt, sync::Arc};

use crate::claims::{Claims, VerifiedToken, grants};

/// Evidence that a request carries a token that may pass here.
///
/// The layer puts it into the request's extensions; only the layer can make one.
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
    /// Who let the request pass; only the door that it is of can read it.
    admitted_by: Option<Arc<dyn Any + Send + Sync>>,
}

impl Access {
    pub(super) fn new(token: VerifiedToken) -> Self {
        Self { token, admitted_by: None }
    }

    #[cfg(feature = "tower")]
    pub(crate) fn admitted_by(self, gate: Arc<dyn Any + Send + Sync>) -> Self {
        Self { admitted_by: Some(gate), ..self }
    }

    #[cfg(feature = "tower")]
    pub(crate) fn gate<T: 'static>(&self) -> Option<&T> {
        self.admitted_by.as_ref()?.downcast_ref()
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

    /// Whether the token was granted this scope value.
    #[must_use]
    pub fn has_scope(&self, value: &str) -> bool {
        grants(self.claims(), value)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access([redacted])")
    }
}
