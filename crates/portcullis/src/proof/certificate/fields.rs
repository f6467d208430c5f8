//! The notations in which proxies write the client's certificate into a header field.
//!
//! | notation | written by |
//! |---|---|
//! | `:MIIB…=:` | RFC 9440 (`Client-Cert`): load balancers of Google and Cloudflare; by templates anywhere |
//! | `-----BEGIN%20CERTIFICATE-----%0AMIIB…` | nginx `$ssl_client_escaped_cert`; Envoy `source.certificate`, `%DOWNSTREAM_PEER_CERT%`; AWS |
//! | `MIIB…=` or `MIIB…=,MIIB…=` | Traefik `X-Forwarded-Tls-Client-Cert` (version 2: percent-encoded); Caddy `certificate_der_base64` |
//! | `By=…;Hash=3f…;Cert="…";Subject="…"` | Envoy `X-Forwarded-Client-Cert` |
//!
//! Malformed fields are refused, never repaired. Above all, a field that two senders have a part in must not pass: a proxy that
//! *adds* its field to the client's joins the two by a comma.

use std::borrow::Cow;

use base64_simd::STANDARD;
use percent_encoding::percent_decode;

use super::{ClientCertificate, MalformedClientCertificate};

/// The size limit of a field: a chain of several certificates with large keys.
pub(super) const MAX_BYTES: usize = 64 << 10;

type Read<T> = Result<T, MalformedClientCertificate>;

impl ClientCertificate {
    /// Reads the value of a `Client-Cert` field (RFC 9440 section 2.2): a byte sequence (RFC 8941 section 3.3.5).
    ///
    /// # Errors
    ///
    /// If the field is anything but `:`, the DER in padded base64, and `:`.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ClientCertificate;
    ///
    /// assert!(ClientCertificate::from_rfc9440(b":MAMCAQU=:").is_ok());
    /// assert!(ClientCertificate::from_rfc9440(b":MAMCAQU=:, :MAMCAQU=:").is_err());
    /// ```
    pub fn from_rfc9440(field: &[u8]) -> Read<Self> {
        let malformed = malformed("`:`, a certificate in base64 and `:` (RFC 9440 section 2.2)");
        let text = within_limit(field)?.strip_prefix(b":").and_then(|rest| rest.strip_suffix(b":")).ok_or(malformed)?;
        Self::from_field_der(&base64(text).ok_or(malformed)?)
    }

    /// Reads percent-encoded PEM: `$ssl_client_escaped_cert` of nginx, `source.certificate` and `%DOWNSTREAM_PEER_CERT%` of Envoy,
    /// `X-Amzn-Mtls-Clientcert` of AWS.
    ///
    /// # Errors
    ///
    /// Those of [`from_pem`](Self::from_pem); and if a character is not percent-encoded that has to be, such as the comma between
    /// the values of two fields.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ClientCertificate;
    ///
    /// let field = b"-----BEGIN%20CERTIFICATE-----%0AMAMCAQU%3D%0A-----END%20CERTIFICATE-----%0A";
    /// assert!(ClientCertificate::from_escaped_pem(field).is_ok());
    /// ```
    pub fn from_escaped_pem(field: &[u8]) -> Read<Self> {
        let malformed = malformed("a certificate in PEM, percent-encoded");
        // AWS leaves `+`, `/` and `=` as they are.
        let is_encoded = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%+/=".contains(byte);
        if !within_limit(field)?.iter().all(is_encoded) {
            return Err(malformed);
        }
        let pem = percent_decode(field).decode_utf8().map_err(|_| malformed)?;
        Self::from_pem(&pem)
    }

    /// Reads DER in base64, alone or as the first of a chain that is separated by commas: `X-Forwarded-Tls-Client-Cert` of Traefik,
    /// `{http.request.tls.client.certificate_der_base64}` of Caddy.
    ///
    /// Be sure that the proxy replaces the client's field: one that adds to it makes a chain of the two.
    ///
    /// # Errors
    ///
    /// If an element of the list is anything but DER in padded base64, which may be percent-encoded.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ClientCertificate;
    ///
    /// let certificate = ClientCertificate::from_base64_der(b"MAMCAQU=")?;
    /// assert_eq!(ClientCertificate::from_base64_der(b"MAMCAQU=,MAMCAQY=")?, certificate);
    /// # Ok::<(), portcullis::MalformedClientCertificate>(())
    /// ```
    pub fn from_base64_der(field: &[u8]) -> Read<Self> {
        let malformed = malformed("a certificate in base64, or several between commas");
        let certificate = |element: &[u8]| {
            let der = base64(&Cow::from(percent_decode(element))).ok_or(malformed)?;
            Self::from_field_der(&der)
        };
        let chain: Vec<_> = within_limit(field)?.split(|byte| *byte == b',').map(certificate).collect::<Read<_>>()?;
        chain.first().copied().ok_or(malformed)
    }

