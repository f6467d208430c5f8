//! From an [`UnverifiedToken`] to a [`SignedToken`]: the keys that may have signed it, and the proof that one did.

use std::sync::Arc;

use super::{Header, SignedToken, UnverifiedToken};
use crate::{
    keys::{Candidates, KeySet, Miss},
    refusal::{Refusal, TokenFault},
};

impl KeySet {
    /// The keys that may have signed a token with this header.
    pub(crate) fn candidates(self: &Arc<Self>, header: &Header) -> Result<Candidates, Miss> {
        self.keys_for(header.kid.as_deref(), header.algorithm)
    }
}

impl Candidates {
    /// Verifies the token's signature with one of these keys; `attempts` keys are tried at the most.
    pub(crate) fn verify<'a>(&self, token: UnverifiedToken<'a>, attempts: usize) -> Result<SignedToken<'a>, Refusal> {
        let iss = || token.claimed_issuer().ok();
        self.check_issuer(iss).map_err(|problem| Refusal::Token(TokenFault::UnusableKey { problem }))?;
        match self.proof(iss, token.header.algorithm, token.signing_input(), token.signature(), attempts) {
            Some(proof) => {
                let UnverifiedToken { text, header, claims, .. } = token;
                Ok(SignedToken { text, header, claims, keys: self.set(), _proof: proof })
            }
            None if self.count() > attempts => {
                Err(Refusal::Token(TokenFault::TooManyKeys { limit: attempts, actual: self.count() }))
            }
            None => Err(Refusal::Token(TokenFault::Signature)),
        }
    }
}
