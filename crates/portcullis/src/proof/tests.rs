//! Tests of proofs: each bad one is refused with its fault, and each good one is accepted.

mod key;
mod rows;
mod time;

use std::time::{Duration, SystemTime};

use portcullis_testkit::{Algorithm as Signing, SigningKey};
use serde_json::{Value, json};

use super::*;
use crate::{
    base64url,
    crypto::{Digest, sha256},
    keys::{KeyProblem, jwk_thumbprint},
    refusal::ProofFault,
};

const TOKEN: &[u8] = b"eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl";
const URL: &str = "https://api.example.com/orders";
const NOW: u64 = 1_800_000_000;

/// A client with a key, and the server that judges its proofs.
struct Bench {
    key: SigningKey,
    rules: DpopRules,
    keys: ClientKeys,
}

impl Bench {
    fn new(algorithm: Signing) -> Self {
        let key = SigningKey::generate(algorithm, "client");
        Self { key, rules: DpopRules::default(), keys: ClientKeys::default() }
    }

    fn jwk(&self) -> Value {
        // An Algorithm Key Pair has `alg` as a part of its type.
        let jwk = self.key.public_jwk();
        let unneeded = if jwk["kty"] == "AKP" { json!({ "kid": null }) } else { json!({ "kid": null, "alg": null }) };
        with(jwk, &unneeded)
    }

    fn jkt(&self) -> Digest {
        base64url::decode(jwk_thumbprint(&self.jwk()).unwrap()).unwrap().try_into().unwrap()
    }

    fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.key.algorithm().name(), "jwk": self.jwk() })
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
        let signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", base64url::encode(signature))
    }

    /// A good proof with these members put in place of its own; a null takes one away.
    fn proof(&self, header: &Value, claims: &Value) -> String {
        self.sign(&with(self.header(), header).to_string(), &with(good_claims(), claims).to_string())
    }

    fn good_proof(&self) -> String {
        self.proof(&json!({}), &json!({}))
    }

    fn judge(&self, proof: &str) -> Result<VerifiedProof, ProofFault> {
        self.judge_for(proof, "GET", URL)
    }

    fn judge_for(&self, proof: &str, method: &str, url: &str) -> Result<VerifiedProof, ProofFault> {
        let url = RequestUrl::parse(url);
        let request = ProofRequest { method, url: url.as_ref(), token: TOKEN, now: now(), nonces: None };
        UnverifiedProof::read(proof.as_bytes(), &request, &self.rules, &self.keys)?.verify(&self.jkt(), &self.keys)
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn good_claims() -> Value {
    json!({ "jti": "e1j3V_bKic8-LAEB", "htm": "GET", "htu": URL, "iat": NOW, "ath": base64url::encode(sha256(TOKEN)) })
}

fn with(mut object: Value, members: &Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => object.as_object_mut().unwrap().remove(name),
            value => object.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    object
}

/// The code of the verdict, `good` for a good proof.
fn code(verdict: Result<VerifiedProof, ProofFault>) -> &'static str {
    verdict.map_or_else(|fault| crate::refusal::Refusal::Proof(fault).code(), |_| "good")
}

#[test]
fn a_good_proof_is_accepted_by_each_algorithm_again_and_again() {
    for algorithm in [
        Signing::RS256,
        Signing::PS256,
        Signing::ES256,
        Signing::ES384,
        Signing::ES512,
        Signing::EdDSA,
        Signing::Ed25519,
        Signing::MlDsa44,
    ] {
        let bench = Bench::new(algorithm);
        for jti in ["first", "second", "third"] {
            let proof = bench.proof(&json!({}), &json!({ "jti": jti }));
            assert_eq!(code(bench.judge(&proof)), "good", "{algorithm}");
            let header = proof.split('.').next().unwrap();
            assert!(bench.keys.find(header.as_bytes()).is_some(), "{algorithm}");
        }
    }
}

