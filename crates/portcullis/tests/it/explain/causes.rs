//! For each kind of broken token: the first failed check names the true cause, and the hint is right.

use std::time::Duration;

use portcullis::{
    CheckKind::{self, *},
    ClientAuthentication, Explanation, Introspector, JwksService, Secure, Verifier, VerifierBuilder,
};
use portcullis_testkit::{Algorithm, Attack, SigningKey, TokenBuilder};
use serde_json::json;

use super::{AUDIENCE, actual, hint};
use crate::support::{Setup, by, explain_request};

const ISSUER: &str = "https://login.example.com";

/// An issuer with a custom name, on a stopped clock, with ES256.
async fn setup() -> Setup {
    Setup::with(|server| server.algorithm(Algorithm::ES256).issuer(ISSUER), |jwks| jwks).await
}

fn ours(setup: &Setup) -> VerifierBuilder {
    Verifier::builder(setup.jwks.clone()).issuer(ISSUER).audience(AUDIENCE)
}

/// Asserts the first failed check of a report, and words of its hint.
fn says(about: &str, explanation: &Explanation, kind: CheckKind, words: &[&str]) {
    let failed = explanation.first_failure().unwrap_or_else(|| panic!("{about}: it passes"));
    assert_eq!(failed.kind, kind, "{about}: {failed:?}");
    for word in words {
        assert!(hint(explanation).contains(word), "{about}: {:?} is not in: {}", word, hint(explanation));
    }
}

async fn explain(setup: &Setup, verifier: VerifierBuilder, token: &str) -> Explanation {
    verifier.build().unwrap().explain(token, setup.clock.now()).await
}

/// Explains each row's token by the same verifier.
async fn each(rows: &[(&str, String, CheckKind, &[&str])], setup: &Setup) {
    let verifier = ours(setup).build().unwrap();
    for (about, token, kind, words) in rows {
        says(about, &verifier.explain(token, setup.clock.now()).await, *kind, words);
    }
}

#[tokio::test]
async fn tokens_that_were_spoilt_on_their_way() {
    let setup = setup().await;
    let good = setup.server.token().sign();
    let hostile = |attack| setup.server.hostile(attack);
    let (two_parts, _) = good.rsplit_once('.').unwrap();
    let (header, _) = good.split_once('.').unwrap();
    each(
        &[
            ("empty", String::new(), Credentials, &["empty"]),
            ("in quotes", format!("\"{good}\""), Characters, &["quotes"]),
            ("with the scheme", format!("Bearer {good}"), Characters, &["`Bearer`"]),
            ("with the field's name", format!("Authorization: Bearer {good}"), Characters, &["header field"]),
            ("in lines", good.replacen('.', ".\n", 1), Characters, &["white space", "lines"]),
            ("percent-encoded", good.replace('.', "%2E"), Characters, &["percent-encoded"]),
            ("a whole answer", format!("{{\"access_token\":\"{good}\"}}"), Characters, &["`access_token`"]),
            ("a placeholder", "<token>".into(), Characters, &["placeholder"]),
            ("shortened", format!("{}…", &good[..60]), Characters, &["only its beginning"]),
            ("shortened with dots", format!("{}...", &good[..30]), Segments, &["only its beginning"]),
            ("the header alone", header.into(), Segments, &["cut off"]),
            ("two parts", two_parts.into(), Segments, &["signature was cut off"]),
            ("four parts", hostile(Attack::FourParts), Segments, &["too many parts"]),
            ("opaque", "mF_9.B5f-4.1JqM".replace('.', ""), Segments, &["opaque", "introspection"]),
            ("a refresh token", "v1.MjQ1NjU4".replace('.', "-"), Segments, &["opaque", "refresh token"]),
            ("encrypted", hostile(Attack::Jwe), Segments, &["JWE", "refresh token"]),
            ("padded", hostile(Attack::PaddedBase64), Characters, &["padding"]),
            ("padded at the end", format!("{good}=="), SignatureEncoding, &["padding"]),
            ("the other alphabet", hostile(Attack::StandardAlphabet), PayloadEncoding, &["standard alphabet"]),
            ("one character short", good[..good.len() - 1].into(), SignatureEncoding, &["cut off"]),
            ("much too short", good[..good.len() - 30].into(), Signature, &["64 bytes", "cut off"]),
            ("too large", hostile(Attack::Oversized), Size, &["groups"]),
            ("no JSON", hostile(Attack::PayloadNotJson), PayloadJson, &["by hand"]),
            ("twice the same claim", hostile(Attack::DuplicateClaim), PayloadJson, &["differently"]),
            ("an array", hostile(Attack::NotAnObject), PayloadJson, &["objects"]),
        ],
        &setup,
    )
    .await;
}

