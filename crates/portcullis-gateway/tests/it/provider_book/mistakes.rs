//! The mistakes that the book tells of.

use portcullis_testkit::{Algorithm, AuthorizationServer, SigningKey, TokenBuilder};
use serde_json::json;

/// A mistake, which a page of the book has under this title.
pub struct Mistake {
    pub page: &'static str,
    /// The label of the configuration.
    pub label: &'static str,
    pub title: &'static str,
    /// The changed text of the configuration, before and after.
    pub configuration: Option<(&'static str, &'static str)>,
    pub token: fn(&AuthorizationServer) -> String,
}

/// A mistake in the token.
const fn token(
    page: &'static str,
    label: &'static str,
    title: &'static str,
    token: fn(&AuthorizationServer) -> String,
) -> Mistake {
    Mistake { page, label, title, configuration: None, token }
}

/// A mistake in the configuration.
const fn configured(
    page: &'static str,
    label: &'static str,
    title: &'static str,
    from: &'static str,
    to: &'static str,
) -> Mistake {
    Mistake { page, label, title, configuration: Some((from, to)), token: |server| server.token().sign() }
}

/// A token of another issuer, by the same key.
fn of(issuer: &str, server: &AuthorizationServer) -> TokenBuilder {
    server.token().issuer(issuer)
}

fn opaque(_: &AuthorizationServer) -> String {
    "kQ2mV7xN4cZ9bL1qW8eR5tY3uI6oP0aSdFgHjKlM".to_owned()
}

