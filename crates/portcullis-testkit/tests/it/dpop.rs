use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_testkit::{Algorithm, DpopAttempt, DpopCase, DpopClient, SigningKey, TestClock, TokenBuilder};
use serde_json::{Value, json};

use crate::support::{Token, verifies};

const URL: &str = "https://api.example.com/notes?page=2#top";
const HTU: &str = "https://api.example.com/notes";
const NONCE: &str = "Zm9vYmFyYmF6cXV4";

/// A client, its clock, and the source of its tokens.
struct Setup {
    client: DpopClient,
    clock: TestClock,
    good: TokenBuilder,
}

impl Setup {
    fn new(algorithm: Algorithm) -> Self {
        let clock = TestClock::new();
        let client = DpopClient::new(algorithm).with_clock(clock.clone());
        let key = SigningKey::generate(Algorithm::ES256, "k");
        let good = TokenBuilder::new(&key, "https://issuer.example.com", clock.now());
        Self { client, clock, good }
    }

    fn attempt(&self, case: DpopCase) -> DpopAttempt {
        self.client.attempt(case, "GET", URL, &self.good)
    }

    fn now(&self) -> u64 {
        self.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    }
}

fn values<'a>(fields: &'a [(&'static str, String)], name: &str) -> Vec<&'a str> {
    fields.iter().filter(|(found, _)| *found == name).map(|(_, value)| value.as_str()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, bytes))
}

/// The names of the points in which a proof differs from a good one for this token and this key.
fn differences(setup: &Setup, proof: &str, token: &str) -> Vec<&'static str> {
    let seen = Token::read(proof);
    let bound_to = &Token::read(token).claims["cnf"]["jkt"];
    let (header, claims) = (&seen.header, &seen.claims);
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty() && text.len() < 100);
    let good_alg = setup.client.key().algorithm().name();
    let signed =
        header["jwk"].is_object() && verifies(&header["jwk"], good_alg, seen.input.as_bytes(), &seen.signature);
    let points = [
        ("typ", header["typ"] == "dpop+jwt"),
        ("alg", header["alg"] == good_alg),
        ("jwk", header["jwk"] == setup.client.public_jwk()),
        ("crit", header["crit"].is_null()),
        ("htm", claims["htm"] == "GET"),
        ("htu", claims["htu"] == HTU),
        ("iat", claims["iat"] == setup.now()),
        ("ath", claims["ath"] == sha256(token.as_bytes())),
        ("jti", is_text(&claims["jti"])),
        ("nonce", claims["nonce"].is_null() || claims["nonce"] == NONCE),
        ("jkt", *bound_to == setup.client.thumbprint()),
        ("signature", signed),
        ("more", header.as_object().unwrap().len() + claims.as_object().unwrap().len() <= 3 + 6),
    ];
    points.iter().filter(|(_, is_good)| !is_good).map(|(name, _)| *name).collect()
}

/// The points in which each case's proof differs from a good one; `None` if it is no JWT of JSON objects.
fn expected(case: DpopCase) -> Option<&'static [&'static str]> {
    use DpopCase as C;
    Some(match case {
        C::EmptyProof | C::NotAJwt | C::TwoParts | C::FourParts | C::PaddedBase64 | C::Whitespace => return None,
        C::HeaderNotJson | C::PayloadNotAnObject | C::AlgMissing | C::JwkNotAnObject | C::IatInfinite => return None,
        C::TypMissing | C::TypJwt | C::TypAccessToken | C::TypInLongForm | C::TypInAnotherCase => &["typ"],
        C::AlgMismatch => &["alg"],
        C::AlgNone | C::AlgorithmConfusion => &["alg", "signature"],
        C::SymmetricKey => return None,
        C::JwkMissing => &["jwk", "signature"],
        C::JwkByReference => &["jwk", "signature"],
        C::JwkPrivate | C::JwkWithFurtherMembers | C::JwkOfAThief => &["jwk"],
        C::JwkOffCurve => &["jwk", "jkt", "signature"],
        C::JwkRsa1024 => return None,
        C::SignedByAnotherKey | C::FlippedSignatureBit | C::EmptySignature | C::DerSignature => &["signature"],
        C::CriticalHeader => &["crit", "more"],
        C::UnknownMembers => &["more"],
        C::HtmMissing | C::HtmOther | C::HtmInAnotherCase | C::HtmList => &["htm"],
        C::IatMissing | C::IatText | C::IatOld | C::IatAhead | C::IatMilliseconds | C::IatNegative => &["iat"],
        C::IatFractional | C::IatRecent | C::IatSlightlyAhead => &["iat"],
        C::AthMissing | C::AthOfAnotherToken | C::AthPadded | C::AthHex | C::AthOfDecodedToken => &["ath"],
        C::JtiMissing | C::JtiEmpty | C::JtiNumber | C::JtiHuge => &["jti"],
        C::UnboundToken | C::UnboundTokenAsBearerWithProof => &["jkt"],
        C::ReusedJti => &[],
        C::ReusedJtiInAnotherSpelling => &["htu"],
        C::AccessTokenAsProof => return None,
        other if other.name().starts_with("htu_") => &["htu"],
        other if other.name().starts_with("nonce_") => &["nonce"],
        _ => &[],
    })
}

