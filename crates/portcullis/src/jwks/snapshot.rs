//! The keys in use: immutable, swapped whole.

use std::sync::Arc;

use http::HeaderValue;

use super::freshness::Freshness;
use crate::keys::KeySet;

#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) keys: Arc<KeySet>,
    pub(super) freshness: Freshness,
    pub(super) etag: Option<HeaderValue>,
}
