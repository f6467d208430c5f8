use aws_lc_rs::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use serde_json::Value;

/// A decoded compact token: header, payload, signing input, signature.
pub(crate) struct Token {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) input: String,
    pub(crate) signature: Vec<u8>,
}

impl Token {
    pub(crate) fn read(compact: &str) -> Self {
        let parts: Vec<&str> = compact.split('.').collect();
        assert_eq!(parts.len(), 3, "{compact}");
        Self {
            header: serde_json::from_slice(&decode(parts[0])).unwrap(),
            claims: serde_json::from_slice(&decode(parts[1])).unwrap(),
            input: format!("{}.{}", parts[0], parts[1]),
            signature: decode(parts[2]),
        }
    }

    /// Verifies with the JWK of the token's `kid` and the token's `alg`.
    pub(crate) fn verifies(&self, keys: &Value) -> bool {
        let keys = keys["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == self.header["kid"]);
        key.is_some_and(|key| {
            let algorithm = self.header["alg"].as_str().unwrap();
            verifies(key, algorithm, self.input.as_bytes(), &self.signature)
        })
    }
}

pub(crate) fn decode(segment: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(segment).unwrap()
}

pub(crate) async fn get(url: impl AsRef<str>) -> Response {
    reqwest::get(url.as_ref()).await.unwrap()
}

pub(crate) async fn get_json(url: impl AsRef<str>) -> Value {
    get(url).await.json().await.unwrap()
}

/// A client that follows no redirects.
pub(crate) fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder();
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Verifies with the JWK's parameters alone, independent of the test kit's own code.
pub(crate) fn verifies(jwk: &Value, algorithm: &str, input: &[u8], signature: &[u8]) -> bool {
    match jwk["kty"].as_str().unwrap() {
        "RSA" => rsa(jwk, algorithm, input, signature),
        "EC" => {
            let point = [vec![4], parameter(jwk, "x"), parameter(jwk, "y")].concat();
            let key = UnparsedPublicKey::new(ecdsa(jwk, algorithm), point);
            key.verify(input, signature).is_ok()
        }
        "OKP" => {
            let key = UnparsedPublicKey::new(&signature::ED25519, parameter(jwk, "x"));
            key.verify(input, signature).is_ok()
        }
        "AKP" => {
            let set = match algorithm {
                _ if jwk["alg"] != algorithm => return false,
                "ML-DSA-44" => &signature::ML_DSA_44,
                "ML-DSA-65" => &signature::ML_DSA_65,
                "ML-DSA-87" => &signature::ML_DSA_87,
                other => panic!("unexpected algorithm {other}"),
            };
            UnparsedPublicKey::new(set, parameter(jwk, "pub")).verify(input, signature).is_ok()
        }
        "oct" => {
            let key = hmac::Key::new(hmac_algorithm(algorithm), &parameter(jwk, "k"));
            hmac::verify(&key, input, signature).is_ok()
        }
        other => panic!("unexpected kty {other}"),
    }
}

fn rsa(jwk: &Value, algorithm: &str, input: &[u8], signature: &[u8]) -> bool {
    let key = RsaPublicKeyComponents { n: parameter(jwk, "n"), e: parameter(jwk, "e") };
    let algorithm = match algorithm {
        "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
        "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
        "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
        "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
        "PS384" => &signature::RSA_PSS_2048_8192_SHA384,
        "PS512" => &signature::RSA_PSS_2048_8192_SHA512,
        _ => return false,
    };
    key.verify(algorithm, input, signature).is_ok()
}

fn ecdsa(jwk: &Value, algorithm: &str) -> &'static signature::EcdsaVerificationAlgorithm {
    match (algorithm, jwk["crv"].as_str().unwrap()) {
        ("ES256", "P-256") => &signature::ECDSA_P256_SHA256_FIXED,
        ("ES384", "P-384") => &signature::ECDSA_P384_SHA384_FIXED,
        ("ES512", "P-521") => &signature::ECDSA_P521_SHA512_FIXED,
        other => panic!("unexpected curve {other:?}"),
    }
}

fn hmac_algorithm(algorithm: &str) -> hmac::Algorithm {
    match algorithm {
        "HS256" => hmac::HMAC_SHA256,
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        other => panic!("unexpected algorithm {other}"),
    }
}

fn parameter(jwk: &Value, name: &str) -> Vec<u8> {
    decode(jwk[name].as_str().unwrap())
}

/// A hash of a JWK's public parameters, to tell keys apart.
pub(crate) fn fingerprint(jwk: &Value) -> Vec<u8> {
    let material = format!("{}{}{}{}", jwk["n"], jwk["x"], jwk["k"], jwk["pub"]);
    let hash = digest::digest(&digest::SHA256, material.as_bytes());
    hash.as_ref().to_vec()
}
