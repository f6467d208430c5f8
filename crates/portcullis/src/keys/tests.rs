//! Keys as they are imported and found.

mod ml_dsa;
mod odd;
mod pem;
mod vectors;

use std::sync::Arc;

use portcullis_testkit::{Algorithm as Signing, SigningKey};
use serde_json::{Value, json};

use super::*;
use crate::{
    algorithm::{Algorithm, KeyType},
    bearer::BearerToken,
    token::{self, Header},
};

fn import(jwk: &Value, origin: Origin) -> Result<VerificationKey, KeyProblem> {
    jwk::import(jwk, &ImportRules::of(origin)).map(|(key, _)| key)
}

/// The problem of a published key.
fn problem(jwk: &Value) -> Option<KeyProblem> {
    import(jwk, Origin::Remote).err()
}

fn with(jwk: &Value, changes: Value) -> Value {
    let (Value::Object(mut jwk), Value::Object(changes)) = (jwk.clone(), changes) else { panic!("not objects") };
    jwk.extend(changes);
    jwk.into()
}

fn without(jwk: &Value, name: &str) -> Value {
    let mut jwk = jwk.clone();
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

fn header(alg: &str, kid: Option<&str>) -> Header {
    let mut header = json!({ "alg": alg });
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    Header::from_object(b"", &crate::json::object(header.to_string().into_bytes()).unwrap()).unwrap()
}

fn set(keys: &[Value], origin: Origin) -> Arc<KeySet> {
    let document: JwkSet = json!({ "keys": keys }).to_string().parse().unwrap();
    Arc::new(KeySet::import(&document, &ImportRules::of(origin)))
}

fn base64url(bytes: &[u8]) -> Value {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// A modulus of this size: odd, with its highest bit set; it need not be a product of primes.
fn modulus(bits: usize) -> Value {
    let mut bytes = vec![0xA5; bits.div_ceil(8)];
    bytes[0] = if bits.is_multiple_of(8) { 0xC0 } else { 1 << (bits % 8 - 1) };
    base64url(&bytes)
}

#[test]
fn a_key_is_bound_to_its_algorithms() {
    let rsa = without(&SigningKey::generate(Signing::RS256, "k").public_jwk(), "alg");
    let table = [
        (rsa.clone(), "RS256 RS384 RS512 PS256 PS384 PS512"),
        (with(&rsa, json!({ "alg": "PS384" })), "PS384"),
        (SigningKey::generate(Signing::ES256, "k").public_jwk(), "ES256"),
        (without(&SigningKey::generate(Signing::ES384, "k").public_jwk(), "alg"), "ES384"),
        (without(&SigningKey::generate(Signing::ES512, "k").public_jwk(), "alg"), "ES512"),
        (SigningKey::generate(Signing::EdDSA, "k").public_jwk(), "EdDSA"),
        (with(&SigningKey::generate(Signing::EdDSA, "k").public_jwk(), json!({ "alg": "Ed25519" })), "EdDSA"),
    ];
    let all = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256"];
    for (jwk, expected) in table {
        let key = import(&jwk, Origin::Remote).unwrap();
        let bound: Vec<_> = all.iter().copied().filter(|name| key.is_for(name.parse().unwrap())).collect();
        assert_eq!(bound.join(" "), expected, "{jwk}");
    }
}

#[test]
fn a_key_that_is_not_what_it_says_is_not_used() {
    let rsa = SigningKey::generate(Signing::RS256, "k").public_jwk();
    let p256 = SigningKey::generate(Signing::ES256, "k").public_jwk();
    let ed25519 = SigningKey::generate(Signing::EdDSA, "k").public_jwk();
    let member = |name, expected| Some(KeyProblem::Member { name, expected });
    let not_a = |key_type| Some(KeyProblem::NotAKey(key_type));
    let off_curve = with(&p256, json!({ "y": p256["x"] }));
    let table = [
        (json!(5), Some(KeyProblem::NotAnObject)),
        (json!({}), member("kty", "present")),
        (with(&rsa, json!({ "kty": 5 })), member("kty", "a string")),
        (with(&rsa, json!({ "kid": 5 })), member("kid", "a string")),
        (with(&rsa, json!({ "kty": "rsa" })), Some(KeyProblem::UnknownType)),
        (with(&p256, json!({ "crv": "secp256k1" })), Some(KeyProblem::UnknownType)),
        (without(&p256, "crv"), member("crv", "present")),
        (with(&ed25519, json!({ "crv": "Ed448" })), Some(KeyProblem::UnknownType)),
        (with(&ed25519, json!({ "crv": "X25519" })), Some(KeyProblem::UnknownType)),
        (with(&rsa, json!({ "use": "enc" })), Some(KeyProblem::NotForVerifying)),
        (with(&rsa, json!({ "use": 5 })), member("use", "a string")),
        (with(&rsa, json!({ "key_ops": ["sign"] })), Some(KeyProblem::NotForVerifying)),
        (with(&rsa, json!({ "key_ops": "verify" })), member("key_ops", "an array of strings")),
        (with(&rsa, json!({ "key_ops": ["sign", "verify"] })), None),
        (without(&rsa, "use"), None),
        (with(&rsa, json!({ "alg": "RSA-OAEP" })), Some(KeyProblem::Algorithm)),
        (with(&rsa, json!({ "alg": "ES256" })), Some(KeyProblem::Algorithm)),
        (with(&rsa, json!({ "alg": "none" })), Some(KeyProblem::Algorithm)),
        (with(&p256, json!({ "alg": "ES384" })), Some(KeyProblem::Algorithm)),
        (with(&rsa, json!({ "d": "AQAB" })), Some(KeyProblem::Published)),
        (json!({ "kty": "oct", "k": base64url(&[7; 64]) }), Some(KeyProblem::Published)),
        (without(&rsa, "n"), member("n", "present")),
        (with(&rsa, json!({ "e": "AQAB=" })), member("e", "base64url without padding")),
        (with(&rsa, json!({ "n": "" })), member("n", "present")),
        (with(&rsa, json!({ "e": "" })), member("e", "present")),
        (with(&rsa, json!({ "n": "AA" })), Some(KeyProblem::RsaSize { bits: 0 })),
        (with(&rsa, json!({ "e": "AA" })), not_a(KeyType::Rsa)),
        (with(&rsa, json!({ "e": "AQ" })), not_a(KeyType::Rsa)),
        (with(&rsa, json!({ "e": "Ag" })), not_a(KeyType::Rsa)),
        (with(&rsa, json!({ "e": rsa["n"] })), not_a(KeyType::Rsa)),
        (off_curve, not_a(KeyType::P256)),
        (with(&p256, json!({ "x": base64url(&[0; 32]), "y": base64url(&[0; 32]) })), not_a(KeyType::P256)),
        (with(&p256, json!({ "x": base64url(&[1; 31]) })), not_a(KeyType::P256)),
        (with(&p256, json!({ "x": base64url(&[1; 33]) })), member("x, y", "no longer than a coordinate of the curve")),
        (with(&p256, json!({ "crv": "P-384", "alg": "ES384" })), not_a(KeyType::P384)),
        (
            with(&ed25519, json!({ "x": base64url(&[1; 31]) })),
            Some(KeyProblem::Length { name: "x", expected: 32, actual: 31 }),
        ),
        (
            with(&ed25519, json!({ "x": base64url(&[1; 33]) })),
            Some(KeyProblem::Length { name: "x", expected: 32, actual: 33 }),
        ),
    ];
    for (jwk, expected) in table {
        assert_eq!(problem(&jwk), expected, "{jwk}");
    }
}

#[test]
fn rsa_keys_have_2048_to_8192_bits() {
    let rsa = |bits| json!({ "kty": "RSA", "n": modulus(bits), "e": "AQAB" });
    for bits in [512, 1024, 2047, 8193, 16384] {
        assert_eq!(problem(&rsa(bits)), Some(KeyProblem::RsaSize { bits }), "{bits}");
    }
    for bits in [2048, 2049, 3072, 4096, 8192] {
        assert_eq!(problem(&rsa(bits)), None, "{bits}");
    }
}

#[test]
fn a_leading_zero_of_a_modulus_is_forgiven() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let rsa = SigningKey::generate(Signing::RS256, "k").public_jwk();
    let modulus = URL_SAFE_NO_PAD.decode(rsa["n"].as_str().unwrap()).unwrap();
    let padded = [&[0], modulus.as_slice()].concat();
    assert_eq!(problem(&with(&rsa, json!({ "n": base64url(&padded) }))), None);
}

#[test]
fn a_secret_is_as_long_as_the_hash_at_least() {
    let secret = |bytes: usize, alg: Option<&str>| {
        let jwk = json!({ "kty": "oct", "k": base64url(&vec![7; bytes]) });
        let jwk = alg.map_or(jwk.clone(), |alg| with(&jwk, json!({ "alg": alg })));
        import(&jwk, Origin::Local).map(|key| {
            let all = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
            all.iter().filter(|algorithm| key.is_for(**algorithm)).count()
        })
    };
    assert_eq!(secret(31, None), Err(KeyProblem::ShortSecret { bytes: 31 }));
    assert_eq!(secret(32, None), Ok(1));
    assert_eq!(secret(48, None), Ok(2));
    assert_eq!(secret(64, None), Ok(3));
    assert_eq!(secret(40, Some("HS512")), Err(KeyProblem::ShortSecret { bytes: 40 }));
    assert_eq!(secret(64, Some("HS512")), Ok(1));
}

#[test]
fn no_key_is_taken_for_a_secret() {
    let keys = [
        SigningKey::generate(Signing::RS256, "k"),
        SigningKey::generate(Signing::ES256, "k"),
        SigningKey::generate(Signing::EdDSA, "k"),
    ];
    for key in &keys {
        let (pem, jwk) = (key.public_pem(), key.public_jwk());
        let lines: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
        let der = crate::base64url::decode_any(&lines).unwrap();
        let texts = [
            pem.clone(),
            pem.replace('\n', "\r\n"),
            format!("\u{feff}{pem}"),
            format!("the key of the server:\n{pem}"),
            lines,
            jwk.to_string(),
            json!({ "keys": [jwk] }).to_string(),
            format!("ssh-ed25519 {}", "A".repeat(64)),
        ];
        for bytes in texts.iter().map(String::as_bytes).chain([der.as_slice()]) {
            let shown = String::from_utf8_lossy(bytes);
            assert!(matches!(secret(bytes, Algorithm::SYMMETRIC), Err(KeyProblem::KeyAsSecret(_))), "{shown}");
            let jwk = json!({ "kty": "oct", "k": base64url(bytes) });
            assert!(matches!(import(&jwk, Origin::Local), Err(KeyProblem::KeyAsSecret(_))), "{shown}");
        }
    }
    // A key of X25519, by which no token is verified (RFC 8410), in DER and in base64.
    let x25519 = [&b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x6e\x03\x21\x00"[..], &[7; 32]].concat();
    let in_base64 = base64url(&x25519).as_str().unwrap().to_owned();
    for bytes in [x25519.as_slice(), in_base64.as_bytes()] {
        assert_eq!(secret(bytes, Algorithm::SYMMETRIC).err(), Some(KeyProblem::KeyAsSecret(Notation::Der)));
    }
    let passphrase = b"correct horse battery staple, twice over";
    let like_der = [&[0x30, 0x82, 1, 2][..], &[7; 60]].concat();
    let sized = [&[0x30, 42][..], &[7; 42]].concat();
    let base64 = base64url(&[7; 64]).as_str().unwrap().to_owned();
    for bytes in [&passphrase[..], &like_der, &sized, base64.as_bytes(), &[0; 32], &[0xff; 32]] {
        assert!(secret(bytes, Algorithm::SYMMETRIC).is_ok(), "{bytes:?}");
    }
}

#[test]
fn a_key_is_found_by_its_kid_to_the_letter() {
    let ec = |kid: &str| SigningKey::generate(Signing::ES256, kid).public_jwk();
    let keys = [ec("a"), ec("b"), SigningKey::generate(Signing::EdDSA, "c").public_jwk(), without(&ec("d"), "kid")];
    let (remote, local) = (set(&keys, Origin::Remote), set(&keys, Origin::Local));
    let table = [
        ("ES256", Some("a"), Ok(1), Ok(1)),
        ("ES256", Some("A"), Err(Miss::Unknown), Ok(1)),
        ("ES256", Some("c"), Err(Miss::Mismatch), Err(Miss::Mismatch)),
        ("EdDSA", Some("c"), Ok(1), Ok(1)),
        ("ES256", Some(""), Err(Miss::Unknown), Ok(1)),
        ("EdDSA", Some("x"), Err(Miss::Unknown), Err(Miss::Mismatch)),
        ("ES256", None, Ok(3), Ok(3)),
        ("EdDSA", None, Ok(1), Ok(1)),
        ("RS256", None, Err(Miss::Unknown), Err(Miss::Unknown)),
        ("HS256", Some("a"), Err(Miss::Mismatch), Err(Miss::Mismatch)),
    ];
    for (alg, kid, by_remote, by_local) in table {
        let count = |set: &Arc<KeySet>| set.candidates(&header(alg, kid)).map(|found| found.count());
        assert_eq!((count(&remote), count(&local)), (by_remote, by_local), "{alg} {kid:?}");
    }
}

#[test]
fn all_keys_that_fit_are_candidates_and_no_more_than_the_limit_are_tried() {
    let keys: Vec<_> = (0..10).map(|_| SigningKey::generate(Signing::ES256, "same")).collect();
    let jwks: Vec<_> = keys.iter().map(SigningKey::public_jwk).collect();
    let many = set(&jwks, Origin::Remote);
    let now = std::time::SystemTime::UNIX_EPOCH;
    let last = portcullis_testkit::TokenBuilder::new(&keys[9], "https://as.example", now);
    for text in [last.clone().without_header("kid").sign(), last.sign()] {
        let token = || token::parse(BearerToken::bare(text.as_bytes(), 10_000).unwrap()).unwrap();
        let candidates = many.candidates(token().header()).unwrap();
        assert_eq!(candidates.count(), 10);
        assert!(candidates.verify(token(), 10).is_ok());
        let refusal = candidates.verify(token(), 9).map(drop).unwrap_err();
        assert_eq!(refusal.code(), "too_many_keys");
        assert!(
            refusal.to_string().contains("9 keys that were tried, of 10")
                && refusal.to_string().contains("max_key_attempts")
        );
    }
}

#[test]
fn of_several_keys_the_right_one_is_found_and_no_wrong_one_verifies() {
    let keys: Vec<_> = (0..4).map(|_| SigningKey::generate(Signing::ES256, "same")).collect();
    let jwks: Vec<_> = keys.iter().map(SigningKey::public_jwk).collect();
    let text = |key: &SigningKey| {
        portcullis_testkit::TokenBuilder::new(key, "https://as.example", std::time::SystemTime::UNIX_EPOCH).sign()
    };
    let verifies = |key: &SigningKey, jwks: &[Value]| {
        let text = text(key);
        let token = token::parse(BearerToken::bare(text.as_bytes(), 10_000).unwrap()).unwrap();
        set(jwks, Origin::Remote).candidates(token.header()).unwrap().verify(token, 8).is_ok()
    };
    assert!(keys.iter().all(|key| verifies(key, &jwks)));
    assert!(!verifies(&SigningKey::generate(Signing::ES256, "same"), &jwks));
}

#[test]
fn one_flipped_bit_takes_a_point_off_its_curve() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let table = [(Signing::ES256, KeyType::P256), (Signing::ES384, KeyType::P384), (Signing::ES512, KeyType::P521)];
    for (algorithm, key_type) in table {
        let jwk = SigningKey::generate(algorithm, "k").public_jwk();
        assert_eq!(problem(&jwk), None, "{algorithm}");
        let mut y = URL_SAFE_NO_PAD.decode(jwk["y"].as_str().unwrap()).unwrap();
        *y.last_mut().unwrap() ^= 1;
        assert_eq!(problem(&with(&jwk, json!({ "y": base64url(&y) }))), Some(KeyProblem::NotAKey(key_type)));
    }
}

#[test]
fn bad_keys_are_kept_with_their_kid_and_reason_and_spoil_no_good_one() {
    let good = SigningKey::generate(Signing::ES256, "good").public_jwk();
    let keys = [
        with(&good, json!({ "kid": "enc", "use": "enc" })),
        good.clone(),
        json!(null),
        with(&good, json!({ "kid": 7 })),
        json!({ "kty": "Quantum", "kid": "quantum" }),
    ];
    let set = set(&keys, Origin::Remote);
    let skipped = |kid: Option<&str>, problem| SkippedKey { kid: kid.map(str::to_owned), problem };
    let expected = [
        skipped(Some("enc"), KeyProblem::NotForVerifying),
        skipped(None, KeyProblem::NotAnObject),
        skipped(None, KeyProblem::Member { name: "kid", expected: "a string" }),
        skipped(Some("quantum"), KeyProblem::UnknownType),
    ];
    assert_eq!(set.skipped(), expected);
    assert_eq!(set.kids().collect::<Vec<_>>(), [Some("good")]);
}

#[test]
fn of_two_keys_with_one_kid_that_for_the_algorithm_is_taken() {
    let (ec, ed) = (SigningKey::generate(Signing::ES256, "k"), SigningKey::generate(Signing::EdDSA, "k"));
    let set = set(&[ec.public_jwk(), ed.public_jwk()], Origin::Remote);
    for alg in ["ES256", "EdDSA", "Ed25519"] {
        assert_eq!(set.candidates(&header(alg, Some("k"))).map(|found| found.count()), Ok(1), "{alg}");
    }
    assert_eq!(set.candidates(&header("RS256", Some("k"))).map(|found| found.count()), Err(Miss::Mismatch));
}

/// With the neutral point as the key, `R` the neutral point and `S` zero sign every message.
#[test]
fn a_key_that_anyone_can_sign_with_is_not_used() {
    let unreduced = |first: u8| [vec![first], vec![0xff; 30], vec![0x7f]].concat();
    let reduced = |first: u8| [vec![first], vec![0; 31]].concat();
    let order_8 = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    let from_hex = |hex: &str| (0..32).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect();
    let mut points = vec![reduced(0), reduced(1), unreduced(0xec), unreduced(0xed), unreduced(0xee)];
    points.extend(order_8.map(from_hex));
    for mut point in points {
        for sign in [0, 0x80] {
            point[31] |= sign;
            let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(&point) });
            assert_eq!(problem(&jwk), Some(KeyProblem::NotAKey(KeyType::Ed25519)), "{point:?}");
        }
    }
}
