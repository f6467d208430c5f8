//! Token exchange (RFC 8693) by Keycloak's standard token exchange, as docs/gateway.md has it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use portcullis::{
    Access, ClientAuthentication, Exchanger, JwksService, Presented, Refusal, Secure, Target, Verifier, VerifierBuilder,
};
use serde_json::Value;

use crate::{browser::Realm, support::Gateway};

/// The lifetime of bob's tokens, and that of the tokens that the gateway's client gets for them.
const SHORT: u64 = 60;
const LONG: u64 = 600;

impl Realm {
    /// Returns a token of a client that acts for itself, and whose tokens are for the gateway.
    async fn token_for_gateway(&self) -> String {
        let form = [("grant_type", "client_credentials"), ("client_id", "web-shop"), ("client_secret", "robot-secret")];
        self.browser().token(&form).await
    }

    /// Returns a token of a user, by a client whose tokens are shorter than those of the gateway's client.
    async fn token_of_bob(&self) -> String {
        let form = [
            ("grant_type", "password"),
            ("client_id", "web-shop-with-short-tokens"),
            ("client_secret", "robot-secret"),
            ("username", "bob"),
            ("password", "bob-password"),
        ];
        self.browser().token(&form).await
    }
}

/// Starts a gateway that exchanges tokens as this client of the realm; Keycloak's metadata name the endpoint.
async fn exchanging(realm: &Realm, client_id: &str, further: &str) -> Gateway {
    let issuer = &realm.issuer;
    let tables = format!(
        "[[issuers]]\nissuer = \"{issuer}\"\naudience = [\"gateway\", \"https://api.example.com\"]\n\
         [issuers.exchange]\nclient_id = \"{client_id}\"\nclient_secret_file = \"secret\"\n{further}\n\
         [[routes]]\npath = \"/stock/*\"\nexchange = {{ audience = \"inventory\" }}\n\
         [[routes]]\npath = \"/elsewhere/*\"\nexchange = {{ audience = \"robot\" }}\n\
         [[routes]]\npath = \"/nowhere/*\"\nexchange = {{ audience = \"nobody\" }}\n"
    );
    let gateway = Gateway::start(&tables).await;
    gateway.ready().await;
    gateway
}

const MAY_OUTLIVE: &str = "may_outlive = \"10m\"";

