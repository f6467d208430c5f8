//! An imported key set, and which of its keys may have signed a token.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
};

use super::{JwkSet, SkippedKey, VerificationKey, jwk};
use crate::{
    algorithm::Algorithm,
    refusal::{Refusal, TokenFault},
    token::{Header, SignedToken, UnverifiedToken},
};

/// How many keys are tried for one token at the most.
const MAX_CANDIDATES: usize = 8;

/// Where keys come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Our own configuration: may hold secrets, and a key without `kid` is meant for every token.
    Local,
    /// A JWKS endpoint: secrets are skipped, and a token's `kid` has to be there to the letter.
    Remote,
}

/// Keys, parsed and ready.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<VerificationKey>,
    by_kid: BTreeMap<Box<str>, Vec<usize>>,
    without_kid: Vec<usize>,
    origin: Origin,
    skipped: Vec<SkippedKey>,
}

/// Why no key of a set can verify a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// No such `kid`, or no key for the algorithm: a newer set may have it.
    Unknown,
    /// The key is there, for another algorithm.
    Mismatch,
}

/// The keys of a set that may have signed a token, 8 at most.
#[derive(Debug)]
pub(crate) struct Candidates {
    set: Arc<KeySet>,
    indices: [usize; MAX_CANDIDATES],
    count: usize,
}

impl KeySet {
    /// Imports each key of a document; the bad ones are kept as [`SkippedKey`]s.
    pub(crate) fn import(document: &JwkSet, origin: Origin) -> Self {
        let mut keys = Vec::new();
        let mut skipped = Vec::new();
        for jwk in document.keys() {
            match jwk::import(jwk, origin) {
                Ok(key) => keys.push(key),
                Err(problem) => skipped.push(SkippedKey { kid: jwk::kid(jwk).map(str::to_owned), problem }),
            }
        }
        Self { skipped, ..Self::new(keys, origin) }
    }

    pub(crate) fn new(keys: Vec<VerificationKey>, origin: Origin) -> Self {
        let mut by_kid: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
        let mut without_kid = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            match key.kid() {
                Some(kid) => by_kid.entry(kid.into()).or_default().push(index),
                None => without_kid.push(index),
            }
        }
        Self { keys, by_kid, without_kid, origin, skipped: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    pub(crate) fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(VerificationKey::kid)
    }

    /// The keys that a token with this header may have been signed with.
    pub(crate) fn candidates(self: &Arc<Self>, header: &Header) -> Result<Candidates, Miss> {
        match header.kid.as_deref() {
            Some(kid) => self.named(kid, header.algorithm),
            None => self.compatible(0..self.keys.len(), header.algorithm).ok_or(Miss::Unknown),
        }
    }

    /// Whether any key has made this signature.
    #[cfg(portcullis_stages)]
    pub(crate) fn verifies(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|key| key.verifies(algorithm, input, signature))
    }

    fn named(self: &Arc<Self>, kid: &str, algorithm: Algorithm) -> Result<Candidates, Miss> {
        let indices = match self.by_kid.get(kid) {
            Some(indices) => indices,
            None if self.origin == Origin::Local && !self.without_kid.is_empty() => &self.without_kid,
            None => return Err(Miss::Unknown),
        };
        self.compatible(indices.iter().copied(), algorithm).ok_or(Miss::Mismatch)
    }

    fn compatible(self: &Arc<Self>, indices: impl Iterator<Item = usize>, algorithm: Algorithm) -> Option<Candidates> {
        let mut candidates = Candidates { set: Arc::clone(self), indices: [0; MAX_CANDIDATES], count: 0 };
        let fits = |index: &usize| self.keys.get(*index).is_some_and(|key| key.is_for(algorithm));
        for (slot, index) in candidates.indices.iter_mut().zip(indices.filter(fits)) {
            *slot = index;
            candidates.count += 1;
        }
        (candidates.count > 0).then_some(candidates)
    }
}

impl Candidates {
    /// The set that they are of, as a mark that does not keep it.
    pub(crate) fn set(&self) -> Weak<KeySet> {
        Arc::downgrade(&self.set)
    }

    /// Opens the token with the first key that its signature verifies with.
    pub(crate) fn verify(&self, token: UnverifiedToken<'_>) -> Result<SignedToken, Refusal> {
        let keys = self.indices.iter().take(self.count).filter_map(|index| self.set.keys.get(*index));
        let mut proofs = keys.filter_map(|key| key.verify(&token));
        let proof = proofs.next().ok_or(Refusal::Token(TokenFault::Signature))?;
        drop(proofs);
        Ok(token.signed(proof))
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Whether they have key ids: those that a token names were found by it.
    pub(crate) fn are_named(&self) -> bool {
        let first = self.indices.first().and_then(|index| self.set.keys.get(*index));
        first.is_some_and(|key| key.kid().is_some())
    }
}
