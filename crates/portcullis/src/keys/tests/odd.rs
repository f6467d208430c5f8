//! Key sets as issuers write them: a key is used, and its oddity reported, only if there is no doubt about it.

use proptest::prelude::*;

use super::*;

fn judged(jwk: &Value) -> Result<Vec<KeyOddity>, KeyProblem> {
    jwk::import(jwk, &ImportRules::of(Origin::Remote)).map(|(_, oddities)| oddities)
}

fn octets(value: &Value) -> Vec<u8> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

/// A key of this algorithm whose `x` begins with a zero.
fn with_leading_zero(algorithm: Signing) -> (SigningKey, Value) {
    loop {
        let key = SigningKey::generate(algorithm, "k");
        let jwk = key.public_jwk();
        // Of P-521 every second number does, since its first byte has one bit.
        if octets(&jwk["x"])[0] == 0 {
            return (key, jwk);
        }
    }
}

#[test]
fn a_member_that_is_null_or_empty_stands_for_an_absent_one() {
    let rsa = SigningKey::generate(Signing::RS256, "k").public_jwk();
    // As .NET's JsonWebKeySet writes it.
    let dotnet = json!({
        "key_ops": [], "oth": [], "x5c": [], "x5t": null, "x5u": "", "d": null, "p": "", "q": null, "dp": "", "dq": null,
        "qi": null, "k": null, "crv": null, "x": null, "y": "", "use": "sig",
    });
    assert_eq!(judged(&with(&rsa, dotnet)), Ok(Vec::new()));
    for name in ["use", "key_ops", "alg", "kid", "crv", "d", "p", "q", "dp", "dq", "qi", "oth", "x5c"] {
        for empty in [json!(null), json!(""), json!([]), json!({})] {
            assert_eq!(judged(&with(&rsa, json!({ name: empty }))), Ok(Vec::new()), "{name}: {empty}");
        }
    }
    for (name, empty) in [("n", json!(null)), ("e", json!("")), ("kty", json!([]))] {
        let missing = KeyProblem::Member { name, expected: "present" };
        assert_eq!(judged(&with(&rsa, json!({ name: empty }))), Err(missing));
    }
}

#[test]
fn what_a_key_may_do_is_never_guessed() {
    let rsa = SigningKey::generate(Signing::RS256, "k").public_jwk();
    let table = [
        json!({ "use": "enc" }),
        json!({ "use": " " }),
        json!({ "use": "SIG" }),
        json!({ "use": ["sig"] }),
        json!({ "use": false }),
        json!({ "key_ops": [""] }),
        json!({ "key_ops": [null] }),
        json!({ "key_ops": ["encrypt"] }),
        json!({ "key_ops": ["VERIFY"] }),
        json!({ "key_ops": "verify" }),
        json!({ "key_ops": 0 }),
        json!({ "alg": "RSA-OAEP" }),
        json!({ "alg": ["RS256"] }),
        json!({ "alg": 0 }),
        json!({ "alg": " " }),
        json!({ "d": "AQAB" }),
        json!({ "d": 0 }),
        json!({ "d": false }),
        json!({ "d": [null] }),
        json!({ "p": "AQAB" }),
        json!({ "q": "AQAB" }),
        json!({ "dp": "AQAB" }),
        json!({ "dq": "AQAB" }),
        json!({ "qi": "AQAB" }),
        json!({ "oth": [{ "r": "AQAB" }] }),
    ];
    for changes in table {
        assert!(judged(&with(&rsa, changes.clone())).is_err(), "{changes}");
    }
}

