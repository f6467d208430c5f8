use super::*;

#[test]
fn each_shape_is_whole() {
    for provider in all() {
        let name = provider.name();
        assert!(provider.header()["alg"].is_string() && provider.claims()["exp"].is_number(), "{name}");
        assert_eq!(provider.issuer(), provider.claims().get("iss").and_then(Value::as_str), "{name}");
        assert_eq!(
            provider.metadata().map(|metadata| &metadata["issuer"]),
            provider.metadata().map(|_| &provider.claims()["iss"]),
            "{name}"
        );
        let token = provider.token(&provider.new_key(), SystemTime::now());
        assert!(token.sign().split('.').count() == 3, "{name}");
    }
}

#[test]
fn a_provider_moves_to_another_origin_with_all_its_urls() {
    let moved = google().at("http://127.0.0.1:1");
    assert_eq!(moved.issuer(), Some("http://127.0.0.1:1"));
    assert_eq!(moved.jwks_uri(), Some("http://127.0.0.1:1/oauth2/v3/certs"));
    assert_eq!(moved.claims()["iss"], "http://127.0.0.1:1");
    assert_eq!(moved.claims()["aud"], google().claims()["aud"]);
    assert_eq!(auth0().at("http://127.0.0.1:1").issuer(), Some("http://127.0.0.1:1/"));
}

#[test]
fn keys_are_published_with_the_members_of_the_provider() {
    let key = spring_authorization_server().new_key();
    let published = spring_authorization_server().published(&key);
    assert!(published.get("alg").is_none() && published.get("use").is_none(), "{published}");
    assert_eq!(keycloak().new_other_keys()[0]["use"], "enc");
}
