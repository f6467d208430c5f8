//! The tenants of an issuer with a placeholder, for a [`VerifierBuilder`].

use super::{VerifierBuilder, branch::TenantRule};
use crate::configuration_error::ConfigurationError;

/// The rule of the application for tenants.
pub(super) struct TenantHandle(pub(super) TenantRule);

impl VerifierBuilder {
    /// Accepts the tokens of all tenants of an [`issuer`](Self::issuer) with a placeholder: this claim, by its name or JSON Pointer
    /// (RFC 6901), has to be equal to the tenant in `iss`.
    ///
    /// The placeholder is one segment of the path, and stands for 1 to 128 letters, digits, `-`, `.`, `_` or `~`. With
    /// [`Verifier::discover`](crate::Verifier::discover) each tenant has keys of its own, which are fetched when a token names it; at the most
    /// [`max_tenants`](crate::JwksBuilder::max_tenants) of them are kept. Unknown tenants cause 5 fetches at once, and one more each
    /// 10 s: beyond them they get 503, until one of their tokens is accepted. Listed [`tenants`](Self::tenants) are free of that, and so
    /// are all tenants of one key set ([`JwksService::new`](crate::JwksService::new)).
    ///
    /// ```
    /// use portcullis::{JwksService, Verifier};
    ///
    /// // Microsoft Entra: all organisations, whose keys are one set.
    /// let keys = JwksService::new("https://login.microsoftonline.com/common/discovery/v2.0/keys")?;
    /// let verifier = Verifier::builder(keys)
    ///     .issuer("https://login.microsoftonline.com/{tenantid}/v2.0")
    ///     .tenant_claim("tid")
    ///     .audience("6e74172b-be56-4843-9ff4-e66a39bb12e3")
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn tenant_claim(mut self, claim: impl Into<String>) -> Self {
        self.rules.tenant_claim = Some(claim.into());
        self
    }

    /// Accepts only these tenants of an [`issuer`](Self::issuer) with a placeholder; repeated calls add tenants.
    ///
    /// ```
    /// use portcullis::Verifier;
    ///
    /// let verifier = Verifier::discover("https://login.example.com/{tenant}")?
    ///     .tenant_claim("tenant")
    ///     .tenants(["acme", "globex"])
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn tenants<T: Into<String>>(mut self, tenants: impl IntoIterator<Item = T>) -> Self {
        self.rules.tenants.extend(tenants.into_iter().map(Into::into));
        self
    }

    /// Accepts only tenants for which this function returns true, of an [`issuer`](Self::issuer) with a placeholder.
    ///
    /// It is called for each token that is not cached, before its signature is verified: it has to be fast, and must believe nothing.
    ///
    /// ```
    /// use std::{collections::HashSet, sync::{Arc, RwLock}};
    /// use portcullis::Verifier;
    ///
    /// let customers = Arc::new(RwLock::new(HashSet::from(["acme".to_owned()])));
    /// let known = Arc::clone(&customers);
    /// let verifier = Verifier::discover("https://login.example.com/{tenant}")?
    ///     .tenant_claim("tenant")
    ///     .tenants_where(move |tenant| known.read().is_ok_and(|known| known.contains(tenant)))
    ///     .build()?;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn tenants_where(mut self, accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.tenants = Some(TenantHandle(Box::new(accepts)));
        self
    }

    /// Checks that keys, rules and introspection fit the tenants.
    pub(super) fn check_tenants(&self) -> Result<(), ConfigurationError> {
        let has_template = self.rules.template().is_some();
        let problem = match self.jwks.template() {
            Some(template) if self.rules.issuer.as_deref() != Some(template) => Some((
                "issuer",
                format!(
                    "expected {template}, for which the keys are looked up, got {}",
                    self.rules.issuer.as_deref().unwrap_or("none")
                ),
            )),
            _ if has_template && self.introspector.is_some() => Some((
                "issuer",
                "expected no introspection with a placeholder in `issuer`, got both: an opaque token does not name its tenant, so add \
                 the server that is asked as an issuer of its own"
                    .to_owned(),
            )),
            _ if !has_template && self.tenants.is_some() => {
                Some(("tenants", "expected a placeholder for the tenant in `issuer` with `tenants_where`, got none".to_owned()))
            }
            _ => None,
        };
        problem.map_or(Ok(()), |(field, problem)| Err(ConfigurationError::rule(field, problem)))
    }
}

impl std::fmt::Debug for TenantHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TenantRule")
    }
}
