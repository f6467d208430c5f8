//! Mistakes in a configuration, reported when it is built.

use std::{error::Error, fmt, iter, path::PathBuf};

use crate::keys::{KeyProblem, NotAJwkSet, SkippedKey};

/// A mistake in the configuration of a verifier, a key service or a layer.
///
/// # Example
///
/// ```
/// use portcullis::JwksService;
///
/// let error = JwksService::new("http://as.example.com/jwks").unwrap_err();
/// assert!(error.to_string().contains("https"));
/// ```
#[non_exhaustive]
pub enum ConfigurationError {
    /// Not an absolute URL.
    Url {
        /// The text.
        url: String,
    },
    /// Neither https nor http to this machine.
    InsecureUrl {
        /// The URL.
        url: String,
    },
    /// A file cannot be read.
    File {
        /// Its path.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A text is not a JWK Set.
    NotAJwkSet(NotAJwkSet),
    /// A local key set has no usable key.
    NoUsableKey {
        /// Its keys, each with the reason that it is not used.
        skipped: Vec<SkippedKey>,
    },
    /// A key cannot be used.
    Key(KeyProblem),
    /// One of several issuers has no name, so that no token can name it.
    UnnamedIssuer,
    /// An issuer is named twice.
    DuplicateIssuer {
        /// Its name.
        issuer: String,
    },
    /// There is no issuer at all.
    NoIssuer,
    /// The HTTP client cannot be built.
    HttpClient {
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A text is not a private key as PEM (PKCS#8), or the key is not for the requested algorithm.
    PrivateKey,
    /// The secret that shared answers are sealed with has fewer than 32 bytes.
    ShortStoreSecret,
    /// The secret of nonces has fewer than 32 bytes.
    ShortNonceSecret,
    /// The operating system has no random numbers.
    NoRandomness,
    /// More than one issuer introspects: an opaque token does not name its issuer.
    SeveralIntrospectors,
    /// The `reqwest` feature is off, and no client was given.
    NoHttpClient,
    /// Certificate authorities are given together with an HTTP client of your own, which would not use them.
    UnusedCaFile,
    /// `ca_file` or `ca_pem` without a certificate.
    NoCertificate,
    /// A field of [`Rules`](crate::Rules) or [`IssuerRules`](crate::IssuerRules) is invalid.
    Rule {
        /// The field, such as `claims[1].matches`.
        field: String,
        /// The expected value, the actual one, and the remedy.
        problem: String,
    },
    /// A header field to be sent has an invalid name or value (RFC 9110 section 5).
    HeaderField {
        /// Its name.
        name: String,
    },
}

impl ConfigurationError {
    pub(crate) fn rule(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Rule { field: field.into(), problem: problem.into() }
    }
}

impl fmt::Display for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url } => write!(f, "expected an absolute URL, such as https://as.example.com, got `{url}`"),
            Self::InsecureUrl { url } => write!(
                f,
                "expected an https URL, got `{url}`: what is sent in the clear, keys, tokens or secrets, can be read and replaced on its way \
                 (http is fine to this machine; elsewhere `dangerously_allow_http` permits it)"
            ),
            Self::File { path, source } => write!(f, "cannot read the file {}: {source}", path.display()),
            Self::NotAJwkSet(problem) => problem.fmt(f),
            Self::NoUsableKey { skipped } => {
                write!(f, "expected a key set with a usable key")?;
                skipped.iter().try_for_each(|key| {
                    write!(f, "; key {:?}: {}", key.kid.as_deref().unwrap_or("without kid"), key.problem)
                })
            }
            Self::Key(problem) => write!(f, "the key cannot be used: {problem}"),
            Self::UnnamedIssuer => {
                f.write_str("expected a name for each of several issuers, got one without: call `issuer` on each")
            }
            Self::DuplicateIssuer { issuer } => write!(f, "expected each issuer once, got `{issuer}` twice"),
            Self::NoIssuer => f.write_str("expected at least one issuer, got none"),
            Self::HttpClient { .. } => f.write_str(
                "cannot build the HTTP client: if this machine has no certificate authorities, install some (the package \
                 `ca-certificates`) or name a `ca_file`",
            ),
            Self::PrivateKey => f.write_str(
                "expected a private key as PEM (PKCS#8, `PRIVATE KEY`): RSA, P-256, P-384 or Ed25519, and an algorithm of its \
                 type",
            ),
            Self::ShortStoreSecret => {
                f.write_str("expected a secret of 32 bytes or more to seal shared answers with, got a shorter one")
            }
            Self::ShortNonceSecret => {
                f.write_str("expected a secret of 32 bytes or more to seal nonces with, got a shorter one")
            }
            Self::NoRandomness => f.write_str("expected random numbers of the operating system, got none"),
            Self::SeveralIntrospectors => f.write_str(
                "expected one issuer at most that introspects, got several: an opaque token does not name its issuer, and \
                 showing it to another issuer would give it away",
            ),
            Self::NoHttpClient => {
                f.write_str("expected an HTTP client, got none: call `http_client`, or enable the `reqwest` feature")
            }
            Self::UnusedCaFile => {
                f.write_str("expected `ca_file` or `http_client`, got both: have your client trust the authority itself")
            }
            Self::NoCertificate => f.write_str(
                "expected certificate authorities as PEM (a CERTIFICATE section) for `ca_file` or `ca_pem`, got another text",
            ),
            Self::Rule { field, problem } => write!(f, "`{field}`: {problem}"),
            Self::HeaderField { name } => {
                write!(f, "expected a header field with a valid name and value, got {name:?}")
            }
        }
    }
}

/// Shows the text and its causes, since a program whose `main` returns the error shows it in this form.
impl fmt::Debug for ConfigurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut causes = iter::successors(self.source(), |cause| (*cause).source());
        causes.try_for_each(|cause| write!(f, ": {cause}"))
    }
}

impl Error for ConfigurationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::HttpClient { source } => Some(source.as_ref()),
            _ => None,
        }
    }
}
