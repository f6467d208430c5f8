//! Parsing, a hostile text for each rule; and the promise that only the very bytes that were signed open a token.

use std::{
    sync::{Arc, LazyLock},
    time::SystemTime,
};

use portcullis_testkit::{Algorithm as Signing, SigningKey, TokenBuilder};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    bearer::DEFAULT_MAX_TOKEN_BYTES,
    keys::{Algorithm, JwkSet, KeySet, Origin},
    refusal::{JsonFault, Unverified},
};

/// `{"alg":"ES256"}`, `{}` and the signature `s`.
const HEADER: &str = "eyJhbGciOiJFUzI1NiJ9";
const PAYLOAD: &str = "e30";

fn segment(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn with_header(header: &str) -> String {
    format!("{}.{PAYLOAD}.cw", segment(header))
}

fn with_payload(payload: &str) -> String {
    format!("{HEADER}.{}.cw", segment(payload))
}

fn fault(token: &str) -> Option<TokenFault> {
    let token = BearerToken::bare(token.as_bytes(), 1 << 20).expect("text of a bearer token");
    match parse(token) {
        Ok(_) => None,
        Err(Refusal::Token(fault)) => Some(fault),
        Err(other) => panic!("{other}"),
    }
}

fn header(text: &str) -> Result<Header, TokenFault> {
    Header::from_object(&json::object(text.as_bytes()).expect("a strict JSON object"))
}

#[test]
fn a_token_has_three_parts_to_the_letter() {
    let table = [
        ("e30", TokenFault::Segments { actual: 1 }),
        ("...", TokenFault::Segments { actual: 4 }),
        (".", TokenFault::Segments { actual: 2 }),
        ("eyJhbGciOiJFUzI1NiJ9.e30", TokenFault::Segments { actual: 2 }),
        ("eyJhbGciOiJFUzI1NiJ9.e30.cw.cw", TokenFault::Segments { actual: 4 }),
        ("eyJhbGciOiJFUzI1NiJ9.e30.cw.", TokenFault::Segments { actual: 4 }),
        (".eyJhbGciOiJFUzI1NiJ9.e30.cw", TokenFault::Segments { actual: 4 }),
        ("eyJhbGciOiJFUzI1NiJ9.e30.cw.cw.cw", TokenFault::Encrypted),
        ("....", TokenFault::Encrypted),
        ("a.b.c.d.e.f", TokenFault::Segments { actual: 6 }),
        ("..", TokenFault::Json(Part::Header, JsonFault::Syntax)),
        (".e30.cw", TokenFault::Json(Part::Header, JsonFault::Syntax)),
        ("eyJhbGciOiJFUzI1NiJ9..cw", TokenFault::Json(Part::Payload, JsonFault::Syntax)),
    ];
    for (token, expected) in table {
        assert_eq!(fault(token), Some(expected), "{token}");
    }
    // An empty signature is base64url of no bytes: the key refuses it.
    assert_eq!(fault("eyJhbGciOiJFUzI1NiJ9.e30."), None);
    assert_eq!(fault("eyJhbGciOiJFUzI1NiJ9.e30.cw"), None);
}

#[test]
fn each_part_is_strict_base64url() {
    // Each is a good part spoilt: (header, payload, signature); `?` stands for `{"a":"?"}` and the like.
    let table: &[(&str, &str, &str, Part)] = &[
        ("eyJhbGciOiJFUzI1NiIgfQ==", PAYLOAD, "cw", Part::Header),
        (HEADER, "e30=", "cw", Part::Payload),
        (HEADER, PAYLOAD, "cw==", Part::Signature),
        (" eyJhbGciOiJFUzI1NiJ9", PAYLOAD, "cw", Part::Header),
        ("eyJhbGciOiJF\nUzI1NiJ9", PAYLOAD, "cw", Part::Header),
        (HEADER, "e3\t0", "cw", Part::Payload),
        (HEADER, "e30\r\n", "cw", Part::Payload),
        (HEADER, PAYLOAD, "cw ", Part::Signature),
        ("eyJhIjoi+z8ifQ", PAYLOAD, "cw", Part::Header),
        (HEADER, "eyJhIjoiPz8/In0", "cw", Part::Payload),
        (HEADER, PAYLOAD, "+_8A", Part::Signature),
        (HEADER, PAYLOAD, "-/8A", Part::Signature),
        // The bits after the last byte have to be zero, or several texts would be one token.
        ("eyJhbGciOiJFUzI1NiIgfR", PAYLOAD, "cw", Part::Header),
        (HEADER, "e31", "cw", Part::Payload),
        (HEADER, PAYLOAD, "cx", Part::Signature),
        (HEADER, PAYLOAD, "c3d", Part::Signature),
        // No byte has six bits only.
        (HEADER, PAYLOAD, "c", Part::Signature),
        (HEADER, "e30AA", "cw", Part::Payload),
        ("e%3D", PAYLOAD, "cw", Part::Header),
        (HEADER, PAYLOAD, "c\u{441}", Part::Signature),
        (HEADER, PAYLOAD, "c~", Part::Signature),
        (HEADER, PAYLOAD, "cw\0", Part::Signature),
    ];
    for (header, payload, signature, part) in table {
        let token = format!("{header}.{payload}.{signature}");
        let fault = split(&token).and_then(decode).err();
        assert_eq!(fault, Some(TokenFault::Base64(*part)), "{token:?}");
    }
}

#[test]
fn header_and_payload_are_unambiguous_json_objects() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let table: &[(&str, JsonFault)] = &[
        ("", JsonFault::Syntax),
        ("alg", JsonFault::Syntax),
        ("{", JsonFault::Syntax),
        (r#"{"alg":"ES256"}{}"#, JsonFault::Syntax),
        (r#"{"alg":"ES256"}x"#, JsonFault::Syntax),
        (r#"{"exp":1e999}"#, JsonFault::Syntax),
        ("null", JsonFault::NotAnObject),
        ("1", JsonFault::NotAnObject),
        (r#""ES256""#, JsonFault::NotAnObject),
        (r#"[{"alg":"ES256"}]"#, JsonFault::NotAnObject),
        (r#"{"alg":"none","alg":"ES256"}"#, JsonFault::DuplicateMember),
        (r#"{"alg":"ES256","\u0061lg":"none"}"#, JsonFault::DuplicateMember),
        (r#"{"sub":"a","sub":"a"}"#, JsonFault::DuplicateMember),
        (r#"{"a":{"b":1,"b":1}}"#, JsonFault::DuplicateMember),
        (r#"{"a":[[{"b":{"c":1,"c":2}}]]}"#, JsonFault::DuplicateMember),
        (&deep, JsonFault::TooDeep),
    ];
    for (text, expected) in table {
        assert_eq!(fault(&with_header(text)), Some(TokenFault::Json(Part::Header, *expected)), "header {text}");
        assert_eq!(fault(&with_payload(text)), Some(TokenFault::Json(Part::Payload, *expected)), "payload {text}");
    }
    let not_utf8 = segment(b"{\"a\":\"\xff\"}");
    assert_eq!(
        fault(&format!("{HEADER}.{not_utf8}.cw")),
        Some(TokenFault::Json(Part::Payload, JsonFault::Syntax))
    );
}

#[test]
fn the_algorithm_is_a_known_name_to_the_letter() {
    let unknown = ["none", "None", "NONE", "nOnE", "", "XX999", "rs256", "Es256", "ES256 ", "ES256K", "RS1", "EDDSA"];
    let more = ["ed25519", "Ed448", "HS1", "A128KW", "dir", "RSA-OAEP", "HS256\0", "ＥＳ256"];
    for name in unknown.into_iter().chain(more) {
        let fault = fault(&with_header(&json!({ "alg": name }).to_string()));
        assert_eq!(fault, Some(TokenFault::Algorithm { actual: Unverified::new(name) }), "{name:?}");
    }
    for text in [r#"{"alg":null}"#, r#"{"alg":256}"#, r#"{"alg":["ES256"]}"#, r#"{"alg":{"name":"ES256"}}"#] {
        let expected = TokenFault::Header { member: "alg", expected: "a string" };
        assert_eq!(fault(&with_header(text)), Some(expected), "{text}");
    }
    for text in ["{}", r#"{"Alg":"ES256"}"#, r#"{"ALG":"ES256"}"#, r#"{"typ":"JWT"}"#] {
        let expected = TokenFault::Header { member: "alg", expected: "present" };
        assert_eq!(fault(&with_header(text)), Some(expected), "{text}");
    }
}

#[test]
fn header_members_have_their_type_and_size() {
    let text = |member| Some(TokenFault::Header { member, expected: "a string" });
    let long = Some(TokenFault::Header { member: "kid", expected: "at most 512 bytes long" });
    let b64 = Some(TokenFault::Header { member: "b64", expected: "absent or true (RFC 7797 is not supported)" });
    let crit = Some(TokenFault::Critical);
    let table = [
        (json!({ "kid": "k" }), None),
        (json!({ "kid": "" }), None),
        (json!({ "kid": "../../etc/passwd\u{0} ' OR 1=1" }), None),
        (json!({ "kid": "k".repeat(512) }), None),
        (json!({ "kid": "k".repeat(513) }), long.clone()),
        // Bytes are counted, not characters.
        (json!({ "kid": "é".repeat(256) }), None),
        (json!({ "kid": "é".repeat(257) }), long),
        (json!({ "kid": 1 }), text("kid")),
        (json!({ "kid": null }), text("kid")),
        (json!({ "kid": true }), text("kid")),
        (json!({ "kid": {} }), text("kid")),
        (json!({ "kid": ["k"] }), text("kid")),
        (json!({ "typ": 1 }), text("typ")),
        (json!({ "typ": null }), text("typ")),
        (json!({ "typ": ["at+jwt"] }), text("typ")),
        (json!({ "crit": [] }), crit.clone()),
        (json!({ "crit": ["b64"], "b64": true }), crit.clone()),
        (json!({ "crit": ["exp"], "exp": 1 }), crit.clone()),
        (json!({ "crit": "b64" }), crit.clone()),
        (json!({ "crit": null }), crit.clone()),
        (json!({ "crit": false }), crit.clone()),
        (json!({ "crit": {} }), crit),
        (json!({ "b64": true }), None),
        (json!({ "b64": false }), b64.clone()),
        (json!({ "b64": "true" }), b64.clone()),
        (json!({ "b64": null }), b64.clone()),
        (json!({ "b64": 1 }), b64),
        (json!({ "cty": "JWT", "unknown": { "any": ["thing"] } }), None),
    ];
    for (mut members, expected) in table {
        members["alg"] = json!("ES256");
        assert_eq!(fault(&with_header(&members.to_string())), expected, "{members:.60}");
    }
}

#[test]
fn keys_that_the_header_brings_along_are_not_even_read() {
    let own = SigningKey::generate(Signing::ES256, "k");
    let attacker = SigningKey::generate(Signing::ES256, "k");
    let set = key_set(&own);
    for (member, value) in [
        ("jwk", attacker.public_jwk()),
        ("jwk", json!("not a key")),
        ("jku", json!("https://attacker.example/jwks")),
        ("jku", json!(7)),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!(null)),
    ] {
        let token = |key| TokenBuilder::new(key, "i", SystemTime::UNIX_EPOCH).header(member, value.clone()).sign();
        assert!(opens(&set, &token(&own)), "{member}");
        assert!(!opens(&set, &token(&attacker)), "{member}");
    }
}

#[test]
fn only_allowed_algorithms_pass() {
    for name in ["RS256", "PS512", "ES256", "EdDSA", "Ed25519", "HS256", "HS384", "HS512"] {
        let header = header(&json!({ "alg": name }).to_string()).unwrap();
        let refused = Err(Refusal::Token(TokenFault::Algorithm { actual: Unverified::new(name) }));
        let expected = if name.starts_with("HS") { refused } else { Ok(()) };
        assert_eq!(HeaderRules::default().check(&header), expected, "{name} by default");

        let only_hs256 = HeaderRules { algorithms: vec![Algorithm::HS256], ..HeaderRules::default() };
        assert_eq!(only_hs256.check(&header).is_ok(), name == "HS256", "{name} beside HS256");
        let none = HeaderRules { algorithms: Vec::new(), ..HeaderRules::default() };
        assert!(none.check(&header).is_err(), "{name} beside nothing");
    }
}

#[test]
fn only_types_of_access_tokens_pass() {
    let strict = || Types { accepted: vec!["at+jwt".into()], absent: false };
    let custom = || Types { accepted: vec!["application/vnd.Example+jwt".into(), "a/b".into()], absent: false };
    // By default, in RFC 9068 mode, and with types of one's own.
    let table: &[(Option<&str>, [bool; 3])] = &[
        (None, [true, false, false]),
        (Some("JWT"), [true, false, false]),
        (Some("jwt"), [true, false, false]),
        (Some("at+jwt"), [true, true, false]),
        (Some("AT+JWT"), [true, true, false]),
        (Some("application/at+jwt"), [true, true, false]),
        (Some("APPLICATION/at+jwt"), [true, true, false]),
        (Some("application/jwt"), [true, false, false]),
        (Some("vnd.example+jwt"), [false, false, true]),
        (Some("Application/Vnd.Example+JWT"), [false, false, true]),
        (Some("a/b"), [false, false, true]),
        (Some("application/a/b"), [false, false, false]),
        (Some("b"), [false, false, false]),
        (Some(""), [false, false, false]),
        (Some("application/"), [false, false, false]),
        (Some("application/application/at+jwt"), [false, false, false]),
        (Some("text/at+jwt"), [false, false, false]),
        (Some("at+jwt;x"), [false, false, false]),
        (Some("at+jwt "), [false, false, false]),
        (Some(" JWT"), [false, false, false]),
        (Some("at jwt"), [false, false, false]),
        (Some("logout+jwt"), [false, false, false]),
        (Some("dpop+jwt"), [false, false, false]),
        (Some("secevent+jwt"), [false, false, false]),
        (Some("token-introspection+jwt"), [false, false, false]),
        (Some("JOSE"), [false, false, false]),
        (Some("éapplication/at+jwt"), [false, false, false]),
    ];
    for (typ, expected) in table {
        let header = Header::from_object(&match typ {
            Some(typ) => Object::from_iter([("alg".into(), json!("ES256")), ("typ".into(), json!(typ))]),
            None => Object::from_iter([("alg".into(), json!("ES256"))]),
        });
        let header = header.unwrap();
        for (types, passes) in [HeaderRules::default().types, strict(), custom()].into_iter().zip(expected) {
            let rules = HeaderRules { types, ..HeaderRules::default() };
            let refusal = Refusal::Token(TokenFault::Type { actual: Unverified::new(typ.unwrap_or_default()) });
            let expected = if *passes { Ok(()) } else { Err(refusal) };
            assert_eq!(rules.check(&header), expected, "{typ:?} with {:?}", rules.types);
        }
    }
}

#[test]
fn the_claimed_issuer_is_a_string() {
    let issuer = |payload: &str| {
        let token = with_payload(payload);
        let token = parse(BearerToken::bare(token.as_bytes(), 1000).unwrap()).unwrap();
        token.claimed_issuer().map(str::to_owned).map_err(|refusal| refusal.code())
    };
    assert_eq!(issuer(r#"{"iss":"https://a"}"#), Ok("https://a".to_owned()));
    assert_eq!(issuer("{}"), Err("missing_claim"));
    assert_eq!(issuer(r#"{"iss":["https://a"]}"#), Err("malformed_claim"));
    assert_eq!(issuer(r#"{"iss":null}"#), Err("malformed_claim"));
}

fn key_set(key: &SigningKey) -> Arc<KeySet> {
    let document: JwkSet = json!({ "keys": [key.public_jwk()] }).to_string().parse().unwrap();
    Arc::new(KeySet::import(&document, Origin::Local))
}

/// Whether a text goes the whole way to a signed token.
fn opens(set: &Arc<KeySet>, text: impl AsRef<[u8]>) -> bool {
    let Ok(bearer) = BearerToken::bare(text.as_ref(), DEFAULT_MAX_TOKEN_BYTES) else { return false };
    let Ok(token) = parse(bearer) else { return false };
    set.candidates(token.header()).is_ok_and(|candidates| candidates.verify(token).is_ok())
}

/// A signed token, and the set with its key; the key's `kid` is `k`.
fn signed(algorithm: Signing) -> (Arc<KeySet>, Vec<u8>) {
    let key = SigningKey::generate(algorithm, "k");
    let token = TokenBuilder::new(&key, "i", SystemTime::UNIX_EPOCH).claims_json(r#"{"exp":9}"#).sign();
    (key_set(&key), token.into_bytes())
}

#[test]
fn a_change_of_any_one_byte_closes_the_token() {
    let (set, token) = signed(Signing::HS256);
    assert!(opens(&set, &token));
    for at in 0..token.len() {
        for byte in (0..=u8::MAX).filter(|byte| *byte != token[at]) {
            let mut forged = token.clone();
            forged[at] = byte;
            assert!(!opens(&set, &forged), "byte {at} as {byte}");
        }
        assert!(!opens(&set, &token[..at]), "cut at {at}");
        assert!(!opens(&set, &token[at + 1..]), "starting after {at}");
    }
}

/// One change of a text; a position is taken modulo the text's length.
#[derive(Debug, Clone)]
enum Change {
    Replace(usize, u8),
    Insert(usize, u8),
    Delete(usize),
    Duplicate(usize),
    Swap(usize, usize),
}

impl Change {
    fn any() -> impl Strategy<Value = Self> {
        let byte = prop_oneof![4 => proptest::sample::select(b"ABCwxyz0189-_.".to_vec()), 1 => any::<u8>()];
        let byte = byte.boxed();
        prop_oneof![
            (any::<usize>(), byte.clone()).prop_map(|(at, byte)| Self::Replace(at, byte)),
            (any::<usize>(), byte).prop_map(|(at, byte)| Self::Insert(at, byte)),
            any::<usize>().prop_map(Self::Delete),
            any::<usize>().prop_map(Self::Duplicate),
            any::<(usize, usize)>().prop_map(|(a, b)| Self::Swap(a, b)),
        ]
    }

    fn apply(&self, text: &mut Vec<u8>) {
        let length = text.len();
        match *self {
            Self::Replace(at, byte) => text[at % length] = byte,
            Self::Insert(at, byte) => text.insert(at % (length + 1), byte),
            Self::Delete(at) => drop(text.remove(at % length)),
            Self::Duplicate(at) => text.insert(at % length, text[at % length]),
            Self::Swap(a, b) => text.swap(a % length, b % length),
        }
    }
}

static ELLIPTIC: LazyLock<(Arc<KeySet>, Vec<u8>)> = LazyLock::new(|| signed(Signing::ES256));

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_token_opens_only_as_the_very_text_that_was_signed(changes in proptest::collection::vec(Change::any(), 1..4)) {
        let (set, token) = &*ELLIPTIC;
        let mut changed = token.clone();
        for change in &changes {
            change.apply(&mut changed);
        }
        prop_assert_eq!(opens(set, &changed), changed == *token);
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(token) = BearerToken::bare(&bytes, DEFAULT_MAX_TOKEN_BYTES) {
            let _ = parse(token);
        }
    }

    #[test]
    fn no_contents_of_the_parts_make_the_parser_panic(
        header in r#"\{("(alg|kid|typ|crit|b64)":("ES256"|"k"|null|1|\[\]|\{\}),?){0,4}\}?"#,
        payload in any::<String>(),
        signature in any::<Vec<u8>>(),
    ) {
        let token = [segment(header), segment(payload), segment(signature)].join(".");
        if let Ok(token) = BearerToken::bare(token.as_bytes(), DEFAULT_MAX_TOKEN_BYTES) {
            let _ = parse(token);
        }
    }
}
