//! Authentication of a client at its authorization server (RFC 6749 section 2.3, RFC 7521, RFC 7523, RFC 8705).
//!
//! A resource server is a client of each endpoint that it calls with credentials, such as introspection (RFC 7662).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{HeaderValue, header::AUTHORIZATION, request};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    algorithm::Algorithm,
    base64url,
    configuration_error::ConfigurationError,
    crypto::{AssertionKey, random_text},
};

/// The lifetime of an assertion.
const ASSERTION_LIFETIME: Duration = Duration::from_secs(60);

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The method and credentials of a client at its authorization server.
///
/// # Example
///
/// ```
/// use portcullis::ClientAuthentication;
///
/// let client = ClientAuthentication::basic("my-api", "correct horse");
/// assert!(!format!("{client:?}").contains("horse"), "a secret shows in no log");
/// ```
#[derive(Clone)]
pub struct ClientAuthentication {
    id: String,
    method: Method,
}

#[derive(Clone)]
enum Method {
    Basic { secret: String },
    Post { secret: String },
    PrivateKeyJwt(Arc<PrivateKeyJwt>),
    Tls,
    None,
}

struct PrivateKeyJwt {
    key: AssertionKey,
    kid: Option<String>,
}

impl ClientAuthentication {
    /// Authenticates by a secret in the `Authorization` field (`client_secret_basic`, RFC 6749 section 2.3.1).
    #[must_use]
    pub fn basic(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), method: Method::Basic { secret: secret.into() } }
    }

    /// Authenticates by a secret in the form (`client_secret_post`, RFC 6749 section 2.3.1).
    #[must_use]
    pub fn post(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), method: Method::Post { secret: secret.into() } }
    }

    /// Authenticates by a JWT that is signed with this private key (`private_key_jwt`, RFC 7523 section 2.2).
    ///
    /// The key is PEM, PKCS#8 (`PRIVATE KEY`): RSA, P-256, P-384 or Ed25519. It signs by RS256, ES256, ES384 or EdDSA;
    /// PS256 for RSA has to be named. `kid` is the key's id at the server.
    ///
    /// # Errors
    ///
    /// [`ConfigurationError::PrivateKey`] if the text is no such key, or the algorithm is not for that key.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use portcullis::{Algorithm, ClientAuthentication};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pem = std::fs::read_to_string("client-key.pem")?;
    /// let client = ClientAuthentication::private_key_jwt("my-api", &pem, Some("key-1"), Some(Algorithm::PS256))?;
    /// # Ok(()) }
    /// ```
    pub fn private_key_jwt(
        id: impl Into<String>,
        pem: &str,
        kid: Option<&str>,
        algorithm: Option<Algorithm>,
    ) -> Result<Self, ConfigurationError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| ConfigurationError::PrivateKey)?;
        let key = AssertionKey::from_pkcs8(der.secret_pkcs8_der(), algorithm).ok_or(ConfigurationError::PrivateKey)?;
        let method = Method::PrivateKeyJwt(Arc::new(PrivateKeyJwt { key, kid: kid.map(Into::into) }));
        Ok(Self { id: id.into(), method })
    }

    /// Authenticates by the HTTP client's certificate (`tls_client_auth`, RFC 8705 section 2).
    ///
    /// Set the HTTP client with the certificate by [`http_client`](crate::IntrospectorBuilder::http_client).
    #[must_use]
    pub fn tls(id: impl Into<String>) -> Self {
        Self { id: id.into(), method: Method::Tls }
    }

    /// Sends no credentials: for a server that lets its network answer for its clients, such as Ory Hydra's administrative API.
    ///
    /// Anyone who reaches such an endpoint can try tokens there (RFC 7662 section 2.1 requires credentials).
    #[must_use]
    pub fn none() -> Self {
        Self { id: String::new(), method: Method::None }
    }

    /// The client identifier (RFC 6749 section 2.2).
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Tells whether this server authenticates by its certificate.
    pub(crate) fn is_by_certificate(&self) -> bool {
        matches!(self.method, Method::Tls)
    }

    /// The name of the method (RFC 7591 section 2, RFC 8705 section 2.1.1).
    pub(crate) fn method(&self) -> &'static str {
        match self.method {
            Method::Basic { .. } => "client_secret_basic",
            Method::Post { .. } => "client_secret_post",
            Method::PrivateKeyJwt(_) => "private_key_jwt",
            Method::Tls => "tls_client_auth",
            Method::None => "none",
        }
    }

    /// Adds the client's credentials to a request and its form; `None` if a signature cannot be made.
    ///
    /// `audience` names the authorization server in an assertion (RFC 7523 section 3).
    pub(crate) fn apply(
        &self,
        request: request::Builder,
        form: &mut form_urlencoded::Serializer<'_, String>,
        audience: &str,
        now: SystemTime,
    ) -> Option<request::Builder> {
        match &self.method {
            Method::Basic { secret } => return Some(request.header(AUTHORIZATION, basic(&self.id, secret)?)),
            Method::Post { secret } => {
                form.append_pair("client_id", &self.id).append_pair("client_secret", secret);
            }
            Method::PrivateKeyJwt(method) => {
                form.append_pair("client_id", &self.id)
                    .append_pair("client_assertion_type", ASSERTION_TYPE)
                    .append_pair("client_assertion", &method.assertion(&self.id, audience, now)?);
            }
            Method::Tls => {
                form.append_pair("client_id", &self.id);
            }
            Method::None => {}
        }
        Some(request)
    }
}

/// The `Authorization` field. Id and secret are form-encoded first (RFC 6749 section 2.3.1), so that colons in them are safe.
fn basic(id: &str, secret: &str) -> Option<HeaderValue> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let credentials = format!("{}:{}", encode(id), encode(secret));
    let field = format!("Basic {}", base64_simd::STANDARD.encode_to_string(credentials));
    let mut field = HeaderValue::try_from(field).ok()?;
    field.set_sensitive(true);
    Some(field)
}

impl PrivateKeyJwt {
    /// A JWT by which the client authenticates itself (RFC 7523 section 3).
    fn assertion(&self, client: &str, audience: &str, now: SystemTime) -> Option<String> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let mut header = json!({ "alg": self.key.algorithm.name(), "typ": "JWT" });
        if let (Some(kid), Some(header)) = (&self.kid, header.as_object_mut()) {
            header.insert("kid".into(), kid.as_str().into());
        }
        let claims = json!({
            "iss": client,
            "sub": client,
            "aud": audience,
            "jti": random_text()?,
            "iat": now.as_secs(),
            "exp": (now + ASSERTION_LIFETIME).as_secs(),
        });
        let input = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims.to_string()));
        let signature = self.key.sign(input.as_bytes())?;
        Some(format!("{input}.{}", base64url::encode(signature)))
    }
}

impl fmt::Debug for ClientAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAuthentication")
            .field("id", &self.id)
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
