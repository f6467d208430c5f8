//! The rules for an issuer's tokens, as data.

use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use super::{GrantedScope, NO_POINTER, SCOPE_CLAIMS, is_name_or_pointer};
use crate::{
    algorithm::Algorithm,
    configuration_error::ConfigurationError,
    json::Object,
    token::{HeaderRules, Types},
    units,
};

/// The longest leeway: a token may not outlive its `exp` by more.
const LONGEST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// The claims of a JWT access token (RFC 9068 section 2.2).
const RFC_9068_CLAIMS: &[&str] = &["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

/// The scheme of SPIFFE IDs (SPIFFE-ID section 2).
const SPIFFE: &str = "spiffe://";

/// The rules for an issuer's tokens, as plain data: builders fill them, and configurations deserialise into them.
///
/// Durations are read as a number of seconds or as a text with a unit (`30`, `"30s"`, `"5m"`), sizes as a number of bytes or
/// with a unit (`"64KiB"`): see [`units`]. Omitted members have their defaults; unknown ones are an error.
///
/// # Example
///
/// ```
/// use portcullis::{IssuerRules, JwksService, Verifier};
///
/// let rules: IssuerRules = serde_json::from_str(
///     r#"{ "issuer": "https://as.example.com", "audience": "https://api.example.com", "leeway": "30s" }"#,
/// ).expect("rules");
/// let verifier = Verifier::builder(JwksService::new("https://as.example.com/jwks")?).rules(rules).build()?;
///
/// let mut rules = IssuerRules::default();
/// rules.trust_domain = Some("https://example.org".to_owned());
/// let error = rules.check().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`trust_domain`: expected the name of a SPIFFE trust domain (lower-case letters, digits, `.`, `-` and `_`), as \
///      `example.org`, got \"https://example.org\"",
/// );
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct IssuerRules {
    /// The issuer, compared with `iss` to the letter (RFC 7519 section 4.1.1); if absent, any issuer is accepted.
    ///
    /// With a placeholder as one segment of its path, as in `https://login.microsoftonline.com/{tenantid}/v2.0`, it stands for the
    /// issuers of all tenants: see `tenant_claim`.
    pub issuer: Option<String>,
    /// The claim, by its name or JSON Pointer (RFC 6901), that has to be equal to the tenant in `iss`: `tid` for Microsoft Entra.
    /// It is needed if `issuer` has a placeholder.
    pub tenant_claim: Option<String>,
    /// The tenants that are accepted, if `issuer` has a placeholder; if empty, all are. One text or an array.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "tenants")]
    pub tenants: BTreeSet<String>,
    /// The SPIFFE trust domain, such as `example.org`: `sub` has to name one of its workloads. It takes the place of `issuer`.
    pub trust_domain: Option<String>,
    /// The subjects that are accepted, of which `sub` has to match one; if empty, any is. One text or an array.
    ///
    /// In each, `*` stands for any run of characters, also an empty one, and also `/`: `repo:my-org/*`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "subjects")]
    pub subjects: Vec<String>,
    /// The audiences, one of which `aud` has to name (RFC 7519 section 4.1.3); if empty, any is accepted. One text or an array.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "audience")]
    pub audience: Vec<String>,
    /// The algorithms that tokens may be signed by; all of [`Algorithm::ASYMMETRIC`] by default.
    pub algorithms: Vec<Algorithm>,
    /// The types (`typ`) that tokens may have, compared without case and without an `application/` prefix.
    ///
    /// By default `JWT`, `at+jwt` and none at all; with `trust_domain` `JWT`, `JOSE` and none; with `rfc9068` `at+jwt` alone.
    pub types: Option<Vec<String>>,
    /// True if tokens without `typ` are accepted, in addition to those of `types` or `rfc9068`.
    pub or_no_type: bool,
    /// True if tokens have to follow the profile for JWT access tokens (RFC 9068): its type, and all claims that it requires.
    pub rfc9068: bool,
    /// The accepted difference between this machine's clock and the issuer's: 5 s by default, 5 min at the most.
    #[serde(with = "units::duration")]
    pub leeway: Duration,
    /// The number of keys that are tried for a token that does not name its own (`kid`): 16 by default.
    pub max_key_attempts: usize,
    /// The limit of a token's length, in bytes; 16 KiB by default.
    #[serde(with = "units::optional_size")]
    pub max_token_bytes: Option<usize>,
    /// The limits of the cache of verified tokens.
    pub token_cache: TokenCacheRules,
    /// The claims that may hold the scope, each by its name or JSON Pointer (RFC 6901): the first that is present counts.
    /// `scope` and `scp` by default.
    pub scope_claims: Vec<String>,
    /// The limit of the time from `iat` to `exp`; none by default. If it is set, a token without one of them is refused.
    #[serde(with = "units::optional_duration")]
    pub max_token_lifetime: Option<Duration>,
    /// The limit of the time since `iat`, give or take the leeway; none by default. If it is set, a token without `iat` is refused.
    #[serde(with = "units::optional_duration")]
    pub max_token_age: Option<Duration>,
    /// True if tokens without `exp` pass; they stay valid until their key is withdrawn.
    pub dangerously_accept_tokens_without_expiry: bool,
    /// True if tokens that are bound to a key of their sender (`cnf`, RFC 7800) pass as if they were bearer tokens.
    pub dangerously_accept_sender_constrained_tokens: bool,
}

/// The limits of the cache of verified tokens, which saves verifying a signature again for each request.
///
/// # Example
///
/// ```
/// use portcullis::IssuerRules;
///
/// let rules: IssuerRules = serde_json::from_str(r#"{ "token_cache": { "bytes": "8MiB" } }"#)?;
/// assert_eq!((rules.token_cache.bytes, rules.token_cache.tokens), (8 << 20, 100_000));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenCacheRules {
    /// The memory of the cache, in bytes: 32 MiB by default, about 10,000 tokens of 1 KB.
    #[serde(with = "units::size")]
    pub bytes: usize,
    /// The number of tokens: 100,000 by default; `bytes` may allow fewer.
    pub tokens: usize,
    /// True if no token is kept.
    pub off: bool,
}

