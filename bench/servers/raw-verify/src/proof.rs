//! The signature of a DPoP proof, with the key of the first one, which is parsed once.

use std::sync::OnceLock;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use axum::http::{HeaderMap, StatusCode};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

static KEY: OnceLock<ParsedPublicKey> = OnceLock::new();

pub async fn hello(headers: HeaderMap) -> Result<&'static str, StatusCode> {
    if verifies(&headers).is_some() { Ok("ok") } else { Err(StatusCode::FORBIDDEN) }
}

fn verifies(headers: &HeaderMap) -> Option<()> {
    let proof = headers.get("dpop")?.as_bytes();
    let dot = proof.iter().rposition(|byte| *byte == b'.')?;
    let (input, signature) = proof.split_at(dot);
    let signature = URL_SAFE_NO_PAD.decode(signature.get(1..)?).ok()?;
    let key = match KEY.get() {
        Some(key) => key,
        None => KEY.get_or_init(|| key_of(proof).expect("the key of a proof")),
    };
    key.verify_sig(input, &signature).ok()
}

fn key_of(proof: &[u8]) -> Option<ParsedPublicKey> {
    let header = URL_SAFE_NO_PAD.decode(proof.split(|byte| *byte == b'.').next()?).ok()?;
    let header: serde_json::Value = serde_json::from_slice(&header).ok()?;
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(header["jwk"][name].as_str()?).ok();
    let point = [vec![4], coordinate("x")?, coordinate("y")?].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()
}
