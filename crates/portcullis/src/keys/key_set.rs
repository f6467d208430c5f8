//! An imported key set, and those of its keys that may have signed a token.

use std::{
    collections::BTreeMap,
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{JwkSet, KeyOddity, KeyProblem, KeyWarning, SkippedKey, VerificationKey, jwk};
use crate::{algorithm::Algorithm, crypto::SignatureProof};

/// The source of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Our own configuration: it may hold secrets, and a key without `kid` is for every token.
    Local,
    /// A JWKS endpoint: secrets are skipped, and a token's `kid` has to be in the set, to the letter.
    Remote,
}

/// The rules for the keys of a document.
#[derive(Debug, Clone)]
pub(crate) struct ImportRules {
    pub(crate) origin: Origin,
    /// Values of `use` that pass beside `sig`.
    pub(crate) uses: Vec<String>,
}

impl ImportRules {
    pub(crate) fn of(origin: Origin) -> Self {
        Self { origin, uses: Vec::new() }
    }
}

/// The number of a key set, unique in this process: a set that is gone leaves its number to no other.
///
/// A verdict on a token names the keys that it rests on by this number, which costs no reference count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeySetId(NonZeroU64);

impl KeySetId {
    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(NonZeroU64::MIN.saturating_add(LAST.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Keys, parsed and ready.
#[derive(Debug)]
pub(crate) struct KeySet {
    id: KeySetId,
    keys: Vec<VerificationKey>,
    by_kid: BTreeMap<Box<str>, Vec<usize>>,
    without_kid: Vec<usize>,
    origin: Origin,
    skipped: Vec<SkippedKey>,
    warnings: Vec<KeyWarning>,
}

/// The reason that no key of a set can verify a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Miss {
    /// No such `kid`, or no key for the algorithm: a newer set may have it.
    Unknown,
    /// The key exists, for another algorithm.
    Mismatch,
    /// The key exists, but is not used.
    Skipped(KeyProblem),
}

/// The keys of a set that may have signed a token: one at least.
#[derive(Debug)]
pub(crate) struct Candidates {
    set: Arc<KeySet>,
    first: usize,
    /// Empty, and so without an allocation, where a token names its key.
    others: Vec<usize>,
}

impl KeySet {
    /// Imports each key of a document; the bad ones are kept as [`SkippedKey`]s.
    pub(crate) fn import(document: &JwkSet, rules: &ImportRules) -> Self {
        let mut keys = Vec::new();
        let mut skipped = Vec::new();
        let bom = KeyWarning { kid: None, oddity: KeyOddity::ByteOrderMark };
        let mut warnings = Vec::from_iter(document.has_byte_order_mark().then_some(bom));
        for (index, jwk) in document.keys().iter().enumerate() {
            let kid = || jwk::kid(jwk).map(str::to_owned);
            if document.keys().iter().take(index).any(|earlier| earlier == jwk) {
                warnings.push(KeyWarning { kid: kid(), oddity: KeyOddity::Repeated });
                continue;
            }
            match jwk::import(jwk, rules) {
                Ok((key, oddities)) => {
                    keys.push(key);
                    warnings.extend(oddities.into_iter().map(|oddity| KeyWarning { kid: kid(), oddity }));
                }
                Err(problem) => skipped.push(SkippedKey { kid: kid(), problem }),
            }
        }
        Self { skipped, warnings, ..Self::new(keys, rules.origin) }
    }

    pub(crate) fn new(keys: Vec<VerificationKey>, origin: Origin) -> Self {
        let mut by_kid: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
        let mut without_kid = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            if key.kid().is_none_or(str::is_empty) {
                without_kid.push(index);
            }
            if let Some(kid) = key.kid() {
                by_kid.entry(kid.into()).or_default().push(index);
            }
        }
        let id = KeySetId::next();
        Self { id, keys, by_kid, without_kid, origin, skipped: Vec::new(), warnings: Vec::new() }
    }

    pub(crate) fn id(&self) -> KeySetId {
        self.id
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The algorithms of all keys, each once.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let all = Algorithm::ASYMMETRIC.iter().chain(Algorithm::SYMMETRIC).copied();
        all.filter(|algorithm| self.keys.iter().any(|key| key.is_for(*algorithm))).collect()
    }

    pub(crate) fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    pub(crate) fn warnings(&self) -> &[KeyWarning] {
        &self.warnings
    }

    pub(crate) fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(VerificationKey::kid)
    }

