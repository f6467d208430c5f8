//! A router behind the layer, with the document about its resource.

use ::axum::{Router, body::Body, routing::any};
use http::{Method, StatusCode};

use crate::gate::Secure;

impl Secure {
    /// Puts all routes of an axum router behind this layer, and beside them, for everyone, the document about the protected
    /// resource (RFC 9728 section 3).
    ///
    /// Without a [resource](Self::protecting) it is the layer alone.
    ///
    /// Call it once for a resource, on the router with all of its routes; a route that needs more scope has a layer of its own.
    /// Do not nest the returned router: the document stands at a fixed path of the host.
    ///
    /// # Panics
    ///
    /// As [`Router::route`] does, if the router has a route at the document's path already.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::{Router, routing::{get, post}};
    /// use portcullis::{ProtectedResource, Secure, Verifier};
    ///
    /// let resource = ProtectedResource::new("https://api.example.com").issuer(Verifier::discover("https://as.example.com")?);
    /// let secure = Secure::protecting(resource)?;
    /// let write = secure.clone().scope(["orders:write"]);
    /// let app: Router = secure.protect(
    ///     Router::new()
    ///         .route("/orders", get(|| async { "the orders" }))
    ///         .route("/orders/new", post(|| async { "ordered" }).layer(write)),
    /// );
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use = "the returned router is guarded, the given one is not"]
    pub fn protect<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        let guarded = router.layer(self.clone());
        let Some(path) = self.resource_document().map(|document| document.path().to_owned()) else { return guarded };
        let document = any(move |method: Method| {
            let response = self.resource_document().map(|document| document.response(method.as_str()).map(Body::from));
            async move { response.ok_or(StatusCode::NOT_FOUND) }
        });
        // In this order the fallback is the guarded one.
        Router::new().route(&path, document).merge(guarded)
    }
}
