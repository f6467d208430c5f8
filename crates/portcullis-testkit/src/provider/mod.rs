//! The metadata, keys and access tokens of well-known providers, as data.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::clock::numeric_date;
use crate::encoding::random_id;
use crate::key::SigningKey;
use crate::token::TokenBuilder;

/// The date at which the sample tokens were issued: 1 January 2026.
const ISSUED: i64 = 1_767_225_600;

/// The claims that are dates.
const DATES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

/// A provider of tokens, as an API meets it: the form of its issuer, its metadata, its key set, and an access token as it writes
/// them. Keys are made for each server.
///
/// [`Builder::provider`](crate::Builder::provider) serves it. Names and numbers in the samples are made up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use portcullis_testkit::{AuthorizationServer, provider};
///
/// let server = AuthorizationServer::builder().provider(provider::keycloak()).start().await?;
/// assert!(server.issuer().ends_with("/realms/shop"));
/// let token = server.token().audience("account").sign();
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    name: &'static str,
    shape: Value,
}

macro_rules! providers {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name() -> Provider {
                Provider::read(stringify!($name), include_str!(concat!(stringify!($name), ".json")))
            }
        )*

        /// All providers, in the order of their names in this module.
        #[must_use]
        pub fn all() -> Vec<Provider> {
            vec![$($name()),*]
        }
    };
}

providers! {
    /// Keycloak 26: `typ: Bearer` among the claims, the API beside `account` in `aud`, an encryption key in the set.
    keycloak
    /// Microsoft Entra ID, tokens of version 1.0: another issuer than the metadata's host, keys without `alg`.
    entra_v1
    /// Microsoft Entra ID, tokens of version 2.0: the client ID alone in `aud`, keys with `issuer`.
    entra_v2
    /// Microsoft Entra ID for customers (Azure AD B2C): the metadata's path is that of the user flow, not the issuer's.
    entra_b2c
    /// Auth0: an issuer that ends with a slash, two audiences.
    auth0
    /// A custom authorization server of Okta: no `typ`, the scope in `scp` as an array.
    okta
    /// Okta's org authorization server, whose access tokens are for Okta's own APIs.
    okta_org
    /// Amazon Cognito: no `aud`, the kind of token in `token_use`.
    cognito
    /// Google: an ID token, since its access tokens are opaque.
    google
    /// Firebase Authentication: an ID token, for the project.
    firebase
    /// Supabase Auth: ES256, a key with `key_ops`.
    supabase
    /// The ID token of a GitHub Actions job.
    github_actions
    /// The token of a Kubernetes service account.
    kubernetes
    /// A JWT-SVID of a SPIFFE trust domain: no `iss`, keys with `use: jwt-svid`.
    spiffe
    /// Zitadel: client and project in `aud`, roles in a claim that is named after the project.
    zitadel
    /// The Curity Identity Server: the JWT behind a phantom token.
    curity
    /// Duende `IdentityServer`: `typ: at+jwt`, the scope as an array.
    duende
    /// Spring Authorization Server: keys without `use` and `alg`, the scope as an array.
    spring_authorization_server
    /// AD FS: an issuer by http that is not the metadata's.
    adfs
    /// Laravel Passport: no `iss`, no `kid`, dates with fractions, the scope in `scopes`.
    laravel_passport
}

impl Provider {
    #[expect(clippy::expect_used, reason = "the shapes are files of this crate, and each is read in a test")]
    fn read(name: &'static str, shape: &str) -> Self {
        Self { name, shape: serde_json::from_str(shape).expect("a shape in JSON") }
    }

