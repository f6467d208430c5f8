//! What the fuzz targets call: each parser, with what must hold of any bytes.
//!
//! Compiled under `cfg(fuzzing)` only.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::{
    Algorithm, Claims, TokenSource,
    bearer::{self, BearerToken},
    claims::{find, scopes},
    keys::{JwkSet, KeySet, Origin, keys_from_pem},
    policy::ClaimRule,
    token::{self, json},
};

const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// A bearer token is a part of the field it stands in, and no byte of it is beyond `token68`.
pub fn bearer_header(bytes: &[u8]) {
    if let Ok(token) = bearer::parse(bytes, MAX_TOKEN_BYTES) {
        assert!(bytes.ends_with(token.as_str().as_bytes()));
        assert!(BearerToken::bare(token.as_str().as_bytes(), MAX_TOKEN_BYTES).is_ok());
    }
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    for name in [header::AUTHORIZATION, header::COOKIE, HeaderName::from_static("x-token")] {
        let mut headers = HeaderMap::new();
        headers.append(name.clone(), value.clone());
        let own = TokenSource::header(HeaderName::from_static("x-token"));
        let sources = [TokenSource::authorization(), TokenSource::cookie("at"), own];
        if let Ok(token) = bearer::find(&headers, &sources, MAX_TOKEN_BYTES) {
            assert!(!token.as_str().is_empty());
        }
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        assert!(bearer::find(&headers, &sources, MAX_TOKEN_BYTES).is_err(), "two Authorization fields passed");
    }
}

/// A token that parses is spelled in the only way that its parts can be.
pub fn token(bytes: &[u8]) {
    let Ok(bearer) = BearerToken::bare(bytes, MAX_TOKEN_BYTES) else { return };
    let Ok(parsed) = token::parse(bearer) else { return };
    let parts: Vec<_> = bearer.as_str().split('.').collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(URL_SAFE_NO_PAD.encode(parsed.signature()), parts[2]);
    assert_eq!(parsed.signing_input(), format!("{}.{}", parts[0], parts[1]).as_bytes());
    let respelled = |part: &str| URL_SAFE_NO_PAD.decode(part).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    assert!(parts.iter().all(|part| respelled(part).as_deref() == Ok(*part)));
}

/// Whatever a key set holds, every key of it is either used or skipped.
pub fn jwk_set(bytes: &[u8]) {
    let _ = keys_from_pem(bytes);
    let Ok(document) = JwkSet::from_slice(bytes) else { return };
    // What a cache keeps is the text; floats, which no key has, may lose their last bit on the way.
    let again: JwkSet = document.to_string().parse().expect("the text of a set is a set");
    assert_eq!(again.keys().len(), document.keys().len());
    for origin in [Origin::Local, Origin::Remote] {
        let set = Arc::new(KeySet::import(&document, origin));
        assert_eq!(set.len() + set.skipped().len(), document.keys().len());
        for kid in set.kids() {
            let found = |name| set.candidates(&header(name, kid)).is_ok();
            let mut all =
                Algorithm::ASYMMETRIC.iter().map(|algorithm| algorithm.name()).chain(["HS256", "HS384", "HS512"]);
            assert!(all.any(|name| found(name)), "a key that was imported is never found");
        }
    }
}

fn header(alg: &str, kid: Option<&str>) -> token::Header {
    let mut object = json::object(format!("{{\"alg\":\"{alg}\"}}").as_bytes()).expect("a header");
    if let Some(kid) = kid.filter(|kid| kid.len() <= 512) {
        object.insert("kid".into(), kid.into());
    }
    token::Header::from_object(&object).expect("a header")
}

/// Claims that are read are those that another reader reads, and no rule panics on them.
pub fn claims(bytes: &[u8]) {
    let Ok(object) = json::object(bytes) else { return };
    if let Ok(other) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert_eq!(other.as_object(), Some(&object));
    }
    assert!(scopes(&object).all(|scope| !scope.contains(' ') || object.contains_key("scp")));
    for (name, value) in &object {
        assert_eq!(object.get(name), Some(value));
        let _ = (find(&object, name), find(&object, &format!("/{name}")));
        if !name.starts_with('/') {
            assert!(ClaimRule::present(name.clone()).is_met(&object));
            assert!(ClaimRule::equals(name.clone(), value.clone()).is_met(&object));
        }
    }
    let _ = Claims::new(object).typed::<std::collections::BTreeMap<String, String>>();
}
