//! [`Granted`]: the scope that a handler needs, as an extractor.

use std::{fmt, marker::PhantomData, ops::Deref};

use super::Guarded;
use crate::{
    claims::is_scope_token,
    gate::{Access, AccessRejection},
    policy::insufficient_scope,
};

/// The scope values that a handler needs, as a type for [`Granted`].
pub trait RequiredScope {
    /// The scope values, all of which are required: at least one, each a `scope-token` (RFC 6749 section 3.3). Anything else
    /// does not compile.
    const SCOPE: &'static [&'static str];
}

/// The [`Access`] of a request whose token grants the scope `S`.
///
/// A handler with this argument cannot be reached without that scope, whatever the layer before it asks for. Scope values
/// [implied](crate::Rules::implied_scopes) at the layer count here, too.
///
/// It refuses as the layer or middleware does: with 403 and `insufficient_scope`, naming the scope; with 401 if an
/// [optional](crate::Secure::optional) or [reporting](crate::Secure::report_only) layer let the request pass without a token;
/// and with 500 without a layer.
///
/// # Example
///
/// ```
/// use axum::{Router, routing::get};
/// use portcullis::{Granted, JwksService, RequiredScope, Secure};
///
/// struct ReadOrders;
///
/// impl RequiredScope for ReadOrders {
///     const SCOPE: &'static [&'static str] = &["orders:read"];
/// }
///
/// async fn orders(access: Granted<ReadOrders>) -> String {
///     format!("the orders of {}", access.claims().subject().unwrap_or("nobody"))
/// }
///
/// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?);
/// let app: Router = Router::new().route("/orders", get(orders)).layer(secure);
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
///
/// A value that no token can grant does not compile:
///
/// ```compile_fail
/// # use axum::{Router, routing::get};
/// # use portcullis::{Granted, RequiredScope};
/// struct ReadOrders;
///
/// impl RequiredScope for ReadOrders {
///     const SCOPE: &'static [&'static str] = &["orders:read orders:list"];
/// }
///
/// async fn orders(_: Granted<ReadOrders>) {}
/// let app: Router = Router::new().route("/orders", get(orders));
/// ```
pub struct Granted<S> {
    access: Access,
    scope: PhantomData<fn() -> S>,
}

impl<S> Granted<S> {
    /// The access alone, without the scope in its type.
    #[must_use]
    pub fn into_access(self) -> Access {
        self.access
    }
}

impl<S> Deref for Granted<S> {
    type Target = Access;

    fn deref(&self) -> &Access {
        &self.access
    }
}

impl<S> Clone for Granted<S> {
    fn clone(&self) -> Self {
        Self { access: self.access.clone(), scope: PhantomData }
    }
}

impl<S> fmt::Debug for Granted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Granted([redacted])")
    }
}

impl Guarded<'_> {
    /// Returns the access; refuses like [`access`](Self::access), and tokens that do not grant the scope.
    pub(crate) fn granted<S: RequiredScope>(&self) -> Result<Granted<S>, AccessRejection> {
        const { assert!(are_scope_values(S::SCOPE), "SCOPE: expected one scope value or more, each without spaces") };
        let access = self.access()?;
        if S::SCOPE.iter().all(|value| access.has_scope(value)) {
            return Ok(Granted { access: access.clone(), scope: PhantomData });
        }
        if let Some(resource) = access.gate().resource() {
            // The document lists the scope that the challenge names.
            resource.publish(S::SCOPE);
        }
        Err(self.refuse(insufficient_scope(S::SCOPE.iter().copied())))
    }
}

/// Tells whether there is at least one value, and each is a `scope-token` (RFC 6749 section 3.3).
const fn are_scope_values(mut values: &[&str]) -> bool {
    let mut are = !values.is_empty();
    while let [value, rest @ ..] = values {
        are = are && is_scope_token(value);
        values = rest;
    }
    are
}

#[cfg(test)]
mod tests {
    use super::are_scope_values;

    #[test]
    fn only_scope_tokens_compile() {
        for good in [&["a"][..], &["orders:read", "https://example.com/b"]] {
            assert!(are_scope_values(good), "{good:?}");
        }
        for bad in [&[][..], &[""], &["a", ""], &["a b"], &["a\tb"], &["a\"b"], &["a\\b"], &["é"]] {
            assert!(!are_scope_values(bad), "{bad:?}");
        }
    }
}
