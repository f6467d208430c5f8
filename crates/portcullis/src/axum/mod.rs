//! The axum extractors: [`Claims`](crate::Claims), `Claims<T>`, `Option<Claims>`,
//! [`Access`](crate::Access) and [`Granted`](crate::Granted).
//!
//! They stand behind a [`Secure`](crate::Secure) layer and refuse as it does. Without one they answer
//! 500: a missing layer is our mistake, and never lets a request pass.

mod extract;
