//! How an authorization server is asked: over which URLs, and by which client.

mod client;
#[cfg(feature = "reqwest")]
mod reqwest_client;
mod url;

pub use client::{HttpClient, HttpRequest};
#[cfg(feature = "reqwest")]
pub use reqwest_client::ReqwestClient;

pub(crate) use client::{AnyHttpClient, BoxError, BoxFuture, with_causes};
#[cfg(feature = "reqwest")]
pub(crate) use url::is_this_machine;
pub(crate) use url::{Transport, shown};
