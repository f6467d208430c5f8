//! The metadata of an issuer (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).

use serde::Deserialize;
use serde_json::Value;

/// The metadata of an issuer, as far as a resource server needs them.
///
/// [`JwksService::metadata`](crate::JwksService::metadata) has those that led to the keys. A member of another type than the
/// expected one counts as absent, and so does an endpoint that they may not lead to: at http beside an issuer at https, or closer to this
/// machine than the issuer (see [`HttpRequest::may_connect_to`](crate::HttpRequest::may_connect_to)).
///
/// # Example
///
/// ```
/// use portcullis::JwksService;
///
/// /// The endpoint that is asked about opaque tokens (RFC 7662).
/// fn introspection_endpoint(jwks: &JwksService) -> Option<String> {
///     jwks.metadata()?.introspection_endpoint.clone()
/// }
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerMetadata {
    /// The issuer identifier, the value of `iss`.
    pub issuer: String,
    /// The URL of the key set.
    pub jwks_uri: String,
    /// The URL of the introspection endpoint.
    pub introspection_endpoint: Option<String>,
    /// The URL of the token endpoint.
    pub token_endpoint: Option<String>,
    /// The URL of the token endpoint for clients that authenticate by a certificate (`mtls_endpoint_aliases`, RFC 8705 section 5).
    pub mtls_token_endpoint: Option<String>,
    /// The grants of the token endpoint (`grant_types_supported`).
    pub grant_types: Vec<String>,
    /// The algorithms of the issuer's ID tokens (`id_token_signing_alg_values_supported`): no metadata tell those of its access
    /// tokens, which are the same at most issuers.
    pub id_token_algorithms: Vec<String>,
}

impl IssuerMetadata {
    /// Reads a document; none if it is no JSON object with the two required strings.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let members: Members = serde_json::from_slice(text).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(text).collect();
        Some(Self {
            issuer: members.issuer,
            jwks_uri: members.jwks_uri,
            introspection_endpoint: text(&members.introspection_endpoint),
            token_endpoint: text(&members.token_endpoint),
            mtls_token_endpoint: members.mtls_endpoint_aliases.get("token_endpoint").and_then(text),
            grant_types: texts(&members.grant_types_supported),
            id_token_algorithms: texts(&members.id_token_signing_alg_values_supported),
        })
    }
}

/// The members that are read.
#[derive(Deserialize)]
struct Members {
    issuer: String,
    jwks_uri: String,
    #[serde(default)]
    introspection_endpoint: Value,
    #[serde(default)]
    token_endpoint: Value,
    #[serde(default)]
    mtls_endpoint_aliases: Value,
    #[serde(default)]
    grant_types_supported: Value,
    #[serde(default)]
    id_token_signing_alg_values_supported: Value,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn members_of_another_type_count_as_absent() {
        let read = |text: &str| IssuerMetadata::read(text.as_bytes());
        let odd =
            r#"{"issuer":"i","jwks_uri":"j","introspection_endpoint":1,"id_token_signing_alg_values_supported":"x"}"#;
        let odd = read(odd).unwrap();
        assert_eq!((odd.introspection_endpoint, odd.id_token_algorithms), (None, Vec::new()));
        let odd = r#"{"issuer":"i","jwks_uri":"j","token_endpoint":[],"mtls_endpoint_aliases":"x","grant_types_supported":{}}"#;
        let odd = read(odd).unwrap();
        assert_eq!((odd.token_endpoint, odd.mtls_token_endpoint, odd.grant_types), (None, None, Vec::new()));
        let good = r#"{"issuer":"i","jwks_uri":"j","token_endpoint":"t","mtls_endpoint_aliases":{"token_endpoint":"m"},"grant_types_supported":["g"]}"#;
        let good = read(good).unwrap();
        assert_eq!((good.token_endpoint.as_deref(), good.mtls_token_endpoint.as_deref()), (Some("t"), Some("m")));
        assert_eq!(good.grant_types, ["g"]);
        let good = r#"{"issuer":"i","jwks_uri":"j","introspection_endpoint":"e","id_token_signing_alg_values_supported":["a",1]}"#;
        let good = read(good).unwrap();
        assert_eq!(
            (good.introspection_endpoint.as_deref(), good.id_token_algorithms),
            (Some("e"), vec!["a".to_owned()])
        );
        for none in ["", "[]", "{}", r#"{"issuer":"i"}"#, r#"{"issuer":1,"jwks_uri":"j"}"#] {
            assert!(read(none).is_none(), "{none}");
        }
    }
}
