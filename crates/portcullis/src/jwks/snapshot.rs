//! The keys in use: immutable, swapped whole.

use std::sync::Arc;

use http::HeaderValue;
use url::Url;

use super::freshness::Freshness;
use crate::keys::{JwkSet, KeySet};

#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub(super) keys: Arc<KeySet>,
    /// The document of the keys.
    pub(super) document: Arc<JwkSet>,
    pub(super) freshness: Freshness,
    /// The set's entity tag, and the URL that it is from.
    pub(super) etag: Option<(Url, HeaderValue)>,
}
