//! From an issuer to its keys.

use http::StatusCode;
use portcullis::{JwksService, Secure, Verifier};
use portcullis_testkit::{AuthorizationServer, Builder, Endpoint, Fault};

use crate::support::{answer, app, bearer};

async fn verdict(
    configure: impl FnOnce(Builder) -> Builder,
) -> (Result<(), &'static str>, AuthorizationServer, String) {
    let server = configure(AuthorizationServer::builder()).start().await.unwrap();
    let jwks = JwksService::discover(server.issuer()).build().unwrap();
    let verifier = Verifier::builder(jwks.clone()).issuer(server.issuer()).build().unwrap();
    let verdict = verifier.verify(&server.token().sign()).await.map(|_| ()).map_err(|refusal| refusal.code());
    (verdict, server, jwks.status().last_error.unwrap_or_default())
}

#[tokio::test]
async fn openid_connect_metadata_lead_to_the_keys() {
    let (verdict, server, _) = verdict(|server| server).await;
    assert_eq!(verdict, Ok(()));
    assert_eq!(server.requests(Endpoint::OpenIdConfiguration), 1);
    assert_eq!(server.requests(Endpoint::OAuthMetadata), 0);
}

#[tokio::test]
async fn metadata_of_rfc_8414_do_where_there_are_no_others() {
    let (verdict, server, _) = verdict(|server| server.openid_configuration(false)).await;
    assert_eq!(verdict, Ok(()));
    assert_eq!(server.requests(Endpoint::OAuthMetadata), 1);
}

#[tokio::test]
async fn an_issuer_may_have_a_path() {
    for openid in [true, false] {
        let (verdict, ..) = verdict(|server| server.path("/tenant1").openid_configuration(openid)).await;
        assert_eq!(verdict, Ok(()), "OpenID Connect metadata: {openid}");
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_are_refused_to_the_letter() {
    let server = AuthorizationServer::start().await;
    let slash = format!("{}/", server.issuer());
    for lie in ["https://else.example", "HTTP://127.0.0.1", ""] {
        let (verdict, _, error) = verdict(|server| server.metadata_issuer(lie)).await;
        assert_eq!(verdict, Err("keys_unavailable"), "{lie:?}");
        assert!(error.contains("expected metadata of the issuer"), "{error}");
    }
    let with_slash = JwksService::discover(&slash).build().unwrap();
    let error = with_slash.prefetch().await.unwrap_err().to_string();
    assert!(error.contains("expected metadata of the issuer"), "{error}");
}

#[tokio::test]
async fn the_metadata_that_led_to_the_keys_are_told() {
    let server = AuthorizationServer::builder().openid_configuration(false).start().await.unwrap();
    let jwks = JwksService::discover(server.issuer()).build().unwrap();
    assert_eq!(jwks.metadata(), None);
    jwks.prefetch().await.unwrap();
    let metadata = jwks.metadata().unwrap();
    assert_eq!((metadata.issuer.as_str(), metadata.jwks_uri.clone()), (server.issuer(), server.jwks_uri()));
    assert_eq!(metadata.introspection_endpoint, Some(server.url("/introspect")));
    assert_eq!(metadata.id_token_algorithms, ["RS256"]);
    let by_uri = JwksService::new(&server.jwks_uri()).unwrap();
    by_uri.prefetch().await.unwrap();
    assert_eq!(by_uri.metadata(), None);
}

#[tokio::test]
async fn the_other_issuer_is_told_with_the_error() {
    let server = AuthorizationServer::builder().metadata_issuer("https://else.example").start().await.unwrap();
    let error = JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap_err();
    assert_eq!(error.other_issuer(), Some("https://else.example"));
    server.stop().await;
    let error = JwksService::discover(server.issuer()).build().unwrap().prefetch().await.unwrap_err();
    assert_eq!(error.other_issuer(), None);
}

#[tokio::test]
async fn no_metadata_no_keys() {
    let (verdict, _, error) = verdict(|server| server.openid_configuration(false).oauth_metadata(false)).await;
    assert_eq!(verdict, Err("keys_unavailable"));
    assert!(error.contains("404"), "{error}");
}

#[tokio::test]
async fn nonsense_for_metadata_is_an_outage() {
    let bodies = ["", "[]", "{}", r#"{"issuer":5,"jwks_uri":"x"}"#];
    for body in bodies {
        let server = AuthorizationServer::start().await;
        let fault = Fault::Body { content_type: "application/json".into(), body: body.into() };
        server.fault(Endpoint::OpenIdConfiguration, fault.clone());
        server.fault(Endpoint::OAuthMetadata, fault);
        let jwks = JwksService::discover(server.issuer()).build().unwrap();
        let error = jwks.prefetch().await.unwrap_err().to_string();
        assert!(error.contains("metadata"), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_jwks_uri_in_the_clear_is_not_followed() {
    let server = AuthorizationServer::start().await;
    let metadata = serde_json::json!({ "issuer": server.issuer(), "jwks_uri": "http://192.0.2.1/jwks" });
    let fault = Fault::Body { content_type: "application/json".into(), body: metadata.to_string() };
    server.fault(Endpoint::OpenIdConfiguration, fault);
    let jwks = JwksService::discover(server.issuer()).build().unwrap();
    let error = jwks.prefetch().await.unwrap_err().to_string();
    assert!(error.contains("jwks_uri") && error.contains("https"), "{error}");
}

#[tokio::test]
async fn the_metadata_are_asked_again_only_after_a_failure() {
    let server = AuthorizationServer::start().await;
    let jwks = JwksService::discover(server.issuer()).build().unwrap();
    jwks.prefetch().await.unwrap();
    jwks.refresh().await.unwrap();
    assert_eq!(server.requests(Endpoint::OpenIdConfiguration), 1);
    server.fault_once(Endpoint::Jwks, Fault::Status(404));
    jwks.refresh().await.unwrap_err();
    jwks.refresh().await.unwrap();
    assert_eq!(server.requests(Endpoint::OpenIdConfiguration), 2);
}

#[tokio::test]
async fn discovery_works_behind_a_layer() {
    let server = AuthorizationServer::start().await;
    let verifier = Verifier::discover(server.issuer()).unwrap().audience("https://api.example.com").build().unwrap();
    let app = app(Secure::new(verifier));
    assert_eq!(answer(&app, bearer(&server.token().sign())).await.status, StatusCode::OK);
}

#[test]
fn the_url_of_metadata_is_no_issuer_and_neither_is_plain_http() {
    for (issuer, expected) in [
        (
            "https://as.example.com/.well-known/openid-configuration",
            "`issuer`: expected the issuer, got the URL of its metadata or keys: write `https://as.example.com`, or the `iss`",
        ),
        (
            "https://me:secret@as.example.com/.well-known/oauth-authorization-server/a?secret",
            "write `https://…@as.example.com/a`",
        ),
        (
            "http://keycloak:8080/realms/shop",
            "`Verifier::builder(JwksService::discover(issuer).dangerously_allow_http().build()?).issuer(issuer)` permits it",
        ),
    ] {
        let error = Verifier::discover(issuer).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    assert!(JwksService::discover("https://as.example.com/.well-known/jwks.json").build().is_err());
    assert!(JwksService::new("https://as.example.com/.well-known/jwks.json").is_ok());
}
