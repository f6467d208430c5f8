//! The report's verdict is that of verification, for any token.

use std::time::Duration;

use portcullis::{
    Algorithm as Allowed, ClientAuthentication, IntrospectionForm, Introspector, JwksService, Secure, Verifier,
};
use portcullis_testkit::{Algorithm, Attack, AuthorizationServer, Endpoint, Fault, SigningKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{AUDIENCE, same};
use crate::support::{Setup, by, explain_request, judge};

/// Verifiers and layers with few and with many rules.
struct Doors {
    setup: Setup,
    verifiers: Vec<Verifier>,
    layers: Vec<Secure>,
}

impl Doors {
    async fn new(algorithm: Algorithm) -> Self {
        let setup = Setup::with(|server| server.algorithm(algorithm), |jwks| jwks).await;
        let issuer = setup.server.issuer();
        let ours = Verifier::builder(setup.jwks.clone()).issuer(issuer).audience(AUDIENCE).build().unwrap();
        let others = [
            Verifier::builder(setup.jwks.clone()).issuer(issuer).audience("other").audience(AUDIENCE),
            Verifier::builder(JwksService::empty()).issuer("https://partner.example.org"),
        ];
        let verifiers = vec![
            ours.clone(),
            Verifier::from(setup.jwks.clone()),
            Verifier::rfc9068(setup.jwks.clone(), issuer, AUDIENCE).build().unwrap(),
            Verifier::any_of(others).unwrap(),
            Verifier::builder(setup.jwks.clone())
                .dangerously_accept_tokens_without_expiry()
                .leeway(Duration::from_secs(300))
                .build()
                .unwrap(),
            Verifier::builder(setup.jwks.clone()).algorithms([Allowed::ES512]).types(["my+jwt"]).build().unwrap(),
            Verifier::builder(setup.jwks.clone())
                .max_token_lifetime(Duration::from_secs(200))
                .dangerously_accept_tokens_without_expiry()
                .issuer(issuer)
                .audience("other")
                .build()
                .unwrap(),
            Verifier::builder(setup.jwks.clone()).trust_domain("example.org").build().unwrap(),
            Verifier::from(JwksService::empty()),
            introspecting(&setup, IntrospectionForm::Json),
            introspecting(&setup, IntrospectionForm::Phantom),
        ];
        let by_other_claims = Verifier::builder(setup.jwks.clone()).scope_claims(["/realm_access/roles", "scp"]);
        let layers = vec![
            Secure::new(by_other_claims.build().unwrap()).scope(["admin"]),
            // A mistake, which no token meets.
            Secure::new(ours.clone()).claim_absent("/act~"),
            Secure::new(ours.clone()),
            Secure::new(ours.clone()).optional(),
            Secure::new(ours.clone()).scope(["read"]).any_scope(["write", "admin"]),
            Secure::new(ours.clone()).claim("tenant").claim_value("/realm_access/roles", "admin"),
            Secure::new(ours.clone()).scope(["read"]).claim_value("level", 3),
            Secure::new(ours.clone()).claim_one_of("level", [3, 4]).claim_matches("tenant", "*en*").claim_absent("act"),
            Secure::new(ours.clone())
                .implied_scopes("write", ["read"])
                .scope(["read"])
                .rule("no_tenant", |claims| claims.contains_key("tenant"))
                .unwrap(),
            Secure::new(ours.clone()).acr(["3", "urn:example:mfa"]).max_age(Duration::from_secs(60)).scope(["read"]),
            Secure::new(ours).max_token_bytes(900),
            Secure::new(introspecting(&setup, IntrospectionForm::Jwt)).scope(["read"]),
        ];
        Self { setup, verifiers, layers }
    }

    /// Compares the report with the verdict, at each door; `token` may be any bytes.
    async fn agree(&self, token: &[u8], about: &str) {
        if let Ok(text) = std::str::from_utf8(token) {
            for (door, verifier) in self.verifiers.iter().enumerate() {
                let explained = verifier.explain(text, self.setup.clock.now()).await;
                let verified = verifier.verify(text).await;
                let (explained, verified) = (explained.refusal(), verified.as_ref().err());
                assert!(same(explained, verified), "{about} at verifier {door}: {explained:?}, {verified:?}");
                // Once more: cached tokens and remembered refusals change nothing.
                let again = verifier.explain(text, self.setup.clock.now()).await;
                assert!(same(again.refusal(), verified), "{about} at verifier {door}, again: {again:?}, {verified:?}");
            }
        }
        self.fields_agree(&[[b"Bearer ", token].concat().as_slice()], about).await;
    }

    async fn fields_agree(&self, fields: &[&[u8]], about: &str) {
        for (door, secure) in self.layers.iter().enumerate() {
            let judged = judge(secure, fields).await;
            let explained = explain_request(secure, fields, self.setup.clock.now()).await;
            let (explained, judged) = (explained.refusal(), judged.as_ref().err());
            assert!(same(explained, judged), "{about} at layer {door}: {explained:?}, {judged:?}");
        }
    }
}

fn introspecting(setup: &Setup, form: IntrospectionForm) -> Verifier {
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let endpoint = format!("{}/introspect", setup.server.issuer());
    let introspector = Introspector::builder(&endpoint, client).form(form).clock(move || clock.now()).build().unwrap();
    let builder = Verifier::builder(setup.jwks.clone()).issuer(setup.server.issuer()).audience(AUDIENCE);
    builder.introspection(introspector).build().unwrap()
}

#[tokio::test]
async fn it_agrees_about_every_class_of_hostile_token() {
    for algorithm in [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA] {
        let doors = Doors::new(algorithm).await;
        for attack in Attack::ALL {
            doors.agree(doors.setup.server.hostile(*attack).as_bytes(), attack.name()).await;
        }
        assert_eq!(doors.setup.server.requests(Endpoint::Attacker), 0, "no URL in a token is followed");
    }
}

#[tokio::test]
async fn it_agrees_about_good_tokens_and_about_what_they_grant() {
    let doors = Doors::new(Algorithm::ES256).await;
    let good = || doors.setup.server.token();
    let roles = json!({ "roles": ["user", "admin"] });
    let tokens = [
        good(),
        good().scope("read"),
        good().scope("read write"),
        good().scope("read,write"),
        good().claim("scope", json!(["read", "write"])),
        good().claim("scp", json!(["read", "admin"])),
        good().claim("tenant", Value::Null),
        good().claim("tenant", 7).claim("realm_access", roles.clone()),
        good().claim("realm_access", roles).scope("read write"),
        good().scope("read").claim("level", 3.0),
        good().scope("read").claim("acr", "3"),
        good().scope("read").claim("acr", "3").claim("auth_time", 0),
        good().scope("read").claim("level", "3"),
        good().typ("JWT"),
        good().without_header("typ"),
        good().without_header("kid"),
        good().expired_for(Duration::from_secs(4)),
        good().not_before_in(Duration::from_secs(5)),
        good().audience(json!(["x", AUDIENCE])),
    ];
    for (row, token) in tokens.into_iter().enumerate() {
        doors.agree(token.sign().as_bytes(), &format!("row {row}")).await;
    }
}

#[tokio::test]
async fn it_agrees_whatever_stands_in_header_and_claims() {
    let doors = Doors::new(Algorithm::EdDSA).await;
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(0),
        json!(1e300),
        json!(4_000_000_000_u64),
        json!(""),
        json!("at+jwt"),
        json!("application/JWT"),
        json!("none"),
        json!("HS256"),
        json!(AUDIENCE),
        json!("https://partner.example.org"),
        json!("x".repeat(600)),
        json!([]),
        json!([AUDIENCE, 1]),
        json!({ "a": [] }),
    ];
    for value in values {
        for member in ["alg", "kid", "typ", "crit", "b64", "jku", "cty"] {
            let token = doors.setup.server.token().header(member, value.clone()).sign();
            doors.agree(token.as_bytes(), &format!("{member}: {value}")).await;
        }
        for claim in [
            "iss",
            "aud",
            "exp",
            "nbf",
            "iat",
            "sub",
            "jti",
            "scope",
            "scp",
            "tenant",
            "realm_access",
            "acr",
            "auth_time",
        ] {
            let token = doors.setup.server.token().claim(claim, value.clone()).sign();
            doors.agree(token.as_bytes(), &format!("{claim}: {value}")).await;
        }
    }
    for claim in ["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "client_id"] {
        let token = doors.setup.server.token().without_claim(claim).sign();
        doors.agree(token.as_bytes(), &format!("no {claim}")).await;
    }
}

