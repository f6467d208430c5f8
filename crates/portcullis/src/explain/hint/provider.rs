//! The product behind an issuer, guessed by its name and claims.

use url::Url;

use crate::{
    explain::walk::Walk,
    json::{Object, Value},
};

/// Authorization servers, and other issuers, with peculiarities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Provider {
    AdFs,
    Auth0,
    Cognito,
    Duende,
    Entra,
    Firebase,
    GitHubActions,
    Google,
    Keycloak,
    Kubernetes,
    Okta,
    Ping,
    Spiffe,
    Spring,
    Supabase,
    Zitadel,
}

use Provider::{
    AdFs, Auth0, Cognito, Duende, Entra, Firebase, GitHubActions, Google, Keycloak, Kubernetes, Okta, Ping, Spiffe,
    Spring, Supabase, Zitadel,
};

/// Domains of issuers.
const DOMAINS: [(&str, Provider); 24] = [
    ("auth0.com", Auth0),
    ("sts.windows.net", Entra),
    ("login.microsoftonline.com", Entra),
    ("login.microsoftonline.us", Entra),
    ("login.partner.microsoftonline.cn", Entra),
    ("ciamlogin.com", Entra),
    ("b2clogin.com", Entra),
    ("token.actions.githubusercontent.com", GitHubActions),
    ("accounts.google.com", Google),
    ("securetoken.google.com", Firebase),
    ("supabase.co", Supabase),
    ("zitadel.cloud", Zitadel),
    ("container.googleapis.com", Kubernetes),
    ("kubernetes.default.svc", Kubernetes),
    ("kubernetes.default.svc.cluster.local", Kubernetes),
    ("okta.com", Okta),
    ("oktapreview.com", Okta),
    ("okta-emea.com", Okta),
    ("okta-gov.com", Okta),
    ("pingone.com", Ping),
    ("pingone.eu", Ping),
    ("pingone.ca", Ping),
    ("pingone.asia", Ping),
    ("pingone.com.au", Ping),
];

/// The issuer of tokens that Kubernetes keeps in Secrets.
pub(super) const LEGACY_SERVICE_ACCOUNT: &str = "kubernetes/serviceaccount";

/// The issuer of the keys of a project of Supabase, which are JWTs.
pub(super) const SUPABASE_KEY: &str = "supabase";

/// The product of the token's issuer; for a token without readable claims, that of a trusted issuer.
pub(super) fn of(walk: &Walk<'_>) -> Option<Provider> {
    match &walk.claims {
        Some(claims) => claims.get("iss").and_then(Value::as_str).and_then(of_issuer).or_else(|| of_claims(claims)),
        None => walk.known_issuers().into_iter().find_map(of_issuer),
    }
}

/// The product by the issuer's name.
pub(super) fn of_issuer(issuer: &str) -> Option<Provider> {
    match issuer {
        "accounts.google.com" => return Some(Google),
        SUPABASE_KEY => return Some(Supabase),
        LEGACY_SERVICE_ACCOUNT => return Some(Kubernetes),
        _ => {}
    }
    let url = Url::parse(issuer).ok()?;
    let host = url.host_str()?;
    let is_under = |domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if let Some((_, provider)) = DOMAINS.iter().find(|(domain, _)| is_under(domain)) {
        return Some(*provider);
    }
    match () {
        () if url.path().contains("/realms/") => Some(Keycloak),
        () if url.path() == "/adfs/services/trust" => Some(AdFs),
        () if !is_under("amazonaws.com") && !is_under("amazonaws.com.cn") => None,
        () if host.starts_with("cognito-idp.") => Some(Cognito),
        () if host.starts_with("oidc.eks.") => Some(Kubernetes),
        () => None,
    }
}

/// The product by claims that only it writes, for issuers under custom domains.
fn of_claims(claims: &Object) -> Option<Provider> {
    let has = |name: &str| claims.contains_key(name);
    let text = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    Some(match () {
        () if claims.iter().any(|(name, _)| name.starts_with("urn:zitadel:")) => Zitadel,
        () if has("kubernetes.io") || text("sub").starts_with("system:serviceaccount:") => Kubernetes,
        () if text("sub").starts_with("spiffe://") => Spiffe,
        () if has("realm_access") || has("resource_access") || has("session_state") => Keycloak,
        () if has("token_use") => Cognito,
        () if has("gty") || audiences(claims).any(|audience| audience.ends_with(".auth0.com/userinfo")) => Auth0,
        () if has("cid") && has("uid") => Okta,
        () if has("tid") && matches!(text("ver"), "1.0" | "2.0") => Entra,
        () if is_of_duende(claims) => Duende,
        () if is_of_spring(claims) => Spring,
        () => return None,
    })
}

