//! The rules for tenants: an issuer with a placeholder, and the claim that has to name the tenant.

use super::{IssuerRules, NO_POINTER, is_name_or_pointer};
use crate::{
    configuration_error::ConfigurationError,
    issuer_template::{IssuerTemplate, is_tenant},
};

impl IssuerRules {
    /// The template of the issuers of all tenants, if `issuer` is one.
    pub(crate) fn template(&self) -> Option<IssuerTemplate<'_>> {
        self.issuer.as_deref().and_then(IssuerTemplate::of)
    }

    /// Returns the tenant whose issuer this is, if `issuer` has a placeholder and the tenant is accepted.
    ///
    /// ```
    /// use portcullis::IssuerRules;
    ///
    /// let mut rules = IssuerRules::default();
    /// rules.issuer = Some("https://login.example.com/{tenant}/v2.0".to_owned());
    /// rules.tenants = ["acme".to_owned()].into();
    /// assert_eq!(rules.tenant_of("https://login.example.com/acme/v2.0"), Some("acme"));
    /// assert_eq!(rules.tenant_of("https://login.example.com/globex/v2.0"), None);
    /// ```
    #[must_use]
    pub fn tenant_of<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        let is_listed = |tenant: &&str| self.tenants.is_empty() || self.tenants.contains(*tenant);
        self.template()?.tenant(issuer).filter(is_listed)
    }

    pub(super) fn check_tenants(&self) -> Result<(), ConfigurationError> {
        let template = self.issuer.as_deref().filter(|issuer| IssuerTemplate::is_meant(issuer));
        let not_a_template = template.and_then(|template| IssuerTemplate::check(template).err());
        let not_a_tenant = self.tenants.iter().find(|tenant| !is_tenant(tenant));
        // True if the field is wrong; the field; the error.
        let table: [(bool, &str, &str); 7] = [
            (
                not_a_template.is_some(),
                "issuer",
                &format!(
                    "expected one placeholder as a segment of the path, as in `https://login.microsoftonline.com/{{tenantid}}/v2.0`, \
                     got {}",
                    not_a_template.unwrap_or_default()
                ),
            ),
            (
                template.is_some() && self.tenant_claim.is_none(),
                "issuer",
                "expected `tenant_claim` with the placeholder for the tenant, got none: name the claim that has the tenant, `tid` \
                 for Microsoft Entra",
            ),
            (
                template.is_none() && self.tenant_claim.is_some(),
                "tenant_claim",
                "expected a placeholder for the tenant in `issuer` with `tenant_claim`, as in \
                 `https://login.microsoftonline.com/{tenantid}/v2.0`, got none",
            ),
            (
                template.is_none() && !self.tenants.is_empty(),
                "tenants",
                "expected a placeholder for the tenant in `issuer` with `tenants`, as in \
                 `https://login.microsoftonline.com/{tenantid}/v2.0`, got none",
            ),
            (
                self.tenant_claim.as_deref() == Some(""),
                "tenant_claim",
                "expected the name of a claim, got an empty text: write `tid` for Microsoft Entra",
            ),
            (!self.tenant_claim.as_deref().is_none_or(is_name_or_pointer), "tenant_claim", NO_POINTER),
            (
                not_a_tenant.is_some(),
                "tenants",
                &format!(
                    "expected the part of `iss` that the placeholder stands for (1 to 128 letters, digits, `-`, `.`, `_` or `~`), \
                     got {:?}",
                    not_a_tenant.map(String::as_str).unwrap_or_default()
                ),
            ),
        ];
        match table.into_iter().find(|(is_wrong, ..)| *is_wrong) {
            Some((_, field, problem)) => Err(ConfigurationError::rule(field, problem)),
            None => Ok(()),
        }
    }
}
