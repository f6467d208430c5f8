//! The entry points of the fuzz targets: each parser, with properties that hold for any bytes.
//!
//! Compiled under `cfg(fuzzing)` only.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64_simd::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::json;

use crate::{
    algorithm::Algorithm,
    base64url,
    bearer::{self, BearerToken, CookiePart, CredentialRules, TokenSource},
    claims::{Claims, GrantedScope, SCOPE_CLAIMS, find, is_scope_value},
    json,
    keys::{ImportRules, JwkSet, KeySet, Origin, keys_from_pem},
    mcp::{Content, Mcp, McpRules, MethodRule, ToolRule},
    policy::{ClaimCheck, ClaimRule, Policy},
    proof::{
        ClientCertificate, ClientKeys, DpopRules, MalformedClientCertificate, ProofRequest, RequestUrl, UnverifiedProof,
    },
    refusal::{CheckKind, Refusal},
    token,
};

const MAX_TOKEN_BYTES: usize = 16 * 1024;

const CREDENTIALS: CredentialRules = CredentialRules { max_bytes: MAX_TOKEN_BYTES, dpop: true };

/// A bearer token is a part of its field, and never empty.
pub fn bearer_header(bytes: &[u8]) {
    if let Ok(found) = bearer::parse(bytes, CREDENTIALS) {
        let token = found.token;
        assert!(bytes.ends_with(token.as_bytes()));
        assert!(BearerToken::bare(token.as_bytes(), MAX_TOKEN_BYTES).is_ok());
    }
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    for name in [header::AUTHORIZATION, header::COOKIE, HeaderName::from_static("x-token")] {
        let mut headers = HeaderMap::new();
        headers.append(name.clone(), value.clone());
        let own = TokenSource::header(HeaderName::from_static("x-token"));
        let sources = [TokenSource::authorization(), TokenSource::cookie("at"), own];
        if let Ok(found) = bearer::find(&headers, &sources, CREDENTIALS) {
            assert!(!found.token.as_bytes().is_empty());
        }
        let mut others = Vec::new();
        TokenSource::each_cookie("a_t", bytes, &mut |part| {
            if let CookiePart::Other(other) = part {
                others.push(other);
            }
        });
        TokenSource::each_cookie("a_t", &others.join(&b"; "[..]), &mut |part| {
            assert!(matches!(part, CookiePart::Other(_)), "another cookie became the one with the token");
        });
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert!(bearer::find(&headers, &sources, CREDENTIALS).is_err(), "two Authorization fields passed");
    }
}

/// A token that parses is the only encoding of its parts.
pub fn token(bytes: &[u8]) {
    let Ok(bearer) = BearerToken::bare(bytes, MAX_TOKEN_BYTES) else { return };
    let Ok(parsed) = token::parse(bearer) else { return };
    let parts: Vec<_> = std::str::from_utf8(bytes).expect("ASCII").split('.').collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(URL_SAFE_NO_PAD.encode_to_string(parsed.signature()), parts[2]);
    assert_eq!(parsed.signing_input(), format!("{}.{}", parts[0], parts[1]).as_bytes());
    let respelled = |part: &str| base64url::decode(part).map(|bytes| URL_SAFE_NO_PAD.encode_to_string(bytes));
    assert!(parts.iter().all(|part| respelled(part).as_deref() == Some(*part)));
}

/// Every key of a key set is either used or skipped.
pub fn jwk_set(bytes: &[u8]) {
    let _ = keys_from_pem(bytes);
    let Ok(document) = JwkSet::from_slice(bytes) else { return };
    // A cache keeps the text; floats, which no key has, may lose their last bit in it.
    let again: JwkSet = document.to_string().parse().expect("the text of a set is a set");
    assert_eq!(again.keys().len(), document.keys().len());
    for origin in [Origin::Local, Origin::Remote] {
        let set = Arc::new(KeySet::import(&document, &ImportRules::of(origin)));
        assert_eq!(set.len() + set.skipped().len(), document.keys().len());
        for kid in set.kids() {
            let found = |name| set.candidates(&header(name, kid)).is_ok();
            let mut all = Algorithm::ASYMMETRIC.iter().chain(Algorithm::SYMMETRIC);
            assert!(all.any(|algorithm| found(algorithm.name())), "a key that was imported is never found");
        }
    }
}

