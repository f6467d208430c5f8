//! From a compact JWS to an [`UnverifiedToken`], and to a [`SignedToken`] with proof (RFC 7515, RFC 7519).
//!
//! Parsing is strict: exactly three parts, base64url without padding, white space or stray bits,
//! JSON objects without duplicate members. The claims stay private until a signature verified.

mod header;
mod introspected;
mod mark;
mod pieces;
mod signature;

pub(crate) use header::{Header, HeaderRules, Types, are_same_type};
pub(crate) use introspected::{AnswerTime, IntrospectedToken, NotAnAnswer, bound_as, plain};
pub use mark::TokenMark;
pub(crate) use pieces::Pieces;

use std::{borrow::Cow, ops::Range, sync::Arc};

use crate::{
    base64url,
    bearer::BearerToken,
    crypto::SignatureProof,
    json::{self, Object},
    keys::KeySetId,
    refusal::{Part, Refusal, TokenFault},
};

/// A well-formed token whose signature was not verified: its claims are private.
pub(crate) struct UnverifiedToken<'a> {
    /// The whole token.
    text: Cow<'a, [u8]>,
    /// The length of the signed text, from the beginning on.
    signed: usize,
    header: Arc<Header>,
    claims: Object,
    signature: Vec<u8>,
}

/// A token whose signature verified; its claims are authentic and not yet judged.
pub(crate) struct SignedToken<'a> {
    /// The whole token.
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) header: Arc<Header>,
    pub(crate) claims: Object,
    /// The set of the key that verified it.
    pub(crate) keys: KeySetId,
    _proof: SignatureProof,
}

/// Parses a compact JWS.
pub(crate) fn parse(token: BearerToken<'_>) -> Result<UnverifiedToken<'_>, Refusal> {
    parse_knowing(token, |_| None)
}

/// Parses a compact JWS whose header may be known already: most tokens of one key have the same.
pub(crate) fn parse_knowing<'a>(
    token: BearerToken<'a>,
    known: impl FnOnce(&[u8]) -> Option<Arc<Header>>,
) -> Result<UnverifiedToken<'a>, Refusal> {
    let parsed = split(token.as_bytes()).and_then(|parts| decode(token, parts, known));
    // Three parts of base64url have no other characters: only a token that does not parse has to be checked.
    parsed.map_err(|fault| Refusal::Token(if token.is_token68() { fault } else { TokenFault::Characters }))
}

/// The parts of a compact JWS (RFC 7515 section 7.1), still encoded.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) header: &'a [u8],
    pub(crate) payload: &'a [u8],
    pub(crate) signature: &'a [u8],
    /// The length of the signed text: the first two parts, and the dot between them.
    pub(crate) signed: usize,
}

/// Tells whether a token has the form of a signed JWT, good or bad; any other token is opaque.
///
/// Three parts, of which the first begins a JSON object: in base64url, `{` begins with `e` and one of `w` to `z`.
pub(crate) fn is_jws(token: BearerToken<'_>) -> bool {
    let bytes = token.as_bytes();
    matches!(bytes, [b'e', b'w'..=b'z', ..]) && memchr::memchr_iter(b'.', bytes).count() == 2
}

/// The claims of a JWT, which nothing vouches for; none if they cannot be read.
pub(crate) fn unverified_claims(token: BearerToken<'_>) -> Option<Object> {
    json_part(Part::Payload, split(token.as_bytes()).ok()?.payload).ok()
}

pub(crate) fn split(token: &[u8]) -> Result<Parts<'_>, TokenFault> {
    let mut dots = memchr::memchr_iter(b'.', token);
    let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
        return Err(match memchr::memchr_iter(b'.', token).count() + 1 {
            5 => TokenFault::Encrypted,
            actual => TokenFault::Segments { actual },
        });
    };
    let part = |range: Range<usize>| token.get(range).unwrap_or_default();
    Ok(Parts {
        header: part(0..first),
        payload: part(first + 1..second),
        signature: part(second + 1..token.len()),
        signed: second,
    })
}

fn decode<'a>(
    token: BearerToken<'a>,
    parts: Parts<'a>,
    known: impl FnOnce(&[u8]) -> Option<Arc<Header>>,
) -> Result<UnverifiedToken<'a>, TokenFault> {
    let header = match known(parts.header) {
        Some(header) => header,
        None => Arc::new(Header::from_object(parts.header, &json_part(Part::Header, parts.header)?)?),
    };
    let claims = json_part(Part::Payload, parts.payload)?;
    let signature = bytes(Part::Signature, parts.signature)?;
    Ok(UnverifiedToken { text: Cow::Borrowed(token.as_bytes()), signed: parts.signed, header, claims, signature })
}

fn json_part(part: Part, text: &[u8]) -> Result<Object, TokenFault> {
    json::object(bytes(part, text)?).map_err(|fault| TokenFault::Json(part, fault))
}

fn bytes(part: Part, text: &[u8]) -> Result<Vec<u8>, TokenFault> {
    let Some(bytes) = base64url::decode(text) else { return Err(TokenFault::Base64(part)) };
    Ok(bytes)
}

impl<'a> UnverifiedToken<'a> {
    #[cfg(portcullis_stages)]
    pub(crate) fn shared_header(&self) -> Arc<Header> {
        Arc::clone(&self.header)
    }

    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The signed bytes (RFC 7515 section 2), unchanged.
    pub(crate) fn signing_input(&self) -> &[u8] {
        self.text.get(..self.signed).unwrap_or_default()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The issuer that the token claims: for choosing the keys, and for nothing else.
    pub(crate) fn claimed_issuer(&self) -> Result<&str, Refusal> {
        claimed_issuer(&self.claims)
    }

    /// The trust domain that the token claims, for the same purpose.
    pub(crate) fn claimed_trust_domain(&self) -> Option<&str> {
        claimed_trust_domain(&self.claims)
    }

    /// The same token with its own copy of the bytes, so that it can wait without borrowing from the request.
    pub(crate) fn into_owned(self) -> UnverifiedToken<'static> {
        let Self { text, signed, header, claims, signature } = self;
        UnverifiedToken { text: Cow::Owned(text.into_owned()), signed, header, claims, signature }
    }
}

/// The SPIFFE trust domain of the subject of unverified claims.
pub(crate) fn claimed_trust_domain(claims: &Object) -> Option<&str> {
    trust_domain(claims.get("sub")?.as_str()?)
}

/// The trust domain of a SPIFFE ID that names a workload: `spiffe://example.org` of `spiffe://example.org/orders`
/// (SPIFFE-ID section 2).
pub(crate) fn trust_domain(subject: &str) -> Option<&str> {
    const SCHEME: &str = "spiffe://";
    let (domain, path) = subject.strip_prefix(SCHEME)?.split_once('/')?;
    if path.is_empty() { None } else { subject.get(..SCHEME.len() + domain.len()) }
}

/// The issuer of unverified claims.
pub(crate) fn claimed_issuer(claims: &Object) -> Result<&str, Refusal> {
    let name = "iss";
    let Some(issuer) = claims.get(name) else {
        return Err(Refusal::Token(TokenFault::MissingClaim { name }));
    };
    let expected = "a string";
    issuer.as_str().ok_or(Refusal::Token(TokenFault::MalformedClaim { name, expected }))
}

#[cfg(test)]
mod tests;
