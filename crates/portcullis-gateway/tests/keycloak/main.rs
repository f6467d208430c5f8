//! Step-up authentication (RFC 9470) and sender-constrained tokens with a third-party authorization server: Keycloak asks for a
//! password at the level `silver`, and for a one-time code at `gold`; it binds tokens to keys and certificates.
//!
//! `cargo xtask test` installs and starts Keycloak, and names its address in `PORTCULLIS_KEYCLOAK`.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on fails"
)]

mod browser;
mod doors;
mod exchange;
mod sender;
#[path = "../it/support.rs"]
#[allow(dead_code, reason = "the gateway's other tests use more of it")]
mod support;
#[path = "../it/terminal.rs"]
#[allow(dead_code, reason = "the gateway's other tests use more of it")]
mod terminal;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use browser::Realm;
use doors::{AUDIENCE, Doors, challenge, protected_resource, tables};
use portcullis_testkit::{Algorithm, AuthorizationServer, ClientIdentity, DpopClient, provider};
use sender::Names;
use serde_json::Value;
use support::{Answer, text};
use terminal::Desk;

/// The time limit for an event.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn its_tokens_pass_at_every_door() {
    let realm = Realm::running();
    let doors = Doors::before(&realm).await;
    for token in [realm.robot_token().await, realm.browser().log_in(&[]).await.token] {
        assert_eq!(doors.ask("/plain", &token).await.status, 200);
        let ran = Desk::new(&[]).run(&["explain", "--issuer", &realm.issuer, "--audience", AUDIENCE], &token).await;
        assert!(ran.out.starts_with("passed: the token is good"), "{ran:?}");
    }
}

#[tokio::test]
async fn its_url_is_all_that_a_first_configuration_needs() {
    let realm = Realm::running();
    let desk = Desk::new(&[]);
    let ran = desk.run(&["init", "--issuer", &realm.issuer, "--audience", AUDIENCE], "").await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    let explain = ["explain", "--config", "portcullis.toml", "--path", "/orders/1"];
    let ran = desk.run(&explain, &realm.robot_token().await).await;
    assert!(ran.out.starts_with("passed: the token is good"), "{ran:?}");
}

/// The provider book rests on it.
#[tokio::test]
async fn the_test_kit_s_shape_is_its_own() {
    let realm = Realm::running();
    let shape = AuthorizationServer::builder().provider(provider::keycloak()).start().await.unwrap();
    let (own, shaped) = (published(&realm.issuer).await, published(shape.issuer()).await);
    assert_eq!(own, shaped);
    let (own, shaped) = (realm.robot_token().await, shape.token().sign());
    assert_eq!(members(&own, 0), members(&shaped, 0));
    let (own, shaped) = (members(&own, 1), members(&shaped, 1));
    for claim in ["exp", "iat", "jti", "iss", "aud", "sub", "typ", "azp", "acr", "scope"] {
        assert!(own.contains(claim) && shaped.contains(claim), "{claim}: {own:?}");
    }
}

/// Returns the names of the members of each key, by its use.
async fn published(issuer: &str) -> BTreeMap<String, BTreeSet<String>> {
    let get = async |url: String| support::client().get(url).send().await.unwrap().json::<Value>().await.unwrap();
    let metadata = get(format!("{issuer}/.well-known/openid-configuration")).await;
    let keys = get(metadata["jwks_uri"].as_str().unwrap().to_owned()).await;
    let of_key = |key: &Value| (key["use"].as_str().unwrap().to_owned(), names(key));
    keys["keys"].as_array().unwrap().iter().map(of_key).collect()
}