#[tokio::test]
async fn it_agrees_about_every_form_of_the_field() {
    let doors = Doors::new(Algorithm::ES256).await;
    let token = doors.setup.server.token().scope("read").sign();
    let field = format!("bearer   {token}");
    let forms: [&[&[u8]]; 12] = [
        &[],
        &[b""],
        &[b"Bearer"],
        &[b"Bearer   "],
        &[b"Basic YWxpY2U6c2VjcmV0"],
        &[b"Bearer\tx"],
        &[b"Bearer x y"],
        &[b"Bearer \xff\xfe"],
        &[field.as_bytes()],
        &[field.as_bytes(), field.as_bytes()],
        &[b"Basic YWxpY2U6c2VjcmV0", field.as_bytes()],
        &[token.as_bytes()],
    ];
    for (row, fields) in forms.iter().enumerate() {
        doors.fields_agree(fields, &format!("row {row}")).await;
    }
}

#[tokio::test]
async fn it_agrees_about_opaque_tokens() {
    let doors = Doors::new(Algorithm::ES256).await;
    let server = &doors.setup.server;
    let good = server.issue_opaque(server.token().scope("read"));
    let revoked = server.issue_opaque(server.token());
    server.revoke(&revoked);
    let tokens = [
        good.clone(),
        server.issue_opaque(server.token()),
        revoked,
        server.issue_opaque(server.token().audience("other")),
        server.issue_opaque(server.token().issuer("https://else.example")),
        server.issue_opaque(server.token().not_before_in(Duration::from_secs(60))),
        server.issue_opaque(server.token().without_claim("exp")),
        "never-issued".to_owned(),
        "not a token".to_owned(),
        "a.b".to_owned(),
        "a.b.c.d".to_owned(),
    ];
    for token in &tokens {
        doors.agree(token.as_bytes(), token).await;
    }
    server.fault(Endpoint::Introspection, Fault::Status(500));
    doors.agree(b"asked-while-the-server-is-down", "down").await;
    doors.agree(good.as_bytes(), "answered before").await;
}

