use std::collections::BTreeSet;

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use portcullis_testkit::{Algorithm, Attack, AuthorizationServer, Endpoint};
use serde_json::{Value, json};

use crate::support::{decode, get, get_json, verifies};

/// The signer, as a lenient verifier sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Server,
    Nobody,
}
use By::{Nobody, Server};

/// A hostile token, decoded as leniently as the worst verifier would.
struct Seen {
    text: String,
    parts: Vec<String>,
    header: Value,
    claims: Value,
}

impl Seen {
    fn new(text: String) -> Self {
        let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        let json = |part: Option<&String>| {
            let bytes = lenient(part.map_or("", String::as_str));
            serde_json::from_slice(&bytes).unwrap_or_default()
        };
        Self { header: json(parts.first()), claims: json(parts.get(1)), parts, text }
    }

    fn header_text(&self) -> String {
        String::from_utf8_lossy(&lenient(&self.parts[0])).into_owned()
    }

    fn payload_text(&self) -> String {
        String::from_utf8_lossy(&lenient(&self.parts[1])).into_owned()
    }

    fn signature(&self) -> Vec<u8> {
        self.parts.get(2).map_or(Vec::new(), |part| lenient(part))
    }

    fn signed_by(&self, jwk: &Value) -> By {
        let input = self.parts[..2.min(self.parts.len())].join(".");
        let algorithm = jwk["alg"].as_str().unwrap();
        let real = verifies(jwk, algorithm, input.as_bytes(), &self.signature());
        if real { Server } else { Nobody }
    }
}

fn lenient(segment: &str) -> Vec<u8> {
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let clean = segment.replace(' ', "").replace('+', "-").replace('/', "_");
    let engine = GeneralPurpose::new(&URL_SAFE, config);
    engine.decode(clean).unwrap_or_default()
}

async fn server_with(algorithms: &[Algorithm]) -> AuthorizationServer {
    let builder = AuthorizationServer::builder().algorithms(algorithms.iter().copied());
    builder.start().await.unwrap()
}

type Check = fn(&Seen) -> bool;

