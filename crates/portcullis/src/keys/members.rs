//! The members of a JWK, read as an issuer means them.
//!
//! An odd notation that leaves no doubt about the key is accepted, and reported as a [`KeyOddity`]. A null or empty member
//! counts as absent, since some issuers write all members that they know.

use serde_json::Value;

use super::{KeyOddity, KeyProblem, key_issuer::KeyIssuer};
use crate::base64url;

pub(super) struct Members<'a> {
    jwk: &'a serde_json::Map<String, Value>,
    oddities: Vec<KeyOddity>,
}

impl<'a> Members<'a> {
    pub(super) fn of(jwk: &'a Value) -> Result<Self, KeyProblem> {
        let jwk = jwk.as_object().ok_or(KeyProblem::NotAnObject)?;
        Ok(Self { jwk, oddities: Vec::new() })
    }

    /// A member, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.jwk.get(name).filter(|value| !is_empty(value))
    }

    /// The key's id; an empty one is kept, since a token may name it.
    pub(super) fn kid(&self) -> Result<Option<&'a str>, KeyProblem> {
        match self.jwk.get("kid") {
            Some(Value::String(kid)) => Ok(Some(kid)),
            _ => self.text("kid"),
        }
    }

    /// The only issuer of the tokens that the key verifies (`issuer`, as Microsoft Entra writes it).
    ///
    /// A text that is no URL cannot be meant so.
    pub(super) fn issuer(&mut self) -> Result<Option<KeyIssuer>, KeyProblem> {
        let Some(text) = self.text("issuer")? else { return Ok(None) };
        let issuer = KeyIssuer::of(text);
        if issuer.is_none() {
            self.oddities.push(KeyOddity::Issuer);
        }
        Ok(issuer)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<Option<&'a str>, KeyProblem> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyProblem::Member { name, expected: "a string" }),
        }
    }

    pub(super) fn required_text(&self, name: &'static str) -> Result<&'a str, KeyProblem> {
        self.text(name)?.ok_or(KeyProblem::Member { name, expected: "present" })
    }

    /// Octets, all of which count, also leading zeros.
    pub(super) fn octets(&mut self, name: &'static str) -> Result<Vec<u8>, KeyProblem> {
        let text = self.required_text(name)?;
        if let Some(octets) = base64url::decode(text) {
            return Ok(octets);
        }
        let octets =
            base64url::decode_any(text).ok_or(KeyProblem::Member { name, expected: "base64url without padding" })?;
        self.oddities.push(KeyOddity::Encoding { name });
        Ok(octets)
    }

    /// A number, without leading zeros (RFC 7518 section 2, `Base64urlUInt`).
    pub(super) fn number(&mut self, name: &'static str) -> Result<Vec<u8>, KeyProblem> {
        let octets = self.octets(name)?;
        let number = without_zeros(&octets).to_vec();
        if number.len() < octets.len() {
            self.oddities.push(KeyOddity::Length { name });
        }
        Ok(number)
    }

    /// A number in this length (RFC 7518 section 6.2.1.2), or in more bytes if it needs them.
    pub(super) fn coordinate(&mut self, name: &'static str, length: usize) -> Result<Vec<u8>, KeyProblem> {
        let octets = self.octets(name)?;
        if octets.len() == length {
            return Ok(octets);
        }
        self.oddities.push(KeyOddity::Length { name });
        let number = without_zeros(&octets);
        Ok([vec![0; length.saturating_sub(number.len())].as_slice(), number].concat())
    }

    pub(super) fn into_oddities(self) -> Vec<KeyOddity> {
        self.oddities
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn without_zeros(octets: &[u8]) -> &[u8] {
    let zeros = octets.iter().take_while(|octet| **octet == 0).count();
    octets.get(zeros..).unwrap_or_default()
}