#[tokio::test]
async fn it_agrees_while_no_keys_can_be_had() {
    for fault in [Fault::Status(500), Fault::NotJson] {
        let doors = Doors::new(Algorithm::ES256).await;
        doors.setup.server.fault(Endpoint::Jwks, fault);
        let token = doors.setup.server.token().sign();
        doors.agree(token.as_bytes(), "no keys").await;
        doors.agree(doors.setup.server.hostile(Attack::Expired).as_bytes(), "no keys, and expired").await;
        doors.agree(doors.setup.server.hostile(Attack::WrongIssuer).as_bytes(), "no keys, and another issuer's").await;
        let explained = doors.verifiers[0].explain(&token, doors.setup.clock.now()).await;
        assert_eq!((explained.is_judged(), explained.verdict()), (false, "not_judged"));
    }
}

#[tokio::test]
async fn it_agrees_over_the_life_of_keys() {
    let doors = Doors::new(Algorithm::ES256).await;
    let old = doors.setup.server.token().sign();
    doors.agree(old.as_bytes(), "fresh").await;
    doors.setup.server.rotate_and_withdraw();
    doors.agree(old.as_bytes(), "rotated unseen").await;
    let new = doors.setup.server.token().sign();
    doors.agree(new.as_bytes(), "the new key").await;
    doors.agree(old.as_bytes(), "withdrawn").await;
    doors.setup.clock.advance(Duration::from_secs(200));
    doors.agree(new.as_bytes(), "200 s later").await;
    doors.setup.clock.advance(Duration::from_secs(200));
    doors.agree(new.as_bytes(), "expired").await;
}

