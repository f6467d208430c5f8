//! The axum extractors: [`Claims`](crate::Claims), `Claims<T>`, `Option<Claims>` and
//! [`Access`](crate::Access).
//!
//! They stand behind a [`Secure`](crate::Secure) layer and refuse as it does. Without one they answer
//! 500: a missing layer is our mistake, and never lets a request pass.

mod extract;
mod rejection;

pub use rejection::AccessRejection;
