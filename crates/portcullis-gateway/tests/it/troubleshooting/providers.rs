//! Mistakes by provider, with tokens as the provider's users get them.

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::json;

use super::{Issuer, Mistake};

const KEYCLOAK: &str = "https://login.example.com/realms/shop";
const ENTRA_V1: &str = "https://sts.windows.net/11111111-2222-3333-4444-555555555555/";
const ENTRA_V2: &str = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0";
const AUTH0: &str = "https://tenant.auth0.com/";
const OKTA: &str = "https://dev-1.okta.com/oauth2/default";
const COGNITO: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf";
const GOOGLE: &str = "https://accounts.google.com";
const IDENTITY: &str = "https://identity.example.com";
const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

pub(super) fn mistakes(issuer: &Issuer) -> Vec<Mistake> {
    let all =
        [keycloak(issuer), entra(issuer), auth0(issuer), okta(issuer), cognito(issuer), google(issuer), others(issuer)];
    all.into_iter().flatten().collect()
}

fn keycloak(issuer: &Issuer) -> Vec<Mistake> {
    let token = |by: &str| issuer.token(by).claim("typ", "Bearer").claim("azp", "web").claim("session_state", "s");
    let roles = json!({ "roles": ["read"] });
    let inside = "http://keycloak:8080/realms/shop";
    let is = |entry, token: TokenBuilder| Mistake::token(entry, token.sign()).by(KEYCLOAK);
    vec![
        is("Keycloak: `aud` is `account`", token(KEYCLOAK).audience("account").scope("openid")),
        is("Keycloak: There is no `aud`", token(KEYCLOAK).without_claim("aud").scope("openid")),
        is(
            "Keycloak: The expected audience stands in `azp`",
            token(KEYCLOAK).audience("account").claim("azp", super::AUDIENCE),
        ),
        is("Keycloak: The issuer has another host", token(inside)),
        is("Keycloak: The issuer has `/auth` before `/realms`", token("https://login.example.com/auth/realms/shop")),
        is("Keycloak: A role is taken for a scope", token(KEYCLOAK).claim("realm_access", roles)).to("/orders/1"),
        is("Keycloak: There is no `acr`", token(KEYCLOAK)).to("/gold"),
        is("Keycloak: `acr` is a number", token(KEYCLOAK).claim("acr", "2")).to("/gold"),
        is("Keycloak: The login does not reach the level", token(KEYCLOAK).claim("acr", "silver")).to("/gold"),
        is("Keycloak: There is no `auth_time`", token(KEYCLOAK).claim("acr", "gold")).to("/recent"),
    ]
}

fn entra(issuer: &Issuer) -> Vec<Mistake> {
    let is = |entry, token: TokenBuilder| Mistake::token(entry, token.sign()).by(ENTRA_V2);
    let graph = issuer.token(ENTRA_V1).audience("https://graph.microsoft.com").header("nonce", "n").scope("User.Read");
    let uri = issuer.token(ENTRA_V2).audience("66666666-7777-8888-9999-000000000000").claim("scp", "read");
    vec![
        is("Microsoft Entra ID: A v1.0 token comes where v2.0 is expected", issuer.token(ENTRA_V1)),
        is("Microsoft Entra ID: The token is for Microsoft Graph", graph),
        is("Microsoft Entra ID: `common` is configured as the tenant", issuer.token(ENTRA_V2))
            .by("https://login.microsoftonline.com/common/v2.0"),
        Mistake {
            audience: "api://66666666-7777-8888-9999-000000000000",
            ..is("Microsoft Entra ID: `aud` has no `api://`", uri)
        },
        is(
            "Microsoft Entra ID: An app's own token has no scope",
            issuer.token(ENTRA_V2).claim("roles", json!(["Read"])),
        )
        .to("/orders/1"),
    ]
}

