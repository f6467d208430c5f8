//! From a compact JWS to an [`UnverifiedToken`], and to a [`SignedToken`] with proof (RFC 7515, RFC 7519).
//!
//! Parsing is strict: exactly three parts, base64url without padding, white space or stray bits,
//! JSON objects without duplicate members. What is read here stays closed until a signature verified.

mod header;

pub(crate) use header::{Header, HeaderRules, Types};

use crate::{
    base64url,
    bearer::BearerToken,
    crypto::SignatureProof,
    json::{self, Object},
    refusal::{Part, Refusal, TokenFault},
};

/// A well-formed token that nobody has vouched for: its claims are out of reach.
pub(crate) struct UnverifiedToken<'a> {
    header: Header,
    claims: Object,
    signing_input: &'a [u8],
    signature: Vec<u8>,
}

/// A token whose signature verified; its claims are authentic and not yet judged.
pub(crate) struct SignedToken {
    pub(crate) header: Header,
    pub(crate) claims: Object,
    _proof: SignatureProof,
}

/// Takes a compact JWS apart.
pub(crate) fn parse(token: BearerToken<'_>) -> Result<UnverifiedToken<'_>, Refusal> {
    split(token.as_str()).and_then(decode).map_err(Refusal::Token)
}

#[derive(Clone, Copy)]
struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

fn split(token: &str) -> Result<Parts<'_>, TokenFault> {
    let count = token.split('.').count();
    match (count, token.rsplit_once('.')) {
        (3, Some((signing_input, signature))) => {
            let (header, payload) = signing_input.split_once('.').unwrap_or_default();
            Ok(Parts { header, payload, signature, signing_input })
        }
        (5, _) => Err(TokenFault::Encrypted),
        (actual, _) => Err(TokenFault::Segments { actual }),
    }
}

fn decode(parts: Parts<'_>) -> Result<UnverifiedToken<'_>, TokenFault> {
    let header = json_part(Part::Header, parts.header)?;
    let header = Header::from_object(&header)?;
    let claims = json_part(Part::Payload, parts.payload)?;
    let signature = bytes(Part::Signature, parts.signature)?;
    Ok(UnverifiedToken { header, claims, signing_input: parts.signing_input.as_bytes(), signature })
}

fn json_part(part: Part, text: &str) -> Result<Object, TokenFault> {
    json::object(bytes(part, text)?).map_err(|fault| TokenFault::Json(part, fault))
}

fn bytes(part: Part, text: &str) -> Result<Vec<u8>, TokenFault> {
    base64url::decode(text).ok_or(TokenFault::Base64(part))
}

impl<'a> UnverifiedToken<'a> {
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes that were signed (RFC 7515 section 2), as they came.
    pub(crate) fn signing_input(&self) -> &'a [u8] {
        self.signing_input
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The issuer that the token claims to be from: good for choosing whose keys to ask, for nothing else.
    pub(crate) fn claimed_issuer(&self) -> Result<&str, Refusal> {
        let name = "iss";
        let issuer = self.claims.get(name).ok_or(Refusal::Token(TokenFault::MissingClaim { name }))?;
        issuer.as_str().ok_or(Refusal::Token(TokenFault::MalformedClaim { name, expected: "a string" }))
    }

    /// Opens the token, since its signature verified.
    pub(crate) fn signed(self, proof: SignatureProof) -> SignedToken {
        SignedToken { header: self.header, claims: self.claims, _proof: proof }
    }
}

#[cfg(test)]
mod tests;
