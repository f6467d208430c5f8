//! [`Secure`](crate::Secure) as middleware of actix-web 4, and the extractors there.
//!
//! ```
//! use actix_web::{App, web};
//! use portcullis::{Claims, JwksService, Secure};
//!
//! async fn hello(claims: Claims) -> String {
//!     format!("hello {}", claims.subject().unwrap_or("you"))
//! }
//!
//! // Made once, outside of the closure: all workers share the keys and the cache.
//! let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?).realm("orders");
//! let app = move || App::new().wrap(secure.clone()).route("/", web::get().to(hello));
//! # let _ = app;
//! # Ok::<(), portcullis::ConfigurationError>(())
//! ```
//!
//! 1. A request that may pass reaches the inner service with [`Access`](crate::Access) in its extensions. Any other
//!    request gets the challenge, and never reaches the inner service. Bodies pass unchanged. For an
//!    [MCP server](crate::Secure::mcp), the content is read if a rule depends on it, and the same bytes go on; and the field
//!    `Authorization` is taken off, so outer middleware must not keep a clone of the `HttpRequest`, as actix-web has it.
//! 2. A known token takes no allocation besides its entry in the extensions; the future is boxed only if it waits.
//! 3. Middleware nests: on an `App`, a `Scope`, a `Resource` and a `Route`. Each finds its own token and checks its own rules;
//!    a token that outer middleware with the same verifier has verified is not verified again.
//! 4. While a request waits for keys, its worker serves others. The keys are fetched once for all workers, on the worker whose
//!    request needs them first; answers about opaque tokens too. A handler that blocks its thread delays them for all workers:
//!    leave such work to [`web::block`](actix_web::web::block).

mod content;
mod convert;
mod credentials;
mod extract;
mod future;
mod metadata;
mod middleware;

pub use extract::OptionalClaims;
pub use future::MiddlewareFuture;
pub use middleware::SecureMiddleware;