#[tokio::test]
async fn headers_and_signatures_that_are_not_right() {
    let setup = setup().await;
    let hostile = |attack| setup.server.hostile(attack);
    let secret = SigningKey::from_secret(Algorithm::HS256, "shared", &[7; 32]);
    let minted = |key: &SigningKey| TokenBuilder::new(key, ISSUER, setup.clock.now());
    let keycloak_refresh = minted(&secret).claim("typ", "Refresh").sign();
    each(
        &[
            ("nobody signed", hostile(Attack::AlgNone), AlgorithmKnown, &["not signed"]),
            ("no algorithm", hostile(Attack::HeaderAlgMissing), HeaderMembers, &["names its algorithm"]),
            ("no such algorithm", hostile(Attack::UnknownAlgorithm), AlgorithmKnown, &["no such algorithm"]),
            ("a shared secret", minted(&secret).sign(), AlgorithmAllowed, &["shared secret"]),
            ("the public key as secret", hostile(Attack::AlgorithmConfusion), AlgorithmAllowed, &["public key"]),
            ("a refresh token of Keycloak's", keycloak_refresh, AlgorithmAllowed, &["refresh token"]),
            ("an extension", hostile(Attack::CriticalHeader), Extensions, &["extension"]),
            ("b64", hostile(Attack::UnencodedPayloadWithoutCrit), Extensions, &["extension"]),
            ("a number as kid", hostile(Attack::KidNotAString), HeaderMembers, &["by hand"]),
            ("a DPoP proof", hostile(Attack::DpopProof), Type, &["DPoP proof"]),
            ("a logout token", hostile(Attack::LogoutToken), Type, &["logout token"]),
            ("an ID token by its type", setup.server.token().typ("id_token").sign(), Type, &["ID token"]),
            ("its own key in the header", hostile(Attack::EmbeddedJwk), Signature, &["`jwk`", "never used"]),
            ("its own key by URL", hostile(Attack::JwkSetUrl), Signature, &["`jku`", "never used"]),
            ("another's key", hostile(Attack::ForgedKey), Signature, &["another key", "environment"]),
            ("a changed claim", hostile(Attack::FlippedPayloadBit), Signature, &["was changed"]),
            ("no signature", hostile(Attack::EmptySignature), Signature, &["empty"]),
            ("in DER", hostile(Attack::DerSignature), Signature, &["DER", "64 bytes"]),
            ("an unknown key", hostile(Attack::UnknownKey), KeyFound, &["fetched just now", "not among them"]),
        ],
        &setup,
    )
    .await;
}

#[tokio::test]
async fn times_that_are_not_right() {
    let setup = setup().await;
    let token = || setup.server.token();
    let (now, s) = (setup.clock.now(), Duration::from_secs);
    let in_milliseconds = 4_000_000_000_000_u64;
    each(
        &[
            (
                "just expired",
                token().issued_at(now - s(390)).expired_for(s(90)).sign(),
                Expiry,
                &["expired 90 s ago", "lifetime was 5 min", "clock"],
            ),
            (
                "long expired",
                token().issued_at(now - s(90_000)).expired_for(s(86_400)).sign(),
                Expiry,
                &["1 d ago", "get a new one"],
            ),
            ("over before it began", token().expired_for(s(60)).sign(), Expiry, &["before it was issued"]),
            ("minus one", setup.server.hostile(Attack::NegativeExpiry), Expiry, &["by hand"]),
            ("no end", token().without_claim("exp").sign(), Expiry, &["never expires"]),
            ("exp as text", setup.server.hostile(Attack::ExpiryAsString), Expiry, &["another form"]),
            ("clock skew", token().issued_at(now + s(90)).sign(), IssuedAt, &["clock", "90 s behind", "NTP", "leeway"]),
            ("clock skew by nbf", token().not_before_in(s(90)).sign(), NotBefore, &["clock", "90 s behind"]),
            ("not yet", token().not_before_in(s(7_200)).sign(), NotBefore, &["2 h from now", "not to be used before"]),
            ("milliseconds", token().claim("iat", in_milliseconds).sign(), IssuedAt, &["milliseconds"]),
        ],
        &setup,
    )
    .await;
    let reasons = [
        (token().expired_for(s(2_868_491)), "the token expired 33 d 4 h ago"),
        (token().not_before_in(s(7_200)), "the token becomes valid in 2 h (nbf)"),
        (token().issued_at(now + s(90)), "the token was issued 90 s in the future (iat): compare the clocks"),
    ];
    for (token, reason) in reasons {
        let explanation = explain(&setup, ours(&setup), &token.sign()).await;
        assert_eq!(explanation.refusal().map(ToString::to_string).as_deref(), Some(reason), "as its row has it");
    }
    let expired = token().issued_at(now - s(390)).expired_for(s(90)).sign();
    let explanation = explain(&setup, ours(&setup), &expired).await;
    assert!(actual(&explanation, Expiry).ends_with("Z, 90 s ago"), "{}", actual(&explanation, Expiry));
    assert!(actual(&explanation, IssuedAt).ends_with("Z, 6 min 30 s ago"), "{}", actual(&explanation, IssuedAt));
}