#[test]
fn a_bad_form_is_refused() {
    let bench = Bench::new(Signing::ES256);
    let good = bench.good_proof();
    let [header, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let encoded = |text: &str| base64url::encode(text);
    let doubled = bench.header().to_string().replacen('{', r#"{"typ":"dpop+jwt","#, 1);
    let twice = good_claims().to_string().replacen('{', r#"{"jti":"other","#, 1);
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "not a JWT".to_owned(),
        format!("{header}.{payload}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}.{signature}="),
        format!("{header}=.{payload}.{signature}"),
        format!(" {good}"),
        format!("{good} "),
        format!("{good},{good}"),
        format!("{}.{payload}.{signature}", encoded("[]")),
        format!("{header}.{}.{signature}", encoded("[]")),
        format!("{header}.{}.{signature}", encoded("{")),
        bench.sign(&doubled, &good_claims().to_string()),
        bench.sign(&bench.header().to_string(), &twice),
        bench.proof(&json!({ "crit": [] }), &json!({})),
        bench.proof(&json!({ "crit": ["b64"], "b64": true }), &json!({})),
        bench.proof(&json!({ "b64": false }), &json!({})),
    ] {
        // An empty signature is well-formed and verifies nothing.
        let expected = if bad == format!("{header}.{payload}.") { "dpop_signature" } else { "malformed_dpop_proof" };
        assert_eq!(code(bench.judge(&bad)), expected, "{bad}");
    }
}

#[test]
fn a_claim_that_is_missing_or_of_another_type_is_refused() {
    let bench = Bench::new(Signing::ES256);
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        for value in [json!(null), json!(true), json!([]), json!({}), json!([1])] {
            let proof = bench.proof(&json!({}), &json!({ claim: value }));
            assert_eq!(code(bench.judge(&proof)), "malformed_dpop_proof", "{claim}: {value}");
        }
    }
    for (claims, expected) in [
        (json!({ "jti": 7 }), "malformed_dpop_proof"),
        (json!({ "jti": "" }), "malformed_dpop_proof"),
        (json!({ "jti": "j" }), "good"),
        (json!({ "jti": "j".repeat(256) }), "good"),
        (json!({ "jti": "j".repeat(257) }), "malformed_dpop_proof"),
        (json!({ "jti": "é".repeat(128) }), "good"),
        (json!({ "jti": "é".repeat(129) }), "malformed_dpop_proof"),
        (json!({ "jti": "j".repeat(10_000) }), "dpop_proof_too_large"),
        (json!({ "nonce": 7 }), "malformed_dpop_proof"),
        (json!({ "nonce": "of another server" }), "good"),
        (json!({ "exp": 1, "iss": 7, "aud": null, "more": {} }), "good"),
    ] {
        assert_eq!(code(bench.judge(&bench.proof(&json!({}), &claims))), expected, "{claims}");
    }
}

#[test]
fn the_length_is_limited() {
    let bench = Bench::new(Signing::ES256);
    for (length, expected) in [(4_000, "good"), (100_000, "dpop_proof_too_large")] {
        let proof = bench.proof(&json!({}), &json!({ "more": "x".repeat(length) }));
        assert_eq!(code(bench.judge(&proof)), expected, "{length}");
    }
    let limit = bench.good_proof().len();
    for (max_proof_bytes, expected) in [(limit, "good"), (limit - 1, "dpop_proof_too_large")] {
        let bench =
            Bench { rules: DpopRules { max_proof_bytes, ..DpopRules::default() }, ..Bench::new(Signing::ES256) };
        let proof = bench.good_proof();
        assert_eq!((code(bench.judge(&proof)), proof.len()), (expected, limit));
    }
}

#[test]
fn the_type_is_dpop_jwt() {
    let bench = Bench::new(Signing::ES256);
    for (typ, expected) in [
        (json!("dpop+jwt"), "good"),
        (json!("DPoP+JWT"), "good"),
        (json!("application/dpop+jwt"), "good"),
        (json!("APPLICATION/dpop+jwt"), "good"),
        (json!("text/dpop+jwt"), "dpop_type"),
        (json!("dpop"), "dpop_type"),
        (json!("JWT"), "dpop_type"),
        (json!("at+jwt"), "dpop_type"),
        (json!(""), "dpop_type"),
        (json!(7), "dpop_type"),
        (json!(null), "dpop_type"),
    ] {
        assert_eq!(code(bench.judge(&bench.proof(&json!({ "typ": typ }), &json!({})))), expected, "{typ}");
    }
}

#[test]
fn the_method_is_that_of_the_request_to_the_letter() {
    let bench = Bench::new(Signing::ES256);
    for (method, htm, expected) in [
        ("GET", "GET", "good"),
        ("PURGE", "PURGE", "good"),
        ("get", "get", "good"),
        ("GET", "get", "dpop_method"),
        ("GET", "Get", "dpop_method"),
        ("GET", "POST", "dpop_method"),
        ("GET", "GET ", "dpop_method"),
        ("GET", "", "dpop_method"),
    ] {
        let proof = bench.proof(&json!({}), &json!({ "htm": htm }));
        assert_eq!(code(bench.judge_for(&proof, method, URL)), expected, "{method}: {htm}");
    }
}

#[test]
fn the_token_is_the_one_that_is_presented() {
    let bench = Bench::new(Signing::ES256);
    let good = base64url::encode(sha256(TOKEN));
    for (ath, expected) in [
        (good.clone(), "good"),
        (format!("{good}="), "dpop_wrong_token"),
        (good.replace('-', "+").replace('_', "/") + " ", "dpop_wrong_token"),
        (good.to_lowercase(), "dpop_wrong_token"),
        (base64url::encode(sha256(b"another token")), "dpop_wrong_token"),
        (base64url::encode(sha256(&base64url::decode("e30").unwrap())), "dpop_wrong_token"),
        (good[..42].to_owned(), "dpop_wrong_token"),
        (String::new(), "dpop_wrong_token"),
    ] {
        let proof = bench.proof(&json!({}), &json!({ "ath": ath }));
        assert_eq!(code(bench.judge(&proof)), expected, "{ath}");
    }
}

#[test]
fn the_url_is_that_of_the_request() {
    let bench = Bench::new(Signing::ES256);
    for (htu, expected) in [
        ("https://api.example.com/orders", "good"),
        ("HTTPS://API.example.COM:443/%6Frders?a=b#c", "good"),
        ("https://api.example.com/Orders", "dpop_url"),
        ("https://api.example.com/orders/", "dpop_url"),
        ("http://api.example.com/orders", "dpop_url"),
        ("https://user@api.example.com/orders", "dpop_url"),
        ("https:\\\\api.example.com\\orders", "dpop_url"),
        (" https://api.example.com/orders", "dpop_url"),
        ("/orders", "dpop_url"),
        ("", "dpop_url"),
    ] {
        let proof = bench.proof(&json!({}), &json!({ "htu": htu }));
        assert_eq!(code(bench.judge(&proof)), expected, "{htu}");
    }
    assert_eq!(code(bench.judge_for(&bench.good_proof(), "GET", "no URL")), "dpop_url_unknown");
}

#[test]
fn a_proof_has_one_name_for_each_key_method_url_and_jti() {
    let bench = Bench::new(Signing::ES256);
    let id = |claims: &Value| {
        let claims = with(good_claims(), claims);
        let (method, url) = (claims["htm"].as_str().unwrap(), claims["htu"].as_str().unwrap());
        bench.judge_for(&bench.proof(&json!({}), &claims), method, url).map(|proof| proof.id).unwrap()
    };
    let first = id(&json!({}));
    for same in [
        json!({}),
        json!({ "iat": NOW - 7 }),
        json!({ "more": 1 }),
        json!({ "htu": "https://API.example.com:443/./orders" }),
        json!({ "htu": "https://api.example.com/orders?page=2" }),
    ] {
        assert!(id(&same) == first, "{same}");
    }
    for other in [
        json!({ "jti": "other" }),
        json!({ "jti": "e1j3V_bKic8-LAEb" }),
        json!({ "htm": "POST" }),
        json!({ "htu": "https://api.example.com/orders/7" }),
        json!({ "htu": "https://api.example.com/order", "jti": "se1j3V_bKic8-LAEB" }),
    ] {
        assert!(id(&other) != first, "{other}");
    }
    let another = Bench::new(Signing::ES256);
    assert!(another.judge(&another.good_proof()).unwrap().id != first, "another client may use the same jti");
}