fn claims(token: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn expiry(claims: &Value) -> u64 {
    claims["exp"].as_u64().unwrap()
}

/// Returns the lifetime in seconds.
fn life(claims: &Value) -> u64 {
    expiry(claims) - claims["iat"].as_u64().unwrap()
}

#[tokio::test]
async fn its_tokens_are_exchanged_for_those_of_another_service() {
    let realm = Realm::running();
    let gateway = exchanging(&realm, "gateway", MAY_OUTLIVE).await;
    for token in [realm.token_for_gateway().await, realm.token_of_bob().await] {
        let subject = claims(&token);
        for _ in 0..2 {
            let answer = gateway.ask("GET", "/stock/1", Some(&token)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let handed_on = claims(answer.header("authorization").unwrap().strip_prefix("Bearer ").unwrap());
            assert_eq!((&handed_on["aud"], &handed_on["azp"]), (&"inventory".into(), &"gateway".into()));
            assert_eq!(handed_on["sub"], subject["sub"], "whose token it is stays the same");
            assert_eq!(handed_on["preferred_username"], subject["preferred_username"]);
        }
    }
    assert_eq!(gateway.metric("portcullis_exchanges_total{outcome=\"issued\"}").await, 2.0, "one for each token");
}

/// Keycloak gives the exchanged token its full lifetime.
#[tokio::test]
async fn a_token_that_outlives_the_clients_is_handed_on_only_if_that_is_allowed() {
    let realm = Realm::running();
    let token = realm.token_of_bob().await;
    let subject = claims(&token);
    assert_eq!(life(&subject), SHORT);
    let strict = exchanging(&realm, "gateway", "").await;
    let answer = strict.ask("GET", "/stock/1", Some(&token)).await;
    assert_eq!((answer.status, &*answer.code()), (503, "exchange_unusable"), "{answer:?}");
    let told = strict.logged(|line| line["message"] == "token exchange failed").await;
    assert!(told["error"].as_str().unwrap().contains("allow it by `may_outlive`"), "{told}");

    let patient = exchanging(&realm, "gateway", MAY_OUTLIVE).await;
    let answer = patient.ask("GET", "/stock/1", Some(&token)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let handed_on = claims(answer.header("authorization").unwrap().strip_prefix("Bearer ").unwrap());
    assert_eq!(life(&handed_on), LONG);
}

/// The rules for tokens of the realm.
fn rules(realm: &Realm) -> VerifierBuilder {
    Verifier::builder(JwksService::discover(&realm.issuer).build().unwrap()).issuer(&realm.issuer)
}

/// Returns the access that a layer gives to a token.
async fn admitted(secure: &Secure, token: &str) -> Result<Access, Refusal> {
    let bearer = format!("Bearer {token}");
    let fields = [(AUTHORIZATION.as_str(), bearer.as_bytes())];
    let verdict = secure.judge(&Presented::new(&fields)).verdict().await;
    verdict.outcome.map(|admitted| admitted.access().unwrap().clone())
}

#[tokio::test]
async fn the_library_keeps_an_exchanged_token_no_longer_than_the_clients_is_good() {
    let realm = Realm::running();
    let client = ClientAuthentication::basic("gateway", "test-secret");
    let exchanger = Exchanger::discover(client, rules(&realm)).may_outlive(Duration::from_secs(LONG)).build().unwrap();
    let verifier = rules(&realm).audience("gateway").build().unwrap();
    let secure = Secure::new(verifier).exchange("inventory", &exchanger, Target::audience("inventory")).unwrap();
    let token = realm.token_of_bob().await;
    let access = admitted(&secure, &token).await.unwrap();
    let exchanged = access.exchange("inventory").await.unwrap();
    let end = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
    let (own, subject) = (claims(exchanged.token()), claims(&token));
    assert_eq!((life(&own), &own["sub"], &own["aud"]), (LONG, &subject["sub"], &"inventory".into()));
    assert_eq!(exchanged.until(), end(expiry(&subject)), "and not at {:?}", end(expiry(&own)));
    assert!(exchanged.until() > SystemTime::now());
    // It is kept, and not asked for again.
    assert_eq!(access.exchange("inventory").await.unwrap().token(), exchanged.token());
    assert_eq!(exchanger.status().endpoint, format!("{}/protocol/openid-connect/token", realm.issuer));
}

#[tokio::test]
async fn a_refusal_of_its_is_told_as_one() {
    let realm = Realm::running();
    let gateway = exchanging(&realm, "gateway", MAY_OUTLIVE).await;
    let (token, other) = (realm.token_for_gateway().await, realm.robot_token().await);
    for (path, token, error) in [
        // The upstream is in no scope of the gateway's client.
        ("/elsewhere/1", &token, "invalid_request"),
        // The token is not for the gateway.
        ("/stock/1", &other, "access_denied"),
    ] {
        let answer = gateway.ask("GET", path, Some(token)).await;
        assert_eq!((answer.status, &*answer.code()), (403, "exchange_refused"), "{path}: {answer:?}");
        assert!(!answer.body.contains(error), "the client is not told: {answer:?}");
        let told = gateway
            .logged(|line| {
                line["code"] == "exchange_refused"
                    && line["route"].as_str().is_some_and(|route| path.starts_with(route.trim_end_matches('*')))
            })
            .await;
        assert!(told["reason"].as_str().unwrap().contains(&format!("`{error}`")), "{told}");
    }
    // No client of the realm has this name.
    let answer = gateway.ask("GET", "/nowhere/1", Some(&token)).await;
    assert_eq!((answer.status, &*answer.code()), (503, "exchange_unavailable"), "{answer:?}");
    let told = gateway.logged(|line| line["message"] == "token exchange failed").await;
    assert!(told["error"].as_str().unwrap().contains("knows no client by the name in `audience`"), "{told}");
}

#[tokio::test]
async fn where_its_switch_is_off_no_token_is_exchanged() {
    let realm = Realm::running();
    let gateway = exchanging(&realm, "gateway-without-exchange", MAY_OUTLIVE).await;
    let answer = gateway.ask("GET", "/stock/1", Some(&realm.token_of_bob().await)).await;
    assert_eq!((answer.status, &*answer.code()), (403, "exchange_refused"), "{answer:?}");
    let told = gateway.logged(|line| line["code"] == "exchange_refused").await;
    assert!(told["reason"].as_str().unwrap().contains("`invalid_request`"), "{told}");
}