    /// The name of its function, as in `"keycloak"`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The issuer in its tokens; `None` if they have none.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.text("/issuer")
    }

    /// The header of its sample token.
    #[must_use]
    pub fn header(&self) -> &Value {
        self.member("header")
    }

    /// The claims of its sample token, issued on 1 January 2026.
    #[must_use]
    pub fn claims(&self) -> &Value {
        self.member("claims")
    }

    /// The metadata; `None` if there are none that lead from the issuer to the keys.
    pub(crate) fn metadata(&self) -> Option<&Value> {
        self.shape.get("metadata")
    }

    /// The URL of the key set; `None` if the provider publishes none.
    pub(crate) fn jwks_uri(&self) -> Option<&str> {
        self.text("/metadata/jwks_uri").or_else(|| self.text("/jwks_uri"))
    }

    /// The path of the metadata behind the issuer's.
    pub(crate) fn metadata_path(&self) -> Option<String> {
        let issuer = self.metadata().and_then(|_| self.issuer())?;
        Some(format!("{}/.well-known/openid-configuration", path(issuer).trim_end_matches('/')))
    }

    pub(crate) fn jwks_path(&self) -> Option<&str> {
        self.jwks_uri().map(path)
    }

    pub(crate) fn introspection_path(&self) -> Option<&str> {
        self.text("/metadata/introspection_endpoint").map(path)
    }

    /// The same with its issuer, metadata and keys at another origin.
    pub(crate) fn at(&self, origin: &str) -> Self {
        // From the last: one that begins with another comes behind it.
        let moved = self.origins().iter().rev().fold(self.shape.to_string(), |text, from| text.replace(from, origin));
        Self::read(self.name, &moved)
    }

    /// The host names of its URLs.
    #[cfg(feature = "tls")]
    pub(crate) fn hosts(&self) -> Vec<String> {
        let host = |origin: &String| origin.split_once("://").map(|(_, host)| host.to_owned());
        self.origins().iter().filter_map(host).collect()
    }

    fn origins(&self) -> BTreeSet<String> {
        let metadata = self.metadata().and_then(Value::as_object).into_iter().flat_map(Map::values);
        let urls = metadata.filter_map(Value::as_str).chain(self.issuer()).chain(self.jwks_uri());
        urls.filter_map(origin).collect()
    }

    /// A new signing key with the id and algorithm of the sample token's header.
    #[expect(clippy::expect_used, reason = "each shape is read in a test")]
    pub(crate) fn new_key(&self) -> SigningKey {
        let name = self.text("/header/alg").unwrap_or_default();
        let algorithm = Algorithm::ALL.iter().find(|algorithm| algorithm.name() == name);
        SigningKey::generate(*algorithm.expect("an algorithm"), self.text("/header/kid").unwrap_or_default())
    }

    /// A key as the provider publishes it.
    pub(crate) fn published(&self, key: &SigningKey) -> Value {
        with_members(key.public_jwk(), self.member("key"))
    }

    /// New keys that sign no access tokens.
    pub(crate) fn new_other_keys(&self) -> Vec<Value> {
        let others = self.shape.get("other_keys").and_then(Value::as_array);
        others.into_iter().flatten().map(|members| with_members(self.new_key().public_jwk(), members)).collect()
    }

    /// Begins a token as the provider writes it.
    pub(crate) fn token(&self, key: &SigningKey, now: SystemTime) -> TokenBuilder {
        let mut token = TokenBuilder::blank(key, now);
        for (name, value) in self.header().as_object().into_iter().flatten() {
            token = token.header(name, value.clone());
        }
        if self.header().get("kid").is_some() {
            token = token.kid(key.kid());
        }
        let passed = numeric_date(now) - ISSUED;
        for (name, value) in self.claims().as_object().into_iter().flatten() {
            let value = if DATES.contains(&name.as_str()) { later(value, passed) } else { value.clone() };
            token = token.claim(name, value);
        }
        if self.claims().get("jti").is_some() { token.claim("jti", random_id()) } else { token }
    }

    fn member(&self, name: &str) -> &Value {
        self.shape.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        self.shape.pointer(pointer)?.as_str()
    }
}

/// A key with further members; those that are null are left out.
fn with_members(mut jwk: Value, members: &Value) -> Value {
    if let (Some(jwk), Some(members)) = (jwk.as_object_mut(), members.as_object()) {
        jwk.extend(members.clone());
        jwk.retain(|_, value| !value.is_null());
    }
    jwk
}

/// A date this many seconds later.
#[expect(clippy::cast_precision_loss, reason = "dates are small numbers")]
fn later(date: &Value, seconds: i64) -> Value {
    match (date.as_i64(), date.as_f64()) {
        (Some(date), _) => (date + seconds).into(),
        (None, Some(date)) => (date + seconds as f64).into(),
        (None, None) => date.clone(),
    }
}

/// The path of a URL.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("", |at| rest.split_at(at).1)
}

/// The scheme and host of a URL.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    Some(format!("{scheme}://{}", rest.split('/').next()?))
}
