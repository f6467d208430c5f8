//! Requests to an authorization server: the allowed URLs and addresses, and the HTTP client.

mod cache_control;
mod client;
#[cfg(feature = "reqwest")]
mod names;
mod reach;
#[cfg(feature = "reqwest")]
mod reqwest_client;
mod url;

pub use client::{HttpClient, HttpRequest, PeerAddress};
#[cfg(feature = "reqwest")]
pub use reqwest_client::ReqwestClient;

pub(crate) use cache_control::cache_control;
pub(crate) use client::{
    AnyHttpClient, Authorities, BodyTooLong, BoxError, BoxFuture, Destination, USER_AGENT, with_causes,
};
pub(crate) use reach::Reach;
pub(crate) use url::Transport;