    /// Reads the value of Envoy's `X-Forwarded-Client-Cert` field: the `Hash` of its only element, which is the SHA-256 of the
    /// certificate in hexadecimal. A `Cert` beside it has to be the same certificate.
    ///
    /// The Envoy with the client's TLS connection has to replace the field (`forward_client_cert_details: SANITIZE_SET`), and Envoys
    /// behind it hand it on (`ALWAYS_FORWARD_ONLY`). No element of a longer field is chosen: with `APPEND_FORWARD` the client writes
    /// the beginning of the field, and may leave a quotation open that swallows the beginning of the next element. Nor may a name
    /// in the certificate, whose holder may have made it up, look like another `Hash`.
    ///
    /// # Errors
    ///
    /// If the field has several elements, is malformed, has no `Hash` or the text `Hash=` in two places, or a `Cert` with another
    /// SHA-256.
    ///
    /// # Example
    ///
    /// ```
    /// use portcullis::ClientCertificate;
    ///
    /// let field = b"Hash=417c7763c4e320a6b747b3cb0c6d22f93741b29a32b48594b8eb4c144fe6d729;Subject=\"CN=app\"";
    /// assert_eq!(ClientCertificate::from_xfcc(field)?, ClientCertificate::from_der(&[0x30, 3, 2, 1, 5]));
    /// # Ok::<(), portcullis::MalformedClientCertificate>(())
    /// ```
    pub fn from_xfcc(field: &[u8]) -> Read<Self> {
        const HASH: &[u8] = b"hash=";
        if within_limit(field)?.windows(HASH.len()).filter(|text| text.eq_ignore_ascii_case(HASH)).count() != 1 {
            return Err(malformed("one `Hash` in X-Forwarded-Client-Cert"));
        }
        let (mut hash, mut certificate, mut rest) = (None, None, Some(field));
        while let Some(text) = rest {
            let pair = xfcc_pair(text).ok_or(malformed("one element of pairs in X-Forwarded-Client-Cert"))?;
            let XfccPair { key, value, rest: after } = pair;
            rest = after;
            if key.eq_ignore_ascii_case(b"Hash") {
                hash = hexadecimal(value);
            } else if key.eq_ignore_ascii_case(b"Cert") && certificate.replace(Self::from_escaped_pem(value)?).is_some()
            {
                return Err(malformed("one `Cert` in X-Forwarded-Client-Cert"));
            }
        }
        let named = hash.map(Self::with_sha256).ok_or(malformed("a `Hash` of 64 hexadecimal digits"))?;
        match certificate {
            Some(certificate) if certificate != named => Err(malformed("a `Cert` with the SHA-256 in `Hash`")),
            _ => Ok(named),
        }
    }
}

fn malformed(expected: &'static str) -> MalformedClientCertificate {
    MalformedClientCertificate { expected }
}

fn within_limit(field: &[u8]) -> Read<&[u8]> {
    if field.len() > MAX_BYTES { Err(malformed("a field of at most 64 KiB")) } else { Ok(field) }
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode_to_vec(text).ok()
}

/// A pair of `key=value;…`, and the rest behind the semicolon.
struct XfccPair<'a> {
    key: &'a [u8],
    value: &'a [u8],
    rest: Option<&'a [u8]>,
}

/// The first pair of a text. Envoy quotes only some of the values with `=`.
fn xfcc_pair(text: &[u8]) -> Option<XfccPair<'_>> {
    let equals = text.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (text.get(..equals)?, text.get(equals + 1..)?);
    let (value, after) = match value.strip_prefix(b"\"") {
        Some(quoted) => quotation(quoted)?,
        None => unquoted(value)?,
    };
    let rest = match after {
        [] => None,
        [b';', rest @ ..] => Some(rest),
        _ => return None,
    };
    (!key.is_empty() && key.iter().all(u8::is_ascii_alphabetic)).then_some(XfccPair { key, value, rest })
}

/// The text up to the next semicolon, and the rest. A comma would begin another element.
fn unquoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b';').unwrap_or(text.len());
    let (value, rest) = text.split_at_checked(end)?;
    (!value.iter().any(|byte| b",\"".contains(byte))).then_some((value, rest))
}

/// The text up to the closing quotation mark, and the rest. A backslash takes the meaning of the character behind it.
fn quotation(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut escaped = false;
    let end = text.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

fn hexadecimal(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let bytes = text.chunks(2).map(|pair| match *pair {
        [high, low] => Some((digit(high)? << 4) | digit(low)?),
        _ => None,
    });
    bytes.collect::<Option<Vec<_>>>()?.try_into().ok()
}
