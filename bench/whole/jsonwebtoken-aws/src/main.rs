//! Whole verifications by jsonwebtoken.

use std::collections::HashMap;

use figures::CountingHeap;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode, decode_header, jwk::Jwk, jwk::JwkSet};
use whole::{Claims, Library, Result, Rules};

#[global_allocator]
static HEAP: CountingHeap = CountingHeap;

struct Jsonwebtoken(HashMap<String, Key>);

/// A key and the checks of tokens signed with it.
struct Key {
    key: DecodingKey,
    validation: Validation,
}

impl Library for Jsonwebtoken {
    type Claims = TokenData<Claims>;

    fn import(rules: &Rules) -> Result<Self> {
        let set: JwkSet = serde_json::from_str(&rules.jwks)?;
        let keys = set.keys.iter().map(|jwk| import(jwk, rules));
        Ok(Self(keys.collect::<Result<_>>()?))
    }

    fn verify(&self, token: &str) -> Result<Self::Claims> {
        let kid = decode_header(token)?.kid.ok_or("no kid")?;
        let Key { key, validation } = self.0.get(&kid).ok_or("unknown kid")?;
        Ok(decode(token, key, validation)?)
    }
}

fn import(jwk: &Jwk, rules: &Rules) -> Result<(String, Key)> {
    let kid = jwk.common.key_id.clone().ok_or("expected a key with kid")?;
    let algorithm = jwk.common.key_algorithm.ok_or("expected a key with alg")?;
    let validation = validation(algorithm.try_into()?, rules);
    Ok((kid, Key { key: DecodingKey::from_jwk(jwk)?, validation }))
}

/// The checks, as strict as Portcullis' defaults.
fn validation(algorithm: Algorithm, rules: &Rules) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.leeway = 5;
    validation.validate_nbf = true;
    validation.set_issuer(&[&rules.issuer]);
    validation.set_audience(&[&rules.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}

fn main() -> Result<()> {
    whole::measure::<Jsonwebtoken>()
}