    /// The keys for a `kid`, or for none, and an algorithm.
    pub(crate) fn keys_for(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm) -> Result<Candidates, Miss> {
        match kid {
            Some(kid) => self.named(kid, algorithm),
            None => self.compatible(0..self.keys.len(), algorithm).ok_or(Miss::Unknown),
        }
    }

    /// Tells whether any key made this signature.
    #[cfg(portcullis_stages)]
    pub(crate) fn verifies(&self, algorithm: Algorithm, input: &[u8], signature: &[u8]) -> bool {
        self.keys.iter().any(|key| key.verify(algorithm, input, signature).is_some())
    }

    fn named(self: &Arc<Self>, kid: &str, algorithm: Algorithm) -> Result<Candidates, Miss> {
        let indices = match self.by_kid.get(kid) {
            Some(indices) => indices,
            None if self.origin == Origin::Local && !self.without_kid.is_empty() => &self.without_kid,
            None => return Err(self.why_missing(kid)),
        };
        self.compatible(indices.iter().copied(), algorithm).ok_or_else(|| match self.why_missing(kid) {
            // Of two keys with this id, the skipped one may be for the algorithm.
            Miss::Unknown => Miss::Mismatch,
            skipped => skipped,
        })
    }

    fn why_missing(&self, kid: &str) -> Miss {
        let skipped = self.skipped.iter().find(|key| key.kid.as_deref() == Some(kid));
        skipped.map_or(Miss::Unknown, |key| Miss::Skipped(key.problem.clone()))
    }

    fn compatible(self: &Arc<Self>, indices: impl Iterator<Item = usize>, algorithm: Algorithm) -> Option<Candidates> {
        let fits = |index: &usize| self.keys.get(*index).is_some_and(|key| key.is_for(algorithm));
        let mut indices = indices.filter(fits);
        let first = indices.next()?;
        Some(Candidates { set: Arc::clone(self), first, others: indices.collect() })
    }
}

impl Candidates {
    /// Checks that one of them may verify tokens with this `iss`, which is looked for only if a key names an issuer.
    pub(crate) fn check_issuer<'a>(&self, iss: impl Fn() -> Option<&'a str>) -> Result<(), KeyProblem> {
        if self.keys().any(|key| key.is_of(&iss)) { Ok(()) } else { Err(KeyProblem::OtherIssuer) }
    }

    /// The number of their set.
    pub(crate) fn set(&self) -> KeySetId {
        self.set.id
    }

    /// The proof that one of those that may verify tokens with this `iss` made the signature; `attempts` keys are tried at the most.
    pub(crate) fn proof<'a>(
        &self,
        iss: impl Fn() -> Option<&'a str>,
        algorithm: Algorithm,
        input: &[u8],
        signature: &[u8],
        attempts: usize,
    ) -> Option<SignatureProof> {
        self.keys().filter(|key| key.is_of(&iss)).take(attempts).find_map(|key| key.verify(algorithm, input, signature))
    }

    /// The number of candidates.
    pub(crate) fn count(&self) -> usize {
        1 + self.others.len()
    }

    /// Tells whether they have key ids: a key that a token names was found by its id.
    pub(crate) fn are_named(&self) -> bool {
        self.keys().next().is_some_and(|key| key.kid().is_some())
    }

    fn keys(&self) -> impl Iterator<Item = &VerificationKey> {
        let indices = std::iter::once(self.first).chain(self.others.iter().copied());
        indices.filter_map(|index| self.set.keys.get(index))
    }
}
