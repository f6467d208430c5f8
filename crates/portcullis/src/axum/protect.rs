//! A router behind the layer, and the document about its resource.

use ::axum::{Router, body::Body, routing::any};
use http::{Method, StatusCode};

use crate::gate::Secure;

impl Secure {
    /// Puts all routes of an axum router behind this layer, and beside them, for everyone, the document about the protected
    /// resource (RFC 9728 section 3).
    ///
    /// Without a [resource](Self::protecting) it is the layer alone. Do not nest the returned router: the document stands at a
    /// fixed path of the host. Routes with rules of their own: see [`metadata_router`](Self::metadata_router).
    ///
    /// # Panics
    ///
    /// As [`Router::route`] does, if the router has a route at the document's path already.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use portcullis::{ProtectedResource, Secure, Verifier};
    ///
    /// let resource = ProtectedResource::new("https://api.example.com").issuer(Verifier::discover("https://as.example.com")?);
    /// let secure = Secure::protecting(resource)?.scope(["orders:read"]);
    /// let app: Router = secure.protect(Router::new().route("/orders", get(|| async { "the orders" })));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    #[must_use = "the returned router is guarded, the given one is not"]
    pub fn protect<S: Clone + Send + Sync + 'static>(self, router: Router<S>) -> Router<S> {
        // In this order the fallback is the guarded one.
        self.metadata_router().merge(router.layer(self))
    }

    /// An axum router with the document about the protected resource alone (RFC 9728 section 3), for everyone; empty without a
    /// [resource](Self::protecting).
    ///
    /// It is for routes that need different scope: with one layer for each, already the first challenge names all that the route
    /// needs. Behind an outer layer for all routes, a client without a token would be told only what the outer one needs.
    ///
    /// # Example
    ///
    /// ```
    /// use axum::{Router, routing::{get, post}};
    /// use portcullis::{ProtectedResource, Secure, Verifier};
    ///
    /// let resource = ProtectedResource::new("https://api.example.com").issuer(Verifier::discover("https://as.example.com")?);
    /// let secure = Secure::protecting(resource)?;
    /// let read = secure.clone().scope(["orders:read"]);
    /// let write = secure.clone().scope(["orders:write"]);
    /// let app: Router = secure
    ///     .metadata_router()
    ///     .route("/orders", get(|| async { "the orders" }).layer(read))
    ///     .route("/orders/new", post(|| async { "ordered" }).layer(write));
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn metadata_router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let Some(path) = self.resource_document().map(|document| document.path().to_owned()) else {
            return Router::new();
        };
        let secure = self.clone();
        let document = any(move |method: Method| {
            let response =
                secure.resource_document().map(|document| document.response(method.as_str()).map(Body::from));
            async move { response.ok_or(StatusCode::NOT_FOUND) }
        });
        Router::new().route(&path, document)
    }
}
