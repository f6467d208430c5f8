//! The choice of tokens that are introspected: [`IntrospectedTokens`].

use crate::{
    configuration_error::ConfigurationError,
    json::Object,
    policy::{ClaimCheck, ClaimRule},
};

/// The tokens that are introspected. All others are verified as JWTs, by the issuer's keys.
///
/// # Example
///
/// ```
/// use portcullis::{ClaimRule, ClientAuthentication, IntrospectedTokens, Introspector};
///
/// // Keycloak's lightweight access tokens are JWTs without `sub`: the introspection answer has the claims.
/// let lightweight = IntrospectedTokens::JwtsToo(vec![ClaimRule::absent("sub")]);
/// let client = ClientAuthentication::basic("my-api", "secret");
/// let introspector =
///     Introspector::builder("https://as.example.com/introspect", client).introspect(lightweight).build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum IntrospectedTokens {
    /// Tokens that are not in the form of a signed JWT.
    #[default]
    Opaque,
    /// These, and JWTs that meet one of these rules: JWTs without the claims, or with a signature for others.
    ///
    /// The claims are read before anything vouches for them, so they only choose the judge: the introspection answer decides.
    JwtsToo(Vec<ClaimRule>),
    /// All tokens: opaque ones, and JWTs that name the issuer in `iss`. A revoked JWT then passes no longer than an answer is kept.
    All,
}

/// The same, ready to be asked about a token.
#[derive(Debug)]
pub(crate) enum IntrospectedJwts {
    None,
    Of(Vec<ClaimCheck>),
    All,
}

impl IntrospectedTokens {
    pub(super) fn ready(&self) -> Result<IntrospectedJwts, ConfigurationError> {
        match self {
            Self::Opaque => Ok(IntrospectedJwts::None),
            Self::All => Ok(IntrospectedJwts::All),
            Self::JwtsToo(rules) if rules.is_empty() => Err(ConfigurationError::rule(
                "introspect",
                "expected at least one rule for the claims of JWTs, got none",
            )),
            Self::JwtsToo(rules) => {
                let check = |(index, rule): (usize, &ClaimRule)| {
                    rule.check(&format!("introspect[{index}]")).map(|()| ClaimCheck::new(rule))
                };
                rules.iter().enumerate().map(check).collect::<Result<_, _>>().map(IntrospectedJwts::Of)
            }
        }
    }
}

impl IntrospectedJwts {
    /// Tells whether no JWT is introspected.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Tells whether a JWT of the issuer with these unverified claims is introspected.
    pub(crate) fn include(&self, claims: &Object) -> bool {
        match self {
            Self::None => false,
            Self::Of(rules) => rules.iter().any(|rule| rule.is_met(claims)),
            Self::All => true,
        }
    }
}
