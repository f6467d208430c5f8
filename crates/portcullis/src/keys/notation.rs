//! A name for a text that is not a JWK Set, which shows operators the content of their URL or file.

use std::fmt;

use serde_json::Value;

/// The look of a text that should have been a JWK Set or an issuer's metadata.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// Nothing at all.
    Empty,
    /// Compressed: gzip, zlib or zstd by its first bytes.
    Compressed,
    /// UTF-16 or UTF-32.
    Utf16,
    /// A page of HTML: an error page, a login page, or that of a proxy.
    Html,
    /// XML, such as SAML metadata.
    Xml,
    /// PEM of a certificate.
    Certificate,
    /// PEM of a public key.
    PublicKey,
    /// PEM of a private key.
    PrivateKey,
    /// A public key of OpenSSH.
    Ssh,
    /// DER: a key or a certificate in binary.
    Der,
    /// Other bytes that are not text.
    Binary,
    /// A JWT, or another JWS.
    Jwt,
    /// JSON that is cut off.
    CutOff,
    /// Text that is neither JSON nor another known form.
    Text,
    /// The metadata of an authorization server.
    Metadata,
    /// An error message of OAuth or of another API.
    Error,
    /// One JWK alone.
    Jwk,
    /// Certificates or keys in PEM, each under its key id.
    PemMap,
    /// A JSON array.
    Array,
    /// A JSON object whose `keys` is not an array.
    KeysOfOtherForm,
    /// A JWK Set, where something else was expected.
    JwkSet,
    /// Another JSON object.
    Object,
    /// JSON that is neither object nor array.
    Scalar,
}

impl Notation {
    /// Finds the notation by the first bytes, then by the JSON.
    pub(crate) fn of(text: &[u8]) -> Self {
        let Some(known) = by_magic(text) else {
            return match std::str::from_utf8(text) {
                Ok(text) => by_text(text.trim_start_matches('\u{feff}').trim()),
                Err(_) => Self::Binary,
            };
        };
        known
    }
}

fn by_magic(text: &[u8]) -> Option<Notation> {
    Some(match text {
        [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Notation::Compressed,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] => Notation::Utf16,
        [0x30, 0x80..=0x83, ..] => Notation::Der,
        // A sequence of fewer than 128 bytes, such as a key on a curve: text seldom begins with its own length.
        [0x30, length @ 8..0x80, rest @ ..] if rest.len() == usize::from(*length) => Notation::Der,
        _ => return None,
    })
}

fn by_text(text: &str) -> Notation {
    let begins = |start: &str| text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    match text {
        "" => Notation::Empty,
        _ if text.contains("-----BEGIN ") && !begins("{") => by_label(text),
        _ if begins("<!doctype html") || begins("<html") || begins("<head") || begins("<body") => Notation::Html,
        _ if begins("<!--") && text.to_ascii_lowercase().contains("<html") => Notation::Html,
        _ if begins("<") => Notation::Xml,
        _ if begins("ssh-") || begins("ecdsa-sha2-") || begins("---- BEGIN SSH2") => Notation::Ssh,
        _ if is_jws(text) => Notation::Jwt,
        _ => by_json(text),
    }
}

fn by_label(pem: &str) -> Notation {
    match pem {
        _ if pem.contains("PRIVATE KEY-----") => Notation::PrivateKey,
        _ if pem.contains("CERTIFICATE-----") => Notation::Certificate,
        _ => Notation::PublicKey,
    }
}

/// Three parts in base64url, the first of which begins with `{"`.
fn is_jws(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    text.starts_with("ey") && text.matches('.').count() >= 2 && text.bytes().all(is_base64url)
}

fn by_json(text: &str) -> Notation {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(members)) => by_members(&members),
        Ok(Value::Array(_)) => Notation::Array,
        Ok(_) => Notation::Scalar,
        Err(error) if error.is_eof() && text.starts_with(['{', '[']) => Notation::CutOff,
        Err(_) => Notation::Text,
    }
}

fn by_members(members: &serde_json::Map<String, Value>) -> Notation {
    let is_pem = |value: &Value| value.as_str().is_some_and(|text| text.trim_start().starts_with("-----BEGIN "));
    let has = |name: &str| members.contains_key(name);
    match members.get("keys") {
        Some(Value::Array(_)) => Notation::JwkSet,
        Some(_) => Notation::KeysOfOtherForm,
        None if !members.is_empty() && members.values().all(is_pem) => Notation::PemMap,
        None if has("jwks_uri") || has("issuer") => Notation::Metadata,
        None if has("kty") => Notation::Jwk,
        None if ["error", "errors", "message", "status", "title"].iter().any(|name| has(name)) => Notation::Error,
        None => Notation::Object,
    }
}

/// Writes the notation with an article, and the remedy if it is clear.
impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "nothing, an empty text",
            Self::Compressed => "a compressed body: have the server send it uncompressed",
            Self::Utf16 => "a text in UTF-16: save it as UTF-8",
            Self::Html => "a page of HTML: an error page, a login page or a page of a proxy",
            Self::Xml => "XML",
            Self::Certificate => "a certificate in PEM",
            Self::PublicKey => "a public key in PEM",
            Self::PrivateKey => "a private key in PEM: give the public key instead",
            Self::Ssh => "a public key of OpenSSH: `ssh-keygen -e -m PKCS8 -f FILE` writes it as PEM",
            Self::Der => "DER, a key or certificate in binary: give it as PEM",
            Self::Binary => "bytes that are not text",
            Self::Jwt => "a signed token (JWT)",
            Self::CutOff => "JSON that breaks off",
            Self::Text => "a text that is not JSON",
            Self::Metadata => "an issuer's metadata: its `jwks_uri` names the JWK Set",
            Self::Error => "an error message in JSON",
            Self::Jwk => "one JWK alone: put it into {\"keys\": [ ]}",
            Self::PemMap => {
                "a map of certificates or keys in PEM by key id (such as Google's `/oauth2/v1/certs`): \
                             the JWK Set is at another URL (Google's is `/oauth2/v3/certs`)"
            }
            Self::Array => "a JSON array",
            Self::KeysOfOtherForm => "a JSON object whose `keys` is not an array",
            Self::JwkSet => "a JWK Set",
            Self::Object => "a JSON object without `keys`",
            Self::Scalar => "JSON that is not an object",
        })
    }
}
