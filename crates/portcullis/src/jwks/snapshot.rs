//! The keys in use: immutable, swapped whole.

use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use super::freshness::Freshness;
use crate::keys::{JwkSet, KeySet};

#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) keys: Arc<KeySet>,
    /// What the keys were imported from.
    pub(super) document: Arc<JwkSet>,
    pub(super) freshness: Freshness,
    /// The set's tag, and the place that gave it.
    pub(super) etag: Option<(Url, HeaderValue)>,
}