impl Default for IssuerRules {
    fn default() -> Self {
        Self {
            issuer: None,
            tenant_claim: None,
            tenants: BTreeSet::new(),
            trust_domain: None,
            subjects: Vec::new(),
            audience: Vec::new(),
            algorithms: Algorithm::ASYMMETRIC.to_vec(),
            types: None,
            or_no_type: false,
            rfc9068: false,
            leeway: Duration::from_secs(5),
            max_key_attempts: 16,
            max_token_bytes: None,
            token_cache: TokenCacheRules::default(),
            scope_claims: SCOPE_CLAIMS.map(str::to_owned).to_vec(),
            max_token_lifetime: None,
            max_token_age: None,
            dangerously_accept_tokens_without_expiry: false,
            dangerously_accept_sender_constrained_tokens: false,
        }
    }
}

impl Default for TokenCacheRules {
    fn default() -> Self {
        Self { bytes: 32 << 20, tokens: 100_000, off: false }
    }
}

impl IssuerRules {
    /// Checks that the rules can be met and do not contradict each other; building a verifier does so, too.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::Rule`], which names the field, the expected value and the actual one.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        let is_domain = self.trust_domain.as_deref().is_none_or(|domain| is_trust_domain(bare(domain)));
        let has_no_type = self.types.as_ref().is_some_and(Vec::is_empty) && !self.or_no_type;
        let svid = self.trust_domain.is_some();
        let (domain, leeway) = (self.trust_domain.as_deref().unwrap_or_default(), units::span(self.leeway));
        // True if the field is wrong; the field; the error.
        let table = [
            (
                self.issuer.as_deref() == Some(""),
                "issuer",
                "expected the text of `iss`, got an empty one: leave it out to accept any issuer",
            ),
            (
                !is_domain,
                "trust_domain",
                &format!(
                    "expected the name of a SPIFFE trust domain (lower-case letters, digits, `.`, `-` and `_`), as \
                     `example.org`, got {domain:?}"
                ),
            ),
            (
                self.issuer.is_some() && svid,
                "trust_domain",
                "expected `issuer` or `trust_domain`, got both: tokens of a trust domain are known by `sub`, so leave `issuer` \
                 out",
            ),
            (
                self.subjects.iter().any(String::is_empty),
                "subjects",
                "expected the text of `sub`, or a pattern with `*`, got an empty text: leave it out to accept any subject",
            ),
            (
                self.audience.iter().any(String::is_empty),
                "audience",
                "expected the identifier of this API, got an empty text: leave it out to accept any audience",
            ),
            (
                self.algorithms.is_empty(),
                "algorithms",
                "expected at least one algorithm, got none: leave it out to accept all asymmetric ones",
            ),
            (
                has_no_type,
                "types",
                "expected at least one type, got none: leave it out to accept `JWT`, `at+jwt` and none at all",
            ),
            (
                self.leeway > LONGEST_LEEWAY,
                "leeway",
                &format!("expected 5 min at the most, got {leeway}: set the clocks instead"),
            ),
            (
                self.max_key_attempts == 0,
                "max_key_attempts",
                "expected 1 or more, got 0: no token without `kid` could pass",
            ),
            (self.max_token_bytes == Some(0), "max_token_bytes", "expected 1 or more, got 0: no token could pass"),
            (
                self.scope_claims.is_empty() || self.scope_claims.iter().any(String::is_empty),
                "scope_claims",
                "expected names of claims, got none or an empty one: leave it out for `scope` and `scp`",
            ),
            (!self.scope_claims.iter().all(|name| is_name_or_pointer(name)), "scope_claims", NO_POINTER),
            (
                self.max_token_lifetime == Some(Duration::ZERO),
                "max_token_lifetime",
                "expected a time longer than zero, got zero: no token could pass",
            ),
            (
                self.max_token_age == Some(Duration::ZERO),
                "max_token_age",
                "expected a time longer than zero, got zero: no token could pass",
            ),
            (
                self.rfc9068 && svid,
                "rfc9068",
                "expected no `trust_domain` with `rfc9068`, got one: tokens of RFC 9068 have an `iss`, JWT-SVIDs have none, so \
                 leave one of the two out",
            ),
            (
                self.rfc9068 && !svid && self.issuer.is_none(),
                "rfc9068",
                "expected `issuer` with `rfc9068`, got none: set it to the `iss` of the tokens",
            ),
            (
                self.rfc9068 && self.audience.is_empty(),
                "rfc9068",
                "expected an `audience` with `rfc9068`, got none: set it to the identifier of this API",
            ),
        ];
        match table.into_iter().find(|(is_wrong, ..)| *is_wrong) {
            Some((_, field, problem)) => Err(ConfigurationError::rule(field, problem)),
            None => self.check_tenants(),
        }
    }

    /// The issuer by which a verifier's rules are chosen: the text of `iss`, or the trust domain as a SPIFFE ID.
    pub(crate) fn issuer_name(&self) -> Option<String> {
        self.trust_domain.as_deref().map(|domain| format!("{SPIFFE}{}", bare(domain))).or_else(|| self.issuer.clone())
    }

    /// The scope that claims grant by these rules.
    pub(crate) fn granted_scope<'a>(&self, claims: &'a Object) -> GrantedScope<'a> {
        GrantedScope::of(claims, &self.scope_claims)
    }

    /// Tells whether a SPIFFE ID without its path is that of the trust domain.
    pub(super) fn is_of_trust_domain(&self, id: Option<&str>) -> bool {
        let domain = id.and_then(|id| id.strip_prefix(SPIFFE));
        domain.is_some() && domain == self.trust_domain.as_deref().map(bare)
    }

    /// The claims that have to be present, with any value.
    pub(super) fn required_claims(&self) -> &'static [&'static str] {
        if self.rfc9068 { RFC_9068_CLAIMS } else { &[] }
    }

    /// The rules for a token's header.
    pub(crate) fn header(&self) -> HeaderRules {
        let (default, absent): (&[&str], bool) = match (self.rfc9068, &self.trust_domain) {
            (true, _) => (&["at+jwt"], false),
            (false, Some(_)) => (&["JWT", "JOSE"], true),
            (false, None) => (&["JWT", "at+jwt"], true),
        };
        let types = match &self.types {
            Some(types) => Types { accepted: types.clone(), absent: self.or_no_type },
            None => Types {
                accepted: default.iter().map(|typ| (*typ).to_owned()).collect(),
                absent: absent || self.or_no_type,
            },
        };
        HeaderRules { algorithms: self.algorithms.clone(), types }
    }
}

