//! The requirements of an endpoint, as data.

use std::{collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};

use super::{ClaimRule, InvalidTokenStatus};
use crate::{
    claims::{is_scope_token, is_scope_value},
    configuration_error::ConfigurationError,
    proof::DpopUse,
};

/// The requirements of an endpoint for its requests, and the form of its refusals.
///
/// The builder methods of [`Secure`](crate::Secure) fill it, and [`Secure::rules`](crate::Secure::rules) takes it whole: from a
/// configuration file, by serde. Omitted members require nothing; unknown ones are an error.
///
/// # Example
///
/// ```
/// use portcullis::{ClaimRule, InvalidTokenStatus, Rules};
///
/// let rules: Rules = serde_json::from_str(r#"{
///     "realm": "orders",
///     "scope": ["orders:read"],
///     "any_scope": ["eu", "us"],
///     "claims": [{ "name": "/realm_access/roles", "value": "clerk" }],
///     "implied_scopes": { "orders:write": ["orders:read"] },
///     "invalid_token_status": 401
/// }"#)?;
///
/// let mut same = Rules::default();
/// same.realm = Some("orders".into());
/// same.scope = vec!["orders:read".into()];
/// same.any_scope = vec![vec!["eu".into(), "us".into()]];
/// same.claims = vec![ClaimRule::equals("/realm_access/roles", "clerk")];
/// same.implied_scopes = [("orders:write".into(), vec!["orders:read".into()])].into();
/// same.invalid_token_status = InvalidTokenStatus::Unauthorized;
/// assert_eq!(rules, same);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// The realm that challenges name (RFC 9110 section 11.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The scope values, all of which a token has to grant (RFC 6749 section 3.3).
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "scope")]
    pub scope: Vec<String>,
    /// Groups of scope values: a token has to grant at least one of each. An array of texts is one group.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "groups")]
    pub any_scope: Vec<Vec<String>>,
    /// The rules for claims, all of which a token has to meet.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "claims")]
    pub claims: Vec<ClaimRule>,
    /// The values that a scope value implies: `"orders:write" = ["orders:read"]`. Implied values imply others in turn.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub implied_scopes: BTreeMap<String, Vec<String>>,
    /// The authentication contexts, one of which `acr` has to name (RFC 9470); if empty, any passes.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "acr")]
    pub acr: Vec<String>,
    /// The limit of the time since the user's authentication (`auth_time`), give or take the issuer's leeway (RFC 9470). If it
    /// is set, a token without `auth_time` is refused.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::units::optional_duration")]
    pub max_age: Option<Duration>,
    /// The use of DPoP (RFC 9449): `off`, the default, `allowed` or `required`.
    pub dpop: DpopUse,
    /// True if a token has to be bound to a key of its sender, by DPoP or by a client certificate.
    pub sender_constrained: bool,
    /// True if requests without credentials pass, without claims.
    pub optional: bool,
    /// True if every request passes, and refusals are only reported.
    pub report_only: bool,
    /// The status of a response to a bad token: 401 or 403, the default; always 401 where DPoP is required.
    pub invalid_token_status: InvalidTokenStatus,
    /// True if refusals have a body with problem details (RFC 9457).
    pub problem_json: bool,
    /// The limit of a token's length, in bytes; if absent, that of the verifier, which is 16 KiB by default.
    #[serde(skip_serializing_if = "Option::is_none", with = "crate::units::optional_size")]
    pub max_token_bytes: Option<usize>,
}

impl Rules {
    /// Checks that each rule is valid and can be met.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`], which names the first invalid field: a scope value that no token can
    /// grant, a group of `any_scope` without values, a claim rule with two conditions or without a name, an `acr` that no challenge
    /// can name, a `max_age` of less than a second.
    ///
    /// # Example
    ///
    /// ```
    /// let mut rules = portcullis::Rules::default();
    /// rules.scope = vec!["read write".into()];
    /// assert_eq!(
    ///     rules.check().unwrap_err().to_string(),
    ///     "`scope[0]`: expected one scope value, got \"read write\": write each value in quotes of its own",
    /// );
    /// ```
    pub fn check(&self) -> Result<(), ConfigurationError> {
        check_scopes("scope", &self.scope)?;
        self.any_scope.iter().enumerate().try_for_each(|(index, group)| check_group(index, group))?;
        for (index, rule) in self.claims.iter().enumerate() {
            rule.check(&format!("claims[{index}]"))?;
        }
        for (value, implied) in &self.implied_scopes {
            check_scope(|| "implied_scopes".to_owned(), value)?;
            check_scopes(&format!("implied_scopes.{value:?}"), implied)?;
        }
        self.check_step_up()?;
        match self.max_token_bytes {
            Some(0) => Err(ConfigurationError::rule("max_token_bytes", "expected at least 1 byte, got 0")),
            _ => Ok(()),
        }
    }

