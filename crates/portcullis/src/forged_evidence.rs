//! Evidence cannot be made up: each of these has to be refused by the compiler.
//!
//! Each stands beside a twin that differs only in what is forged, and compiles.
//!
//! # `Access` is what lets a request pass: only the layer makes it
//!
//! ```
//! fn handler(access: portcullis::Access) {}
//! ```
//!
//! ```compile_fail,E0451
//! let access = portcullis::Access { token: unimplemented!() };
//! ```
//!
//! # A verified token comes from a verifier only
//!
//! ```
//! fn judged(token: portcullis::VerifiedToken) -> portcullis::Claims { token.claims().clone() }
//! ```
//!
//! ```compile_fail,E0451
//! let token = portcullis::VerifiedToken { handle: unimplemented!() };
//! ```
//!
//! # Claims come from verified tokens only
//!
//! ```
//! use std::sync::Arc;
//! let claims: Option<portcullis::Claims> = None;
//! ```
//!
//! ```compile_fail,E0423
//! use std::sync::Arc;
//! let claims: Option<portcullis::Claims> = Some(portcullis::Claims(Arc::new(unimplemented!())));
//! ```
//!
//! ```compile_fail,E0624
//! let claims: portcullis::Claims = portcullis::Claims::new(unimplemented!());
//! ```
//!
//! # A token that was only parsed has no claims that anybody can reach
//!
//! ```
//! use portcullis::Verifier;
//! ```
//!
//! ```compile_fail,E0603
//! use portcullis::token::UnverifiedToken;
//! ```
//!
//! # `none` is not an algorithm
//!
//! ```
//! let algorithm = portcullis::Algorithm::ES256;
//! ```
//!
//! ```compile_fail,E0599
//! let algorithm = portcullis::Algorithm::None;
//! ```