/// Returns the names of the members in a part of a token.
fn members(token: &str, part: usize) -> BTreeSet<String> {
    let part = token.split('.').nth(part).unwrap();
    names(&serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
}

fn names(object: &Value) -> BTreeSet<String> {
    object.as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn a_client_that_follows_the_challenge_gets_a_stronger_token_and_passes() {
    let realm = Realm::running();
    let (doors, mut browser) = (Doors::before(&realm).await, realm.browser());
    let silver = browser.log_in(&[]).await;
    assert_eq!(silver.asked, ["password"]);
    assert_eq!(doors.ask("/plain", &silver.token).await.status, 200);
    let demands = demands(&doors.ask("/gold", &silver.token).await);
    assert_eq!(demands, [pair("acr_values", "gold")]);

    let gold = browser.log_in(&demands).await;
    assert_eq!(gold.asked, ["one-time code"], "the session has the password already");
    for path in ["/plain", "/gold"] {
        assert_eq!(doors.ask(path, &gold.token).await.status, 200, "{path}");
    }
    assert_eq!(doors.ask("/gold", &silver.token).await.status, 401, "the old token is as weak as before");
}

#[tokio::test]
async fn a_user_whose_login_is_too_long_ago_logs_in_again() {
    let realm = Realm::running();
    let (doors, mut browser) = (Doors::before(&realm).await, realm.browser());
    let first = browser.log_in(&[]).await;
    assert_eq!(doors.ask("/recent", &first.token).await.status, 200);
    until_refused(&doors, "/recent", &first.token).await;
    assert_eq!(demands(&doors.ask("/recent", &first.token).await), [pair("max_age", "5")]);

    // The session goes on, so that a request without `max_age` brings a new token with the old time of login.
    let renewed = browser.log_in(&[]).await;
    assert!(renewed.asked.is_empty(), "{:?}", renewed.asked);
    assert_eq!(doors.ask("/recent", &renewed.token).await.status, 401);

    let demands = demands(&doors.ask("/transfer", &renewed.token).await);
    assert_eq!(demands, [pair("acr_values", "gold"), pair("max_age", "5")]);
    let second = browser.log_in(&demands).await;
    assert_eq!(second.asked, ["password", "one-time code"]);
    for path in ["/transfer", "/recent", "/gold"] {
        assert_eq!(doors.ask(path, &second.token).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_client_that_acts_for_itself_has_no_time_of_login() {
    let realm = Realm::running();
    let (doors, token) = (Doors::before(&realm).await, realm.robot_token().await);
    for path in ["/gold", "/recent", "/transfer"] {
        let refused = doors.ask(path, &token).await;
        assert_eq!((refused.status, &*refused.code()), (401, "insufficient_user_authentication"), "{path}");
    }
}

#[tokio::test]
async fn a_bound_token_is_no_bearer_token() {
    let realm = Realm::running();
    let client = DpopClient::new(Algorithm::ES256);
    let (doors, names) = (Doors::before(&realm).await, Names::before(&realm).await);
    let introspecting = Doors::introspecting(&realm, &names).await;
    for token in [realm.token_for_key(&client).await, realm.token_for_certificate().await] {
        let refused = doors.ask("/plain", &token).await;
        assert_eq!((refused.status, &*refused.code()), (401, "sender_constrained_token"));
        let refused = introspecting.ask("/plain", &names.name(token)).await;
        assert_eq!((refused.status, &*refused.code()), (401, "sender_constrained_token"));
    }
    let unbound = names.name(realm.robot_token().await);
    assert_eq!(introspecting.ask("/plain", &unbound).await.status, 200);
}

#[tokio::test]
async fn a_token_passes_with_the_certificate_that_it_is_bound_to() {
    let realm = Realm::running();
    let token = realm.token_for_certificate().await;
    let names = Names::before(&realm).await;
    let other = ClientIdentity::self_signed("client");
    for (doors, token) in
        [(Doors::before(&realm).await, token.clone()), (Doors::introspecting(&realm, &names).await, names.name(token))]
    {
        assert_eq!(doors.ask_with_certificate("/plain", &token, &sender::certificate()).await.status, 200);
        let refused = doors.ask_with_certificate("/plain", &token, other.der()).await;
        assert_eq!((refused.status, &*refused.code()), (401, "wrong_certificate"));
    }
}

#[tokio::test]
async fn a_token_passes_with_a_proof_of_the_key_that_it_is_bound_to() {
    let (realm, url) = (Realm::running(), format!("{AUDIENCE}/dpop"));
    for algorithm in [Algorithm::ES256, Algorithm::EdDSA, Algorithm::PS256] {
        let (client, thief) = (DpopClient::new(algorithm), DpopClient::new(algorithm));
        let token = realm.token_for_key(&client).await;
        let names = Names::before(&realm).await;
        for (doors, token) in [
            (Doors::before(&realm).await, token.clone()),
            (Doors::introspecting(&realm, &names).await, names.name(token)),
        ] {
            let good = client.fields("GET", &url, &token);
            assert_eq!(doors.ask_with_proof(&good).await.0, 200, "{algorithm}");
            for (fields, code) in [
                (good, "dpop_replayed"),
                (thief.fields("GET", &url, &token), "dpop_wrong_key"),
                (client.fields("POST", &url, &token), "dpop_method"),
                (client.fields("GET", AUDIENCE, &token), "dpop_url"),
                (vec![("authorization", format!("DPoP {token}"))], "missing_dpop_proof"),
                (vec![("authorization", format!("Bearer {token}"))], "sender_constrained_token"),
            ] {
                assert_eq!(doors.ask_with_proof(&fields).await, (401, code.to_owned()), "{algorithm}");
            }
        }
    }
}

#[tokio::test]
async fn a_bearer_token_does_not_pass_where_proofs_are_required() {
    let realm = Realm::running();
    let (client, token) = (DpopClient::new(Algorithm::ES256), realm.robot_token().await);
    let doors = Doors::before(&realm).await;
    for (fields, code) in [
        (vec![("authorization", format!("Bearer {token}"))], "dpop_required"),
        (client.fields("GET", &format!("{AUDIENCE}/dpop"), &token), "unbound_token"),
    ] {
        assert_eq!(doors.ask_with_proof(&fields).await, (401, code.to_owned()));
    }
}

#[tokio::test]
async fn explain_tells_what_the_login_lacks() {
    let realm = Realm::running();
    let desk = Desk::new(&[("portcullis.toml", &text("", &tables(&realm)))]);
    let explain = async |path: &str, token: &str| {
        let told = desk.run(&["explain", "--config", "portcullis.toml", "--path", path], token).await.out;
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let silver = realm.browser().log_in(&[]).await.token;
    let without_scopes = realm.browser_for("shop-without-client-scopes").log_in(&[]).await.token;
    for (path, token, row, hint) in [
        ("/gold", &silver, "✗ acr", "`acr_values`"),
        ("/gold", &without_scopes, "✗ acr", "client scope `acr`"),
        ("/recent", &without_scopes, "✗ max_age", "client scope `basic`"),
        ("/recent", &realm.robot_token().await, "✗ max_age", "client scope `basic`"),
    ] {
        let told = explain(path, token).await;
        for words in ["refused: insufficient_user_authentication", row, hint] {
            assert!(told.contains(words), "{path}: {words} is not in: {told}");
        }
    }
}

#[tokio::test]
async fn clients_find_their_way_from_a_resource_to_it() {
    let realm = Realm::running();
    let resource = protected_resource(&realm).await;
    let ran = Desk::new(&[]).run(&["resource", &resource], "").await;
    assert!(ran.out.starts_with("good: clients can find their way"), "{ran:?}");
    assert!(ran.out.contains(&realm.issuer), "{ran:?}");
}

/// Waits until the time since the login is too long. Only one door is asked, since the time may come between two.
async fn until_refused(doors: &Doors, path: &str, token: &str) {
    let started = Instant::now();
    while doors.gateway.ask("GET", path, Some(token)).await.status == 200 {
        assert!(started.elapsed() < PATIENCE, "{path}: expected a refusal, got none");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Returns the parameters of a step-up challenge that the client takes over into its next authorization request.
fn demands(answer: &Answer) -> Vec<(String, String)> {
    let challenge = challenge(answer);
    assert_eq!(answer.status, 401, "{answer:?}");
    let parameters = challenge.strip_prefix("Bearer ").unwrap_or_else(|| panic!("no Bearer challenge: {challenge}"));
    let parameters: Vec<_> = parameters.split("\", ").filter_map(|parameter| parameter.split_once("=\"")).collect();
    assert!(parameters.contains(&("error", "insufficient_user_authentication")), "{challenge}");
    let wanted = parameters.into_iter().filter(|(name, _)| ["acr_values", "max_age"].contains(name));
    wanted.map(|(name, value)| pair(name, value.trim_end_matches('"'))).collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