/// The facts of each attack on a server that signs with ES256.
#[rustfmt::skip]
const TABLE: &[(Attack, By, Check)] = &[
    (Attack::AlgNone, Nobody, |t| t.header["alg"] == "none" && t.text.ends_with('.')),
    (Attack::AlgNoneMixedCase, Nobody, |t| t.header["alg"] == "nOnE" && t.text.ends_with('.')),
    (Attack::AlgorithmConfusion, Nobody, |t| t.header["alg"] == "HS256" && t.signature().len() == 32),
    (Attack::AlgorithmConfusionDer, Nobody, |t| t.header["alg"] == "HS256" && t.signature().len() == 32),
    (Attack::EmbeddedJwk, Nobody, |t| brought_key_verifies(t) && t.header["jwk"]["kid"] == t.header["kid"]),
    (Attack::JwkSetUrl, Nobody, |t| t.header["jku"].as_str().unwrap().ends_with("/attacker/jwks")),
    (Attack::X509Url, Nobody, |t| t.header["x5u"].as_str().unwrap().ends_with("/attacker/certificate")),
    (Attack::X509Chain, Nobody, |t| t.header["x5c"][0].as_str().unwrap().starts_with("MII")),
    (Attack::CriticalHeader, Server, |t| t.header["crit"] == json!(["https://extension.example"])),
    (Attack::UnencodedPayload, Server, |t| t.header["b64"] == false && t.header["crit"] == json!(["b64"])),
    (Attack::UnencodedPayloadWithoutCrit, Server, |t| t.header["b64"] == false && t.header["crit"].is_null()),
    (Attack::DuplicateHeaderMember, Server, |t| t.header_text().matches(r#""alg":"#).count() == 2),
    (Attack::DuplicateClaim, Server, |t| t.payload_text().matches(r#""sub":"#).count() == 2),
    (Attack::DuplicateNestedClaim, Server, |t| t.payload_text().matches(r#""roles":"#).count() == 2),
    (Attack::TrailingBits, Server, |t| t.parts[2] != base64url(&t.signature())),
    (Attack::PaddedBase64, Server, |t| t.parts[1].ends_with('=')),
    (Attack::WhitespaceInToken, Server, |t| t.parts[1].contains(' ')),
    (Attack::StandardAlphabet, Server, |t| t.parts[1].contains('/')),
    (Attack::FlippedSignatureBit, Nobody, |t| t.signature().len() == 64),
    (Attack::FlippedPayloadBit, Nobody, |t| t.claims["sub"] == "alicd"),
    (Attack::TruncatedSignature, Nobody, |t| t.signature().len() == 32),
    (Attack::EmptySignature, Nobody, |t| t.text.ends_with('.') && t.header["alg"] == "ES256"),
    (Attack::ZeroSignature, Nobody, |t| t.signature() == [0; 64]),
    (Attack::DerSignature, Nobody, |t| t.signature()[..3].starts_with(&[0x30]) && t.signature()[2] == 2),
    (Attack::WrongCurve, Nobody, |t| t.header["alg"] == "ES256" && t.signature().len() == 96),
    (Attack::ForgedKey, Nobody, |t| t.header["kid"] == "es256-1" && t.signature().len() == 64),
    (Attack::UnknownKey, Nobody, |t| t.header["kid"] == "unknown-key"),
    (Attack::KidNotAString, Server, |t| t.header["kid"] == 7),
    (Attack::KidTraversal, Server, |t| t.header["kid"] == "../../dev/null"),
    (Attack::HugeKid, Server, |t| t.header["kid"].as_str().unwrap().len() == 4096),
    (Attack::Expired, Server, |t| number(t, "exp") < number(t, "iat")),
    (Attack::NotYetValid, Server, |t| number(t, "nbf") > number(t, "iat") && number(t, "exp") > number(t, "nbf")),
    (Attack::IssuedInFuture, Server, |t| number(t, "exp") - number(t, "iat") == 3600),
    (Attack::MissingExpiry, Server, |t| t.claims["exp"].is_null()),
    (Attack::ExpiryAsString, Server, |t| t.claims["exp"].as_str().unwrap().parse::<u64>().is_ok()),
    (Attack::ExpiryInfinite, Server, |t| t.payload_text().contains(r#""exp":1e400,"#)),
    (Attack::NegativeExpiry, Server, |t| t.claims["exp"] == -1),
    (Attack::WrongIssuer, Server, |t| t.claims["iss"] == "https://attacker.example"),
    (Attack::IssuerPrefix, Server, |t| {
        let issuer = t.claims["iss"].as_str().unwrap();
        issuer.starts_with("http://127.0.0.1:") && issuer.ends_with(".evil.example")
    }),
    (Attack::MissingIssuer, Server, |t| t.claims["iss"].is_null()),
    (Attack::WrongAudience, Server, |t| t.claims["aud"] == "https://other-api.example.com"),
    (Attack::MissingAudience, Server, |t| t.claims["aud"].is_null()),
    (Attack::IdToken, Server, |t| {
        t.header["typ"] == "JWT" && t.claims["aud"] == "test-client"
            && t.claims["nonce"].is_string() && t.claims["client_id"].is_null()
    }),
    (Attack::DpopProof, Server, |t| t.header["typ"] == "dpop+jwt" && t.claims["htm"] == "GET"),
    (Attack::LogoutToken, Server, |t| t.header["typ"] == "logout+jwt" && t.claims["events"].is_object()),
    (Attack::DpopBound, Server, |t| t.claims["cnf"]["jkt"].is_string() && t.header["typ"] == "at+jwt"),
    (Attack::CertificateBound, Server, |t| t.claims["cnf"]["x5t#S256"].is_string()),
    (Attack::DoublyBound, Server, |t| ["jkt", "x5t#S256"].iter().all(|m| t.claims["cnf"][m].as_str().unwrap().len() == 43)),
    (Attack::UnknownConfirmation, Server, |t| t.claims["cnf"] == json!({ "kid": "the-senders-key" })),
    (Attack::NullConfirmation, Server, |t| t.payload_text().contains(r#""cnf":null"#)),
    (Attack::EmptyConfirmation, Server, |t| t.claims["cnf"] == json!({})),
    (Attack::ConfirmationList, Server, |t| t.claims["cnf"][0]["jkt"].as_str().unwrap().len() == 43),
    (Attack::NullThumbprint, Server, |t| t.claims["cnf"] == json!({ "jkt": null })),
    (Attack::ShortThumbprint, Server, |t| t.claims["cnf"]["jkt"].as_str().unwrap().len() == 22),
    (Attack::Jwe, Nobody, |t| t.parts.len() == 5 && t.header["enc"] == "A256GCM"),
    (Attack::TwoParts, Nobody, |t| t.parts.len() == 2),
    (Attack::FourParts, Server, |t| t.parts.len() == 4),
    (Attack::Oversized, Server, |t| t.text.len() > 1 << 20),
    (Attack::DeepJson, Server, |t| t.payload_text().contains(&"[".repeat(10_000))),
    (Attack::InvalidUtf8, Server, |t| std::str::from_utf8(&decode(&t.parts[1])).is_err()),
    (Attack::NotAnObject, Server, |t| t.claims[0]["sub"] == "alice"),
    (Attack::HeaderNotJson, Server, |t| t.header_text() == "not json"),
    (Attack::PayloadNotJson, Server, |t| t.payload_text() == "not json"),
    (Attack::HeaderAlgMissing, Server, |t| t.header["alg"].is_null() && t.header["kid"] == "es256-1"),
    (Attack::UnknownAlgorithm, Server, |t| t.header["alg"] == "XX999"),
];

fn number(token: &Seen, claim: &str) -> i64 {
    token.claims[claim].as_i64().unwrap()
}

fn base64url(bytes: &[u8]) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

fn brought_key_verifies(token: &Seen) -> bool {
    let jwk = &token.header["jwk"];
    let input = token.parts[..2].join(".");
    let algorithm = token.header["alg"].as_str().unwrap();
    verifies(jwk, algorithm, input.as_bytes(), &token.signature())
}

#[test]
fn the_table_has_every_attack() {
    let tabled: Vec<Attack> = TABLE.iter().map(|(attack, ..)| *attack).collect();
    assert_eq!(tabled, Attack::ALL);
}

#[tokio::test]
async fn each_attack_is_wrong_in_its_point_only() {
    let server = server_with(&[Algorithm::ES256]).await;
    let jwk = server.signing_key().public_jwk();
    for &(attack, by, check) in TABLE {
        let token = Seen::new(server.hostile(attack));
        assert_eq!(token.signed_by(&jwk), by, "{attack}");
        assert!(check(&token), "{attack}: {} {}", token.header, token.claims);
    }
}

#[tokio::test]
async fn signatures_are_as_good_whatever_the_algorithm() {
    for algorithm in [Algorithm::RS256, Algorithm::PS512, Algorithm::ES384, Algorithm::EdDSA, Algorithm::HS256] {
        let server = server_with(&[algorithm]).await;
        let jwk = server.signing_key().public_jwk();
        for &(attack, by, _) in TABLE {
            let token = Seen::new(server.hostile(attack));
            assert_eq!(token.signed_by(&jwk), by, "{attack} on {algorithm}");
        }
    }
}

#[tokio::test]
async fn trailing_bits_move_to_the_payload_where_the_signature_has_none() {
    let server = server_with(&[Algorithm::ES384]).await;
    let token = Seen::new(server.hostile(Attack::TrailingBits));
    assert_eq!(token.parts[2], base64url(&token.signature()));
    assert_ne!(token.parts[1], base64url(&lenient(&token.parts[1])));
}

#[tokio::test]
async fn confusion_signs_with_the_published_key() {
    let server = server_with(&[Algorithm::RS256]).await;
    let key = server.signing_key();
    let table = [
        (Attack::AlgorithmConfusion, key.public_pem().into_bytes()),
        (Attack::AlgorithmConfusionDer, key.public_der()),
    ];
    for (attack, secret) in table {
        let token = Seen::new(server.hostile(attack));
        let jwk = json!({ "kty": "oct", "k": base64url(&secret) });
        let input = token.parts[..2].join(".");
        assert!(verifies(&jwk, "HS256", input.as_bytes(), &token.signature()));
        assert_eq!(token.header["kid"], key.kid());
    }
}

#[tokio::test]
async fn der_signatures_come_from_the_servers_elliptic_key() {
    let server = server_with(&[Algorithm::RS256, Algorithm::ES384]).await;
    let token = Seen::new(server.hostile(Attack::DerSignature));
    assert_eq!(token.header["alg"], "ES384");
    assert_eq!(token.header["kid"], "es384-2");

    let input = token.parts[..2].join(".");
    let key = server.keys().pop().unwrap();
    let der = &aws_lc_rs::signature::ECDSA_P384_SHA384_ASN1;
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(der, key.public_der());
    assert!(key.verify(input.as_bytes(), &token.signature()).is_ok());
}

#[tokio::test]
async fn a_verifier_that_follows_urls_is_fooled_and_counted() {
    let server = server_with(&[Algorithm::ES256]).await;
    let token = Seen::new(server.hostile(Attack::JwkSetUrl));
    let keys = get_json(token.header["jku"].as_str().unwrap()).await;
    assert_eq!(keys["keys"][0]["kid"], token.header["kid"]);
    assert_ne!(keys["keys"][0], server.signing_key().public_jwk());
    assert_eq!(token.signed_by(&keys["keys"][0]), Server);

    let token = Seen::new(server.hostile(Attack::X509Url));
    let response = get(token.header["x5u"].as_str().unwrap()).await;
    let pem = response.text().await.unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----\nMII"));
    assert_eq!(server.requests(Endpoint::Attacker), 2);
}

#[tokio::test]
async fn hostile_tokens_resemble_the_good_one() {
    let server = server_with(&[Algorithm::EdDSA]).await;
    let good = server.token().scope("read").claim("tenant", 7);
    let hostile = Seen::new(server.hostile_from(Attack::Expired, good));
    assert_eq!(hostile.claims["scope"], "read");
    assert_eq!(hostile.claims["tenant"], 7);
}

#[test]
fn names_are_unique_and_in_snake_case() {
    let names: BTreeSet<&str> = Attack::ALL.iter().map(|attack| attack.name()).collect();
    assert_eq!(names.len(), Attack::ALL.len());
    for attack in Attack::ALL {
        let letters = format!("{attack:?}").to_lowercase();
        assert_eq!(attack.name().replace('_', ""), letters);
    }
}
