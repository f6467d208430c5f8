//! [`Secure::protect`](crate::Secure::protect) for a whole router,
//! [`Secure::metadata_router`](crate::Secure::metadata_router), and the axum extractors: [`Claims`](crate::Claims), `Claims<T>`, `Option<Claims>`,
//! [`Access`](crate::Access) and [`Granted`](crate::Granted).
//!
//! They need a [`Secure`](crate::Secure) layer before the handler, and refuse as it does. Without a layer they answer
//! 500: it is the server's mistake, and lets no request pass.

mod extract;
mod protect;