#[test]
fn each_case_differs_from_a_good_request_in_one_point() {
    let setup = Setup::new(Algorithm::ES256);
    for &case in DpopCase::ALL {
        let attempt = setup.attempt(case);
        let Some(expected) = expected(case) else { continue };
        let authorization = values(attempt.fields(), "authorization");
        let token = authorization[0].split_once(' ').unwrap().1;
        for proof in values(attempt.fields(), "dpop").iter().flat_map(|field| field.split(", ")) {
            assert_eq!(differences(&setup, proof, token), expected, "{case}");
        }
    }
}

#[test]
fn each_hostile_nonce_is_the_only_fault() {
    let mut setup = Setup::new(Algorithm::ES256);
    setup.client = setup.client.with_nonce(NONCE);
    let mut seen = BTreeSet::from([json!(NONCE).to_string()]);
    for &case in DpopCase::NONCES {
        let attempt = setup.attempt(case);
        let proof = Token::read(values(attempt.fields(), "dpop")[0]);
        assert!(seen.insert(proof.claims["nonce"].to_string()), "{case}");
        assert!(verifies(&proof.header["jwk"], "ES256", proof.input.as_bytes(), &proof.signature), "{case}");
        assert!(!case.must_pass());
    }
    let plain = setup.attempt(DpopCase::Plain);
    assert_eq!(Token::read(values(plain.fields(), "dpop")[0]).claims["nonce"], NONCE);
}

#[test]
fn the_fields_of_each_case_are_as_its_name_says() {
    let setup = Setup::new(Algorithm::ES256);
    for &case in DpopCase::ALL {
        let attempt = setup.attempt(case);
        let schemes: Vec<_> = values(attempt.fields(), "authorization");
        let schemes: Vec<_> = schemes.iter().map(|value| value.split_once(' ').unwrap().0).collect();
        let expected: &[&str] = match case {
            DpopCase::SchemeInAnotherCase => &["dPoP"],
            DpopCase::BoundTokenAsBearer | DpopCase::BoundTokenAsBearerWithProof => &["Bearer"],
            DpopCase::UnboundTokenAsBearerWithProof => &["Bearer"],
            DpopCase::TwoSchemes => &["DPoP", "Bearer"],
            _ => &["DPoP"],
        };
        assert_eq!(schemes, expected, "{case}");
        let proofs = match case {
            DpopCase::MissingProof | DpopCase::BoundTokenAsBearer => 0,
            DpopCase::TwoProofs => 2,
            _ => 1,
        };
        assert_eq!(values(attempt.fields(), "dpop").len(), proofs, "{case}");
        let is_replay = [DpopCase::Replay, DpopCase::ReusedJti, DpopCase::ReusedJtiInAnotherSpelling].contains(&case);
        assert_eq!(attempt.earlier().count(), usize::from(is_replay), "{case}");
    }
}

#[test]
fn a_replay_repeats_the_request_before_it() {
    let setup = Setup::new(Algorithm::ES256);
    let replay = setup.attempt(DpopCase::Replay);
    assert_eq!(replay.earlier().next().unwrap(), replay.fields());
    for case in [DpopCase::ReusedJti, DpopCase::ReusedJtiInAnotherSpelling] {
        let attempt = setup.attempt(case);
        let [first, second] = [attempt.earlier().next().unwrap(), attempt.fields()].map(|f| values(f, "dpop")[0]);
        assert_ne!(first, second, "{case}");
        assert_eq!(Token::read(first).claims["jti"], Token::read(second).claims["jti"], "{case}");
    }
}

#[test]
fn each_spelling_of_the_url_is_of_its_kind() {
    let setup = Setup::new(Algorithm::ES256);
    let table = [
        (DpopCase::HtuWithQuery, "https://api.example.com/notes?page=2&next=/a/../b"),
        (DpopCase::HtuWithFragment, "https://api.example.com/notes#part"),
        (DpopCase::HtuUpperCaseScheme, "HTTPS://api.example.com/notes"),
        (DpopCase::HtuUpperCaseHost, "https://API.EXAMPLE.COM/notes"),
        (DpopCase::HtuDefaultPort, "https://api.example.com:443/notes"),
        (DpopCase::HtuEmptyPort, "https://api.example.com:/notes"),
        (DpopCase::HtuPercentEncoded, "https://api.example.com/%6eotes"),
        (DpopCase::HtuDotSegments, "https://api.example.com/./other/../notes"),
        (DpopCase::HtuOtherHost, "https://attacker.example/notes"),
        (DpopCase::HtuHostPrefix, "https://api.example.com.attacker.example/notes"),
        (DpopCase::HtuOtherScheme, "http://api.example.com/notes"),
        (DpopCase::HtuOtherPort, "https://api.example.com:1/notes"),
        (DpopCase::HtuOtherPath, "https://api.example.com/another/path"),
        (DpopCase::HtuTrailingSlash, "https://api.example.com/notes/"),
        (DpopCase::HtuEncodedSlash, "https://api.example.com/other/..%2Fnotes"),
        (DpopCase::HtuUserIsHost, "https://api.example.com@attacker.example/notes"),
        (DpopCase::HtuUserinfo, "https://user@api.example.com/notes"),
        (DpopCase::HtuBackslashes, "https://api.example.com\\notes"),
        (DpopCase::HtuSpaces, " https://api.example.com/notes "),
        (DpopCase::HtuTab, "https://api.example.com/notes\t"),
        (DpopCase::HtuOneSlash, "https:/api.example.com/notes"),
        (DpopCase::HtuRelative, "/notes"),
        (DpopCase::HtuEmpty, ""),
    ];
    for (case, htu) in table {
        let attempt = setup.attempt(case);
        assert_eq!(Token::read(values(attempt.fields(), "dpop")[0]).claims["htu"], htu, "{case}");
    }
}

