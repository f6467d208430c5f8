//! Token exchange (RFC 8693) by Keycloak's standard token exchange, as docs/gateway.md has it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::{browser::Realm, support::Gateway};

impl Realm {
    /// Returns a token of a client that acts for itself, and whose tokens are for the gateway.
    async fn token_for_gateway(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", "web-shop"), ("client_secret", "robot-secret")];
        self.browser().token(&form).await
    }
}

/// Starts a gateway that exchanges tokens as this client of the realm.
async fn exchanging(realm: &Realm, client_id: &str) -> Gateway {
    let issuer = &realm.issuer;
    let tables = format!(
        "[[issuers]]\nissuer = \"{issuer}\"\naudience = [\"gateway\", \"https://api.example.com\"]\n\
         [issuers.exchange]\nendpoint = \"{issuer}/protocol/openid-connect/token\"\nclient_id = \"{client_id}\"\n\
         client_secret_file = \"secret\"\nmay_outlive = \"10m\"\n\
         [[routes]]\npath = \"/stock/*\"\nexchange = {{ audience = \"inventory\" }}\n\
         [[routes]]\npath = \"/elsewhere/*\"\nexchange = {{ audience = \"robot\" }}\n"
    );
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    gateway
}

fn claims(token: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn its_tokens_are_exchanged_for_those_of_another_service() {
    let realm = Realm::running();
    let gateway = exchanging(&realm, "gateway").await;
    let token = realm.token_for_gateway().await;
    for _ in 0..2 {
        let answer = gateway.ask("GET", "/stock/1", Some(&token)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let handed_on = claims(answer.header("authorization").unwrap().strip_prefix("Bearer ").unwrap());
        assert_eq!((&handed_on["aud"], &handed_on["azp"]), (&"inventory".into(), &"gateway".into()));
        assert_eq!(handed_on["sub"], claims(&token)["sub"], "whose token it is stays the same");
    }
}

#[tokio::test]
async fn a_refusal_of_its_is_told_as_one() {
    let realm = Realm::running();
    let gateway = exchanging(&realm, "gateway").await;
    let token = realm.token_for_gateway().await;
    // The upstream is in no scope of the gateway's client; the token is not for the gateway.
    for (path, token) in [("/elsewhere/1", &token), ("/stock/1", &realm.robot_token().await)] {
        let answer = gateway.ask("GET", path, Some(token)).await;
        assert_eq!((answer.status, &*answer.code()), (403, "exchange_refused"), "{path}: {answer:?}");
    }
    // Its switch is off.
    let gateway = exchanging(&realm, "gateway-without-exchange").await;
    let answer = gateway.ask("GET", "/stock/1", Some(&token)).await;
    assert_ne!(answer.status, 200, "{answer:?}");
    assert!(answer.code().starts_with("exchange_"), "{answer:?}");
}
