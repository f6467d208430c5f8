//! The document about a protected resource, as a service of actix-web.

use actix_web::{HttpRequest, HttpResponse, web};

use super::convert;
use crate::gate::Secure;

impl Secure {
    /// Mounts the document about the protected resource (RFC 9728 section 3), for everyone, with the feature `actix`:
    /// `App::new().configure(secure.metadata())`.
    ///
    /// Put it before the guarded services, on the `App` itself: the document stands at a fixed path of the host. Middleware on the
    /// whole `App` needs it not: it serves the document by itself. Without a [resource](Self::protecting) it mounts nothing.
    ///
    /// # Example
    ///
    /// ```
    /// use actix_web::{App, web};
    /// use portcullis::{ProtectedResource, Secure, Verifier};
    ///
    /// let resource = ProtectedResource::new("https://api.example.com").issuer(Verifier::discover("https://as.example.com")?);
    /// let secure = Secure::protecting(resource)?;
    /// let app = move || {
    ///     App::new()
    ///         .configure(secure.metadata())
    ///         .service(web::scope("/orders").wrap(secure.clone()).route("", web::get().to(|| async { "the orders" })))
    /// };
    /// # let _ = app;
    /// # Ok::<(), portcullis::ConfigurationError>(())
    /// ```
    pub fn metadata(&self) -> impl FnOnce(&mut web::ServiceConfig) + Clone + use<> {
        let secure = self.clone();
        move |config| {
            let Some(path) = secure.resource_document().map(|document| document.path().to_owned()) else { return };
            config.service(web::resource(path).to(move |request: HttpRequest| {
                let document = secure.metadata_response(request.method().as_str(), request.path());
                let response = document.map_or_else(|| HttpResponse::NotFound().finish(), convert::response);
                async move { response }
            }));
        }
    }
}