#[tokio::test]
async fn tokens_of_and_for_somebody_else() {
    let setup = setup().await;
    let token = || setup.server.token();
    let id_token = setup.server.hostile(Attack::IdToken);
    each(
        &[
            (
                "another API",
                token().audience("https://other.example.com").sign(),
                Audience,
                &["another API", "`resource`"],
            ),
            ("a slash in the audience", token().audience(format!("{AUDIENCE}/")).sign(), Audience, &["slash"]),
            ("no audience", token().without_claim("aud").sign(), Audience, &["ask for a token for this API"]),
            ("an ID token", id_token, Audience, &["ID token", "`nonce`"]),
            (
                "an ID token by azp",
                token().audience("web").claim("azp", "web").sign(),
                Audience,
                &["ID token", "`aud`"],
            ),
            (
                "an ID token of Cognito's",
                token().audience("x").claim("token_use", "id").sign(),
                Audience,
                &["ID token"],
            ),
            ("a refresh token", token().audience("x").claim("typ", "Refresh").sign(), Audience, &["refresh token"]),
            ("a slash in the issuer", token().issuer(format!("{ISSUER}/")).sign(), IssuerKnown, &["slash at its end"]),
            ("http", token().issuer("http://login.example.com").sign(), IssuerKnown, &["`http`"]),
            ("upper case", token().issuer("https://Login.example.com").sign(), IssuerKnown, &["upper and lower case"]),
            (
                "the test issuer",
                token().issuer("https://login.test.example.com").sign(),
                IssuerKnown,
                &["environment `test`", "production"],
            ),
            ("another realm", token().issuer(format!("{ISSUER}/realms/b")).sign(), IssuerKnown, &["tenant or realm"]),
            ("another issuer", token().issuer("https://evil.example.org").sign(), IssuerKnown, &["another issuer"]),
            ("no issuer", token().without_claim("iss").sign(), IssuerKnown, &["`iss`"]),
        ],
        &setup,
    )
    .await;
    let strict = || Verifier::rfc9068(setup.jwks.clone(), ISSUER, AUDIENCE);
    let plain = explain(&setup, strict(), &token().typ("JWT").sign()).await;
    says("no at+jwt", &plain, Type, &["at+jwt", "RFC 9068"]);
    let nameless = explain(&setup, strict(), &token().without_claim("client_id").sign()).await;
    says("no client_id", &nameless, RequiredClaims, &["`client_id`"]);
}

