//! Attempts to forge evidence, each of which the compiler has to refuse.
//!
//! Each follows an example that compiles and differs only in the forged part.
//!
//! # `Access` lets a request pass: only the gate makes it
//!
//! ```
//! fn handler(access: portcullis::Access) {}
//! ```
//!
//! ```compile_fail,E0451
//! let access = portcullis::Access { token: unimplemented!() };
//! ```
//!
//! # Only a verifier makes a verified token
//!
//! ```
//! fn judged(token: portcullis::VerifiedToken) -> portcullis::Claims { token.claims().clone() }
//! ```
//!
//! ```compile_fail,E0451
//! let token = portcullis::VerifiedToken { handle: unimplemented!() };
//! ```
//!
//! # Only verified tokens have claims
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
//! # The claims of a token that was only parsed are out of reach
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