/// RFC 7517 section 4 leaves it to the reader which of two members counts, and sections 4.2 and 4.3 what a key is for.
#[test]
fn a_key_with_two_members_of_one_name_is_used_only_if_they_say_the_same() {
    let rsa = SigningKey::generate(Signing::RS256, "k").public_jwk();
    let (n, other) = (rsa["n"].to_string(), SigningKey::generate(Signing::RS256, "k").public_jwk()["n"].to_string());
    let members = rsa.to_string();
    let members = members.trim_start_matches('{').trim_end_matches('}');
    let table = [
        (r#""use":"enc""#, r#""use":"sig""#, false),
        (r#""use":"sig""#, r#""use":"enc""#, false),
        (r#""use":"enc""#, r#""use":null"#, false),
        (r#""key_ops":["encrypt"]"#, r#""key_ops":["verify"]"#, false),
        (r#""key_ops":"verify""#, r#""key_ops":"encrypt""#, false),
        (r#""key_ops":["encrypt"]"#, r#""key_ops":[]"#, false),
        (r#""d":"AQAB""#, r#""d":null"#, false),
        (r#""kid":"another""#, "", false),
        (r#""alg":"RSA-OAEP""#, "", false),
        (&format!(r#""n":{other}"#), "", false),
        (&format!(r#""n":{n}"#), "", true),
        (r#""use":"sig""#, r#""use":"sig""#, true),
        (r#""x5t":"a""#, r#""x5t":"b""#, true),
    ];
    for (before, after, is_used) in table {
        let comma = if after.is_empty() { "" } else { "," };
        let set: JwkSet = format!(r#"{{"keys":[{{{before},{members}{comma}{after}}}]}}"#).parse().unwrap();
        let kept: JwkSet = set.to_string().parse().unwrap();
        for set in [set, kept] {
            assert_eq!(set.published_keys().next().unwrap().1.is_ok(), is_used, "{before} {after}");
        }
    }
    let often = (0..100_000).map(|number| format!(r#""use":"{number}","#)).collect::<String>();
    let often: JwkSet = format!(r#"{{"keys":[{{{often}{members}}}]}}"#).parse().unwrap();
    assert!(often.published_keys().next().unwrap().1.is_err());
    let twice = format!(r#"{{"keys":[],"keys":[{{{members}}}]}}"#);
    assert!(twice.parse::<JwkSet>().is_err(), "which set is meant?");
}

#[test]
fn a_number_is_a_number_however_many_zeros_lead_it() {
    for algorithm in [Signing::ES512, Signing::ES256, Signing::ES384] {
        let (key, jwk) = with_leading_zero(algorithm);
        let (x, y) = (octets(&jwk["x"]), octets(&jwk["y"]));
        let without: Vec<u8> = x.iter().copied().skip_while(|octet| *octet == 0).collect();
        let signed = |octets: &[u8]| [&[0], octets].concat();
        let table = [
            (json!({ "x": base64url(&without) }), vec!["x"]),
            (json!({ "x": base64url(&signed(&x)) }), vec!["x"]),
            (json!({ "x": base64url(&signed(&x)), "y": base64url(&[&[0; 9], y.as_slice()].concat()) }), vec!["x", "y"]),
        ];
        for (changes, names) in table {
            let odd = with(&jwk, changes);
            let expected: Vec<_> = names.into_iter().map(|name| KeyOddity::Length { name }).collect();
            assert_eq!(judged(&odd), Ok(expected), "{odd}");
            let token = portcullis_testkit::TokenBuilder::new(&key, "i", std::time::SystemTime::UNIX_EPOCH).sign();
            let token = token::parse(BearerToken::bare(token.as_bytes(), 10_000).unwrap()).unwrap();
            let set = set(&[odd], Origin::Remote);
            assert!(set.candidates(token.header()).unwrap().verify(token, 1).is_ok(), "{algorithm}: the same key");
        }
        let one_more = [&[1], x.as_slice()].concat();
        assert!(judged(&with(&jwk, json!({ "x": base64url(&one_more) }))).is_err());
        assert!(judged(&with(&jwk, json!({ "x": "" }))).is_err());
        assert!(judged(&with(&jwk, json!({ "x": base64url(&[0; 66]) }))).is_err());
    }
    let rsa = SigningKey::generate(Signing::RS256, "k").public_jwk();
    for name in ["n", "e"] {
        let led = [&[0, 0], octets(&rsa[name]).as_slice()].concat();
        assert_eq!(judged(&with(&rsa, json!({ name: base64url(&led) }))), Ok(vec![KeyOddity::Length { name }]));
    }
    // The octets of an Edwards point are no number.
    let ed25519 = SigningKey::generate(Signing::EdDSA, "k").public_jwk();
    let led = [&[0], octets(&ed25519["x"]).as_slice()].concat();
    assert!(judged(&with(&ed25519, json!({ "x": base64url(&led) }))).is_err());
}

#[test]
fn a_number_may_be_in_any_base64() {
    use base64::{
        Engine,
        engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
    };
    let keys = [
        (Signing::RS256, "n"),
        (Signing::RS256, "e"),
        (Signing::ES256, "x"),
        (Signing::ES512, "y"),
        (Signing::EdDSA, "x"),
    ];
    for (algorithm, name) in keys {
        let jwk = SigningKey::generate(algorithm, "k").public_jwk();
        let octets = octets(&jwk[name]);
        let spelled = [STANDARD.encode(&octets), STANDARD_NO_PAD.encode(&octets), URL_SAFE.encode(&octets)];
        let lines = spelled[0].as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>();
        for text in spelled.iter().cloned().chain([lines.join("\r\n"), format!(" {}\n", spelled[0])]) {
            let expected = if jwk[name] == *text { vec![] } else { vec![KeyOddity::Encoding { name }] };
            assert_eq!(judged(&with(&jwk, json!({ name: text }))), Ok(expected), "{text:?}");
        }
        for broken in ["!", "%2B", "AA=A", "A===", "\u{e4}"] {
            let text = format!("{}{broken}", jwk[name].as_str().unwrap());
            assert!(judged(&with(&jwk, json!({ name: text }))).is_err(), "{text}");
        }
    }
}

#[test]
fn a_use_is_allowed_by_name_and_enc_never() {
    let allowing = |name: &str| ImportRules { origin: Origin::Remote, uses: vec![name.to_owned()] };
    let jwk = with(&SigningKey::generate(Signing::ES256, "k").public_jwk(), json!({ "use": "jwt-svid" }));
    let problem = judged(&jwk).unwrap_err();
    assert_eq!(problem, KeyProblem::OtherUse { name: "jwt-svid".to_owned() });
    assert!(problem.to_string().contains("key_uses"), "{problem}");
    assert!(jwk::import(&jwk, &allowing("jwt-svid")).is_ok());
    assert!(jwk::import(&jwk, &allowing("x509-svid")).is_err());
    let enc = with(&jwk, json!({ "use": "enc" }));
    assert_eq!(jwk::import(&enc, &allowing("enc")).map(drop), Err(KeyProblem::NotForVerifying));
}

#[test]
fn a_key_that_was_skipped_is_not_unknown() {
    let key = SigningKey::generate(Signing::ES256, "k").public_jwk();
    let set = set(&[with(&key, json!({ "use": "enc" }))], Origin::Remote);
    let miss = |kid| set.candidates(&header("ES256", Some(kid))).map(drop).unwrap_err();
    assert_eq!(miss("k"), Miss::Skipped(KeyProblem::NotForVerifying));
    assert_eq!(miss("other"), Miss::Unknown);
}

#[test]
fn a_byte_order_mark_is_passed_over_and_told() {
    let text = format!("\u{feff}{}", json!({ "keys": [SigningKey::generate(Signing::ES256, "k").public_jwk()] }));
    let set = KeySet::import(&text.parse().unwrap(), &ImportRules::of(Origin::Remote));
    assert_eq!(set.warnings(), [KeyWarning { kid: None, oddity: KeyOddity::ByteOrderMark }]);
    assert_eq!(set.len(), 1);
}

#[test]
fn a_key_that_stands_in_the_set_twice_counts_once() {
    let key = SigningKey::generate(Signing::ES256, "k").public_jwk();
    let set = set(&[key.clone(), key.clone(), with(&key, json!({ "alg": null })), key], Origin::Remote);
    assert_eq!(set.len(), 2);
    let repeated = KeyWarning { kid: Some("k".to_owned()), oddity: KeyOddity::Repeated };
    assert_eq!(set.warnings(), [repeated.clone(), repeated]);
}

proptest! {
    /// The content of any file or endpoint is keys or has a name.
    #[test]
    fn any_bytes_are_keys_or_are_named(bytes in proptest::collection::vec(any::<u8>(), 0..200), start in 0_usize..8) {
        let starts = ["", "{", "{\"keys\":[", "-----BEGIN CERTIFICATE-----\n", "eyJ", "\u{feff}", "MII", "ssh-rsa "];
        let text = [starts[start].as_bytes(), &bytes].concat();
        prop_assert!(!Notation::of(&text).to_string().is_empty());
        let _ = keys_from_text(&text, &ImportRules::of(Origin::Local));
        let _ = keys_from_pem(&text);
    }
}
