//! Tokens that were forged from a signed one, without its key.

use std::sync::LazyLock;

use super::*;

type Signed = (Arc<KeySet>, Vec<u8>);

fn key_set(key: &SigningKey) -> Arc<KeySet> {
    let document: JwkSet = json!({ "keys": [key.public_jwk()] }).to_string().parse().unwrap();
    Arc::new(KeySet::import(&document, &ImportRules::of(Origin::Local)))
}

/// A short token, and the set with its key.
fn signed(algorithm: Signing) -> Signed {
    let key = SigningKey::generate(algorithm, "k");
    let token = TokenBuilder::new(&key, "i", SystemTime::UNIX_EPOCH).claims_json(r#"{"exp":9}"#).sign();
    (key_set(&key), token.into_bytes())
}

/// Tells whether a text verifies as a signed token.
fn opens(set: &Arc<KeySet>, text: impl AsRef<[u8]>) -> bool {
    let Ok(token) = BearerToken::bare(text.as_ref(), 10_000).and_then(parse) else { return false };
    set.candidates(token.header()).is_ok_and(|candidates| candidates.verify(token, 8).is_ok())
}

#[test]
fn no_byte_can_be_another_and_none_can_be_missing() {
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

#[test]
fn keys_that_the_header_brings_along_neither_help_nor_harm() {
    let own = SigningKey::generate(Signing::ES256, "k");
    let attacker = SigningKey::generate(Signing::ES256, "k");
    let set = key_set(&own);
    let table = [
        ("jwk", attacker.public_jwk()),
        ("jwk", json!("not a key")),
        ("jku", json!("https://attacker.example/jwks")),
        ("x5u", json!("https://attacker.example/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!(null)),
    ];
    for (member, value) in table {
        let token = |key| TokenBuilder::new(key, "i", SystemTime::UNIX_EPOCH).header(member, value.clone()).sign();
        assert!(opens(&set, token(&own)), "{member}");
        assert!(!opens(&set, token(&attacker)), "{member}");
    }
}

/// RFC 8725 section 2.1: a public key taken for a secret, and a signature left out.
#[test]
fn an_algorithm_of_another_family_does_not_reach_the_key() {
    let rsa = SigningKey::generate(Signing::RS256, "k");
    let set = key_set(&rsa);
    for secret in [rsa.public_der(), rsa.public_pem().into_bytes(), rsa.public_jwk().to_string().into_bytes()] {
        let forger = SigningKey::from_secret(Signing::HS256, "k", &secret);
        assert!(!opens(&set, TokenBuilder::new(&forger, "i", SystemTime::UNIX_EPOCH).sign()));
    }
    let good = || TokenBuilder::new(&rsa, "i", SystemTime::UNIX_EPOCH);
    assert!(opens(&set, good().sign()));
    assert!(!opens(&set, good().signed_with(Signing::PS256).sign()), "the key's `alg` is RS256");
    let token = good().sign();
    let (input, _) = token.rsplit_once('.').unwrap();
    assert!(!opens(&set, format!("{input}.")));
}

static ELLIPTIC: LazyLock<Signed> = LazyLock::new(|| signed(Signing::ES256));

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn several_changes_open_no_token_unless_they_undo_each_other(
        changes in proptest::collection::vec(Change::any(), 2..5),
    ) {
        let (set, token) = &*ELLIPTIC;
        let mut changed = token.clone();
        for change in &changes {
            if let Ok(text) = std::str::from_utf8(&changed).map(str::to_owned) && !text.is_empty() {
                changed = change.apply(&text);
            }
        }
        prop_assert_eq!(opens(set, &changed), changed == *token);
    }

    #[test]
    fn no_contents_of_the_parts_make_the_parser_panic(
        header in r#"\{("(alg|kid|typ|crit|b64)":("ES256"|"k"|null|1|\[\]|\{\}),?){0,4}\}?"#,
        payload in any::<String>(),
        signature in any::<Vec<u8>>(),
    ) {
        let text = compact(&header, &payload, &URL_SAFE_NO_PAD.encode(signature));
        let _ = BearerToken::bare(text.as_bytes(), 10_000).and_then(parse);
    }
}
