//! Well-known providers: on loopback, and under their own names.

use portcullis_testkit::{AuthorizationServer, Provider, TokenBuilder, provider};
use serde_json::Value;

use crate::support::{Token, get, get_json};

fn claims(token: &str) -> Value {
    Token::read(token).claims
}

async fn serve(shape: Provider) -> AuthorizationServer {
    AuthorizationServer::builder().provider(shape).start().await.unwrap()
}

#[tokio::test]
async fn each_is_served_on_loopback_with_urls_of_its_own_form() {
    for shape in provider::all() {
        let (name, server) = (shape.name(), serve(shape.clone()).await);
        let origin = format!("http://{}", server.address());
        let token = server.token().sign();
        if shape.issuer().is_some() {
            assert_eq!(claims(&token)["iss"], server.issuer(), "{name}");
            assert!(server.issuer().starts_with(&origin), "{name}: {}", server.issuer());
        }
        let metadata = format!("{}/.well-known/openid-configuration", server.issuer().trim_end_matches('/'));
        let metadata = get(metadata).await;
        if metadata.status() == 200 {
            let metadata: Value = metadata.json().await.unwrap();
            assert_eq!(metadata["issuer"], server.issuer(), "{name}");
            assert_eq!(metadata["jwks_uri"], server.jwks_uri(), "{name}");
        }
        let (token, keys) = (Token::read(&token), get_json(server.jwks_uri()).await);
        assert!(token.header.get("kid").is_none() || token.verifies(&keys), "{name}");
    }
}

#[tokio::test]
async fn dates_are_those_of_now_and_the_rest_is_as_the_provider_writes_it() {
    let shape = provider::laravel_passport();
    let server = serve(shape.clone()).await;
    let token = claims(&server.token().sign());
    let now = server.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64();
    let iat = token["iat"].as_f64().unwrap();
    assert!((now - 3.0..now + 3.0).contains(&iat) && iat.fract() > 0.0, "{iat}");
    assert_eq!(token["scopes"], shape.claims()["scopes"]);
    assert_ne!(token["jti"], claims(&server.token().sign())["jti"]);
    // It is a builder like any other.
    let changed: TokenBuilder = server.token().claim("scopes", Vec::<String>::new()).without_claim("sub");
    assert!(claims(&changed.sign()).get("sub").is_none());
}

#[tokio::test]
async fn a_new_key_is_published_in_the_form_of_the_provider() {
    let server = serve(provider::entra_v1()).await;
    let key = server.rotate();
    let keys = get_json(server.jwks_uri()).await;
    let published = keys["keys"].as_array().unwrap().iter().find(|published| published["kid"] == key.kid()).unwrap();
    assert!(published.get("alg").is_none() && published["use"] == "sig", "{published}");
    assert_eq!(Token::read(&server.token().sign()).header["kid"], key.kid());
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn under_their_own_names_they_are_reached_through_the_proxy() {
    use portcullis_testkit::CertificateAuthority;

    for shape in [provider::google(), provider::keycloak()] {
        let authority = CertificateAuthority::new();
        let server = AuthorizationServer::builder()
            .provider(shape.clone())
            .by_its_names(authority.clone())
            .start()
            .await
            .unwrap();
        assert_eq!(Some(server.issuer()), shape.issuer());
        let client = reqwest::Client::builder()
            .proxy(reqwest::Proxy::https(server.proxy()).unwrap())
            .tls_certs_only([reqwest::Certificate::from_pem(authority.pem().as_bytes()).unwrap()])
            .build()
            .unwrap();
        let metadata =
            client.get(format!("{}/.well-known/openid-configuration", server.issuer())).send().await.unwrap();
        let metadata: Value = metadata.json().await.unwrap();
        assert_eq!(metadata["issuer"], server.issuer());
        let keys = client.get(metadata["jwks_uri"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(keys.status(), 200);
        // Nothing but the names of the provider has a certificate, and nothing but CONNECT is answered.
        assert!(client.get("https://example.com/").send().await.is_err());
        assert!(reqwest::get(server.proxy()).await.is_err());
    }
}
