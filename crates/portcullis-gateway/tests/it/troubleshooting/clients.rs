//! Mistakes of clients: good tokens that are damaged on their way, and tokens that are not for an API.

use std::time::Duration;

use portcullis_testkit::{Algorithm, SigningKey, TokenBuilder};
use serde_json::json;

use super::{Issuer, Mistake, OWN};

pub(super) fn mistakes(issuer: &Issuer) -> Vec<Mistake> {
    let all = [spoilt(issuer), of_another_kind(issuer), out_of_time(issuer), of_another_place(issuer)];
    all.into_iter().flatten().collect()
}

fn spoilt(issuer: &Issuer) -> Vec<Mistake> {
    let good = issuer.token(OWN).sign();
    let is = |entry, token: String| Mistake::token(entry, token);
    vec![
        is("Clients: The token stands in quotes", format!("\"{good}\"")),
        is("Clients: `Bearer` stands twice", format!("Bearer {good}")),
        is("Clients: The token was copied from a log that cuts", format!("{}...", &good[..40])),
        is("Clients: The end of the token is missing", good[..good.len() - 1].to_owned()),
        is("Clients: The whole answer of the token endpoint is sent", format!("{{\"access_token\":\"{good}\"}}")),
        is("Clients: A placeholder is sent", "${ACCESS_TOKEN}".to_owned()),
        Mistake::question("Clients: The scheme is not `Bearer`", &[("Authorization", &good), URI, METHOD]),
        Mistake::question(
            "Clients: Two tokens are sent",
            &[("Authorization", "Bearer a.b.c"), ("Authorization", "Bearer d.e.f"), URI, METHOD],
        ),
    ]
}

const URI: (&str, &str) = ("X-Original-URI", "/any/x");
const METHOD: (&str, &str) = ("X-Original-Method", "GET");

fn of_another_kind(issuer: &Issuer) -> Vec<Mistake> {
    let secret = SigningKey::from_secret(Algorithm::HS256, "shared", &[7; 32]);
    let id = issuer.token(OWN).audience("web").claim("nonce", "n").claim("at_hash", "h");
    vec![
        Mistake::token(
            "Clients: The token is bound to a key",
            issuer.token(OWN).claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })).sign(),
        ),
        Mistake::token("Clients: The ID token is sent", id.sign()),
        Mistake::token(
            "Clients: The refresh token is sent",
            issuer.token(OWN).claim("typ", "Refresh").audience(OWN).sign(),
        ),
        Mistake::token("Clients: An opaque token is sent where JWTs are expected", "mF9B5f41JqM"),
        Mistake::token(
            "Clients: The token is signed with a shared secret",
            TokenBuilder::new(&secret, OWN, issuer.now).sign(),
        ),
        Mistake::token("Clients: The scope was not asked for", issuer.token(OWN).scope("openid profile").sign())
            .to("/orders/1"),
    ]
}

fn out_of_time(issuer: &Issuer) -> Vec<Mistake> {
    let s = Duration::from_secs;
    let expired = issuer.token(OWN).issued_at(issuer.now - s(3_690)).expired_for(s(90));
    let ahead = issuer.token(OWN).issued_at(issuer.now + s(240)).expires_in(s(900));
    vec![
        Mistake::token("Clients: The token has expired", expired.sign()),
        Mistake::token("Clients: The clocks differ", ahead.sign()),
        Mistake::token("Clients: `exp` is a text", issuer.token(OWN).claim("exp", "4102444800").sign()),
        Mistake::token("Clients: `exp` is missing", issuer.token(OWN).without_claim("exp").sign()),
    ]
}

fn of_another_place(issuer: &Issuer) -> Vec<Mistake> {
    let twice = format!(r#"{{"iss":"{OWN}","groups":[],"groups":["a"]}}"#);
    vec![
        Mistake::token(
            "Clients: The token is of another environment",
            issuer.token("https://login.test.example.com").sign(),
        ),
        Mistake::token(
            "Clients: The token is for another API",
            issuer.token(OWN).audience("https://other.example.com").sign(),
        ),
        Mistake::token(
            "Clients: The issuer's key is new, and keys come from a file",
            issuer.token(OWN).kid("k2").sign(),
        ),
        Mistake::token(
            "Clients: The issuer writes `kid` as a number",
            issuer.token(OWN).header("kid", json!(7)).sign(),
        ),
        Mistake::token("Clients: The issuer writes a claim twice", issuer.token(OWN).claims_json(&twice).sign()),
    ]
}
