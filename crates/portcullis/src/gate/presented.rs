//! The parts of a request that its verdict depends on: [`Presented`].

use std::fmt;

use super::{Access, Anonymous, ClientAuthority, ConnectionPeer, access::UsedProof};
use crate::{bearer::HeaderFields, mcp::Content, proof::ClientCertificate};

/// The parts of a request that its verdict depends on: borrowed, nothing is copied.
///
/// # Example
///
/// ```
/// use http::HeaderMap;
/// use portcullis::{JwksService, Judging, Presented, Secure};
///
/// let secure = Secure::new(JwksService::new("https://as.example.com/jwks")?);
/// let headers = HeaderMap::new();
/// let presented = Presented::new(&headers).request("GET", "/orders/1");
/// let Judging::Done(verdict) = secure.judge(&presented) else { panic!("no keys are needed") };
/// assert_eq!(verdict.outcome.unwrap_err().code(), "no_credentials");
/// # Ok::<(), portcullis::ConfigurationError>(())
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Presented<'a> {
    /// The header fields.
    pub fields: &'a dyn HeaderFields,
    /// The method; empty if the door does not know it.
    pub method: &'a str,
    /// The target URI (RFC 9110 section 7.1), or only its path and query; empty if the door does not know it.
    pub target: &'a str,
    /// The path and query that the client requested, if a router has changed those in `target`; only a DPoP proof is held against them.
    pub original_target: Option<&'a str>,
    /// The address of the connection's peer, if the door knows it.
    pub peer: Option<ConnectionPeer>,
    /// The host and port that the client used; only a DPoP proof is held against them.
    pub authority: ClientAuthority<'a>,
    /// The scheme of the client's URL, if the door knows it; if not, it is https, and http for names of this machine.
    pub scheme: Option<&'a str>,
    /// The client's certificate from mutual TLS (RFC 8705).
    pub client_certificate: Option<ClientCertificate>,
    /// The content, as far as the door sees it; only the rules of an MCP server depend on it ([`Secure::content_limit`]).
    ///
    /// [`Secure::content_limit`]: super::Secure::content_limit
    pub content: Content<'a>,
    /// The access that an outer layer gave: the same verifier does not verify the same bytes again, while the token's times are
    /// right and its keys in use.
    pub before: Option<&'a Access>,
    /// The anonymous pass that an outer layer gave: a DPoP proof that a layer in shadow mode has used is no replay here.
    pub before_anonymous: Option<&'a Anonymous>,
    /// True if [`Pending`](super::Pending) verifies the signatures of unknown tokens and of DPoP proofs: for servers with one thread
    /// for requests and others for work.
    pub verify_later: bool,
}

impl<'a> Presented<'a> {
    /// A request with these header fields; the other parts are unknown.
    #[must_use]
    pub fn new(fields: &'a dyn HeaderFields) -> Self {
        Self {
            fields,
            method: "",
            target: "",
            original_target: None,
            peer: None,
            authority: ClientAuthority::HostField,
            scheme: None,
            client_certificate: None,
            content: Content::Unseen,
            before: None,
            before_anonymous: None,
            verify_later: false,
        }
    }

    /// The same with this method and target URI, or path and query.
    #[must_use]
    pub fn request(self, method: &'a str, target: &'a str) -> Self {
        Self { method, target, ..self }
    }

    /// The same with this path and query, before a router has changed them.
    #[must_use]
    pub fn original_target(self, original_target: Option<&'a str>) -> Self {
        Self { original_target, ..self }
    }

    /// The same of this peer.
    #[must_use]
    pub fn peer(self, peer: Option<ConnectionPeer>) -> Self {
        Self { peer, ..self }
    }

    /// The same with this host and port.
    #[must_use]
    pub fn authority(self, authority: ClientAuthority<'a>) -> Self {
        Self { authority, ..self }
    }

    /// The same with this scheme of the client's URL: http or https.
    #[must_use]
    pub fn scheme(self, scheme: Option<&'a str>) -> Self {
        Self { scheme, ..self }
    }

    /// The same with this client certificate.
    #[must_use]
    pub fn client_certificate(self, certificate: Option<ClientCertificate>) -> Self {
        Self { client_certificate: certificate, ..self }
    }

    /// The same with this content.
    #[must_use]
    pub fn content(self, content: Content<'a>) -> Self {
        Self { content, ..self }
    }

    /// The same behind an outer layer that gave this access.
    #[must_use]
    pub fn after(self, before: Option<&'a Access>) -> Self {
        Self { before, ..self }
    }

    /// The same behind an outer layer that gave this anonymous pass.
    #[must_use]
    pub fn after_anonymous(self, before_anonymous: Option<&'a Anonymous>) -> Self {
        Self { before_anonymous, ..self }
    }

    /// The name of the DPoP proof that an outer layer has used for this request.
    pub(super) fn used_proof(&self) -> UsedProof {
        self.before.and_then(Access::proof).or_else(|| self.before_anonymous.and_then(Anonymous::proof))
    }

    /// The same, with the verification of an unknown token and of a DPoP proof left to [`Pending`](super::Pending).
    #[must_use]
    pub fn verify_later(self, verify_later: bool) -> Self {
        Self { verify_later, ..self }
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("method", &self.method).finish_non_exhaustive()
    }
}
