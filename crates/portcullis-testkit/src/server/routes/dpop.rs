//! The DPoP proof of a token request (RFC 9449 section 5).

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::Server;
use super::error::OAuthError;
use crate::algorithm::{Algorithm, Family};
use crate::clock::numeric_date;
use crate::encoding::from_base64url;
use crate::key::{jwk, public};
use crate::sync::lock;

/// The window around the server's time, in seconds.
const WINDOW: f64 = 300.0;

/// Checks the proof of a request to `url` (section 4.3), and returns the thumbprint of its key; `None` without a proof.
pub(super) fn prove(server: &Server, headers: &HeaderMap, url: &str) -> Result<Option<String>, OAuthError> {
    let mut fields = headers.get_all("dpop").iter();
    let (Some(field), more) = (fields.next(), fields.next()) else { return Ok(None) };
    let text = field.to_str().ok().filter(|_| more.is_none());
    let proof = text.and_then(Proof::read).ok_or(invalid("expected one JWT as the DPoP field"))?;
    let thumbprint = proof.verify()?;
    proof.check(server, url)?;
    Ok(Some(thumbprint))
}

fn invalid(description: &'static str) -> OAuthError {
    OAuthError::InvalidDpopProof(description)
}

struct Proof<'a> {
    header: Map<String, Value>,
    claims: Map<String, Value>,
    input: &'a str,
    signature: Vec<u8>,
}

impl<'a> Proof<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (input, signature) = text.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let object = |part: &str| serde_json::from_slice(&from_base64url(part)?).ok();
        Some(Self { header: object(header)?, claims: object(payload)?, input, signature: from_base64url(signature)? })
    }

    /// Checks type, algorithm, key and signature, and returns the key's thumbprint.
    fn verify(&self) -> Result<String, OAuthError> {
        if self.header.get("typ").is_none_or(|typ| typ != "dpop+jwt") {
            return Err(invalid("expected dpop+jwt as typ"));
        }
        let algorithm = self.header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
        let algorithm = algorithm.filter(|algorithm| algorithm.family() != Family::Secret);
        let algorithm = algorithm.ok_or(invalid("expected an asymmetric algorithm as alg"))?;
        let key = self.header.get("jwk").unwrap_or(&Value::Null);
        if ["d", "k", "p", "priv"].iter().any(|private| key.get(private).is_some()) {
            return Err(invalid("expected a public key as jwk"));
        }
        if !public::verifies(key, algorithm, self.input.as_bytes(), &self.signature) {
            return Err(invalid("expected a signature by the key in jwk"));
        }
        jwk::thumbprint(key).ok_or(invalid("expected a whole key as jwk"))
    }

    /// Checks the claims; a proof passes once.
    fn check(&self, server: &Server, url: &str) -> Result<(), OAuthError> {
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        if text("htm") != Some("POST") {
            return Err(invalid("expected POST as htm"));
        }
        if text("htu") != Some(url) {
            return Err(invalid("expected the URL of this endpoint as htu"));
        }
        if lock(&server.dpop_nonce).as_deref().is_some_and(|nonce| text("nonce") != Some(nonce)) {
            return Err(OAuthError::UseDpopNonce);
        }
        #[expect(clippy::cast_precision_loss, reason = "dates fit a double")]
        let now = numeric_date(server.now()) as f64;
        if self.claims.get("iat").and_then(Value::as_f64).is_none_or(|iat| (now - iat).abs() > WINDOW) {
            return Err(invalid("expected the time of now as iat"));
        }
        let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(invalid("expected a text as jti"))?;
        let is_new = lock(&server.registry).is_new_proof(jti);
        is_new.then_some(()).ok_or(invalid("expected a new proof, got one that was used"))
    }
}