fn header(alg: &str, kid: Option<&str>) -> token::Header {
    let header = match kid.filter(|kid| kid.len() <= 512) {
        Some(kid) => json!({ "alg": alg, "kid": kid }),
        None => json!({ "alg": alg }),
    };
    let header = json::object(header.to_string().into_bytes()).expect("a header");
    token::Header::from_object(b"", &header).expect("a header")
}

/// Claims are read as another reader reads them, and no rule panics on them.
pub fn claims(bytes: &[u8]) {
    let Ok(object) = json::object(bytes.to_vec()) else { return };
    let other: serde_json::Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
    assert_eq!(other, serde_json::to_value(&object).expect("JSON"));
    let scope = GrantedScope::of(&object, &SCOPE_CLAIMS);
    assert!(scope.values().all(|value| scope.has(value) == is_scope_value(value)));
    for (name, value) in object.iter() {
        assert_eq!(object.get(name).map(json::Value::to_json), Some(value.to_json()));
        let _ = (find(&object, name), find(&object, &format!("/{name}")));
        if !name.starts_with('/') {
            let is_met = |rule| ClaimCheck::new(&rule).is_met(&object);
            assert!(is_met(ClaimRule::present(name)));
            assert!(is_met(ClaimRule::equals(name, value.to_json())));
        }
    }
    let _ = Claims::new(object).typed::<std::collections::BTreeMap<String, String>>();
}

/// The operation that is judged is the one that another reader finds, in the content and in a field.
pub fn mcp(bytes: &[u8]) {
    let mut rules = McpRules::default();
    rules.tools = vec![ToolRule::new("delete_*", ["write"])];
    rules.methods = vec![MethodRule::new("resources/read", ["read"])];
    let mcp = Mcp::new(&rules, "https://mcp.example.com", &Policy::default());

    let fields: [(&str, &[u8]); 1] = [("content-type", b"application/json")];
    if let Ok(needed) = mcp.needed("POST", &fields, Content::Whole(bytes)) {
        let other: serde_json::Value = serde_json::from_slice(bytes).expect("strict JSON is JSON");
        let messages = other.as_array().map_or(std::slice::from_ref(&other), Vec::as_slice);
        let is_delete = |message: &serde_json::Value| {
            let name = message["params"]["name"].as_str();
            message["method"] == "tools/call" && name.is_some_and(|name| name.starts_with("delete_"))
        };
        let scope = mcp.scope(&needed);
        assert_eq!(scope.contains("write"), messages.iter().any(is_delete));
        assert_eq!(scope.contains("read"), messages.iter().any(|message| message["method"] == "resources/read"));
    }

    let [version, method]: [(&str, &[u8]); 2] =
        [("mcp-protocol-version", b"2026-07-28"), ("mcp-method", b"tools/call")];
    if let Ok(needed) = mcp.needed("POST", &[version, method, ("mcp-name", bytes)], Content::Unseen) {
        let text = std::str::from_utf8(bytes).expect("ASCII").trim();
        let encoded = text.strip_prefix("=?base64?").and_then(|text| text.strip_suffix("?="));
        let name = encoded.map_or(text.as_bytes().to_vec(), |text| STANDARD.decode_to_vec(text).expect("base64"));
        assert_eq!(mcp.scope(&needed).contains("write"), name.starts_with(b"delete_"));
    }
}

