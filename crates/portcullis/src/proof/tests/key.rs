//! The key of a proof: its algorithm, its form, its numbers, and the token's binding to it.

use super::*;

#[test]
fn the_algorithm_is_asymmetric_and_on_the_list() {
    let bench = Bench::new(Signing::ES256);
    for (alg, expected) in [
        (json!("ES256"), "good"),
        (json!("none"), "dpop_algorithm"),
        (json!("None"), "dpop_algorithm"),
        (json!("HS256"), "dpop_algorithm"),
        (json!("es256"), "dpop_algorithm"),
        (json!("ES256K"), "dpop_algorithm"),
        (json!(""), "dpop_algorithm"),
        (json!(7), "dpop_algorithm"),
        (json!(null), "dpop_algorithm"),
        // The key is none for the algorithm.
        (json!("ES384"), "dpop_key"),
        (json!("RS256"), "dpop_key"),
        (json!("EdDSA"), "dpop_key"),
    ] {
        assert_eq!(code(bench.judge(&bench.proof(&json!({ "alg": alg }), &json!({})))), expected, "{alg}");
    }
    let rules = DpopRules { algorithms: vec![crate::algorithm::Algorithm::EdDSA], ..DpopRules::default() };
    let strict = Bench { rules, ..bench };
    // The key is known by now, and the list counts all the same.
    assert_eq!(code(strict.judge(&strict.good_proof())), "dpop_algorithm");
}

#[test]
fn a_symmetric_algorithm_is_refused_even_if_it_is_on_the_list() {
    let mut bench = Bench::new(Signing::HS256);
    bench.rules.algorithms.push(crate::algorithm::Algorithm::HS256);
    let header = json!({ "typ": "dpop+jwt", "alg": "HS256", "jwk": bench.key.public_jwk() });
    let proof = bench.sign(&header.to_string(), &good_claims().to_string());
    let url = RequestUrl::parse(URL);
    let request = ProofRequest { method: "GET", url: url.as_ref(), token: TOKEN, now: now(), nonces: None };
    let read = UnverifiedProof::read(proof.as_bytes(), &request, &bench.rules, &bench.keys);
    assert!(matches!(read, Err(ProofFault::Algorithm { .. })));
}

#[test]
fn a_key_is_public_and_written_as_its_rfc_says() {
    let bench = Bench::new(Signing::ES256);
    let x = bench.jwk()["x"].as_str().unwrap().to_owned();
    let short = base64url::encode(&base64url::decode(&x).unwrap()[1..]);
    let long = base64url::encode([&[0], base64url::decode(&x).unwrap().as_slice()].concat());
    for (member, expected) in [
        (json!({}), "good"),
        (json!({ "kid": 7, "x5c": [], "ext": true, "more": {} }), "good"),
        (json!({ "alg": "ES256", "use": "sig", "key_ops": ["verify"] }), "good"),
        (json!({ "alg": "ES384" }), "dpop_key"),
        (json!({ "use": "enc" }), "dpop_key"),
        (json!({ "key_ops": ["sign"] }), "dpop_key"),
        (json!({ "d": x }), "dpop_key"),
        (json!({ "d": "" }), "dpop_key"),
        (json!({ "k": "AAECAwQFBgcICQoLDA0ODw" }), "dpop_key"),
        (json!({ "p": 1 }), "dpop_key"),
        (json!({ "kty": "oct" }), "dpop_key"),
        (json!({ "kty": "RSA" }), "dpop_key"),
        (json!({ "kty": "OKP" }), "dpop_key"),
        (json!({ "kty": "ec" }), "dpop_key"),
        (json!({ "kty": 7 }), "dpop_key"),
        (json!({ "kty": null }), "dpop_key"),
        (json!({ "crv": "P-384" }), "dpop_key"),
        (json!({ "crv": "secp256k1" }), "dpop_key"),
        (json!({ "crv": null }), "dpop_key"),
        (json!({ "x": null }), "dpop_key"),
        (json!({ "x": "" }), "dpop_key"),
        (json!({ "x": 7 }), "dpop_key"),
        (json!({ "x": format!("{x}=") }), "dpop_key"),
        (json!({ "x": format!(" {x}") }), "dpop_key"),
        (json!({ "x": short }), "dpop_key"),
        (json!({ "x": long }), "dpop_key"),
        // The point is not on the curve.
        (json!({ "x": base64url::encode([1; 32]) }), "dpop_key"),
        (json!({ "x": base64url::encode([0; 32]), "y": base64url::encode([0; 32]) }), "dpop_key"),
    ] {
        let jwk = with(bench.jwk(), &member);
        let proof = bench.proof(&json!({ "jwk": jwk }), &json!({}));
        assert_eq!(code(bench.judge(&proof)), expected, "{member}");
        let header = proof.split('.').next().unwrap();
        assert_eq!(bench.keys.find(header.as_bytes()).is_some(), expected == "good", "{member}");
    }
    for jwk in [json!(null), json!("key"), json!([]), json!(7), json!({})] {
        assert_eq!(code(bench.judge(&bench.proof(&json!({ "jwk": jwk }), &json!({})))), "dpop_key", "{jwk}");
    }
}

#[test]
fn an_rsa_key_has_2048_bits_or_more() {
    let bench = Bench::new(Signing::RS256);
    let modulus = base64url::decode(bench.jwk()["n"].as_str().unwrap()).unwrap();
    for (member, problem) in [
        (json!({ "n": base64url::encode(&modulus[..128]) }), Some(KeyProblem::RsaSize { bits: 1024 })),
        (json!({ "n": base64url::encode([&[0], modulus.as_slice()].concat()) }), None),
        (json!({ "e": "AAEAAQ" }), None),
        (json!({ "e": "AQ" }), None),
    ] {
        let proof = bench.proof(&json!({ "jwk": with(bench.jwk(), &member) }), &json!({}));
        match (bench.judge(&proof).err().unwrap(), problem) {
            (ProofFault::Key { problem }, Some(expected)) => assert_eq!(*problem, expected),
            (ProofFault::Key { .. }, None) => {}
            (other, _) => panic!("{member}: {other}"),
        }
    }
}

#[test]
fn only_the_key_that_the_token_is_bound_to_proves_anything() {
    let (bench, thief) = (Bench::new(Signing::ES256), Bench::new(Signing::ES256));
    // A proof of the thief's own key for a stolen token.
    assert_eq!(code(bench.judge(&thief.good_proof())), "dpop_wrong_key");
    // The victim's key, which the thief can see, and the thief's signature.
    let proof = thief.proof(&json!({ "jwk": bench.jwk() }), &json!({}));
    assert_eq!(code(bench.judge(&proof)), "dpop_signature");
    let header = |proof: &str| proof.split('.').next().unwrap().to_owned();
    for bad in [thief.good_proof(), proof] {
        assert!(bench.keys.find(header(&bad).as_bytes()).is_none(), "a bad proof has entered a key");
    }
    assert_eq!(code(bench.judge(&bench.good_proof())), "good");
    // The key is known by now.
    let proof = thief.proof(&bench.header(), &json!({}));
    assert!(bench.keys.find(header(&proof).as_bytes()).is_some());
    assert_eq!(code(bench.judge(&proof)), "dpop_signature");
    let good = bench.good_proof();
    for at in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        assert_ne!(code(bench.judge(&String::from_utf8(bad).unwrap())), "good", "byte {at}");
    }
}