/// The name of a trust domain, without its optional scheme and slash.
fn bare(domain: &str) -> &str {
    domain.strip_prefix(SPIFFE).unwrap_or(domain).trim_end_matches('/')
}

/// Tells whether a text is the name of a trust domain (SPIFFE-ID section 2.1).
fn is_trust_domain(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.bytes().all(fits)
}

fn subjects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    texts("subjects", deserializer)
}

fn audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    texts("audience", deserializer)
}

fn tenants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    Ok(texts("tenants", deserializer)?.into_iter().collect())
}

/// Reads one text or an array of some.
fn texts<'de, D: Deserializer<'de>>(field: &str, deserializer: D) -> Result<Vec<String>, D::Error> {
    struct Texts;

    impl<'de> serde::de::Visitor<'de> for Texts {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a text or an array of texts")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(vec![text.to_owned()])
        }

        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some(text) = elements.next_element()? {
                texts.push(text);
            }
            Ok(texts)
        }
    }

    match deserializer.deserialize_any(Texts)? {
        // One of none is none: read as no rule, it would let tokens for any audience, or of any tenant, pass.
        none if none.is_empty() => {
            let problem = format!("expected at least one text in `{field}`, got none: leave it out to accept any");
            Err(D::Error::custom(problem))
        }
        texts => Ok(texts),
    }
}
