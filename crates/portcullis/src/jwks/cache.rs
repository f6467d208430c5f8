//! The cache of fetched key sets, in memory or beyond this process: the [`JwksCache`] trait.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

use crate::{
    keys::JwkSet,
    transport::{BoxError, BoxFuture},
};

/// Keeps the fetched key set: in memory by default, or shared between processes.
///
/// It is read once, before the first fetch, and written after each; the parsed keys in use are not kept here. A cache
/// that fails or does not answer is logged and ignored. Write access to it decides which tokens are accepted: protect it
/// like the keys themselves.
///
/// # Example
///
/// ```
/// use portcullis::{JwkSet, JwksCache};
///
/// /// Keeps the set in a file, so that a restart needs no authorization server.
/// struct FileCache(std::path::PathBuf);
///
/// type Error = Box<dyn std::error::Error + Send + Sync>;
///
/// impl JwksCache for FileCache {
///     async fn get(&self) -> Result<Option<JwkSet>, Error> {
///         Ok(Some(JwkSet::from_slice(&std::fs::read(&self.0)?)?))
///     }
///
///     async fn set(&self, set: JwkSet) -> Result<(), Error> {
///         Ok(std::fs::write(&self.0, set.to_string())?)
///     }
/// }
/// ```
pub trait JwksCache: Send + Sync + 'static {
    /// Returns the set that was kept last, if there is one.
    ///
    /// # Errors
    ///
    /// Any error of the cache.
    fn get(&self) -> impl Future<Output = Result<Option<JwkSet>, Box<dyn std::error::Error + Send + Sync>>> + Send;

    /// Keeps this set.
    ///
    /// # Errors
    ///
    /// Any error of the cache.
    fn set(&self, set: JwkSet) -> impl Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send;
}

/// Keeps the set in memory.
///
/// # Example
///
/// ```
/// use portcullis::{InMemoryCache, JwksService};
///
/// let jwks = JwksService::builder("https://as.example.com/jwks").cache(InMemoryCache::default()).build()?;
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Debug, Default)]
pub struct InMemoryCache(Mutex<Option<JwkSet>>);

impl JwksCache for InMemoryCache {
    async fn get(&self) -> Result<Option<JwkSet>, BoxError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn set(&self, set: JwkSet) -> Result<(), BoxError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(set);
        Ok(())
    }
}

/// [`JwksCache`] behind a pointer.
pub(super) trait AnyJwksCache: Send + Sync {
    fn get(&self) -> BoxFuture<'_, Result<Option<JwkSet>, BoxError>>;
    fn set(&self, set: JwkSet) -> BoxFuture<'_, Result<(), BoxError>>;
}

impl<C: JwksCache> AnyJwksCache for C {
    fn get(&self) -> BoxFuture<'_, Result<Option<JwkSet>, BoxError>> {
        Box::pin(JwksCache::get(self))
    }

    fn set(&self, set: JwkSet) -> BoxFuture<'_, Result<(), BoxError>> {
        Box::pin(JwksCache::set(self, set))
    }
}
