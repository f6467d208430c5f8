//! The JWK Set document, as it is published and cached (RFC 7517 section 5).

use std::{fmt, time::SystemTime};

use serde_json::Value;

use super::{ImportRules, KeyOddity, KeyProblem, Notation, Origin, gathered::Gathered, jwk};

/// A JWK Set document and the time at which it was fetched, for a [`JwksCache`](crate::JwksCache).
///
/// It holds all keys as they were published: good, bad and unknown ones.
///
/// # Example
///
/// ```
/// use portcullis::JwkSet;
///
/// let set: JwkSet = r#"{ "keys": [] }"#.parse()?;
/// assert_eq!(set.to_string(), r#"{"keys":[]}"#);
/// # Ok::<(), portcullis::NotAJwkSet>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct JwkSet {
    document: Value,
    fetched_at: Option<SystemTime>,
    has_byte_order_mark: bool,
}

/// A text that is not a JWK Set: not JSON, or no object with an array `keys`.
///
/// ```
/// use portcullis::{JwkSet, Notation};
///
/// let error = "<!doctype html><title>Sign in</title>".parse::<JwkSet>().unwrap_err();
/// assert_eq!(error.came, Notation::Html);
/// ```
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAJwkSet {
    /// The notation that the text looks like.
    pub came: Notation,
}

/// A byte-order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl JwkSet {
    /// Reads a document from JSON text.
    ///
    /// # Errors
    ///
    /// [`NotAJwkSet`] if it is not JSON, or has no array `keys`.
    pub fn from_slice(json: &[u8]) -> Result<Self, NotAJwkSet> {
        let text = without_byte_order_mark(json);
        let document = serde_json::from_slice(text).ok().map(|Gathered(document)| document);
        let document = document.filter(|document| document.get("keys").is_some_and(Value::is_array));
        let document = document.ok_or_else(|| NotAJwkSet { came: Notation::of(json) })?;
        Ok(Self { document, fetched_at: None, has_byte_order_mark: text.len() < json.len() })
    }

    /// The time at which the document was fetched; if it is unknown, the document counts as old.
    #[must_use]
    pub fn fetched_at(&self) -> Option<SystemTime> {
        self.fetched_at
    }

    /// The same document, fetched at this time.
    #[must_use]
    pub fn with_fetched_at(self, fetched_at: SystemTime) -> Self {
        Self { fetched_at: Some(fetched_at), ..self }
    }

    /// Each key with its oddities, or with the reason that it is not used, if the set is fetched from an endpoint.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::{JwkSet, KeyProblem};
    ///
    /// let set: JwkSet = r#"{ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }"#.parse()?;
    /// let (key, judged) = set.published_keys().next().expect("there is one");
    /// assert_eq!(key["kty"], "oct");
    /// assert_eq!(judged, Err(KeyProblem::Published));
    /// # Ok::<(), portcullis::NotAJwkSet>(())
    /// ```
    pub fn published_keys(&self) -> impl Iterator<Item = (&Value, Result<Vec<KeyOddity>, KeyProblem>)> {
        self.judged_keys(Origin::Remote)
    }

    /// Each key as in [`published_keys`](Self::published_keys), if the set is a file of your own, which may hold secrets.
    pub fn local_keys(&self) -> impl Iterator<Item = (&Value, Result<Vec<KeyOddity>, KeyProblem>)> {
        self.judged_keys(Origin::Local)
    }

    fn judged_keys(&self, origin: Origin) -> impl Iterator<Item = (&Value, Result<Vec<KeyOddity>, KeyProblem>)> {
        let rules = ImportRules::of(origin);
        self.keys().iter().map(move |key| (key, jwk::import(key, &rules).map(|(_, oddities)| oddities)))
    }

    pub(super) fn has_byte_order_mark(&self) -> bool {
        self.has_byte_order_mark
    }

    pub(crate) fn keys(&self) -> &[Value] {
        self.document.get("keys").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }
}

impl std::str::FromStr for JwkSet {
    type Err = NotAJwkSet;

    fn from_str(json: &str) -> Result<Self, NotAJwkSet> {
        Self::from_slice(json.as_bytes())
    }
}

/// The document as JSON text.
impl fmt::Display for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.document.fmt(f)
    }
}

/// Shows the number of keys, and not the keys: a local set may hold secrets.
impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwkSet").field("keys", &self.keys().len()).field("fetched_at", &self.fetched_at).finish()
    }
}

impl fmt::Display for NotAJwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected a JWK Set (a JSON object with an array `keys`), got {}", self.came)
    }
}

impl std::error::Error for NotAJwkSet {}

/// The text without a byte-order mark at its start.
pub(crate) fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}