#[tokio::test]
async fn it_agrees_about_local_keys() {
    let setup = Setup::new().await;
    let key = SigningKey::generate(Algorithm::ES256, "local");
    let secret = SigningKey::from_secret(Algorithm::HS256, "shared", &[7; 32]);
    let by_secret = Verifier::builder(JwksService::from_secret(&[7; 32]).unwrap());
    let verifiers = [
        Verifier::from(JwksService::from_pem(&key.public_pem()).unwrap()),
        Verifier::from(JwksService::from_json(&json!({ "keys": [key.public_jwk()] }).to_string()).unwrap()),
        Verifier::from(JwksService::from_secret(&[7; 32]).unwrap()),
        by_secret.algorithms([Allowed::HS256]).build().unwrap(),
    ];
    let now = std::time::SystemTime::now();
    let minted = |key: &SigningKey| portcullis_testkit::TokenBuilder::new(key, setup.server.issuer(), now);
    for key in [&key, &secret] {
        for token in [minted(key), minted(key).kid("other"), minted(key).without_header("kid")] {
            let token = token.sign();
            for (row, verifier) in verifiers.iter().enumerate() {
                let explained = verifier.explain(&token, now).await;
                let verified = verifier.verify(&token).await;
                assert_eq!(explained.refusal(), verified.as_ref().err(), "row {row}");
            }
        }
    }
}

/// One change to a token.
#[derive(Debug, Clone)]
enum Change {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<prop::sample::Index>;
        let telling = prop::sample::select(b".=+/-_ \"%\0\x1b\xffeyJ{".to_vec());
        prop_oneof![
            (at(), 0..8_u8).prop_map(|(at, bit)| Self::Flip(at, bit)),
            (at(), telling).prop_map(|(at, byte)| Self::Set(at, byte)),
            (at(), 1..40_usize).prop_map(|(at, count)| Self::Cut(at, count)),
            (at(), prop::collection::vec(any::<u8>(), 1..4)).prop_map(|(at, bytes)| Self::Insert(at, bytes)),
            at().prop_map(Self::Repeat),
        ]
    }

    fn apply(&self, token: &mut Vec<u8>) {
        if token.is_empty() {
            return;
        }
        let length = token.len();
        match self {
            Self::Flip(at, bit) => token[at.index(length)] ^= 1 << bit,
            Self::Set(at, byte) => token[at.index(length)] = *byte,
            Self::Cut(at, count) => drop(token.drain(at.index(length)..length.min(at.index(length) + count))),
            Self::Insert(at, bytes) => {
                drop(token.splice(at.index(length)..at.index(length), bytes.iter().copied()));
            }
            Self::Repeat(at) => token.extend_from_within(at.index(length)..),
        }
    }
}

#[test]
fn it_agrees_about_any_mutated_token() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let doors = runtime.block_on(Doors::new(Algorithm::EdDSA));
    let good = doors.setup.server.token().scope("read write").sign();
    let opaque = doors.setup.server.issue_opaque(doors.setup.server.token());
    let token = prop::sample::select(vec![good, opaque]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(300));
    let strategy = (token, prop::collection::vec(Change::any(), 0..3));
    runner
        .run(&strategy, |(token, changes)| {
            let mut token = token.into_bytes();
            changes.iter().for_each(|change| change.apply(&mut token));
            runtime.block_on(doors.agree(&token, &String::from_utf8_lossy(&token)));
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn a_layers_report_goes_by_the_time_that_it_is_asked_for() {
    let setup = Setup::new().await;
    let server = AuthorizationServer::builder().clock(setup.clock.clone()).start().await.unwrap();
    let jwks = by(&setup.clock, JwksService::builder(&server.jwks_uri())).build().unwrap();
    let verifier = Verifier::from(jwks);
    let token = server.token().sign();
    let later = setup.clock.now() + Duration::from_secs(3_600);
    assert!(verifier.explain(&token, setup.clock.now()).await.refusal().is_none());
    let explained = verifier.explain(&token, later).await;
    assert_eq!((explained.refusal().unwrap().code(), explained.now), ("expired", later));
}