#[tokio::test]
async fn keys_that_are_not_there() {
    let setup = setup().await;
    let verifier = ours(&setup).build().unwrap();
    let seconds = Duration::from_secs;
    let now = || setup.clock.now();
    let old = setup.server.token().expires_in(seconds(3_600)).sign();
    verifier.verify(&old).await.unwrap();

    setup.server.rotate_and_withdraw();
    verifier.verify(&setup.server.token().sign()).await.unwrap();
    setup.clock.advance(seconds(120));
    says("rotated 2 min ago", &verifier.explain(&old, now()).await, KeyFound, &["rotated", "2 min ago", "new token"]);

    // Forged kids have used up their fetches: newer keys come with the next refresh only.
    for kid in 0..8 {
        verifier.verify(&setup.server.token().kid(format!("forged-{kid}")).sign()).await.unwrap_err();
    }
    setup.server.rotate();
    setup.clock.advance(seconds(9));
    let new = setup.server.token().kid("not-yet-here").sign();
    says(
        "before the next refresh",
        &verifier.explain(&new, now()).await,
        KeyFound,
        &["fetched 9 s ago", "fetched again in", "min"],
    );
    let kid = actual(&verifier.explain(&new, now()).await, KeyFound).to_owned();
    assert_eq!(kid, "kid not-yet-here");

    setup.server.fault(portcullis_testkit::Endpoint::Jwks, portcullis_testkit::Fault::Status(503));
    let jwks = by(&setup.clock, JwksService::builder(&setup.server.jwks_uri())).build().unwrap();
    let down = Verifier::from(jwks).explain(&old, now()).await;
    says("the server is down", &down, KeyFound, &["not available", "503", "not judged"]);
    assert!(!down.is_judged());
}

#[tokio::test]
async fn a_key_of_another_tenant() {
    let setup = setup().await;
    let partner =
        Setup::with(|server| server.algorithm(Algorithm::ES256).issuer("https://partner.example.org"), |jwks| jwks)
            .await;
    let theirs = Verifier::builder(partner.jwks.clone()).issuer(partner.server.issuer()).audience(AUDIENCE);
    let verifier = Verifier::any_of([ours(&setup), theirs]).unwrap();
    verifier.verify(&partner.server.token().sign()).await.unwrap();
    let confused = partner.server.token().issuer(ISSUER).kid("theirs-alone");
    partner.server.publish_jwk({
        let mut jwk = SigningKey::generate(Algorithm::ES256, "theirs-alone").public_jwk();
        jwk["alg"] = json!("ES256");
        jwk
    });
    partner.jwks.refresh().await.unwrap();
    let explanation = verifier.explain(&confused.sign(), setup.clock.now()).await;
    says("of another tenant", &explanation, KeyFound, &["https://partner.example.org", "another tenant"]);
}

#[tokio::test]
async fn what_an_endpoint_asks_for() {
    let setup = setup().await;
    let secure = Secure::new(ours(&setup).build().unwrap());
    let scoped = secure.clone().scope(["read", "write"]);
    let token = || setup.server.token();
    let roles = json!({ "roles": ["admin"] });
    let rows = [
        ("no scope", &scoped, token(), Scope, ["no scope at all", "`read`, `write`"]),
        ("one is missing", &scoped, token().scope("read"), Scope, ["`write` was not granted", "ask for it"]),
        ("several are missing", &scoped, token().scope("list"), Scope, ["`read`, `write` were not", "ask for them"]),
        ("an array", &scoped, token().claim("scope", json!(["read write"])), Scope, ["element of the array", "space"]),
        ("commas", &scoped, token().scope("read,write"), Scope, ["commas", "RFC 8693"]),
        (
            "commas in scp",
            &scoped,
            token().without_claim("scope").claim("scp", "read,write"),
            Scope,
            ["commas", "RFC 8693"],
        ),
        ("commas and spaces", &scoped, token().scope("read, write"), Scope, ["commas", "RFC 8693"]),
        ("commas in an element", &scoped, token().claim("scope", json!(["read,write"])), Scope, ["commas", "RFC 8693"]),
        (
            "a rule with a space",
            &secure.clone().scope(["read write"]),
            token(),
            Scope,
            ["no token can", "each value in quotes of its own"],
        ),
        (
            "a rule for a claim without a value",
            &secure.clone().claim_one_of("a", Vec::<String>::new()),
            token(),
            Claim,
            ["no token can", "at least one value"],
        ),
        ("upper case", &scoped, token().scope("Read write"), Scope, ["upper and lower case", "write the scope"]),
        ("permissions", &scoped, token().claim("permissions", json!(["read"])), Scope, ["`permissions`", "claim rule"]),
        ("no claim", &secure.clone().claim("tenant"), token(), Claim, ["no `tenant`", "access tokens"]),
        (
            "another value",
            &secure.clone().claim_value("tenant", 8),
            token().claim("tenant", 7),
            Claim,
            ["does not have", "endpoint"],
        ),
        (
            "a pattern for a value",
            &secure.clone().claim_value("tenant", "acme/*"),
            token().claim("tenant", "acme/eu"),
            Claim,
            ["`*` is a character", "`matches`"],
        ),
        (
            "text for a number",
            &secure.clone().claim_value("tenant", 7),
            token().claim("tenant", "7"),
            Claim,
            ["differs only in type", "number"],
        ),
        (
            "nested",
            &secure.clone().claim_value("roles", "admin"),
            token().claim("realm_access", roles),
            Claim,
            ["`/realm_access/roles`", "JSON Pointer"],
        ),
    ];
    for (about, secure, token, kind, words) in rows {
        let field = format!("Bearer {}", token.sign());
        says(about, &explain_request(secure, &[field.as_bytes()], setup.clock.now()).await, kind, &words);
    }
    let passed = explain_request(
        &scoped,
        &[format!("Bearer {}", token().scope("write read").sign()).as_bytes()],
        setup.clock.now(),
    )
    .await;
    assert_eq!((passed.verdict(), actual(&passed, Scope)), ("passed", "write read"));
}

