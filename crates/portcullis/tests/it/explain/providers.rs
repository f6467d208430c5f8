//! Tokens in the forms of real products: the hint knows the product and its settings.

use portcullis::{
    CheckKind::{self, *},
    Explanation, JwksService, Secure, Verifier,
};
use portcullis_testkit::{Algorithm, AuthorizationServer, TokenBuilder};
use serde_json::{Value, json};

use super::{AUDIENCE, actual, hint};
use crate::support::{Setup, explain_request};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

fn entra(version: u8) -> String {
    match version {
        1 => format!("https://sts.windows.net/{TENANT}/"),
        _ => format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
    }
}

/// A token without `client_id` and `typ`, as of most issuers.
fn of(setup: &Setup, issuer: &str) -> TokenBuilder {
    setup.server.token().typ("JWT").without_claim("client_id").issuer(issuer)
}

async fn explain(setup: &Setup, issuer: &str, token: &str) -> Explanation {
    let verifier = Verifier::builder(setup.jwks.clone()).issuer(issuer).audience(AUDIENCE).build().unwrap();
    verifier.explain(token, setup.clock.now()).await
}

struct Row<'a> {
    about: &'a str,
    /// The expected issuer.
    issuer: &'a str,
    token: String,
    kind: CheckKind,
    words: &'a [&'a str],
}

