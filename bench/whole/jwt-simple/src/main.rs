//! Whole verifications by jwt-simple, which does not read JWK Sets.

use std::collections::{HashMap, HashSet};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use figures::CountingHeap;
use jwt_simple::prelude::*;
use serde_json::Value;
use whole::{Library, OwnClaims, Result, Rules};

#[global_allocator]
static HEAP: CountingHeap = CountingHeap;

struct JwtSimple {
    keys: HashMap<String, Key>,
    options: VerificationOptions,
}

enum Key {
    Rs256(Box<RS256PublicKey>),
    Es256(ES256PublicKey),
    EdDsa(Ed25519PublicKey),
}

impl Library for JwtSimple {
    type Claims = JWTClaims<OwnClaims>;

    fn import(rules: &Rules) -> Result<Self> {
        let set: Value = serde_json::from_str(&rules.jwks)?;
        let keys = set["keys"].as_array().ok_or("expected a JWK Set")?.iter().map(import);
        Ok(Self { keys: keys.collect::<Result<_>>()?, options: options(rules) })
    }

    fn verify(&self, token: &str) -> Result<Self::Claims> {
        let metadata = Token::decode_metadata(token)?;
        let key = metadata.key_id().and_then(|kid| self.keys.get(kid)).ok_or("unknown kid")?;
        // The library takes the options by value.
        let options = Some(self.options.clone());
        Ok(match key {
            Key::Rs256(key) => key.verify_token(token, options)?,
            Key::Es256(key) => key.verify_token(token, options)?,
            Key::EdDsa(key) => key.verify_token(token, options)?,
        })
    }
}

fn options(rules: &Rules) -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from([rules.issuer.clone()])),
        allowed_audiences: Some(HashSet::from([rules.audience.clone()])),
        time_tolerance: Some(Duration::from_secs(5)),
        ..VerificationOptions::default()
    }
}

fn import(jwk: &Value) -> Result<(String, Key)> {
    let text = |name: &str| jwk[name].as_str().ok_or_else(|| format!("expected a key with {name}"));
    let bytes = |name: &str| Result::Ok(URL_SAFE_NO_PAD.decode(text(name)?)?);
    let key = match text("alg")? {
        "RS256" => Key::Rs256(Box::new(RS256PublicKey::from_components(&bytes("n")?, &bytes("e")?)?)),
        "ES256" => Key::Es256(ES256PublicKey::from_bytes(&[vec![4], bytes("x")?, bytes("y")?].concat())?),
        "EdDSA" => Key::EdDsa(Ed25519PublicKey::from_bytes(&bytes("x")?)?),
        other => return Err(format!("no {other} here").into()),
    };
    Ok((text("kid")?.to_owned(), key))
}

fn main() -> Result<()> {
    whole::measure::<JwtSimple>()
}