#[tokio::test]
async fn fields_that_carry_no_token() {
    let setup = setup().await;
    let secure = Secure::new(ours(&setup).build().unwrap());
    let rows: [(&[&[u8]], &str); 4] = [
        (&[], "no Authorization field"),
        (&[b"Basic YWxpY2U6c2VjcmV0"], "`Authorization: Bearer TOKEN`"),
        (&[b"Bearer "], "empty"),
        (&[b"Bearer x", b"Bearer y"], "proxy"),
    ];
    for (fields, words) in rows {
        says(words, &explain_request(&secure, fields, setup.clock.now()).await, Credentials, &[words]);
    }
}

#[tokio::test]
async fn opaque_tokens_that_the_server_does_not_vouch_for() {
    let setup = setup().await;
    let client = ClientAuthentication::basic("test-client", "test-secret");
    let clock = setup.clock.clone();
    let introspector = Introspector::builder(&setup.server.url("/introspect"), client).clock(move || clock.now());
    let verifier = ours(&setup).introspection(introspector.build().unwrap()).build().unwrap();
    let now = setup.clock.now();
    says("unknown", &verifier.explain("never-issued", now).await, Introspection, &["revoked", "never issued"]);
    let other = setup.server.issue_opaque(setup.server.token().audience("other"));
    let explanation = verifier.explain(&other, now).await;
    says("for another API", &explanation, Audience, &["another API"]);
    setup.server.fault(portcullis_testkit::Endpoint::Introspection, portcullis_testkit::Fault::Status(500));
    let down = verifier.explain("asked-while-it-is-down", now).await;
    let endpoint = format!("the introspection endpoint {} has no answer", setup.server.url("/introspect"));
    says("down", &down, Introspection, &[&endpoint, "expected status 200, got 500", "was not judged"]);
    assert!(!hint(&down).contains("test-secret"), "{}", hint(&down));
    assert!(!down.is_judged());
}

#[tokio::test]
async fn how_the_key_was_found_is_told() {
    let setup = setup().await;
    let explanation = explain(&setup, ours(&setup), &setup.server.token().kid("k").sign()).await;
    assert_eq!(actual(&explanation, KeyFound), "kid k");
    let kid = setup.server.signing_key().kid().to_owned();
    let explanation = explain(&setup, ours(&setup), &setup.server.token().sign()).await;
    assert_eq!(actual(&explanation, KeyFound), format!("kid {kid}, found by it"));
    setup.server.rotate();
    setup.jwks.refresh().await.unwrap();
    let explanation = explain(&setup, ours(&setup), &setup.server.token().without_header("kid").sign()).await;
    assert_eq!(actual(&explanation, KeyFound), "no kid; 2 keys, each tried, for ES256");
    let expected = super::check(&explanation, KeyFound).expected.clone().unwrap();
    assert!(expected.starts_with("one of the 2 keys of http://127.0.0.1:"), "{expected}");
    assert!(expected.ends_with("/jwks, fetched less than a second ago"), "{expected}");
    let local = Verifier::builder(JwksService::from_pem(&setup.server.signing_key().public_pem()).unwrap());
    let explanation = explain(&setup, local, &setup.server.token().kid("any").sign()).await;
    assert_eq!(actual(&explanation, KeyFound), "kid any; one key without a kid for ES256");
}