    /// Checks that a challenge can name the values: `acr_values` are separated by spaces, `max_age` is in whole seconds.
    fn check_step_up(&self) -> Result<(), ConfigurationError> {
        // The characters of a value in a list with spaces are those of a scope value.
        if let Some(index) = self.acr.iter().position(|value| !is_scope_token(value)) {
            let value = self.acr.get(index).map_or("", String::as_str);
            let problem = format!(
                "expected one authentication context, without spaces and quotes, got {value:?}: write each value in quotes of \
                 its own"
            );
            return Err(ConfigurationError::rule(format!("acr[{index}]"), problem));
        }
        match self.max_age {
            Some(age) if age < Duration::from_secs(1) => {
                let problem = "expected 1 s or more, got less: challenges name it in whole seconds";
                Err(ConfigurationError::rule("max_age", problem))
            }
            _ => Ok(()),
        }
    }
}

/// The reason why no token can grant the required scope.
pub(super) fn ungrantable(rules: &Rules) -> Option<String> {
    let of_all = rules.scope.iter().any(|value| !is_scope_value(value)).then(|| check_scopes("scope", &rules.scope));
    // Of a group one value is enough.
    let mut groups = rules.any_scope.iter().enumerate();
    let group = groups.find(|(_, group)| !group.iter().any(|value| is_scope_value(value)));
    let of_group = group.map(|(index, group)| check_group(index, group));
    of_all.or(of_group)?.err().map(|error| error.to_string())
}

fn check_group(index: usize, group: &[String]) -> Result<(), ConfigurationError> {
    let field = format!("any_scope[{index}]");
    if group.is_empty() {
        let problem = "expected at least one scope value, got none: leave the group out";
        return Err(ConfigurationError::rule(field, problem));
    }
    check_scopes(&field, group)
}

pub(crate) fn check_scopes(field: &str, values: &[String]) -> Result<(), ConfigurationError> {
    values.iter().enumerate().try_for_each(|(index, value)| check_scope(|| format!("{field}[{index}]"), value))
}

fn check_scope(field: impl FnOnce() -> String, value: &str) -> Result<(), ConfigurationError> {
    if is_scope_token(value) {
        return Ok(());
    }
    let problem = format!("expected one scope value, got {value:?}: write each value in quotes of its own");
    Err(ConfigurationError::rule(field(), problem))
}

/// Reads groups of scope values, or one group without the brackets around it.
fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected an array of scope values in `any_scope`, or of arrays of them")]
    enum Groups {
        One(Vec<String>),
        Several(Vec<Vec<String>>),
    }
    match Groups::deserialize(deserializer)? {
        // An empty group must not be read as no group at all: every request would pass.
        Groups::One(group) if group.is_empty() => {
            Err(D::Error::custom("expected at least one scope value in `any_scope`, got none: leave `any_scope` out"))
        }
        Groups::One(group) => Ok(vec![group]),
        Groups::Several(groups) => Ok(groups),
    }
}

fn scope<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    array("scope values in `scope`", deserializer)
}

fn acr<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    array("authentication contexts in `acr`", deserializer)
}

fn claims<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ClaimRule>, D::Error> {
    array("rules for claims in `claims`", deserializer)
}

/// Reads an array; the error for another value says what it is an array of.
fn array<'de, T: Deserialize<'de>, D: Deserializer<'de>>(of: &str, deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Array<'a, T>(&'a str, PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Array<'_, T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of {}", self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(element) = elements.next_element()? {
                all.push(element);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_seq(Array(of, PhantomData))
}
