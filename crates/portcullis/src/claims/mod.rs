//! From a [`SignedToken`](crate::token::SignedToken) to a [`VerifiedToken`] (RFC 7519 section 4.1), and the
//! claims as handlers see them.

mod accept;
mod checks;
mod confirmation;
mod find;
mod numeric_date;
mod pattern;
mod registered;
mod rules;
mod scopes;
mod tenants;
mod verified;
mod window;

pub use confirmation::Confirmation;
pub use rules::{IssuerRules, TokenCacheRules};
pub use verified::VerifiedToken;

pub(crate) use find::{ClaimPath, NO_POINTER, find, is_name_or_pointer};
pub(crate) use numeric_date::NumericDate;
pub(crate) use pattern::Pattern;
pub(crate) use scopes::{GrantedScope, SCOPE_CLAIMS, is_scope_token, is_scope_value};
pub(crate) use verified::{Grounds, OwnHandle};

use std::{any::Any, fmt, ops::Deref, sync::Arc, time::SystemTime};

use serde::{Serialize, Serializer, de::DeserializeOwned};

use crate::{
    json::{Object, Value},
    refusal::{AccessFault, MemberName, Refusal},
};
use window::TimeClaim;

/// The claims of a verified access token: a JSON [`Object`], or your own type `T`.
///
/// They are shared, so that a clone is cheap. `Debug` redacts them, so that they stay out of logs; `Serialize` writes their
/// JSON.
///
/// In a handler behind [`Secure`](crate::Secure), `Claims` and `Claims<T>` are axum extractors;
/// elsewhere [`Access::claims`](crate::Access::claims) returns them.
///
/// # Example
///
/// ```
/// use portcullis::Claims;
///
/// #[derive(serde::Deserialize)]
/// struct Customer {
///     sub: String,
///     customer_number: u64,
/// }
///
/// fn greeting(claims: &Claims<Customer>) -> String {
///     format!("{} has number {}", claims.sub, claims.customer_number)
/// }
///
/// fn tenant(claims: &Claims) -> Option<&str> {
///     claims.get("tenant")?.as_str()
/// }
/// ```
///
/// The issuer's rules say which claim is the scope: read it by [`Access::has_scope`](crate::Access::has_scope) or
/// [`VerifiedToken::scopes`].
///
/// `Claims<serde_json::Map<String, serde_json::Value>>` works, too, as does any type that serde reads.
#[expect(clippy::redundant_allocation, reason = "two reference counts: each thread's own, and one for all")]
pub struct Claims<T = Object>(Arc<Arc<T>>);

impl Claims {
    pub(crate) fn new(claims: Object) -> Self {
        Self(Arc::new(Arc::new(claims)))
    }

    /// The subject of the token (`sub`, RFC 7519 section 4.1.2).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.get("sub")?.as_str()
    }

    /// The issuer of the token (`iss`, RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.get("iss")?.as_str()
    }

    /// The time of expiry, if the token states it and a `SystemTime` can hold it.
    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.time(TimeClaim::Exp)
    }

    /// The time of issue, if the token states it and a `SystemTime` can hold it.
    pub(crate) fn issued_at(&self) -> Option<SystemTime> {
        self.time(TimeClaim::Iat)
    }

    fn time(&self, claim: TimeClaim) -> Option<SystemTime> {
        NumericDate::of(self.get(claim.name()), claim.name()).ok()??.to_system_time()
    }

    /// A claim by its name, or, if the text starts with `/`, by its JSON Pointer (RFC 6901).
    #[must_use]
    pub fn find(&self, name_or_pointer: &str) -> Option<Value<'_>> {
        find(self, name_or_pointer)
    }

    /// Reads the claims into your own type, anew at each call.
    ///
    /// [`VerifiedToken::typed`] keeps the result with the token.
    ///
    /// # Errors
    ///
    /// [`Refusal::Access`] if they do not fit the type: the token lacks claims that this endpoint needs.
    pub fn typed<T: DeserializeOwned + 'static>(&self) -> Result<Claims<T>, Refusal> {
        if let Some(same) = (self as &dyn Any).downcast_ref::<Claims<T>>() {
            return Ok(same.clone());
        }
        // Only serde_json's own reader knows some forms, such as numbers as names of members: it reads the text.
        let typed = T::deserialize(self.root()).or_else(|_| serde_json::from_str(self.text()));
        typed.map(|claims| Claims(Arc::new(Arc::new(claims)))).map_err(|error| {
            let of_type = std::any::type_name::<T>();
            let claim = match missing_field(&error.to_string()) {
                Some(field) => format!("{field}, a field of {of_type} that is missing"),
                None => format!("one of those of {of_type}, by its type"),
            };
            Refusal::Access(AccessFault::RequiredClaims { claim })
        })
    }
}

/// The name of a field that claims lack, in serde's words. Its other errors may have the value of a claim.
fn missing_field(error: &str) -> Option<MemberName> {
    let (name, _) = error.strip_prefix("missing field `")?.split_once('`')?;
    Some(MemberName::new(name))
}

impl<T: Clone> Claims<T> {
    /// Returns the claims by value; clones them only if they are shared.
    ///
    /// ```
    /// # #[derive(Clone, serde::Deserialize)] struct Customer { sub: String }
    /// async fn handler(claims: portcullis::Claims<Customer>) -> String {
    ///     claims.into_inner().sub
    /// }
    /// ```
    #[must_use]
    pub fn into_inner(self) -> T {
        Arc::unwrap_or_clone(Arc::unwrap_or_clone(self.0))
    }
}

impl<T> Claims<T> {
    /// The same claims with a reference count of their own.
    fn apart(&self) -> Self {
        Self(Arc::new(Arc::clone(&self.0)))
    }
}

impl<T> Deref for Claims<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for Claims<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Serialises the claims alone; those of an [`Object`] in their order in the token.
impl<T: Serialize> Serialize for Claims<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        T::serialize(self, serializer)
    }
}

impl<T> fmt::Debug for Claims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims([redacted])")
    }
}

#[cfg(test)]
mod tests;