#[test]
fn keys_of_hostile_proofs_are_those_of_their_tokens() {
    let setup = Setup::new(Algorithm::ES256);
    for case in [DpopCase::SymmetricKey, DpopCase::JwkRsa1024, DpopCase::JwkOffCurve] {
        let attempt = setup.attempt(case);
        let token = Token::read(values(attempt.fields(), "authorization")[0].split_once(' ').unwrap().1);
        let proof = Token::read(values(attempt.fields(), "dpop")[0]);
        let jwk = &proof.header["jwk"];
        let members: &[&str] = match case {
            DpopCase::SymmetricKey => &["k", "kty"],
            DpopCase::JwkRsa1024 => &["e", "kty", "n"],
            _ => &["crv", "kty", "x", "y"],
        };
        let text: Vec<_> = members.iter().map(|name| format!("\"{name}\":{}", jwk[name])).collect();
        assert_eq!(token.claims["cnf"]["jkt"], sha256(format!("{{{}}}", text.join(",")).as_bytes()), "{case}");
    }
}

#[test]
fn every_asymmetric_algorithm_signs_good_proofs() {
    for &algorithm in Algorithm::ALL.iter().filter(|algorithm| !algorithm.name().starts_with("HS")) {
        let setup = Setup::new(algorithm);
        let fields =
            setup.client.fields("GET", URL, &setup.good.clone().bound_to_key(setup.client.thumbprint()).sign());
        let token = values(&fields, "authorization")[0].strip_prefix("DPoP ").unwrap();
        assert!(differences(&setup, values(&fields, "dpop")[0], token).is_empty(), "{algorithm}");
        for &case in DpopCase::ALL {
            assert!(!setup.attempt(case).fields().is_empty(), "{algorithm} {case}");
        }
    }
}

#[test]
#[should_panic(expected = "expected an asymmetric algorithm")]
fn a_secret_signs_no_proofs() {
    let _ = DpopClient::new(Algorithm::HS256);
}

#[test]
fn tokens_of_another_kind_are_bound_by_their_issuer() {
    let client = DpopClient::new(Algorithm::EdDSA);
    let issue = |thumbprint: Option<&str>| format!("opaque-{}", thumbprint.unwrap_or("unbound"));
    let attempt = client.attempt_with(DpopCase::Plain, "POST", URL, issue);
    assert_eq!(values(attempt.fields(), "authorization"), [format!("DPoP opaque-{}", client.thumbprint())]);
    let attempt = client.attempt_with(DpopCase::UnboundToken, "POST", URL, issue);
    assert_eq!(values(attempt.fields(), "authorization"), ["DPoP opaque-unbound"]);
}

#[test]
fn each_case_has_a_name_and_a_sentence_of_its_own() {
    let all: Vec<_> = DpopCase::ALL.iter().chain(DpopCase::NONCES).collect();
    let names: BTreeSet<_> = all.iter().map(|case| case.name()).collect();
    let sentences: BTreeSet<_> = all.iter().map(|case| case.description()).collect();
    assert_eq!((names.len(), sentences.len()), (all.len(), all.len()));
    for case in all {
        assert!(case.description().ends_with('.') && !case.description().starts_with(' '), "{case}");
    }
    assert!(DpopCase::HtuDotSegments.must_pass() && !DpopCase::HtuOtherHost.must_pass());
}

#[test]
fn proofs_follow_the_clock() {
    let setup = Setup::new(Algorithm::ES256);
    setup.clock.advance(Duration::from_secs(90));
    let proof = Token::read(&setup.client.proof("GET", URL).sign());
    assert_eq!(proof.claims["iat"], setup.now());
}

#[test]
fn a_token_is_bound_to_a_key_a_certificate_or_both() {
    let good = || Setup::new(Algorithm::ES256).good;
    let table = [
        (good().bound_to_key("k"), json!({ "jkt": "k" })),
        (good().bound_to_certificate("c"), json!({ "x5t#S256": "c" })),
        (good().bound_to_certificate("c").bound_to_key("k"), json!({ "jkt": "k", "x5t#S256": "c" })),
        (good().claim("cnf", "text").bound_to_key("k"), json!({ "jkt": "k" })),
    ];
    for (token, cnf) in table {
        assert_eq!(Token::read(&token.sign()).claims["cnf"], cnf);
    }
}