fn auth0(issuer: &Issuer) -> Vec<Mistake> {
    let is = |entry, token: String| Mistake::token(entry, token).by(AUTH0);
    let userinfo = issuer.token(AUTH0).audience("https://tenant.auth0.com/userinfo").sign();
    vec![
        is("Auth0: The token is encrypted", encrypted(AUTH0)),
        is("Auth0: The token is opaque", "vP3kq0Zx9mB7".to_owned()),
        is("Auth0: `aud` is `/userinfo`", userinfo),
        is("Auth0: The issuer is configured without its slash", issuer.token(AUTH0).sign())
            .by("https://tenant.auth0.com"),
    ]
}

/// Makes a JWE with a header; the rest is never read.
fn encrypted(issuer: &str) -> String {
    let header = json!({ "alg": "dir", "enc": "A256GCM", "iss": issuer }).to_string();
    let key = SigningKey::generate(Algorithm::ES256, "k");
    let signed = TokenBuilder::new(&key, issuer, std::time::SystemTime::now()).header_json(&header).sign();
    format!("{}..AAAA.AAAA.AAAA", signed.split('.').next().unwrap())
}

fn okta(issuer: &Issuer) -> Vec<Mistake> {
    let org = "https://dev-1.okta.com";
    let is =
        |entry, token: TokenBuilder| Mistake::token(entry, token.claim("cid", "c").claim("uid", "u").sign()).by(OKTA);
    vec![
        is("Okta: The token is of the org authorization server", issuer.token(org).audience(org)),
        is(
            "Okta: `aud` is `api://default`",
            issuer.token(OKTA).audience("api://default").claim("scp", json!(["read"])),
        ),
    ]
}

fn cognito(issuer: &Issuer) -> Vec<Mistake> {
    let access = || issuer.token(COGNITO).claim("token_use", "access").claim("client_id", "c");
    let is = |entry, token: TokenBuilder| Mistake::token(entry, token.sign()).by(COGNITO);
    let id = issuer.token(COGNITO).audience("c").claim("token_use", "id");
    vec![
        is("Amazon Cognito: There is no `aud`", access().without_claim("aud")),
        is("Amazon Cognito: The client sends its ID token", id),
        is("Amazon Cognito: The scope has the resource server before it", access().scope("orders/read"))
            .to("/orders/1"),
    ]
}

fn google(issuer: &Issuer) -> Vec<Mistake> {
    let id = issuer.token(GOOGLE).audience("web").claim("azp", "web").claim("at_hash", "h");
    vec![
        Mistake::token("Google: The token begins with `ya29.`", "ya29.a0AfH6SMBx").by(GOOGLE),
        Mistake::token("Google: The ID token is for the OAuth client", id.sign()).by(GOOGLE),
    ]
}

fn others(issuer: &Issuer) -> Vec<Mistake> {
    let is = |entry, by, token: TokenBuilder| Mistake::token(entry, token.sign()).by(by);
    let spring = issuer.token(IDENTITY).audience("web").claim("nbf", 1).claim("scope", json!(["read"]));
    let duende = issuer.token(IDENTITY).audience(format!("{IDENTITY}/resources")).claim("client_id", "web");
    let svid = issuer.token(IDENTITY).subject("spiffe://example.org/web").audience("spiffe://example.org/other");
    vec![
        is("Spring Authorization Server and Duende: `aud` is the client", IDENTITY, spring),
        is("Spring Authorization Server and Duende: `aud` is `/resources`", IDENTITY, duende),
        is("Kubernetes, SPIFFE, GitHub Actions: A service account's token is for the API server", CLUSTER, {
            issuer.token(CLUSTER).audience(json!([CLUSTER])).claim("kubernetes.io", json!({ "namespace": "shop" }))
        }),
        is("Kubernetes, SPIFFE, GitHub Actions: A JWT-SVID is for another audience", IDENTITY, svid),
        is("Kubernetes, SPIFFE, GitHub Actions: A JWT-SVID has no `iss`", IDENTITY, {
            issuer.token(IDENTITY).subject("spiffe://example.org/web").without_claim("iss")
        }),
        is(
            "Kubernetes, SPIFFE, GitHub Actions: A job's token is for the owner of the repository",
            GITHUB,
            issuer.token(GITHUB).audience("https://github.com/octo-org"),
        ),
    ]
}