pub const ALL: &[Mistake] = &[
    token("keycloak", "keycloak", "`aud` is `account`", |server| server.token().audience("account").sign()),
    token("keycloak", "keycloak", "The issuer has the name inside the cluster", |server| {
        of("http://keycloak:8080/realms/shop", server).sign()
    }),
    token("keycloak", "keycloak", "The client sends the ID token", |server| {
        server.token().claim("typ", "ID").audience("web-shop").sign()
    }),
    token("entra", "entra_v2", "The token is of version 1.0", |server| {
        of("https://sts.windows.net/11111111-2222-3333-4444-555555555555/", server).claim("ver", "1.0").sign()
    }),
    token("entra", "entra_v2", "The token is for Microsoft Graph", |server| {
        server.token().header("nonce", "x7Yk2").audience("00000003-0000-0000-c000-000000000000").sign()
    }),
    token("entra", "entra_v2", "The audience has another form", |server| {
        server.token().audience("api://66666666-7777-8888-9999-000000000000").sign()
    }),
    configured(
        "entra",
        "entra_v2",
        "`common` is taken for an issuer",
        "/11111111-2222-3333-4444-555555555555/v2.0",
        "/common/v2.0",
    ),
    configured(
        "entra",
        "entra_tenants",
        "The tenant is not on the list",
        "\"11111111-2222-3333-4444-555555555555\"",
        "\"99999999-2222-3333-4444-555555555555\"",
    ),
    token("auth0", "auth0", "The client asks for no audience", |server| {
        server.token().audience("https://example.eu.auth0.com/userinfo").sign()
    }),
    configured("auth0", "auth0", "The slash at the end is missing", "auth0.com/\"", "auth0.com\""),
    Mistake {
        page: "auth0",
        label: "auth0",
        title: "Permissions are taken for scopes",
        configuration: Some(("scope_claims = [\"permissions\", \"scope\"]\n", "")),
        token: |server| server.token().scope("openid profile").sign(),
    },
    token("okta", "okta", "The token is of the org authorization server", |server| {
        of("https://dev-1234.okta.com", server).audience("https://dev-1234.okta.com").sign()
    }),
    token("okta", "okta", "The token is of another authorization server", |server| {
        of("https://dev-1234.okta.com/oauth2/aus1a2b3c4D5E6F7G8h9", server).sign()
    }),
    configured(
        "okta",
        "okta",
        "The audience is the API's URL",
        "audience = \"api://default\"",
        "audience = \"https://api.example.com\"",
    ),
    configured(
        "cognito",
        "cognito",
        "An audience is expected",
        "[[routes]]",
        "audience = \"3n4b5v6c7x8z9a1s2d3f4g5h6j\"\n[[routes]]",
    ),
    token("cognito", "cognito", "The client sends the ID token", |server| {
        server.token().claim("token_use", "id").without_claim("client_id").without_claim("scope").sign()
    }),
    configured("cognito", "cognito", "The scope lacks the name of its API", "orders/read", "read"),
    token("google", "google", "The client sends Google's access token", |_| {
        "ya29.a0AfB_byC2mV7xN4cZ9bL1qW8eR5tY3uI6oP0aS".to_owned()
    }),
    token("google", "google", "The audience is another client", |server| {
        server.token().audience("9876.apps.googleusercontent.com").claim("azp", "9876").sign()
    }),
    configured(
        "google",
        "google",
        "A scope is asked for",
        "claims = [{ name = \"hd\", value = \"example.com\" }]",
        "scope = [\"email\"]",
    ),
    token("firebase", "firebase", "The token is of another project", |server| {
        of("https://securetoken.google.com/shop-test", server).audience("shop-test").sign()
    }),
    configured("firebase", "firebase", "The issuer ends with a slash", "google.com/shop-prod", "google.com/shop-prod/"),
    configured(
        "firebase",
        "firebase",
        "A custom claim is asked for as a scope",
        "claims = [{ name = \"email_verified\", value = true }]",
        "scope = [\"admin\"]",
    ),
    token("supabase", "supabase", "The project still signs with the legacy secret", |server| {
        let secret = SigningKey::from_secret(Algorithm::HS256, "legacy", &[7; 32]);
        TokenBuilder::new(&secret, server.issuer(), server.now()).audience("authenticated").sign()
    }),
    token("supabase", "supabase", "The client sends the project's `anon` key", |server| {
        let secret = SigningKey::from_secret(Algorithm::HS256, "legacy", &[7; 32]);
        TokenBuilder::new(&secret, "supabase", server.now()).claim("role", "anon").without_claim("aud").sign()
    }),
    configured(
        "supabase",
        "supabase",
        "The role is asked for as a scope",
        "claims = [{ name = \"role\", value = \"authenticated\" }]",
        "scope = [\"authenticated\"]",
    ),
    token("github-actions", "github_actions", "The job asks for no audience", |server| {
        server.token().audience("https://github.com/my-org").sign()
    }),
    configured("github-actions", "github_actions", "A pattern stands in `value`", "matches = \"repo", "value = \"repo"),
    token("github-actions", "github_actions", "The workflow sends `GITHUB_TOKEN`", |_| {
        "ghs_16C7e42F292c6912E7710c838347Ae178B4a".to_owned()
    }),
    token("kubernetes", "kubernetes", "The token is for the API server", |server| {
        server.token().audience(json!(["https://kubernetes.default.svc.cluster.local"])).sign()
    }),
    token("kubernetes", "kubernetes", "The token is one of a Secret", |server| {
        of("kubernetes/serviceaccount", server).without_claim("aud").without_claim("exp").sign()
    }),
    configured(
        "kubernetes",
        "kubernetes",
        "The issuer is written without the cluster's domain",
        "issuer = \"https://kubernetes.default.svc.cluster.local\"",
        "issuer = \"https://kubernetes.default.svc\"",
    ),
    token("spiffe", "spiffe", "The workload asks for another audience", |server| {
        server.token().audience(json!(["spiffe://example.org/billing"])).sign()
    }),
    token("spiffe", "spiffe", "The workload is of another trust domain", |server| {
        server.token().subject("spiffe://staging.example.org/ns/shop/sa/web").sign()
    }),
    configured(
        "spiffe",
        "spiffe",
        "An issuer is expected",
        "trust_domain = \"example.org\"",
        "issuer = \"https://spire.example.org\"\nkey_uses = [\"jwt-svid\"]",
    ),
    token("zitadel", "zitadel", "The application gets opaque tokens", opaque),
    token("zitadel", "zitadel", "The project is not in `aud`", |server| {
        server.token().audience(json!(["170086774599581953@shop"])).sign()
    }),
    configured(
        "zitadel",
        "zitadel",
        "Roles are taken for scopes",
        "claims = [{ name = \"/urn:zitadel:iam:org:project:170086305209246465:roles/orders.reader\" }]",
        "scope = [\"orders.reader\"]",
    ),
    token("curity", "curity_jwt", "The phantom token reaches a verifier of JWTs", opaque),
    token("curity", "curity", "The token was revoked", |server| {
        let token = server.issue_opaque(server.token());
        server.revoke(&token);
        token
    }),
    token("curity", "curity", "The token is for another API", |server| {
        server.issue_opaque(server.token().audience("https://billing.example.com"))
    }),
    token("duende", "duende", "The API is not in `aud`", |server| {
        server.token().audience("https://identity.example.com/resources").sign()
    }),
    token("duende", "duende", "The client gets reference tokens", opaque),
    token("duende", "duende", "The scope was not asked for", |server| {
        server.token().claim("scope", json!(["openid"])).sign()
    }),
    token("spring-authorization-server", "spring_authorization_server", "`aud` is the client", |server| {
        server.token().audience("web").sign()
    }),
    token(
        "spring-authorization-server",
        "spring_authorization_server",
        "The server made new keys when it started",
        |server| server.token().kid("before-the-restart").sign(),
    ),
    token(
        "spring-authorization-server",
        "spring_authorization_server",
        "The issuer follows the request's host",
        |server| of("http://localhost:9000", server).sign(),
    ),
    configured(
        "adfs",
        "adfs",
        "The issuer is that of the metadata",
        "issuer = \"http://adfs.example.com/adfs/services/trust\"",
        "issuer = \"https://adfs.example.com/adfs\"",
    ),
    token("adfs", "adfs", "The client asks for no resource", |server| {
        server.token().audience("urn:microsoft:userinfo").sign()
    }),
    configured(
        "adfs",
        "adfs",
        "The scope has the API before it",
        "\"orders.read\"",
        "\"https://api.example.com/orders.read\"",
    ),
    configured(
        "laravel-passport",
        "laravel_passport",
        "The scope is in another claim",
        "scope_claims = [\"scopes\"]\n",
        "",
    ),
    configured(
        "laravel-passport",
        "laravel_passport",
        "An issuer is expected",
        "dangerously_accept_any_issuer = true",
        "issuer = \"https://shop.example.com\"",
    ),
    token("laravel-passport", "laravel_passport", "The keys were made anew", |server| {
        let other = SigningKey::generate(Algorithm::RS256, "");
        TokenBuilder::new(&other, "", server.now())
            .without_claim("iss")
            .without_header("kid")
            .typ("JWT")
            .claim("scopes", json!(["orders-read"]))
            .sign()
    }),
];