/// A proof that is read is one by another reader, too, and its explanation says the same as the verdict.
///
/// The bytes are a `DPoP` field, then the header and the claims of a proof, in two lines.
pub fn proof(bytes: &[u8]) {
    let keys = ClientKeys::default();
    judge_proof(bytes, &keys);
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let [header, claims] = [lines.next().unwrap_or_default(), lines.next().unwrap_or_default()];
    let parts = [header, claims, &[0; 64]].map(|part| URL_SAFE_NO_PAD.encode_to_string(part));
    if let Some(proof) = judge_proof(parts.join(".").as_bytes(), &keys) {
        let [header, claims]: [serde_json::Value; 2] =
            [header, claims].map(|json| serde_json::from_slice(json).expect("strict JSON is JSON"));
        assert!(header["typ"].as_str().is_some_and(|typ| typ.to_ascii_lowercase().ends_with("dpop+jwt")));
        assert_eq!((&header["crit"], &header["jwk"]["d"]), (&serde_json::Value::Null, &serde_json::Value::Null));
        assert_eq!(claims["htm"], "GET");
        assert!(claims["htu"].as_str().is_some_and(|htu| htu.to_ascii_lowercase().starts_with("https:")));
        let jkt = crate::keys::jwk_thumbprint(&header["jwk"]).and_then(base64url::decode).expect("a thumbprint");
        assert!(proof.verify(jkt.as_slice().try_into().expect("32 bytes"), &keys).is_err(), "zeros are no signature");
    }
    if let Some(url) = std::str::from_utf8(bytes).ok().and_then(RequestUrl::parse) {
        assert_eq!(RequestUrl::parse(url.as_str()).as_ref(), Some(&url));
    }
}

fn judge_proof(field: &[u8], keys: &ClientKeys) -> Option<UnverifiedProof> {
    let url = RequestUrl::parse("https://api.example.com/orders");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    let request = ProofRequest { method: "GET", url: url.as_ref(), token: b"token", now, nonces: None };
    let rules = DpopRules::default();
    let rows = request.rows(field, &rules, None);
    let failed: Vec<_> = rows.iter().filter(|row| row.result.is_err()).map(|row| row.kind).collect();
    // The numbers of the key and the signature are judged after the token.
    let is_judged_later = |kind: &&CheckKind| [CheckKind::ProofKey, CheckKind::ProofSignature].contains(kind);
    match UnverifiedProof::read(field, &request, &rules, keys) {
        Ok(proof) => {
            assert!(failed.iter().all(|kind| is_judged_later(&kind)));
            Some(proof)
        }
        Err(fault) => {
            let kind = Refusal::Proof(fault).check();
            assert!(failed.contains(&kind));
            assert!(failed.iter().filter(|earlier| **earlier < kind).all(|earlier| is_judged_later(&earlier)));
            None
        }
    }
}

/// A field that is read names one certificate, the same by each notation; two fields that are joined by a comma are none.
pub fn client_certificate(field: &[u8]) {
    type Reader = fn(&[u8]) -> Result<ClientCertificate, MalformedClientCertificate>;
    let strict: [Reader; 3] =
        [ClientCertificate::from_rfc9440, ClientCertificate::from_escaped_pem, ClientCertificate::from_xfcc];
    for read in strict.into_iter().filter(|read| read(field).is_ok()) {
        assert!(read(&[field, b",", field].concat()).is_err(), "a client's field before the proxy's");
        assert!(read(&[field, b", ", field].concat()).is_err());
    }
    let Ok(first) = ClientCertificate::from_base64_der(field) else { return };
    let chain = [field, b",", field].concat();
    assert_eq!(ClientCertificate::from_base64_der(&chain).expect("the same twice"), first);
    let element = field.split(|byte| *byte == b',').next().unwrap_or_default();
    let base64 = percent_encoding::percent_decode(element).decode_utf8().expect("base64 is text");
    let written = format!(":{base64}:");
    assert_eq!(ClientCertificate::from_rfc9440(written.as_bytes()).expect("the same base64"), first);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n");
    let escaped = percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string();
    assert_eq!(ClientCertificate::from_escaped_pem(escaped.as_bytes()).expect("the same base64"), first);
}
