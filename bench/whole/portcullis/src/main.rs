//! Whole verifications by Portcullis without its cache.

use figures::{CountingHeap, ready};
use portcullis::{JwksService, Verifier};
use whole::{Claims, Library, Result, Rules};

#[global_allocator]
static HEAP: CountingHeap = CountingHeap;

struct Portcullis(Verifier);

impl Library for Portcullis {
    type Claims = portcullis::Claims<Claims>;

    fn import(rules: &Rules) -> Result<Self> {
        let jwks = JwksService::from_json(&rules.jwks)?;
        let verifier = Verifier::builder(jwks).issuer(&rules.issuer).audience(&rules.audience);
        Ok(Self(verifier.without_token_cache().build()?))
    }

    fn verify(&self, token: &str) -> Result<Self::Claims> {
        Ok(ready(self.0.verify(token))?.typed()?)
    }
}

fn main() -> Result<()> {
    whole::measure::<Portcullis>()
}
