use portcullis_testkit::{Algorithm, AuthorizationServer, Builder, Endpoint};
use reqwest::StatusCode;

use crate::support::{Token, get, get_json};

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

fn builder() -> Builder {
    AuthorizationServer::builder().algorithm(Algorithm::ES256)
}

#[tokio::test]
async fn both_documents_name_the_endpoints() {
    let server = builder().start().await.unwrap();
    for path in [OPENID, OAUTH] {
        let document = get_json(server.url(path)).await;
        assert_eq!(document["issuer"], server.issuer());
        assert_eq!(document["jwks_uri"], server.jwks_uri());
        assert_eq!(document["token_endpoint"], server.url("/token"));
        assert_eq!(document["introspection_endpoint"], server.url("/introspect"));
        assert_eq!(document["grant_types_supported"][0], "client_credentials");
        let algorithms = &document["id_token_signing_alg_values_supported"];
        assert_eq!(algorithms[0], "ES256");
        for required in ["authorization_endpoint", "response_types_supported", "subject_types_supported"] {
            assert!(!document[required].is_null(), "{required}");
        }
    }
    assert_eq!(server.requests(Endpoint::OpenIdConfiguration), 1);
    assert_eq!(server.requests(Endpoint::OAuthMetadata), 1);
}

#[tokio::test]
async fn an_issuer_with_a_path_has_its_metadata_where_the_standards_say() {
    let server = builder().path("/tenant1").start().await.unwrap();
    let origin = format!("http://{}", server.address());
    assert_eq!(server.issuer(), format!("{origin}/tenant1"));
    assert_eq!(server.jwks_uri(), format!("{origin}/tenant1/jwks"));

    for url in [format!("{origin}/tenant1{OPENID}"), format!("{origin}{OAUTH}/tenant1")] {
        let document = get_json(&url).await;
        assert_eq!(document["issuer"], server.issuer(), "{url}");
        assert_eq!(document["jwks_uri"], server.jwks_uri(), "{url}");
    }
    for url in [format!("{origin}{OPENID}"), format!("{origin}/jwks")] {
        assert_eq!(get(&url).await.status(), StatusCode::NOT_FOUND, "{url}");
    }
    assert!(get(server.jwks_uri()).await.status().is_success());
}

#[tokio::test]
async fn a_document_can_be_absent() {
    let server = builder().openid_configuration(false).oauth_metadata(false).start().await.unwrap();
    for path in [OPENID, OAUTH] {
        assert_eq!(get(server.url(path)).await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(server.requests(Endpoint::OpenIdConfiguration), 1);
}

#[tokio::test]
async fn the_metadata_can_lie_about_the_issuer() {
    let lie = "https://liar.example";
    let server = builder().metadata_issuer(lie).start().await.unwrap();
    assert_eq!(get_json(server.url(OPENID)).await["issuer"], lie);
    let token = Token::read(&server.token().sign());
    assert_eq!(token.claims["iss"], server.issuer());
}

#[tokio::test]
async fn the_issuer_can_be_another() {
    let issuer = "https://idp.example.com";
    let server = builder().issuer(issuer).start().await.unwrap();
    assert_eq!(server.issuer(), issuer);
    let document = get_json(server.url(OAUTH)).await;
    assert_eq!(document["issuer"], issuer);
    assert_eq!(document["jwks_uri"], server.jwks_uri());
}