async fn each(setup: &Setup, rows: &[Row<'_>]) {
    for Row { about, issuer, token, kind, words } in rows {
        let explanation = explain(setup, issuer, token).await;
        let failed = explanation.first_failure().unwrap_or_else(|| panic!("{about}: it passes"));
        assert_eq!(failed.kind, *kind, "{about}: {failed:?}");
        for word in *words {
            assert!(hint(&explanation).contains(word), "{about}: {word:?} is not in: {}", hint(&explanation));
        }
    }
}

async fn setup() -> Setup {
    Setup::with(|server| server.algorithm(Algorithm::ES256), |jwks| jwks).await
}

#[tokio::test]
async fn tokens_for_nobody_or_for_somebody_else() {
    let setup = setup().await;
    let keycloak = "https://login.example.com/realms/shop";
    let keycloak_token = || of(&setup, keycloak).claim("typ", "Bearer").claim("azp", "web");
    let v2 = entra(2);
    let okta = "https://dev-1.okta.com/oauth2/default";
    let cognito = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbC";
    let github = "https://token.actions.githubusercontent.com";
    let cluster = "https://kubernetes.default.svc.cluster.local";
    let own = "https://login.example.com";
    let audience =
        |about, issuer, token: TokenBuilder, words| Row { about, issuer, token: token.sign(), kind: Audience, words };
    each(
        &setup,
        &[
            audience("account", keycloak, keycloak_token().audience("account"), &["`account`", "mapper", "Audience"]),
            audience("no aud", keycloak, keycloak_token().without_claim("aud"), &["mapper", "client scope"]),
            audience(
                "other clients",
                keycloak,
                keycloak_token().audience(json!(["account", "other"])),
                &["`account`", "Included Client Audience", "Included Custom Audience"],
            ),
            audience(
                "Keycloak up to 24 writes `nonce`, too",
                keycloak,
                keycloak_token().audience("account").claim("nonce", "n"),
                &["mapper"],
            ),
            audience(
                "azp",
                keycloak,
                keycloak_token().audience("account").claim("azp", AUDIENCE),
                &["`azp`", "mapper"],
            ),
            audience(
                "Keycloak under any name",
                own,
                of(&setup, own).audience("account").claim("realm_access", json!({ "roles": [] })),
                &["mapper"],
            ),
            audience(
                "Entra",
                &v2,
                of(&setup, &v2).audience("other").claim("scp", "x"),
                &["`api://CLIENT-ID/.default`"],
            ),
            audience(
                "Entra's two forms",
                &v2,
                of(&setup, &v2).audience(format!("api://{AUDIENCE}")),
                &["v2.0", "Application ID URI"],
            ),
            audience(
                "Graph by its audience",
                &v2,
                of(&setup, &v2).audience("https://graph.microsoft.com/").claim("scp", "User.Read"),
                &["Microsoft Graph", "only Graph"],
            ),
            audience(
                "Auth0's userinfo",
                "https://t.auth0.com/",
                of(&setup, "https://t.auth0.com/").audience("https://t.auth0.com/userinfo"),
                &["`audience`", "Applications > APIs"],
            ),
            audience(
                "another API of Auth0",
                "https://t.auth0.com/",
                of(&setup, "https://t.auth0.com/").audience("https://other.example"),
                &["Auth0 writes", "Identifier"],
            ),
            audience("Okta", okta, of(&setup, okta).audience("api://default"), &["Authorization Servers"]),
            audience(
                "Okta's org server",
                "https://dev-1.okta.com",
                of(&setup, "https://dev-1.okta.com").audience("https://dev-1.okta.com"),
                &["org authorization server", "custom authorization server"],
            ),
            audience(
                "Cognito",
                cognito,
                of(&setup, cognito).without_claim("aud").claim("token_use", "access").claim("client_id", "c"),
                &["`client_id`", "claim rule", "expect no audience"],
            ),
            audience(
                "an ID token of Cognito's",
                cognito,
                of(&setup, cognito).audience("c").claim("token_use", "id"),
                &["ID token", "access token"],
            ),
            audience(
                "Google",
                "https://accounts.google.com",
                of(&setup, "https://accounts.google.com").audience("web").claim("azp", "web").claim("at_hash", "h"),
                &["Google writes into `aud`", "OAuth client"],
            ),
            audience(
                "GitHub Actions",
                github,
                of(&setup, github).audience("https://github.com/octo"),
                &["core.getIDToken('AUDIENCE')"],
            ),
            audience(
                "Kubernetes",
                cluster,
                of(&setup, cluster).audience(json!([cluster])),
                &["serviceAccountToken.audience", "kubectl create token"],
            ),
            audience(
                "PingOne",
                "https://auth.pingone.eu/e/as",
                of(&setup, "https://auth.pingone.eu/e/as").audience("https://api.pingone.eu"),
                &["custom resource", "Applications > Resources"],
            ),
            audience(
                "SPIFFE",
                own,
                of(&setup, own).subject("spiffe://example.org/web").audience("other"),
                &["JWT-SVID", "-audience"],
            ),
            audience(
                "Spring Authorization Server",
                own,
                of(&setup, own).audience("web").claim("nbf", 1).claim("scope", json!(["read"])),
                &["OAuth2TokenCustomizer"],
            ),
            audience(
                "Duende",
                own,
                of(&setup, own).audience(format!("{own}/resources")).claim("client_id", "web"),
                &["ApiResource"],
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn issuers_that_are_taken_for_one_another() {
    let setup = setup().await;
    let (v1, v2) = (entra(1), entra(2));
    let v2_bare = v2.replace("/v2.0", "");
    let common = "https://login.microsoftonline.com/common/v2.0";
    let other = v2.replace('1', "9");
    let issuer = |about, expected, actual: &str, words| Row {
        about,
        issuer: expected,
        token: of(&setup, actual).sign(),
        kind: IssuerKnown,
        words,
    };
    let shop = "https://login.example.com/realms/shop";
    each(
        &setup,
        &[
            issuer("v1.0", &v2, &v1, &["v1.0 token", "`requestedAccessTokenVersion`", "`accessTokenAcceptedVersion`"]),
            issuer("v2.0", &v1, &v2, &["v2.0 token", "/v2.0 as issuer"]),
            issuer("common", common, &v2, &["`common`", "no issuer"]),
            issuer("another tenant", &v2, &other, &["another tenant"]),
            issuer(
                "Okta's org",
                "https://d.okta.com/oauth2/default",
                "https://d.okta.com",
                &["org authorization server"],
            ),
            issuer(
                "another server of Okta's",
                "https://d.okta.com/oauth2/default",
                "https://d.okta.com/oauth2/a1",
                &["Issuer URI"],
            ),
            issuer("Okta's org expected", "https://d.okta.com", "https://d.okta.com/oauth2/a1", &["Issuer URI"]),
            issuer("no v2.0", &v2_bare, &v2, &["ends in `/v2.0`"]),
            issuer("Auth0's own domain", "https://login.example.com/", "https://t.auth0.com/", &["custom domain"]),
            issuer("a token of a Secret", "https://kubernetes.default.svc", "kubernetes/serviceaccount", &["Secret"]),
            issuer("a slash of Auth0's", "https://t.auth0.com", "https://t.auth0.com/", &["slash at its end"]),
            issuer("this machine", "http://localhost:3001", "http://127.0.0.1:3001", &["name of this machine"]),
            issuer("no host of this machine", "http://localhost.example.com", "http://127.0.0.1", &["another issuer"]),
            issuer("Google's two names", "https://accounts.google.com", "accounts.google.com", &["no scheme"]),
            issuer("Keycloak inside", shop, "http://keycloak:8080/realms/shop", &["same realm", "KC_HOSTNAME"]),
            issuer("Keycloak's old path", shop, "https://login.example.com/auth/realms/shop", &["`/auth`", "17"]),
            issuer("another realm", shop, "https://login.example.com/realms/b", &["tenant or realm"]),
        ],
    )
    .await;
    let svid = of(&setup, "").typ("JOSE").without_claim("iss").subject("spiffe://example.org/web").sign();
    let own = "https://login.example.com";
    let words = &["JWT-SVID", "trust domain"];
    each(&setup, &[Row { about: "a JWT-SVID", issuer: own, token: svid, kind: IssuerKnown, words }]).await;
    let graph = of(&setup, &v1).header("nonce", "n").sign();
    let rows = [Row { about: "Graph, first of all", issuer: &v2, token: graph, kind: IssuerKnown, words: &["Graph"] }];
    each(&setup, &rows).await;
}

#[tokio::test]
async fn metadata_of_another_issuer_are_told_with_the_difference() {
    let server = AuthorizationServer::builder().path("/realms/shop");
    let server = server.metadata_issuer("https://login.example.com/realms/shop").start().await.unwrap();
    let jwks = JwksService::discover(server.issuer()).build().unwrap();
    let verifier = Verifier::builder(jwks).issuer(server.issuer()).build().unwrap();
    let explanation = verifier.explain(&server.token().sign(), server.now()).await;
    assert!(!explanation.is_judged());
    for words in ["the metadata name another issuer", "same realm of Keycloak", "https://login.example.com/realms/shop"]
    {
        assert!(hint(&explanation).contains(words), "{words} is not in: {}", hint(&explanation));
    }
}

#[tokio::test]
async fn signatures_that_only_their_issuer_verifies() {
    let setup = setup().await;
    let stranger = self::setup().await;
    let v1 = entra(1);
    let forged = |token: TokenBuilder, kid: &str| token.kid(kid).sign();
    let kid = setup.server.signing_key().kid().to_owned();
    let org = "https://dev-1.okta.com";
    each(
        &setup,
        &[
            Row {
                about: "Graph",
                issuer: &v1,
                token: forged(of(&stranger, &v1).header("nonce", "n"), &kid),
                kind: Signature,
                words: &["Microsoft Graph", "`api://CLIENT-ID/.default`"],
            },
            Row {
                about: "Okta's org",
                issuer: org,
                token: forged(of(&stranger, org), "not-published"),
                kind: KeyFound,
                words: &["org authorization server"],
            },
        ],
    )
    .await;
}

/// Five parts with this header; the others are never read.
fn encrypted(header: &Value) -> String {
    let token = TokenBuilder::new(
        &portcullis_testkit::SigningKey::generate(Algorithm::ES256, "k"),
        "https://as.example",
        std::time::SystemTime::now(),
    );
    let signed = token.header_json(&header.to_string()).sign();
    format!("{}..AAAA.AAAA.AAAA", signed.split('.').next().unwrap())
}

#[tokio::test]
async fn tokens_that_cannot_be_read() {
    let setup = setup().await;
    let auth0 = "https://tenant.auth0.com/";
    let jwe = encrypted(&json!({ "alg": "dir", "enc": "A256GCM", "iss": auth0 }));
    let refresh = encrypted(&json!({ "cty": "JWT", "enc": "A256GCM", "alg": "RSA-OAEP" }));
    let other = encrypted(&json!({ "alg": "ECDH-ES", "enc": "A256GCM" }));
    let own = "https://login.example.com";
    let row = |about, issuer, token: &str, words| Row { about, issuer, token: token.to_owned(), kind: Segments, words };
    each(
        &setup,
        &[
            row("a JWE of Auth0", auth0, &jwe, &["JWE", "Auth0", "`audience`", "Applications > APIs"]),
            row("under a name of its own", own, &jwe, &["JWE", "Auth0"]),
            row("a refresh token of Cognito's", own, &refresh, &["Cognito's refresh tokens"]),
            row("another JWE", own, &other, &["JWE", "refresh token"]),
            row("no header", own, "a.b.c.d.e", &["JWE", "refresh token"]),
            row("opaque, of Auth0", auth0, "vP3kq0Zx9", &["opaque", "`audience`"]),
            row("opaque, of Google", own, "ya29.a0AfH6SM", &["Google's access tokens are opaque"]),
            row("of GitHub", own, "gho_16C7e42F292c69C2E7", &["GitHub"]),
            row("opaque, of anybody", own, "vP3kq0Zx9", &["opaque", "introspection"]),
        ],
    )
    .await;
}

/// Tokens that look like an ID token and are none: only their audience is wrong.
#[tokio::test]
async fn a_guess_counts_also_what_speaks_against_it() {
    let setup = setup().await;
    let own = "https://login.example.com";
    let token = || of(&setup, own).audience("web").claim("nonce", "n").claim("at_hash", "h");
    let guessed = |token: TokenBuilder| {
        let (setup, token) = (&setup, token.sign());
        async move { hint(&explain(setup, own, &token).await).contains("ID token") }
    };
    assert!(guessed(token()).await);
    assert!(guessed(of(&setup, own).audience("web").claim("azp", "web")).await);
    assert!(!guessed(of(&setup, own).audience("web").claim("azp", "web").scope("read")).await);
    for for_access in [
        token().scope("read"),
        token().scope(""),
        token().claim("scp", json!(["read"])),
        token().claim("typ", "Bearer"),
        token().claim("typ", "DPoP"),
        token().claim("token_use", "access"),
        token().typ("at+jwt"),
        token().typ("application/AT+JWT"),
        token().claim("azpacr", "1"),
    ] {
        assert!(!guessed(for_access).await);
    }
    for says_so in [token().claim("typ", "ID").scope("read"), token().claim("token_use", "id").scope("openid")] {
        assert!(guessed(says_so).await, "a token that calls itself one is one");
    }
}

#[tokio::test]
async fn the_issuer_is_at_fault_before_anybody_is_an_attacker() {
    let setup = setup().await;
    let own = "https://login.example.com";
    let twice = setup.server.token().claims_json(&format!(r#"{{"iss":"{own}","sub":"a","sub":"b"}}"#)).sign();
    let kid = of(&setup, own).header("kid", 7).sign();
    let template = setup.server.token().payload_bytes(br#"{"iss":"x","groups":[a,b]}"#.to_vec()).sign();
    let row =
        |about, token: &String, kind| Row { about, issuer: own, token: token.clone(), kind, words: &["the issuer"] };
    let rows = [
        row("a claim twice", &twice, PayloadJson),
        row("a number as kid", &kid, HeaderMembers),
        row("a template", &template, PayloadJson),
    ];
    each(&setup, &rows).await;
    for Row { token, .. } in &rows {
        let explanation = explain(&setup, own, token).await;
        let text = hint(&explanation);
        let attacker = text.find("attacker").or_else(|| text.find("by hand"));
        assert!(attacker.is_none_or(|attacker| text.find("the issuer").unwrap() < attacker), "{text}");
    }
    assert_eq!(actual(&explain(&setup, own, &kid).await, HeaderMembers), "kid: 7");
    assert!(hint(&explain(&setup, own, &twice).await).contains("`sub` twice"), "the hint names the member");
}

#[tokio::test]
async fn a_text_for_a_number_is_shown_with_its_quotes() {
    let setup = setup().await;
    let own = "https://login.example.com";
    for (claim, kind) in [("exp", Expiry), ("nbf", NotBefore), ("iat", IssuedAt)] {
        for (value, shown) in [
            (json!("1700000000"), r#""1700000000""#),
            (json!("2026-01-01T00:00:00Z"), r#""2026-01-01T00:00:00Z""#),
            (json!([1]), "[1]"),
            (json!(true), "true"),
        ] {
            let explanation = explain(&setup, own, &of(&setup, own).claim(claim, value.clone()).sign()).await;
            assert_eq!(explanation.first_failure().unwrap().kind, kind, "{claim}: {value}");
            assert_eq!(actual(&explanation, kind), shown, "{claim}: {value}");
            let says = [format!("`{claim}`"), "seconds".to_owned()];
            assert!(says.iter().all(|words| hint(&explanation).contains(words)), "{}", hint(&explanation));
            assert_eq!(hint(&explanation).contains("without quotes"), value.is_string(), "{}", hint(&explanation));
        }
    }
}

#[tokio::test]
async fn the_type_of_access_tokens_is_a_setting_of_the_provider() {
    let setup = setup().await;
    let rows = [
        ("https://login.example.com/realms/shop", "in Keycloak switch on"),
        ("https://tenant.auth0.com/", "in Auth0 set"),
        ("https://login.example.com", "have the issuer write it"),
    ];
    for (issuer, words) in rows {
        let strict = Verifier::rfc9068(setup.jwks.clone(), issuer, AUDIENCE).build().unwrap();
        let explanation = strict.explain(&of(&setup, issuer).sign(), setup.clock.now()).await;
        assert_eq!(explanation.first_failure().unwrap().kind, Type, "{issuer}");
        assert!(hint(&explanation).contains(words), "{issuer}: {}", hint(&explanation));
    }
}

#[tokio::test]
async fn a_rule_s_row_tells_a_text_from_a_number() {
    let setup = setup().await;
    let secure = Secure::new(Verifier::from(setup.jwks.clone())).claim_value("level", 7);
    for (value, shown) in [(json!("7"), r#""7""#), (json!(8), "8"), (json!(["7"]), r#"["7"]"#)] {
        let field = format!("Bearer {}", of(&setup, "https://login.example.com").claim("level", value).sign());
        let explanation = explain_request(&secure, &[field.as_bytes()], setup.clock.now()).await;
        assert_eq!(actual(&explanation, Claim), shown);
    }
}

#[tokio::test]
async fn scopes_under_another_name() {
    let setup = setup().await;
    let v2 = entra(2);
    let verifier = Verifier::builder(setup.jwks.clone()).build().unwrap();
    let rows = [
        ("read", of(&setup, "https://cognito-idp.eu-west-1.amazonaws.com/x").scope("orders/read"), "Cognito"),
        ("api://orders/read", of(&setup, &v2).claim("scp", "read"), "Entra ID grants `read`"),
        ("read", of(&setup, &v2).claim("roles", json!(["Orders.Read"])), "app permissions in `roles`"),
        ("read", of(&setup, &v2).claim("idtyp", "app"), "claim rule on `roles`"),
        ("read", of(&setup, &v2).claim("scp", "other"), "was not granted"),
        ("read", of(&setup, &v2).claim("scp", "unread"), "was not granted"),
    ];
    for (asked, token, words) in rows {
        let field = format!("Bearer {}", token.sign());
        let secure = Secure::new(verifier.clone()).scope([asked]);
        let explanation = explain_request(&secure, &[field.as_bytes()], setup.clock.now()).await;
        assert_eq!(explanation.first_failure().unwrap().kind, Scope, "{asked}");
        assert!(hint(&explanation).contains(words), "{asked}: {words} is not in: {}", hint(&explanation));
    }
}

#[tokio::test]
async fn hostile_names_of_issuers_steer_no_guess_into_a_panic() {
    let setup = setup().await;
    for issuer in
        ["", "https://", "https://sts.windows.net", "://", "https://login.microsoftonline.com", "/realms/", "a/realms/"]
    {
        for expected in ["https://sts.windows.net/", "https://x.example/realms/", "https://d.okta.com/oauth2/default"] {
            let explanation = explain(&setup, expected, &of(&setup, issuer).sign()).await;
            assert_eq!(explanation.refusal().unwrap().code(), "wrong_issuer", "{issuer} for {expected}");
        }
    }
    let nobody = Verifier::from(JwksService::empty());
    assert!(nobody.explain("ya29.x", setup.clock.now()).await.refusal().is_some());
}