/// Tells whether Duende IdentityServer wrote the claims: by its own audience, or by the way of sign-in.
fn is_of_duende(claims: &Object) -> bool {
    let resources = claims.get("iss").and_then(Value::as_str).map(|issuer| format!("{issuer}/resources"));
    let is_static = audiences(claims).any(|audience| Some(audience) == resources.as_deref());
    is_static || (claims.contains_key("client_id") && claims.get("idp").and_then(Value::as_str) == Some("local"))
}

/// Tells whether Spring wrote the claims, by their combination: the scope as an array, `nbf`, and no `client_id`.
fn is_of_spring(claims: &Object) -> bool {
    let has = |name: &str| claims.contains_key(name);
    claims.get("scope").is_some_and(Value::is_array) && has("nbf") && has("jti") && has("aud") && !has("client_id")
}

/// The audiences that the token names.
pub(super) fn audiences(claims: &Object) -> impl Iterator<Item = &str> {
    let aud = claims.get("aud");
    let several = aud.into_iter().flat_map(|aud| aud.elements()).filter_map(Value::as_str);
    aud.and_then(Value::as_str).into_iter().chain(several)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_known_by_its_name() {
        let table = [
            ("https://tenant.eu.auth0.com/", Some(Auth0)),
            ("https://auth0.com.evil.example/", None),
            ("https://notauth0.com/", None),
            ("https://sts.windows.net/11111111-2222-3333-4444-555555555555/", Some(Entra)),
            ("https://login.microsoftonline.com/common/v2.0", Some(Entra)),
            ("https://tenant.b2clogin.com/t/v2.0/", Some(Entra)),
            ("https://token.actions.githubusercontent.com", Some(GitHubActions)),
            ("https://accounts.google.com", Some(Google)),
            ("accounts.google.com", Some(Google)),
            ("https://securetoken.google.com/shop", Some(Firebase)),
            ("https://abcd.supabase.co/auth/v1", Some(Supabase)),
            ("supabase", Some(Supabase)),
            ("https://shop-a1b2c3.zitadel.cloud", Some(Zitadel)),
            ("http://adfs.example.com/adfs/services/trust", Some(AdFs)),
            ("https://adfs.example.com/adfs", None),
            ("kubernetes/serviceaccount", Some(Kubernetes)),
            ("https://dev-1.okta.com/oauth2/default", Some(Okta)),
            ("https://auth.pingone.eu/e/as", Some(Ping)),
            ("https://login.example.com/realms/shop", Some(Keycloak)),
            ("https://login.example.com/auth/realms/shop", Some(Keycloak)),
            ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x", Some(Cognito)),
            ("https://oidc.eks.eu-west-1.amazonaws.com/id/X", Some(Kubernetes)),
            ("https://kubernetes.default.svc.cluster.local", Some(Kubernetes)),
            ("https://s3.amazonaws.com", None),
            ("https://login.example.com", None),
            ("", None),
            ("https://", None),
        ];
        for (issuer, provider) in table {
            assert_eq!(of_issuer(issuer), provider, "{issuer}");
        }
    }

    #[test]
    fn an_issuer_under_a_name_of_its_own_is_known_by_its_claims() {
        let table = [
            (r#"{"realm_access":{"roles":[]}}"#, Some(Keycloak)),
            (r#"{"kubernetes.io":{}}"#, Some(Kubernetes)),
            (r#"{"urn:zitadel:iam:org:project:1:roles":{}}"#, Some(Zitadel)),
            (r#"{"sub":"spiffe://example.org/web"}"#, Some(Spiffe)),
            (r#"{"token_use":"access"}"#, Some(Cognito)),
            (r#"{"gty":"client-credentials"}"#, Some(Auth0)),
            (r#"{"aud":["x","https://t.auth0.com/userinfo"]}"#, Some(Auth0)),
            (r#"{"cid":"a","uid":"b"}"#, Some(Okta)),
            (r#"{"tid":"t","ver":"2.0"}"#, Some(Entra)),
            (r#"{"iss":"https://a.example","aud":"https://a.example/resources"}"#, Some(Duende)),
            (r#"{"client_id":"web","idp":"local"}"#, Some(Duende)),
            (r#"{"aud":"web","nbf":1,"jti":"j","scope":["read"]}"#, Some(Spring)),
            (r#"{"aud":"web","nbf":1,"jti":"j","scope":"read"}"#, None),
            ("{}", None),
        ];
        for (claims, provider) in table {
            assert_eq!(of_claims(&crate::json::object(claims.into()).unwrap()), provider, "{claims}");
        }
    }
}
